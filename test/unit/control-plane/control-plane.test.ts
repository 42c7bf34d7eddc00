/** The parts of the room, one by one: versions, the pinned table, progress, kubeconfig, ports, components. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import path from "node:path";
import process from "node:process";
import test from "ava";
import { BINARIES, KUBERNETES_MINORS, findVersion, versionText } from "../../../src/control-plane/binaries.ts";
import { Component } from "../../../src/control-plane/component.ts";
import { findFreePort } from "../../../src/control-plane/free-port.ts";
import { kubeconfigText } from "../../../src/control-plane/kubeconfig.ts";
import { Probe } from "../../../src/control-plane/probe.ts";
import { createProgress, durationText } from "../../../src/control-plane/progress.ts";
import { sourcesFor } from "../../../src/control-plane/sources.ts";
import { Supervisor } from "../../../src/control-plane/supervisor.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { seededRandom } from "../../../src/runtime/random.ts";
import { eventually } from "../../support/eventually.ts";
import { ManualClock } from "../../support/manual-clock.ts";

for (const [said, version] of [
  ["Kubernetes v1.35.4", "1.35.4"],
  ["Client Version: v1.35.4\nKustomize Version: v5.7.1", "1.35.4"],
  ['Client Version: version.Info{Major:"1", Minor:"20", GitVersion:"v1.20.2"}', "1.20.2"],
  ["etcd Version: 3.6.6\nGit SHA: Not provided", "3.6.6"],
  ["go1.26", "1.26.0"],
  ["error: unknown flag", undefined],
] as const) {
  test(`${JSON.stringify(said)} tells version ${version ?? "none"}`, (t) => {
    const found = findVersion(said);

    t.is(found && versionText(found), version);
  });
}

for (const [name, version, fits] of [
  ["etcd", "3.4.23", false],
  ["etcd", "3.5.0", true],
  ["etcd", "4.0.0", true],
  ["kube-apiserver", "1.31.9", false],
  ["kube-apiserver", "1.32.0", true],
  ["kube-controller-manager", "1.40.1", true],
  ["kubectl", "1.33.9", false],
  ["kubectl", "1.34.0", true],
  ["kubectl", "1.36.5", true],
  ["kubectl", "1.37.0", false],
  ["helm3", "3.16.4", false],
  ["helm3", "3.19.0", true],
  ["helm3", "4.1.4", false],
  ["helm4", "3.19.0", false],
  ["helm4", "4.0.0", true],
] as const) {
  test(`${name} ${version} ${fits ? "serves" : "does not serve"}`, (t) => {
    const found = findVersion(version);

    t.is(found && BINARIES[name].fits(found), fits);
  });
}

for (const [platform, arch] of [
  ["linux", "x64"],
  ["linux", "arm64"],
] as const) {
  for (const kubernetes of KUBERNETES_MINORS) {
    test(`every binary can be fetched for ${platform} ${arch} and ${kubernetes}, by a digest that could be one`, (t) => {
      const { downloads } = sourcesFor(platform, arch, kubernetes);

      t.deepEqual(
        downloads.flatMap(({ versions }) => Object.keys(versions)).toSorted(),
        Object.keys(BINARIES).toSorted(),
      );
      for (const { url, digest, versions } of downloads) {
        t.regex(url, /^https:/);
        t.regex(digest.hex, digest.algorithm === "sha256" ? /^[0-9a-f]{64}$/ : /^[0-9a-f]{128}$/);
        t.true((versions["kube-apiserver"] ?? kubernetes).startsWith(kubernetes));
      }
    });
  }
}

for (const kubernetes of KUBERNETES_MINORS) {
  test(`every binary can be built anywhere for ${kubernetes}, in the version that go.mod requires`, (t) => {
    const { downloads, builds } = sourcesFor("darwin", "arm64", kubernetes);

    t.deepEqual(downloads, []);
    t.deepEqual(builds.flatMap(({ packages }) => Object.keys(packages)).toSorted(), Object.keys(BINARIES).toSorted());
    for (const { folder, packages, versions } of builds) {
      const goMod = readFileSync(path.join(folder, "go.mod"), "utf8");
      for (const [name, mainPackage] of Object.entries(packages)) {
        const module = mainPackage.replace(/\/cmd\/.*/, "");
        const version = Object.entries(versions).find(([one]) => one === name)?.[1] ?? "?";
        t.regex(goMod, new RegExp(`^(require|\\t)\\s*${module} v${version} `, "m"), name);
        t.regex(goMod, new RegExp(`^\\s*(tool )?${mainPackage}$`, "m"), name);
      }
    }
  });
}

test("on a terminal ticks rewrite one line, and a step takes it over", (t) => {
  const written: string[] = [];
  const output = { isTTY: true, columns: 12, write: (text: string) => written.push(text) };
  const progress = createProgress({ output, clock: new ManualClock() });

  progress.step("building");
  progress.tick("building … 1 min 20 s");
  progress.step("built");
  progress.step("done");

  t.deepEqual(written, ["building\n", "\r\u001B[2Kbuilding … ", "\r\u001B[2Kbuilt\n", "done\n"]);
});

