/** The finder, in a world of temporary folders with scripts for programs and a web server on this machine. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import test, { type ExecutionContext } from "ava";
import { isAlive } from "../../../src/control-plane/cache-lock.ts";
import { describeMissing, findBinaries } from "../../../src/control-plane/find-binaries.ts";
import type { Progress } from "../../../src/control-plane/progress.ts";
import { runCommand } from "../../../src/control-plane/run-command.ts";
import type { GoBuild, Sources } from "../../../src/control-plane/sources.ts";
import { systemClock, type Clock } from "../../../src/runtime/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const never = new AbortController().signal;

interface World {
  readonly folder: string;
  readonly cache: string;
  readonly steps: string[];
  readonly ticks: string[];
  /** Puts an executable shell script there. */
  script(file: string, body: string): Promise<string>;
  find<Name extends "etcd" | "kubectl">(
    names: readonly Name[],
    options?: { env?: Record<string, string>; sources?: Partial<Sources>; clock?: Clock; signal?: AbortSignal },
  ): ReturnType<typeof findBinaries<Name>>;
}

async function aWorld(t: ExecutionContext): Promise<World> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "find-binaries-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const steps: string[] = [];
  const ticks: string[] = [];
  const progress: Progress = { step: (line) => steps.push(line), tick: (line) => ticks.push(line) };
  const nothing: Sources = { platform: "linux-amd64", downloads: [], builds: [] };
  return {
    folder,
    cache: path.join(folder, "cache", "auth0-user-operator", "control-plane"),
    steps,
    ticks,
    async script(file, body) {
      const target = path.join(folder, file);
      await mkdir(path.dirname(target), { recursive: true });
      await writeFile(target, `#!/bin/sh\n${body}\n`);
      await chmod(target, 0o755);
      return target;
    },
    find: (names, { env = {}, sources = {}, clock = systemClock, signal = never } = {}) =>
      findBinaries(
        names,
        {
          env: { XDG_CACHE_HOME: path.join(folder, "cache"), PATH: `${folder}/bin:/bin:/usr/bin`, ...env },
          progress,
          clock,
          sources: { ...nothing, ...sources },
        },
        signal,
      ),
  };
}

/** A server whose requests are counted; it dies with the test. */
async function aServer(t: ExecutionContext, listener: RequestListener): Promise<{ url: string; requests: string[] }> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? "");
    listener(request, response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return { url: `http://127.0.0.1:${String(typeof address === "object" ? address?.port : address)}`, requests };
}

function sha256(content: Buffer): { algorithm: "sha256"; hex: string } {
  return { algorithm: "sha256", hex: createHash("sha256").update(content).digest("hex") };
}

/** An archive as the publishers make it: the binaries in a folder of some name. */
async function anArchive(world: World, names: readonly string[]): Promise<Buffer> {
  for (const name of names) await world.script(`archive/tools/bin/${name}`, "echo 3.6.6");
  const archive = path.join(world.folder, "archive.tar.gz");
  const args = ["-czf", archive, "-C", path.join(world.folder, "archive"), "tools"];
  await runCommand("tar", args, { env: process.env }, never);
  return readFile(archive);
}

/** A `go` that answers as the real one does, writes down how it was called, and "compiles" scripts. */
async function aGo(world: World, { version = "go1.26.8", build = "" } = {}): Promise<GoBuild> {
  await mkdir(path.join(world.folder, "module"));
  await writeFile(path.join(world.folder, "module", "go.mod"), "module example.test/tools\n\ngo 1.25.0\n");
  await world.script(
    "bin/go",
    `if [ "$1" = env ]; then echo ${version}; exit; fi
     echo "$CGO_ENABLED $GOFLAGS $GOWORK $GOTOOLCHAIN $PWD $*" >> ${world.folder}/go.log
     ${build}
     shift 5
     for package; do
       case "$package" in */) out=$package;; /*) out=; printf '#!/bin/sh\\n' > "$package"; break;; *) printf '#!/bin/sh\\n' > "$out\${package##*/}";; esac
     done`,
  );
  return {
    folder: path.join(world.folder, "module"),
    ldflags: "-s",
    packages: { etcd: "example.test/tools/etcd", kubectl: "example.test/tools/kubectl" },
    versions: { etcd: "3.6.6", kubectl: "1.35.4" },
    estimate: "a moment",
  };
}

