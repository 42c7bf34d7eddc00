/** The binaries that were fetched or built, each in a folder named after its version and platform. */
import { chmod, mkdir, readdir, rename } from "node:fs/promises";
import path from "node:path";
import type { Clock } from "../runtime/clock.ts";
import { fileOf, type BinaryName } from "./binaries.ts";
import { download } from "./download.ts";
import { goBuild } from "./go-build.ts";
import { isExecutable } from "./installed.ts";
import type { Progress } from "./progress.ts";
import { runCommand, type Environment } from "./run-command.ts";
import type { Download, GoBuild, Sources } from "./sources.ts";

export interface Cache {
  readonly folder: string;
  readonly sources: Sources;
  readonly env: Environment;
  readonly progress: Progress;
  readonly clock: Clock;
}

/** The binary in any of its pinned versions. */
export async function findCached(name: BinaryName, cache: Cache): Promise<string | undefined> {
  for (const { versions } of [...cache.sources.downloads, ...cache.sources.builds]) {
    const version = versions[name];
    if (version === undefined) continue;
    const file = cachedPath(name, version, cache);
    if (await isExecutable(file)) return file;
  }
  return undefined;
}

/**
 * Fetches an archive and keeps the named binaries of it.
 *
 * @param partial a folder on the cache's own file system, for what is not complete
 * @throws with a sentence that tells which file failed, and how
 */
export async function getDownload(
  source: Download,
  names: readonly BinaryName[],
  partial: string,
  cache: Cache,
  signal: AbortSignal,
): Promise<void> {
  const { url, digest } = source;
  const file = path.join(partial, path.basename(url));
  await download({ url, digest, file, env: cache.env, progress: cache.progress, clock: cache.clock }, signal);
  const files = url.endsWith(".tar.gz") ? await unpack(file, cache, signal) : [file];
  for (const name of names) {
    const found = files.find((candidate) => path.basename(candidate) === fileOf(name));
    if (found === undefined) throw new Error(`${url} has no ${name} in it`);
    await keep(found, name, source, cache);
  }
}

/** Compiles the named binaries and keeps them; `partial` and what it throws are as for `getDownload`. */
export async function getBuild(
  build: GoBuild,
  names: readonly BinaryName[],
  partial: string,
  cache: Cache,
  signal: AbortSignal,
): Promise<void> {
  await goBuild({ build, names, into: partial, env: cache.env, progress: cache.progress, clock: cache.clock }, signal);
  for (const name of names) await keep(path.join(partial, name), name, build, cache);
}

/**
 * All files of an archive, by the `tar` that every Linux and macOS has: a reader of tar files would be ours to keep
 * right, and the archive has passed its digest.
 */
async function unpack(archive: string, { env }: Cache, signal: AbortSignal): Promise<readonly string[]> {
  const folder = `${archive}.unpacked`;
  await mkdir(folder);
  const { exitCode, stderr } = await runCommand("tar", ["-xzf", archive, "-C", folder], { env }, signal);
  if (exitCode !== 0) throw new Error(`tar can't unpack ${path.basename(archive)}: ${stderr.trim()}`);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}

async function keep(file: string, name: BinaryName, { versions }: Download | GoBuild, cache: Cache): Promise<void> {
  const target = cachedPath(name, versions[name] ?? "", cache);
  await chmod(file, 0o755);
  await mkdir(path.dirname(target), { recursive: true });
  await rename(file, target);
}

function cachedPath(name: BinaryName, version: string, { folder, sources }: Cache): string {
  return path.join(folder, `${name}-${version}-${sources.platform}`, name);
}
