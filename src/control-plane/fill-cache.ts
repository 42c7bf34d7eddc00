/** Getting what no other way has brought: archives first, all at once, then builds, one after the other. */
import { mkdir, readdir, rm } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import type { BinaryName } from "./binaries.ts";
import { isAlive, withCacheLock } from "./cache-lock.ts";
import { findCached, getBuild, getDownload, type Cache } from "./cache.ts";
import type { Download, GoBuild } from "./sources.ts";

/** The search for one binary, which is open until there is a path. */
export interface Search {
  readonly name: BinaryName;
  path: string | undefined;
  /** Every way that was tried and why it failed, in the order tried. */
  readonly tried: string[];
}

export function isOpen({ path: found }: Search): boolean {
  return found === undefined;
}

/** Closes the searches that it can; the others are told why it could not. */
export async function fillCache(searches: readonly Search[], cache: Cache, signal: AbortSignal): Promise<void> {
  const { folder, progress, clock } = cache;
  try {
    await mkdir(folder, { recursive: true });
    await withCacheLock({ file: path.join(folder, "lock"), progress, clock }, signal, async () => {
      // Another process may have filled the cache while this one waited for the lock.
      for (const search of searches.filter(isOpen)) search.path = await findCached(search.name, cache);
      if (searches.some(isOpen)) await getMissing(searches, cache, signal);
    });
  } catch (error) {
    signal.throwIfAborted();
    recordFailure(searches.filter(isOpen), `the cache can't be filled (${messageOf(error)})`, cache);
  }
}

async function getMissing(searches: readonly Search[], cache: Cache, signal: AbortSignal): Promise<void> {
  const { platform, downloads, builds } = cache.sources;
  const partial = await makePartialFolder(cache.folder);
  try {
    if (downloads.length === 0) {
      recordFailure(searches.filter(isOpen), `no archive is pinned for ${platform}`, cache);
    }
    await Promise.all(
      downloads.map((source) =>
        getFrom(source, searches, cache, signal, (names) => getDownload(source, names, partial, cache, signal)),
      ),
    );
    for (const source of builds) {
      await getFrom(source, searches, cache, signal, (names) => getBuild(source, names, partial, cache, signal));
    }
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** Gets from one source what it has of what is still missing. */
async function getFrom(
  { versions }: Download | GoBuild,
  searches: readonly Search[],
  cache: Cache,
  signal: AbortSignal,
  get: (names: readonly BinaryName[]) => Promise<void>,
): Promise<void> {
  const wanted = searches.filter((search) => isOpen(search) && versions[search.name] !== undefined);
  if (wanted.length === 0) return;
  let failure: string | undefined;
  try {
    await get(wanted.map(({ name }) => name));
  } catch (error) {
    signal.throwIfAborted();
    failure = messageOf(error);
  }
  for (const search of wanted) search.path = await findCached(search.name, cache);
  if (failure !== undefined) recordFailure(wanted.filter(isOpen), failure, cache);
}

function recordFailure(searches: readonly Search[], failure: string, { progress }: Cache): void {
  if (searches.length > 0) progress.step(failure);
  for (const search of searches) search.tried.push(failure);
}

/** A folder beside the binaries, so that they get there by a rename. Those of processes that died are swept away. */
async function makePartialFolder(folder: string): Promise<string> {
  for (const entry of await readdir(folder)) {
    const owner = /^partial-(\d+)$/.exec(entry)?.[1];
    if (owner === undefined || (isAlive(Number(owner)) && Number(owner) !== process.pid)) continue;
    await rm(path.join(folder, entry), { recursive: true, force: true });
  }
  const partial = path.join(folder, `partial-${String(process.pid)}`);
  await mkdir(partial);
  return partial;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
