/** The control plane itself, on the real programs: what it can do, and that it leaves nothing behind. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { startControlPlane } from "../../src/control-plane/control-plane.ts";
import { findFreePort } from "../../src/control-plane/free-port.ts";
import { httpGet } from "../../src/control-plane/http-get.ts";
import { runCommand } from "../../src/control-plane/run-command.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { clusterTests } from "../support/control-plane.ts";
import { eventually } from "../support/eventually.ts";

/** What is in here now is left by the tests of this file: no other program looks here for temporary files. */
const temporary = mkdtempSync(path.join(os.tmpdir(), "control-plane-test-"));
process.env["TMPDIR"] = temporary;
process.once("exit", () => {
  rmSync(temporary, { recursive: true, force: true });
});

const never = new AbortController().signal;
const parts = { clock: systemClock, random: systemRandom };
const clusterTest = await clusterTests({ controllerManager: true });

clusterTest("kubectl talks to it as the administrator", async (t, { kubectl }) => {
  const version = await kubectl(["version", "-o", "json"]);
  const namespaces = await kubectl(["get", "namespaces", "-o", "name"]);

  t.regex(JSON.parse(version.stdout).serverVersion.gitVersion, /^v1\.\d+\.\d+$/);
  t.regex(namespaces.stdout, /^namespace\/default$/m);
});

clusterTest("the operator's user may do nothing until a RoleBinding says so", async (t, { controlPlane, kubectl }) => {
  const kubeconfig = await controlPlane.writeKubeconfig({ name: "operator", token: controlPlane.operatorToken });
  const listing = ["get", "configmaps", "--namespace", "default"];

  const before = await kubectl(listing, { kubeconfig });
  await kubectl(["create", "rolebinding", "may-view", "--namespace=default", "--clusterrole=view", "--user=operator"]);

  t.is(before.exitCode, 1);
  t.regex(before.stderr, /User "operator" cannot list resource "configmaps"/);
  await eventually(async () => {
    const after = await kubectl(listing, { kubeconfig });
    if (after.exitCode !== 0) throw new Error(after.stderr);
  });
});

clusterTest("a ServiceAccount gets a token that the API server knows", async (t, { controlPlane, kubectl }) => {
  await kubectl(["create", "serviceaccount", "robot", "--namespace=default"]);

  const token = await kubectl(["create", "token", "robot", "--namespace=default"]);
  const kubeconfig = await controlPlane.writeKubeconfig({ name: "robot", token: token.stdout.trim() });
  const whoami = await kubectl(["auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"], { kubeconfig });

  t.is(whoami.stdout, "system:serviceaccount:default:robot");
});

clusterTest("the controllers delete a namespace and what belongs to a deleted owner", async (t, { kubectl }) => {
  await kubectl(["create", "namespace", "short-lived"]);
  await kubectl(["create", "configmap", "owner", "--namespace=short-lived"]);
  const owner = await kubectl(["get", "configmap/owner", "--namespace=short-lived", "-o", "jsonpath={.metadata.uid}"]);
  const ownerReferences = [{ apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: owner.stdout }];
  const owned = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "owned", namespace: "short-lived", ownerReferences },
  };
  await kubectl(["create", "-f", "-"], { input: JSON.stringify(owned) });

  await kubectl(["delete", "configmap", "owner", "--namespace=short-lived"]);
  await eventually(async () => {
    const secret = await kubectl(["get", "secret/owned", "--namespace=short-lived"]);
    if (!secret.stderr.includes("NotFound")) throw new Error("the secret is still there");
  });
  const deletion = await kubectl(["delete", "namespace", "short-lived", "--timeout=60s"]);

  t.is(deletion.exitCode, 0, deletion.stderr);
});

clusterTest("raw requests need the token and trust one file", async (t, { controlPlane }) => {
  const url = new URL("/api", controlPlane.url);
  const ca = readFileSync(controlPlane.caFile);

  const named = await httpGet(url, {
    ca,
    agent: false,
    headers: { authorization: `Bearer ${controlPlane.adminToken}` },
  });
  const nameless = await httpGet(url, { ca, agent: false });

  t.is(named.statusCode, 200);
  t.is(nameless.statusCode, 403);
  for (const answer of [named, nameless]) answer.destroy();
});

clusterTest.serial("the API server comes back after SIGKILL, same address, same data", async (t, cluster) => {
  const { controlPlane, kubectl } = cluster;
  const { pid } = controlPlane.apiServer;
  await kubectl(["create", "configmap", "survivor", "--namespace=default"]);

  await controlPlane.apiServer.kill();
  const meanwhile = await kubectl(["get", "configmap/survivor", "--namespace=default"]);
  await controlPlane.apiServer.start(never);
  const afterwards = await kubectl(["get", "configmap/survivor", "--namespace=default", "-o", "name"]);

  t.regex(meanwhile.stderr, /refused/);
  t.is(afterwards.stdout, "configmap/survivor\n");
  t.not(controlPlane.apiServer.pid, pid);
});

