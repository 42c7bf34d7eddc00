/** Writes every file that is made from code; with --check it says which are stale instead. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { dump } from "js-yaml";
import { format, resolveConfig } from "prettier";
import { ACTIONS } from "../src/api/actions.ts";
import { AUTH0_USER_SPEC } from "../src/api/auth0-user.ts";
import { AUTH0_TENANT_CRD, AUTH0_USER_CRD, CLUSTER_AUTH0_TENANT_CRD } from "../src/api/crd.ts";
import { SCOPES } from "../src/reconcile/scopes.ts";
import { REASONS } from "../src/reconcile/reasons.ts";
import { chartValues } from "./chart-readme.ts";
import { dashboard } from "./dashboard.ts";
import { endpointRows, switchRows } from "./simulator-tables.ts";
import { optionRows } from "./options-table.ts";
import { metricRows } from "./metrics-table.ts";
import { renderedManifests } from "./rendered-manifests.ts";

const YAML = { lineWidth: 120, noRefs: true } as const;

const CRDS = [AUTH0_USER_CRD, AUTH0_TENANT_CRD, CLUSTER_AUTH0_TENANT_CRD];
/** All the same: for people, for the chart, which reads nothing outside of itself, and for kustomize, likewise. */
const CRD_FOLDERS = ["crds", "charts/auth0-user-operator/files/crds", "manifests/crds"];

type Content = (standing: string) => string;

/** File → what belongs in it, given what stands there. The chart's own come before what is rendered from it. */
const FILES: Readonly<Record<string, Content>> = {
  ...Object.fromEntries(
    CRD_FOLDERS.flatMap((folder) =>
      CRDS.map((crd) => [`${folder}/${crd.spec.names.plural}.yaml`, () => crdText(crd)] as const),
    ),
  ),
  "manifests/crds/kustomization.yaml": () => crdsKustomization(),
  "charts/auth0-user-operator/README.md": (standing) => between(standing, "values", valuesTable()),
  "charts/auth0-user-operator/files/dashboard.json": () => JSON.stringify(dashboard()),
  "manifests/argocd/argocd-cm.yaml": () => argocdConfig(),
  "docs/configuration.md": (standing) => between(standing, "options", optionsTables()),
  "docs/metrics.md": (standing) => between(standing, "metrics", metricsTable()),
  "docs/actions.md": (standing) => between(standing, "actions", actionsTable()),
  "docs/scopes.md": (standing) => between(standing, "scopes", scopesTable()),
  "docs/simulator-reference.md": (standing) =>
    between(between(standing, "endpoints", endpointsTable()), "switches", switchesTable()),
  "docs/troubleshooting.md": (standing) => between(standing, "reasons", reasonsTable()),
  "README.md": (standing) => between(standing, "fields", fieldsTable()),
};

const isCheck = process.argv.includes("--check");
for (const [file, content] of Object.entries(FILES)) await put(file, content);
try {
  for (const [file, text] of await renderedManifests()) await put(`manifests/operator/${file}`, () => text);
} catch (error) {
  process.stderr.write(`manifests/operator was left as it stands: ${String(error)}\n`);
  if (process.env["CI"] === "true") process.exitCode = 1;
}