test("KUBEBUILDER_ASSETS comes before PATH", async (t) => {
  const world = await aWorld(t);
  const assets = await world.script("assets/etcd", "echo etcd Version: 3.6.6");
  await world.script("bin/etcd", "echo etcd Version: 3.6.6");

  const found = await world.find(["etcd"], { env: { KUBEBUILDER_ASSETS: path.dirname(assets) } });

  t.deepEqual(found, { kind: "found", paths: { etcd: assets } });
  t.deepEqual(world.steps, []);
});

test("a program of an unfit version is passed over, said once under however many names, and the next one taken", async (t) => {
  const world = await aWorld(t);
  const old = await world.script("bin/kubectl", `echo 'Client Version: version.Info{GitVersion:"v1.20.2"}'`);
  await symlink(path.join(world.folder, "bin"), path.join(world.folder, "usr-bin"));
  const fit = await world.script("other/kubectl", "echo Client Version: v1.34.1");

  const found = await world.find(["kubectl"], {
    env: { PATH: [path.dirname(old), path.join(world.folder, "usr-bin"), path.dirname(fit)].join(":") },
  });

  t.deepEqual(found, { kind: "found", paths: { kubectl: fit } });
  t.deepEqual(world.steps, [
    `kubectl: KUBEBUILDER_ASSETS is not set; ${old} is 1.20.2, and 1.34 to 1.36 is needed; using ${fit}`,
  ]);
});

test("KUBE_VERSION asks for programs of that version, and nothing else of Kubernetes serves", async (t) => {
  const world = await aWorld(t);
  const newer = await world.script("assets/kubectl", "echo Client Version: v1.35.4");
  const asked = await world.script("bin/kubectl", "echo Client Version: v1.32.9");

  const found = await world.find(["kubectl"], {
    env: { KUBE_VERSION: "1.32", KUBEBUILDER_ASSETS: path.dirname(newer) },
  });

  t.deepEqual(found, { kind: "found", paths: { kubectl: asked } });
  t.deepEqual(world.steps, [`kubectl: ${newer} is 1.35.4, and 1.32 is needed; using ${asked}`]);
});

test("a KUBE_VERSION that can't be had is refused with those that can", async (t) => {
  const world = await aWorld(t);

  await t.throwsAsync(world.find(["kubectl"], { env: { KUBE_VERSION: "1.31" } }), {
    message: "KUBE_VERSION is 1.31; it may be 1.32 or 1.35",
  });
});

test("programs that can't be run or tell no version do not serve", async (t) => {
  const world = await aWorld(t);
  const mute = await world.script("assets/etcd", "exit 1");
  const broken = await world.script("bin/etcd", "");
  await writeFile(broken, "#!/no/such/interpreter\n");

  const found = await world.find(["etcd"], { env: { KUBEBUILDER_ASSETS: path.dirname(mute) } });

  t.deepEqual(found.kind === "missing" && found.missing[0]?.tried.slice(0, 2), [
    `${mute} does not tell its version`,
    `${broken} can't be run`,
  ]);
});

test("an archive is fetched, checked, unpacked and kept for next time", async (t) => {
  const world = await aWorld(t);
  const archive = await anArchive(world, ["etcd", "kubectl", "unwanted"]);
  const server = await aServer(t, (_request, response) => response.end(archive));
  const versions = { etcd: "3.6.6", kubectl: "1.35.0" };
  const sources = { downloads: [{ url: `${server.url}/tools.tar.gz`, digest: sha256(archive), versions }] };

  const first = await world.find(["etcd", "kubectl"], { sources });
  const second = await world.find(["etcd", "kubectl"], { sources });

  t.deepEqual(first, {
    kind: "found",
    paths: {
      etcd: path.join(world.cache, "etcd-3.6.6-linux-amd64", "etcd"),
      kubectl: path.join(world.cache, "kubectl-1.35.0-linux-amd64", "kubectl"),
    },
  });
  t.deepEqual(second, first);
  t.deepEqual(server.requests, ["/tools.tar.gz"]);
  t.deepEqual((await readdir(world.cache)).toSorted(), ["etcd-3.6.6-linux-amd64", "kubectl-1.35.0-linux-amd64"]);
});

test("a single binary is fetched through a redirect and made executable", async (t) => {
  const world = await aWorld(t);
  const content = Buffer.from("#!/bin/sh\necho 3.6.6\n");
  const server = await aServer(t, (request, response) => {
    if (request.url === "/etcd") response.writeHead(302, { location: "/elsewhere/etcd" }).end();
    else response.end(content);
  });
  const download = { url: `${server.url}/etcd`, digest: sha256(content), versions: { etcd: "3.6.6" } };

  const found = await world.find(["etcd"], { sources: { downloads: [download] } });

  const file = found.kind === "found" ? found.paths.etcd : "";
  t.is((await runCommand(file, [], { env: {} }, never)).stdout, "3.6.6\n");
});

