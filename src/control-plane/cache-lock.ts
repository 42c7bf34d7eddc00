/**
 * One process at a time fills the cache: a build takes minutes, and two test files must not both make it.
 *
 * The lock is a symbolic link that says its owner's process id. It saves work, it does not guard the cache: files get
 * there by an atomic rename, so that even two owners (each found a dead one and took over) only cost a second build.
 */
import { readlink, rm, symlink } from "node:fs/promises";
import process from "node:process";
import type { Clock } from "../runtime/clock.ts";
import { durationText, type Progress } from "./progress.ts";

/** Four times what a full build takes on two cores. */
const WAIT_AT_MOST_MS = 20 * 60_000;
const LOOK_EVERY_MS = 500;

/**
 * Does `work` as the only process that holds `file`.
 *
 * @throws when another process, alive, has held it for 20 minutes
 */
export async function withCacheLock<T>(
  { file, progress, clock }: { file: string; progress: Progress; clock: Clock },
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const startedMs = clock.monotonicMs();
  for (;;) {
    if (await acquire(file)) break;
    const owner = await findOwner(file);
    if (owner === undefined) continue;
    if (!isAlive(owner)) {
      await rm(file, { force: true });
      continue;
    }
    const waitedMs = clock.monotonicMs() - startedMs;
    if (waitedMs > WAIT_AT_MOST_MS) {
      throw new Error(
        `process ${String(owner)} has held ${file} for ${durationText(waitedMs)}; end it or remove the file`,
      );
    }
    progress.tick(`waiting for process ${String(owner)}, which is filling the cache … ${durationText(waitedMs)}`);
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

/** Whether a process of this id runs on this machine, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, "EPERM");
  }
}

async function acquire(file: string): Promise<boolean> {
  try {
    // A symbolic link comes into being together with what it says.
    await symlink(String(process.pid), file);
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  }
}

/** The owner's process id; undefined if the lock was released meanwhile. */
async function findOwner(file: string): Promise<number | undefined> {
  try {
    return Number(await readlink(file));
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