clusterTest.serial(
  "etcd comes back after SIGKILL, and the API server with it",
  async (t, { controlPlane, kubectl }) => {
    await kubectl(["create", "configmap", "stored", "--namespace=default"]);

    await controlPlane.etcd.kill();
    await controlPlane.etcd.start(never);

    await eventually(async () => {
      const stored = await kubectl(["get", "configmap/stored", "--namespace=default", "-o", "name"]);
      if (stored.stdout !== "configmap/stored\n") throw new Error(stored.stderr);
    });
    t.pass();
  },
);

clusterTest.serial("two at once do not meet", async (t, { binaries }) => {
  const options = { binaries, controllerManager: false, ...parts };

  const [one, other] = await Promise.all([startControlPlane(options, never), startControlPlane(options, never)]);

  t.not(one.url, other.url);
  t.not(one.folder, other.folder);
  await Promise.all([one.stop(), other.stop()]);
  t.false(existsSync(one.folder));
  t.false([one, other].some(({ etcd, apiServer }) => isAlive(etcd.pid) || isAlive(apiServer.pid)));
});

clusterTest.serial("a port that somebody else took is given up for another", async (t, { binaries }) => {
  const squatter = createServer().listen(0, "127.0.0.1");
  await once(squatter, "listening");
  const address = squatter.address();
  const taken = typeof address === "object" ? (address?.port ?? 0) : 0;
  const free = await findFreePort(systemRandom);
  const ports = [taken, free];
  const choosePort = (): Promise<number> => Promise.resolve(ports.shift() ?? 0);

  const controlPlane = await startControlPlane({ binaries, controllerManager: false, choosePort, ...parts }, never);

  t.is(controlPlane.url, `https://127.0.0.1:${String(free)}`);
  await controlPlane.stop();
  squatter.close();
});

clusterTest.serial("aborting in the middle of a start ends what was started", async (t, { binaries }) => {
  const controller = new AbortController();
  const reason = new Error("changed my mind");
  // The port is asked for once etcd is on its way.
  const choosePort = async (): Promise<number> => {
    controller.abort(reason);
    return findFreePort(systemRandom);
  };
  const before = readdirSync(temporary);

  const start = startControlPlane({ binaries, controllerManager: false, choosePort, ...parts }, controller.signal);

  t.is(await t.throwsAsync(start), reason);
  t.deepEqual(readdirSync(temporary), before);
});

clusterTest.serial("a component that dies at its start is named, with the end of its log", async (t, { binaries }) => {
  const script = path.join(temporary, "broken");
  writeFileSync(script, "#!/bin/sh\necho no such flag\nexit 3\n", { mode: 0o755 });
  const broken = { ...binaries, "kube-apiserver": script };
  const before = readdirSync(temporary);

  const error = await t.throwsAsync(startControlPlane({ binaries: broken, controllerManager: false, ...parts }, never));

  t.is(error.message, "kube-apiserver ended with exit code 3\nno such flag");
  t.deepEqual(readdirSync(temporary), before);
});

clusterTest.serial("a parent that is killed takes everything with it", async (t, { binaries }) => {
  const holder = fileURLToPath(new URL("../support/hold-control-plane.ts", import.meta.url));
  const parent = spawn(process.execPath, [holder, JSON.stringify(binaries)], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(createInterface(parent.stdout), "line")) as [string];
  const { folder, pids } = JSON.parse(line) as { folder: string; pids: number[] };
  t.is(pids.filter(isAlive).length, 3);

  parent.kill("SIGKILL");

  await eventually(() => {
    if (pids.some(isAlive) || existsSync(folder)) throw new Error("something is left");
  });
  t.pass();
});

clusterTest.serial("a supervisor that is killed leaves nothing either", async (t, { binaries }) => {
  const controlPlane = await startControlPlane({ binaries, controllerManager: false, ...parts }, never);
  const { pid } = controlPlane.etcd;
  const ps = await runCommand("ps", ["-o", "ppid=", "-p", String(pid)], { env: process.env }, never);

  process.kill(Number(ps.stdout), "SIGKILL");
  await controlPlane.stop();

  t.false(existsSync(controlPlane.folder));
  await eventually(() => {
    if (isAlive(pid) || isAlive(controlPlane.apiServer.pid)) throw new Error("something is left");
  });
});

function isAlive(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch {
    return false;
  }
}