test("a file that is not the published one is named with both digests, not kept, and built instead", async (t) => {
  const world = await aWorld(t);
  const server = await aServer(t, (_request, response) => response.end("something else"));
  const url = `${server.url}/etcd`;
  const expected = sha256(Buffer.from("the real thing"));
  const download = { url, digest: expected, versions: { etcd: "3.6.5" } };
  const build = await aGo(world);

  const found = await world.find(["etcd"], { sources: { downloads: [download], builds: [build] } });

  t.is(found.kind === "found" && found.paths.etcd, path.join(world.cache, "etcd-3.6.6-linux-amd64", "etcd"));
  t.true(
    world.steps.includes(
      `${url} is not the published file: expected sha256 ${expected.hex}, got ${sha256(Buffer.from("something else")).hex}`,
    ),
  );
  t.deepEqual(await readdir(world.cache), ["etcd-3.6.6-linux-amd64"]);
});

for (const { name, listener, says } of [
  {
    name: "a server that has no such file",
    listener: (_request, response) => response.writeHead(404).end(),
    says: /^http:.*\/etcd answers 404$/,
  },
  {
    name: "a server that hangs up at once",
    listener: (request) => request.socket.destroy(),
    says: /^etcd: 127\.0\.0\.1:\d+ can't be reached \(.+ after 0\.0 s\)$/,
  },
  {
    name: "a server that breaks off",
    listener: (_request, response) => {
      response.writeHead(200, { "content-length": 1_000_000 });
      response.write("some", () => response.destroy());
    },
    says: /^127\.0\.0\.1:\d+ broke off etcd after 0\.0 MB \(.+\)$/,
  },
] satisfies { name: string; listener: RequestListener; says: RegExp }[]) {
  test(`${name} is said, and the next way tried`, async (t) => {
    const world = await aWorld(t);
    const server = await aServer(t, listener);
    const download = { url: `${server.url}/etcd`, digest: sha256(Buffer.from("")), versions: { etcd: "3.6.6" } };
    const clock = new ManualClock();

    const found = await world.find(["etcd"], { clock, sources: { downloads: [download] } });

    t.regex((found.kind === "missing" && found.missing[0]?.tried.at(-1)) || "", says);
    t.deepEqual(await readdir(world.cache), []);
    t.is(clock.pending, 0);
  });
}

test("a server that accepts and says nothing is given up after 5 s, redirects included", async (t) => {
  const world = await aWorld(t);
  const server = await aServer(t, (request, response) => {
    if (request.url === "/etcd") response.writeHead(302, { location: "/silence" }).end();
  });
  const download = { url: `${server.url}/etcd`, digest: sha256(Buffer.from("")), versions: { etcd: "3.6.6" } };
  const clock = new ManualClock();
  const finding = world.find(["etcd"], { clock, sources: { downloads: [download] } });
  await eventually(() => {
    if (server.requests.length < 2) throw new Error("not asked yet");
  });

  await clock.advance(5_000);

  const found = await finding;
  t.regex(
    (found.kind === "missing" && found.missing[0]?.tried.at(-1)) || "",
    /^etcd: 127\.0\.0\.1:\d+ can't be reached \(no answer after 5\.0 s\)$/,
  );
});

test("a server that stalls in the middle is given up 10 s after its last byte", async (t) => {
  const world = await aWorld(t);
  const server = await aServer(t, (_request, response) => {
    response.writeHead(200, { "content-length": 4_000_000 });
    response.write(Buffer.alloc(2_000_000));
  });
  const download = { url: `${server.url}/etcd`, digest: sha256(Buffer.from("")), versions: { etcd: "3.6.6" } };
  const clock = new ManualClock();
  const finding = world.find(["etcd"], { clock, sources: { downloads: [download] } });
  const partial = path.join(world.cache, `partial-${String(process.pid)}`, "etcd");
  await eventually(async () => {
    if ((await stat(partial)).size < 2_000_000) throw new Error("not all has come yet");
  });

  await clock.advance(9_999);
  t.is(clock.pending, 1, "given up too early");
  await clock.advance(1);

  const found = await finding;
  t.regex(
    (found.kind === "missing" && found.missing[0]?.tried.at(-1)) || "",
    /^127\.0\.0\.1:\d+ broke off etcd after 2\.0 MB \(silent for 10 s\)$/,
  );
  t.true(world.steps.some((step) => /^downloading etcd \(4\.0 MB\) from 127\.0\.0\.1:\d+$/.test(step)));
});

