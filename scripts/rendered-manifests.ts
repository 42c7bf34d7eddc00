/** `manifests/operator/`: what the chart renders with its default values, one file for each of its templates. */
import process from "node:process";
import { dump } from "js-yaml";
import { describeMissing, findBinaries } from "../src/control-plane/find-binaries.ts";
import { createProgress } from "../src/control-plane/progress.ts";
import { runCommand } from "../src/control-plane/run-command.ts";
import { systemClock } from "../src/runtime/clock.ts";

const CHART = "charts/auth0-user-operator";
const NAME = "auth0-user-operator";
/** What is true of a release only. */
const OF_HELM = /^ *(helm\.sh\/chart|app\.kubernetes\.io\/managed-by): .*\n/gm;

const KUSTOMIZATION = `# The operator: its account, its rights, its Deployment. Needs the Secret auth0-credentials in its namespace:
#   kubectl -n auth0-user-operator create secret generic auth0-credentials \\
#     --from-literal=AUTH0_DOMAIN=acme.eu.auth0.com --from-literal=AUTH0_CLIENT_ID=… --from-literal=AUTH0_CLIENT_SECRET=…
`;

/**
 * Content by file.
 * @throws where no Helm can be had, with what was tried
 */
export async function renderedManifests(): Promise<ReadonlyMap<string, string>> {
  const signal = new AbortController().signal;
  const progress = createProgress({ output: process.stderr, clock: systemClock });
  const found = await findBinaries(["helm4"], { env: process.env, progress, clock: systemClock }, signal);
  if (found.kind === "missing") throw new Error(describeMissing(found.missing));
  const args = [
    "template",
    NAME,
    CHART,
    `--namespace=${NAME}`,
    "--set=crds.enabled=false,defaultTenant.grants=all",
    "--skip-tests",
  ];
  const { exitCode, stdout, stderr } = await runCommand(found.paths.helm4, args, { env: process.env }, signal);
  if (exitCode !== 0) throw new Error(`helm ${args.join(" ")}: ${stderr}`);

  const byTemplate = Map.groupBy(
    stdout.split(/^---\n/m).filter((text) => text.trim() !== ""),
    (document) => /^# Source: .*\/templates\/(.*)\n/.exec(document)?.[1] ?? "",
  );
  const files = new Map(
    [...byTemplate].map(([template, documents]) => [
      template,
      `# Made by npm run generate from ${CHART}.\n${documents
        .map((document) => document.replace(/^# Source: .*\n/, "").replaceAll(OF_HELM, ""))
        .join("---\n")}`,
    ]),
  );
  const kustomization = {
    apiVersion: "kustomize.config.k8s.io/v1beta1",
    kind: "Kustomization",
    namespace: NAME,
    resources: [...files.keys()].toSorted(),
  };
  return files.set("kustomization.yaml", `${KUSTOMIZATION}${dump(kustomization)}`);
}
