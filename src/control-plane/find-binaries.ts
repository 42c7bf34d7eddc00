/**
 * Finds the programs of a control plane on this machine, or gets them here.
 *
 * ```
 * KUBEBUILDER_ASSETS → PATH → cache → official archives → go build     each way is tried for what is still missing
 * └─ where the version fits ┘   └─ <cache>/<name>-<version>-<platform>/<name> ─┘
 * ```
 *
 * Getting them is done by one process at a time and ends in one rename a binary, so that any number may look at once.
 */
import os from "node:os";
import path from "node:path";
import process from "node:process";
import type { Clock } from "../runtime/clock.ts";
import { askedKubernetes, fileOf, type BinaryName } from "./binaries.ts";
import { findCached, type Cache } from "./cache.ts";
import { fillCache, isOpen, type Search } from "./fill-cache.ts";
import { findInstalled } from "./installed.ts";
import type { Progress } from "./progress.ts";
import type { Environment } from "./run-command.ts";
import { sourcesFor, type Sources } from "./sources.ts";

export interface FindOptions {
  /** `KUBE_VERSION`, `KUBEBUILDER_ASSETS`, `PATH`, `XDG_CACHE_HOME`, `HTTPS_PROXY`, and whatever Go reads. */
  readonly env: Environment;
  readonly progress: Progress;
  readonly clock: Clock;
  /** What may be fetched or built; absent, what is pinned for this machine. */
  readonly sources?: Sources;
}

export type BinaryPaths<Name extends BinaryName> = Readonly<Record<Name, string>>;

export type FindResult<Name extends BinaryName> =
  | { readonly kind: "found"; readonly paths: BinaryPaths<Name> }
  | { readonly kind: "missing"; readonly missing: readonly MissingBinary[] };

export interface MissingBinary {
  readonly name: BinaryName;
  /** Every way that was tried and why it failed, in the order tried. */
  readonly tried: readonly string[];
}

/** Takes seconds at most where the binaries are here, and minutes where they must be built. */
export async function findBinaries<Name extends BinaryName>(
  names: readonly Name[],
  { env, progress, clock, sources = sourcesFor(process.platform, process.arch, askedKubernetes(env)) }: FindOptions,
  signal: AbortSignal,
): Promise<FindResult<Name>> {
  const cache: Cache = { folder: cacheFolder(env), sources, env, progress, clock };
  const searches = await Promise.all(names.map((name) => lookAround(name, cache, signal)));
  if (searches.some(isOpen)) await fillCache(searches, cache, signal);

  const paths: Partial<Record<BinaryName, string>> = Object.fromEntries(
    searches.flatMap(({ name, path: found }) => (found === undefined ? [] : [[name, found]])),
  );
  return hasAll(paths, names) ? { kind: "found", paths } : { kind: "missing", missing: searches.filter(isOpen) };
}

/** Where binaries that were fetched or built are kept. */
export function cacheFolder(env: Environment): string {
  const base = env["XDG_CACHE_HOME"] || path.join(env["HOME"] || os.homedir(), ".cache");
  return path.join(base, "auth0-user-operator", "control-plane");
}

/** What a person is told who has no control plane: for each binary what was tried, and what would help. */
export function describeMissing(missing: readonly MissingBinary[]): string {
  const sameStory = Map.groupBy(missing, ({ tried }) => tried.map((line) => `  - ${line}`).join("\n"));
  return [
    ...[...sameStory].map(([story, those]) => `${those.map(({ name }) => name).join(", ")} can't be had:\n${story}`),
    `Any of these helps: KUBEBUILDER_ASSETS set to a folder that has ${missing.map(({ name }) => fileOf(name)).join(", ")};`,
    "a way to github.com, dl.k8s.io and get.helm.sh (HTTPS_PROXY is honoured); Go in PATH and a Go module proxy.",
  ].join("\n");
}

async function lookAround(name: BinaryName, cache: Cache, signal: AbortSignal): Promise<Search> {
  const installed = await findInstalled(name, cache, signal);
  const found = installed.path ?? (await findCached(name, cache));
  const tried = found === undefined ? [...installed.tried, "the cache has none"] : [...installed.tried];
  // Worth a line: a wait to come, and an own program that does not serve; not the everyday way to the cache.
  if (found === undefined) cache.progress.step(`${name}: ${tried.join("; ")}`);
  else if (installed.passedOver) cache.progress.step(`${name}: ${tried.join("; ")}; using ${found}`);
  return { name, path: found, tried };
}

function hasAll<Name extends BinaryName>(
  paths: Partial<Record<BinaryName, string>>,
  names: readonly Name[],
): paths is Partial<Record<BinaryName, string>> & BinaryPaths<Name> {
  return names.every((name) => paths[name] !== undefined);
}
