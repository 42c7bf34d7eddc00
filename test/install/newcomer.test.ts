/** The README's path from nothing to users that are Ready: its own commands, word for word, and Pods as processes. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { symlink } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import type { ExecutionContext } from "ava";
import { runCommand } from "../../src/control-plane/run-command.ts";
import { clusterTests, type TestCluster } from "../support/control-plane.ts";
import { deployed, podOf } from "../support/deployed.ts";
import { eventually } from "../support/eventually.ts";
import { HELMS, helmFile, helmOf, type HelmName } from "../support/helm.ts";
import { startTestSimulator } from "../support/start-simulator.ts";
import { aTempFolder } from "../support/temp-folder.ts";

const clusterTest = await clusterTests({ controllerManager: true });

const NAME = "auth0-user-operator";
const [, block = ""] =
  /simulated in the cluster:\n\n```sh\n([\s\S]*?)```/.exec(readFileSync("README.md", "utf8")) ?? [];
const COMMANDS = block.trim().split("\n");

for (const name of HELMS) {
  clusterTest.serial(`three commands lead to users that are Ready, with ${name}`, async (t, cluster) => {
    const [makeNamespace = "", install = "", declare = "", ...more] = COMMANDS;
    const run = await aShell(t, cluster, name);
    t.deepEqual(more, []);

    await run(makeNamespace);
    t.regex(await run(install), /It manages a SIMULATED tenant/);
    const simulator = await aSimulator(t, cluster);
    // A tenant that nobody was told of.
    const tenant = await startTestSimulator(t);
    const operator = await deployed(t, cluster, { namespace: NAME, name: NAME, tenant, users: "default" });
    await operator.start({ AUTH0_DOMAIN: simulator });

    t.regex(await run(declare), /auth0user.* condition met/);
    t.true(((await (await fetch(`${simulator}/_simulator/users`)).json()) as unknown[]).length > 5);
    t.is((await tenant.calls()).total, 0);

    await run("kubectl delete -f examples/");
    await (
      await helmOf(name)
    )(["uninstall", NAME, `--namespace=${NAME}`], cluster.controlPlane.kubeconfigFile);
    await run("kubectl delete crd --all");
    await run(`kubectl delete namespace ${NAME}`);
  });
}

/** A shell of somebody who has kubectl, one Helm, and a cluster; gives what a command prints. */
async function aShell(
  t: ExecutionContext,
  cluster: TestCluster,
  name: HelmName,
): Promise<(command: string) => Promise<string>> {
  t.timeout(300_000);
  const folder = aTempFolder(t).path;
  await symlink(cluster.binaries.kubectl, path.join(folder, "kubectl"));
  await symlink(await helmFile(name), path.join(folder, "helm"));
  const env = {
    HOME: folder,
    KUBECONFIG: cluster.controlPlane.kubeconfigFile,
    PATH: `${folder}${path.delimiter}/usr/bin${path.delimiter}/bin`,
  };
  return async (command) => {
    const { exitCode, stdout, stderr } = await runCommand("sh", ["-c", command], { env }, new AbortController().signal);
    if (exitCode !== 0) throw new Error(`${command}: ${stderr}`);
    return stdout;
  };
}

/** The simulator as its Deployment describes it, but for the port; gives its address. */
async function aSimulator(t: ExecutionContext, cluster: TestCluster): Promise<string> {
  const { args, env } = await podOf(cluster, NAME, `${NAME}-simulator`);
  const anyPort = args.map((arg) => arg.replace(/^--port=.*/, "--port=0"));
  const child = spawn(process.execPath, ["dist/main.js", ...anyPort], { env, stdio: ["ignore", "pipe", "pipe"] });
  t.teardown(() => child.kill("SIGKILL"));
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  return eventually(() => {
    const [, port] = /http:\/\/[\w.[\]]+:(\d+)/.exec(said) ?? [];
    if (port === undefined) throw new Error(`the simulator does not listen: ${said}`);
    return `http://127.0.0.1:${port}`;
  });
}