test("an archive that lacks a binary is named", async (t) => {
  const world = await aWorld(t);
  const archive = await anArchive(world, ["etcd"]);
  const server = await aServer(t, (_request, response) => response.end(archive));
  const url = `${server.url}/tools.tar.gz`;
  const download = { url, digest: sha256(archive), versions: { kubectl: "1.35.0" } };

  const found = await world.find(["kubectl"], { sources: { downloads: [download] } });

  t.is(found.kind === "missing" && found.missing[0]?.tried.at(-1), `${url} has no kubectl in it`);
});

test("what no archive has is built, all of a module in one go, by the pinned sums and nothing else", async (t) => {
  const world = await aWorld(t);
  const build = await aGo(world);

  const found = await world.find(["etcd", "kubectl"], { sources: { builds: [build] }, env: { GOFLAGS: "-mod=mod" } });

  t.is(found.kind === "found" && found.paths.kubectl, path.join(world.cache, "kubectl-1.35.4-linux-amd64", "kubectl"));
  const into = `${path.join(world.cache, `partial-${String(process.pid)}`)}/`;
  t.is(
    await readFile(path.join(world.folder, "go.log"), "utf8"),
    `0 -mod=readonly off local ${build.folder} build -trimpath -ldflags -s -o ${into} example.test/tools/etcd example.test/tools/kubectl\n`,
  );
  t.true(world.steps.includes("building etcd 3.6.6, kubectl 1.35.4 with go 1.26.8 (a moment when nothing is cached)"));
  t.regex(world.ticks[0] ?? "", /^building etcd 3\.6\.6, kubectl 1\.35\.4 with go 1\.26\.8 … 0\.\d s$/);
});

test("only what is missing is built", async (t) => {
  const world = await aWorld(t);
  const build = await aGo(world);
  await world.script("bin/kubectl", "echo v1.35.2");

  await world.find(["etcd", "kubectl"], { sources: { builds: [build] } });

  t.regex(await readFile(path.join(world.folder, "go.log"), "utf8"), /-o \S+\/etcd example\.test\/tools\/etcd\n$/);
});

test("a build that fails shows the end of what the compiler said", async (t) => {
  const world = await aWorld(t);
  const build = await aGo(world, { build: "seq 1 100 >&2; exit 1" });

  const found = await world.find(["etcd"], { sources: { builds: [build] } });

  t.regex(
    (found.kind === "missing" && found.missing[0]?.tried.at(-1)) || "",
    /^go build of etcd failed after 0\.\d s:\n81\n[\d\n]+\n100$/,
  );
});

test("a go that is too old, and none at all, are told with the version that is needed", async (t) => {
  const world = await aWorld(t);
  const build = await aGo(world, { version: "go1.24.2" });
  const sources = { builds: [build] };

  const old = await world.find(["etcd"], { sources });
  await rm(path.join(world.folder, "bin", "go"));
  const none = await world.find(["etcd"], { sources, env: { PATH: path.join(world.folder, "bin") } });

  t.is(
    old.kind === "missing" && old.missing[0]?.tried.at(-1),
    "go in PATH is 1.24.2, and 1.25.0 or newer is needed to build etcd",
  );
  t.is(
    none.kind === "missing" && none.missing[0]?.tried.at(-1),
    "there is no go in PATH (1.25.0 or newer, https://go.dev/dl) to build etcd",
  );
});

test("where nothing works, the answer tells for each binary what was tried", async (t) => {
  const world = await aWorld(t);
  const server = await aServer(t, (_request, response) => response.writeHead(503).end());
  const url = `${server.url}/etcd`;
  const download = { url, digest: sha256(Buffer.from("")), versions: { etcd: "3.6.6" } };
  await world.script("bin/etcd", "echo etcd Version: 3.4.23");
  await mkdir(path.join(world.folder, "assets"));

  const found = await world.find(["etcd", "kubectl"], {
    sources: { downloads: [download] },
    env: { KUBEBUILDER_ASSETS: path.join(world.folder, "assets"), PATH: path.join(world.folder, "bin") },
  });

  t.is(
    found.kind === "missing" ? describeMissing(found.missing) : "",
    [
      "etcd can't be had:",
      "  - KUBEBUILDER_ASSETS has none",
      `  - ${world.folder}/bin/etcd is 3.4.23, and 3.5 or newer is needed`,
      "  - the cache has none",
      `  - ${url} answers 503`,
      "kubectl can't be had:",
      "  - KUBEBUILDER_ASSETS has none",
      "  - PATH has none",
      "  - the cache has none",
      "Any of these helps: KUBEBUILDER_ASSETS set to a folder that has etcd, kubectl;",
      "a way to github.com, dl.k8s.io and get.helm.sh (HTTPS_PROXY is honoured); Go in PATH and a Go module proxy.",
    ].join("\n"),
  );
});

