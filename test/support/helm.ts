/** Helm, in both of its living major versions, against a test's cluster. */
import process from "node:process";
import { HELM_BINARIES } from "../../src/control-plane/binaries.ts";
import { describeMissing, findBinaries } from "../../src/control-plane/find-binaries.ts";
import { createProgress } from "../../src/control-plane/progress.ts";
import { runCommand } from "../../src/control-plane/run-command.ts";
import { systemClock } from "../../src/runtime/clock.ts";

export const CHART = "charts/auth0-user-operator";
export const HELMS = HELM_BINARIES;

export type HelmName = (typeof HELM_BINARIES)[number];

/** Runs a Helm; gives what it printed, or throws what it said. */
export type Helm = (args: readonly string[], kubeconfig?: string) => Promise<string>;

const never = new AbortController().signal;
let finding: Promise<Readonly<Record<HelmName, string>>> | undefined;

/** Where that Helm is. */
export async function helmFile(name: HelmName): Promise<string> {
  finding ??= findHelms();
  return (await finding)[name];
}

export async function helmOf(name: HelmName): Promise<Helm> {
  const file = await helmFile(name);
  return async (args, kubeconfig) => {
    const env = { HOME: "/nonexistent", PATH: process.env["PATH"], KUBECONFIG: kubeconfig };
    const { exitCode, stdout, stderr } = await runCommand(file, args, { env }, never);
    if (exitCode !== 0) throw new Error(stderr || stdout);
    return stdout;
  };
}

async function findHelms(): Promise<Readonly<Record<HelmName, string>>> {
  const progress = createProgress({ output: process.stderr, clock: systemClock });
  const found = await findBinaries(HELM_BINARIES, { env: process.env, progress, clock: systemClock }, never);
  if (found.kind === "missing") throw new Error(describeMissing(found.missing));
  return found.paths;
}
