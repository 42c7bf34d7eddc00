/** Tells that something under the paths changed; what, the reader finds by reading again. */
import { stat, watch } from "node:fs/promises";
import path from "node:path";
import type { Clock } from "../runtime/clock.ts";

/** An editor saves in several steps, a checkout touches many files: so long it must be quiet before it counts. */
const QUIET_MS = 100;

/** Yields once for each burst of changes, until `signal` is aborted. */
export async function* watchPaths(
  paths: readonly string[],
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<void, void> {
  let dirty = Promise.withResolvers<void>();
  let fault: unknown;
  const touch = (): void => {
    dirty.resolve();
  };
  const watchers = paths.map(async (one) => {
    try {
      // A file is watched by its folder: what saves by renaming puts another file in its place.
      const only = (await stat(one)).isDirectory() ? undefined : path.basename(one);
      const watched = only === undefined ? one : path.dirname(one);
      for await (const { filename } of watch(watched, { recursive: only === undefined, signal })) {
        if (only === undefined || filename === null || filename === only) touch();
      }
    } catch (error) {
      if (!signal.aborted) fault = error;
      touch();
    }
  });
  signal.addEventListener("abort", touch, { once: true });
  try {
    for (;;) {
      await dirty.promise;
      do {
        dirty = Promise.withResolvers<void>();
        await clock.sleep(QUIET_MS, signal).catch(touch);
      } while (!signal.aborted && (await isSettled(dirty.promise)));
      if (fault !== undefined) throw fault;
      if (signal.aborted) return;
      yield;
    }
  } finally {
    signal.removeEventListener("abort", touch);
    await Promise.all(watchers);
  }
}

async function isSettled(promise: Promise<void>): Promise<boolean> {
  const pending = Symbol("pending");
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
}