async function put(file: string, content: Content): Promise<void> {
  const standing = readIfThere(file);
  const wanted = await format(content(standing), { ...(await resolveConfig(file)), filepath: file });
  if (wanted === standing) return;
  if (isCheck) {
    process.stderr.write(`${file} is stale: npm run generate\n`);
    process.exitCode = 1;
  } else {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, wanted);
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** The part of a document between `<!-- name -->` and `<!-- /name -->`, replaced. */
function between(document: string, name: string, content: string): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [document.indexOf(start), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the document has no part ${start} … ${end}`);
  return `${document.slice(0, from + start.length)}\n\n${content}\n${document.slice(to)}`;
}

function crdText(crd: (typeof CRDS)[number]): string {
  return `# Made by npm run generate from src/api.\n${dump(crd, YAML)}`;
}

function crdsKustomization(): string {
  const resources = ["namespace.yaml", ...CRDS.map((crd) => `${crd.spec.names.plural}.yaml`)];
  return `# The namespace and the CRDs. Apart from the operator, so that taking the operator away never erases a user:
# deleting a CRD deletes every resource of its kind.
${dump({ apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization", resources }, YAML)}`;
}

function valuesTable(): string {
  const values = chartValues(readFileSync("charts/auth0-user-operator/values.yaml", "utf8"));
  const rows = values.map(
    ({ path: name, byDefault, meaning }) => `| \`${name}\` | ${cell(meaning)} | \`${JSON.stringify(byDefault)}\` |`,
  );
  return table(["Value", "What it is", "Default"], rows);
}

function argocdConfig(): string {
  const check = "manifests/argocd/resource_customizations/auth0-user-operator.dev/Auth0User/health.lua";
  const data = { "resource.customizations.health.auth0-user-operator.dev_Auth0User": readFileSync(check, "utf8") };
  const metadata = { name: "argocd-cm", namespace: "argocd" };
  return `# Made by npm run generate from resource_customizations/. To have Argo CD wait for users, patch it in:
#   kubectl -n argocd patch configmap argocd-cm --patch-file manifests/argocd/argocd-cm.yaml
${dump({ apiVersion: "v1", kind: "ConfigMap", metadata, data }, YAML)}`;
}

function optionsTables(): string {
  return [...optionRows()]
    .filter(([, rows]) => rows.length > 0)
    .map(([command, rows]) => {
      const lines = rows.map((cells) => `| ${cells.map(cell).join(" | ")} |`);
      return `## ${command}\n\n${table(["Flag", "Variable", "Default", "What it is"], lines)}`;
    })
    .join("\n\n");
}

function metricsTable(): string {
  return table(
    ["Metric", "Type", "Labels", "What it tells"],
    metricRows().map((cells) => `| ${cells.map(cell).join(" | ")} |`),
  );
}

function endpointsTable(): string {
  return table(["Call", "Any of these scopes", "Rate bucket", "Known from"], endpointRows());
}

function switchesTable(): string {
  return table(["Switch", "Default", "Other settings", "What it decides, and why that default"], switchRows());
}

function actionsTable(): string {
  return table(
    ["Action", "What happens"],
    Object.entries(ACTIONS).map(([action, meaning]) => `| \`${action}\` | ${meaning} |`),
  );
}

function scopesTable(): string {
  return table(
    ["For", "Scopes", "Without them"],
    SCOPES.map(({ feature, scopes, without }) => {
      return `| ${feature} | ${scopes.map((scope) => `\`${scope}\``).join(", ")} | ${without} |`;
    }),
  );
}

function reasonsTable(): string {
  const rows = Object.entries(REASONS).map(
    ([reason, [meaning, advice]]) => `| \`${reason}\` | ${meaning} | ${advice} |`,
  );
  return table(["Reason", "What it means", "What to do"], rows);
}

function fieldsTable(): string {
  const rows = Object.entries(AUTH0_USER_SPEC.properties).map(
    ([name, schema]) => `| \`${name}\` | ${typeOf(schema)} | ${cell(schema.description)} |`,
  );
  return table(["Field", "Type", "Meaning"], rows);
}

function typeOf(schema: {
  readonly type: string;
  readonly nullable?: true;
  readonly enum?: readonly string[];
}): string {
  const base = schema.enum?.map((one) => `\`${one}\``).join(", ") ?? (schema.type === "array" ? "list" : schema.type);
  return schema.nullable === true ? `${base}, nullable` : base;
}

function cell(text: string): string {
  return text.replaceAll("|", String.raw`\|`).replaceAll(/`[^`]*`|</g, (found) => (found === "<" ? "&lt;" : found));
}

function table(head: readonly string[], rows: readonly string[]): string {
  return [`| ${head.join(" | ")} |`, `| ${head.map(() => "---").join(" | ")} |`, ...rows].join("\n");
}
