/** The small parts of the room: versions, the pinned table, progress, kubeconfig, ports. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import test from "ava";
import { BINARIES, CONTROL_PLANE_BINARIES, findVersion, versionText } from "../../../src/control-plane/binaries.ts";
import { findFreePort } from "../../../src/control-plane/free-port.ts";
import { kubeconfigText } from "../../../src/control-plane/kubeconfig.ts";
import { createProgress, durationText } from "../../../src/control-plane/progress.ts";
import { sourcesFor } from "../../../src/control-plane/sources.ts";
import { seededRandom } from "../../../src/runtime/random.ts";
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
  test(`every binary can be fetched for ${platform} ${arch}, by a digest that could be one`, (t) => {
    const { downloads } = sourcesFor(platform, arch);

    t.deepEqual(
      downloads.flatMap(({ versions }) => Object.keys(versions)).toSorted(),
      [...CONTROL_PLANE_BINARIES].toSorted(),
    );
    for (const { url, digest } of downloads) {
      t.regex(url, /^https:/);
      t.regex(digest.hex, digest.algorithm === "sha256" ? /^[0-9a-f]{64}$/ : /^[0-9a-f]{128}$/);
    }
  });
}

test("every binary can be built anywhere, in the version that go.mod requires", (t) => {
  const { downloads, builds } = sourcesFor("darwin", "arm64");

  t.deepEqual(downloads, []);
  t.deepEqual(
    builds.flatMap(({ packages }) => Object.keys(packages)).toSorted(),
    [...CONTROL_PLANE_BINARIES].toSorted(),
  );
  for (const { folder, packages, versions } of builds) {
    const goMod = readFileSync(path.join(folder, "go.mod"), "utf8");
    for (const name of CONTROL_PLANE_BINARIES) {
      const mainPackage = packages[name];
      if (mainPackage === undefined) continue;
      const module = mainPackage.replace(/\/cmd\/.*/, "");
      t.regex(goMod, new RegExp(`^require ${module} v${versions[name] ?? "?"} `, "m"), name);
      t.regex(goMod, new RegExp(`^\\s*(tool )?${mainPackage}$`, "m"), name);
    }
  }
});

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