test("in a log a tick is shown every half minute", async (t) => {
  const written: string[] = [];
  const clock = new ManualClock();
  const progress = createProgress({ output: { write: (text) => written.push(text) }, clock });

  for (let seconds = 0; seconds < 70; seconds++) {
    progress.tick(`${String(seconds)} s`);
    await clock.advance(1_000);
  }

  t.deepEqual(written, ["30 s\n", "60 s\n"]);
});

for (const [ms, text] of [
  [0, "0.0 s"],
  [240, "0.2 s"],
  [45_400, "45 s"],
  [80_000, "1 min 20 s"],
  [119_600, "2 min 0 s"],
] as const) {
  test(`${String(ms)} ms are ${text}`, (t) => {
    t.is(durationText(ms), text);
  });
}

test("a kubeconfig has all that a client needs in itself", (t) => {
  const text = kubeconfigText({ url: "https://127.0.0.1:1", ca: "PEM", user: "robot", token: "secret" });

  t.deepEqual(JSON.parse(text), {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "auth0-user-operator",
    clusters: [
      {
        name: "auth0-user-operator",
        cluster: { server: "https://127.0.0.1:1", "certificate-authority-data": Buffer.from("PEM").toString("base64") },
      },
    ],
    users: [{ name: "robot", user: { token: "secret" } }],
    contexts: [{ name: "auth0-user-operator", context: { cluster: "auth0-user-operator", user: "robot" } }],
  });
});

test("a port in use is not chosen", async (t) => {
  const port = await findFreePort(seededRandom(7));
  const squatter = createServer().listen(port, "127.0.0.1");
  await once(squatter, "listening");

  const other = await findFreePort(seededRandom(7));

  t.not(other, port);
  t.true(other >= 20_000 && other < 32_000);
  squatter.close();
});

const never = new AbortController().signal;

test("a component that is not ready within a minute is told with the checks that fail and the end of its log", async (t) => {
  const health = createHttpServer((_request, response) => {
    response.writeHead(500).end("[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed\n");
  }).listen(0, "127.0.0.1");
  await once(health, "listening");
  const address = health.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const probe = new Probe({
    origin: `http://127.0.0.1:${String(port)}`,
    headers: {},
    connect: () => Promise.resolve({}),
  });
  const clock = new ManualClock();
  const supervisor = await Supervisor.launch(never);
  const args = ["-c", "seq 1 20; exec sleep 600"];
  const options = { name: "sleeper", file: "/bin/sh", args, probe, readyPaths: ["/readyz"] };
  const component = new Component(options, { supervisor, clock });

  const starting = component.start(never);
  await eventually(async () => {
    if ((await supervisor.logTail("sleeper")) === "" || clock.pending < 2) throw new Error("not asked yet");
  });
  await clock.advance(60_000);

  const lines = Array.from({ length: 15 }, (_, index) => String(index + 6)).join("\n");
  const error = await t.throwsAsync(starting);
  t.is(error.message, `sleeper is not ready after 60 s: /readyz answers 500 etcd\n${lines}`);
  await supervisor.stop();
  health.close();
});

test("a way that did not lead to a component is asked for again: its certificate may have been half written", async (t) => {
  const server = createHttpServer((_request, response) => response.end("ok")).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const ways = [{ socketPath: "/no/such/socket" }, {}];
  const probe = new Probe({
    origin: `http://127.0.0.1:${String(port)}`,
    headers: {},
    connect: () => Promise.resolve(ways.shift() ?? {}),
  });

  t.regex((await probe.findLack("/readyz", never)) ?? "", /ENOENT/);
  t.is(await probe.findLack("/readyz", never), undefined);
  server.close();
});

test("a component inherits nothing of the environment, so no proxy comes between programs on one machine", async (t) => {
  process.env["HTTPS_PROXY"] = "http://127.0.0.1:1";
  const supervisor = await Supervisor.launch(never);
  delete process.env["HTTPS_PROXY"];

  await supervisor.start("printer", "/bin/sh", ["-c", "env; exec sleep 600"]);

  const printed = await eventually(async () => {
    const text = await supervisor.logTail("printer");
    if (!text.includes("TMPDIR")) throw new Error("not printed yet");
    return text;
  });
  t.regex(printed, new RegExp(`^HOME=${supervisor.folder}$`, "m"));
  t.notRegex(printed, /PROXY/);
  await supervisor.stop();
});

test("a component that can't be executed is told so", async (t) => {
  const supervisor = await Supervisor.launch(never);
  const probe = new Probe({ origin: "http://localhost", headers: {}, connect: () => Promise.resolve({}) });
  const options = { name: "ghost", file: "/no/such/file", args: [], probe, readyPaths: [] };

  const error = await t.throwsAsync(new Component(options, { supervisor, clock: systemClock }).start(never));

  t.is(error.message, "ghost can't be started: spawn /no/such/file ENOENT");
  await supervisor.stop();
});

test("what has been stopped can't be started again, and stopping twice is no fault", async (t) => {
  const supervisor = await Supervisor.launch(never);

  await supervisor.stop();
  await supervisor.stop();

  const error = await t.throwsAsync(supervisor.start("late", "/bin/true", []));
  t.is(error.message, "the control plane has been stopped");
});