test("a platform without archives is named", async (t) => {
  const world = await aWorld(t);

  const found = await world.find(["etcd"], { sources: { platform: "darwin-arm64" } });

  t.is(found.kind === "missing" && found.missing[0]?.tried.at(-1), "no archive is pinned for darwin-arm64");
});

test("a cache that can't be written is a reason, not a crash", async (t) => {
  const world = await aWorld(t);
  await writeFile(path.join(world.folder, "cache"), "a file");

  const found = await world.find(["etcd"]);

  t.regex((found.kind === "missing" && found.missing[0]?.tried.at(-1)) || "", /^the cache can't be filled \(ENOTDIR/);
});

test("two that look at once fetch once", async (t) => {
  const world = await aWorld(t);
  const archive = await anArchive(world, ["etcd"]);
  const { promise: mayAnswer, resolve: answer } = Promise.withResolvers<void>();
  const server = await aServer(t, (_request, response) => void mayAnswer.then(() => response.end(archive)));
  const download = { url: `${server.url}/tools.tar.gz`, digest: sha256(archive), versions: { etcd: "3.6.6" } };
  const sources = { downloads: [download] };

  const finding = [world.find(["etcd"], { sources }), world.find(["etcd"], { sources })];
  await eventually(() => {
    if (!world.ticks.some((tick) => tick.startsWith("waiting for process "))) throw new Error("nobody waits yet");
  });
  answer();
  const [one, other] = await Promise.all(finding);

  t.is(one?.kind, "found");
  t.deepEqual(other, one);
  t.is(server.requests.length, 1);
});

test("the lock and the leavings of a process that died are taken over", async (t) => {
  const world = await aWorld(t);
  const dead = spawnSync("/bin/true").pid;
  await mkdir(path.join(world.cache, `partial-${String(dead)}`, "half"), { recursive: true });
  await symlink(String(dead), path.join(world.cache, "lock"));

  const found = await world.find(["etcd"], { sources: { builds: [await aGo(world)] } });

  t.is(found.kind, "found");
  t.deepEqual(await readdir(world.cache), ["etcd-3.6.6-linux-amd64"]);
});

test("a process that has held the lock for 20 minutes is named", async (t) => {
  const world = await aWorld(t);
  const clock = new ManualClock();
  await mkdir(world.cache, { recursive: true });
  await symlink(String(process.pid), path.join(world.cache, "lock"));
  const finding = world.find(["etcd"], { clock });
  let done = false;
  void finding.then(() => (done = true));

  await eventually(async () => {
    await clock.advance(60_000);
    if (!done) throw new Error("still waiting");
  });

  const found = await finding;
  t.regex(
    (found.kind === "missing" && found.missing[0]?.tried.at(-1)) || "",
    new RegExp(`^the cache can't be filled \\(process ${String(process.pid)} has held .+/lock for 2\\d min`),
  );
});

test("aborting ends the compiler and all that it started, and leaves nothing half done", async (t) => {
  const world = await aWorld(t);
  const pids = path.join(world.folder, "pids");
  const build = await aGo(world, { build: `sleep 600 & echo $$ $! > ${pids}; wait` });
  const controller = new AbortController();
  const reason = new Error("enough");
  const finding = world.find(["etcd"], { sources: { builds: [build] }, signal: controller.signal });
  const started = await eventually(async () => {
    const text = await readFile(pids, "utf8");
    if (!text.endsWith("\n")) throw new Error("not written yet");
    return text.trim().split(" ").map(Number);
  });

  controller.abort(reason);

  t.is(await t.throwsAsync(finding), reason);
  t.deepEqual(await readdir(world.cache), []);
  await eventually(() => {
    if (started.some(isAlive)) throw new Error("something still runs");
  });
});
