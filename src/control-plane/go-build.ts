/** Compiling pinned sources with the machine's own Go: the way that needs nothing but a module proxy. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Clock } from "../runtime/clock.ts";
import { findVersion, versionText, type BinaryName, type Version } from "./binaries.ts";
import { durationText, type Progress } from "./progress.ts";
import { runCommand, type Environment } from "./run-command.ts";
import type { GoBuild } from "./sources.ts";

export interface GoBuildOptions {
  readonly build: GoBuild;
  /** Those of the build's binaries that are wanted: they share the packages that they have in common. */
  readonly names: readonly BinaryName[];
  /** Where the binaries are put, each under its name, and what the compiler needs meanwhile. Exists already. */
  readonly into: string;
  readonly env: Environment;
  readonly progress: Progress;
  readonly clock: Clock;
}

const TICK_EVERY_MS = 1_000;
/** Of what the compiler says: the first error is seldom further up. */
const MAX_ERROR_LINES = 20;

/** @throws with what is missing, or with the last lines of the compiler's output */
export async function goBuild(options: GoBuildOptions, signal: AbortSignal): Promise<void> {
  const { build, names, into, progress, clock } = options;
  // Only this module decides what is compiled: no workspace, no newer toolchain from the network, no edits to go.mod.
  const pins = { CGO_ENABLED: "0", GOFLAGS: "-mod=readonly", GOWORK: "off", GOTOOLCHAIN: "local" };
  const env = { ...options.env, ...pins, GOTMPDIR: into };
  const list = names.join(", ");
  const go = await goVersion({ folder: build.folder, what: list, env, cwd: into }, signal);
  const packages = names.flatMap((name) => build.packages[name] ?? []);
  const [only, ...others] = names;
  const output = others.length === 0 && only !== undefined ? path.join(into, only) : into + path.sep;
  const args = ["build", "-trimpath", "-ldflags", build.ldflags, "-o", output, ...packages];

  const what = `building ${names.map((name) => `${name} ${build.versions[name] ?? ""}`).join(", ")} with go ${versionText(go)}`;
  progress.step(`${what} (${build.estimate} when nothing is cached)`);
  const startedMs = clock.monotonicMs();
  const elapsed = (): string => durationText(clock.monotonicMs() - startedMs);
  const ended = new AbortController();
  const ticking = tickUntil(ended.signal, clock, () => {
    progress.tick(`${what} … ${elapsed()}`);
  });
  try {
    const { exitCode, stdout, stderr } = await runCommand("go", args, { env, cwd: build.folder }, signal);
    if (exitCode !== 0) {
      const tail = (stdout + stderr).trimEnd().split("\n").slice(-MAX_ERROR_LINES).join("\n");
      throw new Error(`go build of ${list} failed after ${elapsed()}:\n${tail}`);
    }
    progress.step(`built ${list} in ${elapsed()}`);
  } finally {
    ended.abort();
    await ticking;
  }
}

interface GoVersionOptions {
  /** Of the module that says how new a go it needs. */
  readonly folder: string;
  /** What is to be built. */
  readonly what: string;
  readonly env: Environment;
  /** Any folder outside of the module: inside, a go that is too old answers nothing but that. */
  readonly cwd: string;
}

async function goVersion({ folder, what, env, cwd }: GoVersionOptions, signal: AbortSignal): Promise<Version> {
  const needed = findVersion(/^go .+$/m.exec(await readFile(path.join(folder, "go.mod"), "utf8"))?.[0] ?? "");
  if (needed === undefined) throw new Error(`${folder}/go.mod names no version of go`);
  const result = await runCommand("go", ["env", "GOVERSION"], { env, cwd }, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    const advice = `${versionText(needed)} or newer, https://go.dev/dl`;
    throw new Error(`there is no go in PATH (${advice}) to build ${what}`, { cause: error });
  });
  const version = findVersion(result.stdout);
  const enough =
    version !== undefined &&
    (version.major > needed.major || (version.major === needed.major && version.minor >= needed.minor));
  if (!enough) {
    const found = version === undefined ? `says ${result.stderr.trim()}` : `is ${versionText(version)}`;
    throw new Error(`go in PATH ${found}, and ${versionText(needed)} or newer is needed to build ${what}`);
  }
  return version;
}

async function tickUntil(signal: AbortSignal, clock: Clock, tick: () => void): Promise<void> {
  while (!signal.aborted) {
    tick();
    await clock.sleep(TICK_EVERY_MS, signal).catch(() => {});
  }
}
