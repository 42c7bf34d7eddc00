/** How often something was done within the last hour, in a form that can be written down. */

/** What was done within five minutes. */
type Bucket = readonly [startMs: number, count: number];

export interface Tally {
  readonly buckets: readonly Bucket[];
  /** Since when nothing more is done, until a person confirms. */
  readonly pausedSinceMs: number | undefined;
  /** When a person confirmed last: what was asked for by then is meant, and counts no more. */
  readonly confirmedAtMs: number | undefined;
}

export const NOTHING_DONE: Tally = { buckets: [], pausedSinceMs: undefined, confirmedAtMs: undefined };

const BUCKET_MS = 5 * 60_000;
const HOUR_MS = 60 * 60_000;

/** A bucket counts until all of it is an hour old, so that no hour, whenever it begins, has more than the limit. */
export function countOf({ buckets }: Tally, nowMs: number): number {
  return buckets.reduce((sum, [startMs, count]) => (isOver(startMs, nowMs) ? sum : sum + count), 0);
}

export function withDone(tally: Tally, count: number, nowMs: number): Tally {
  const startMs = nowMs - (nowMs % BUCKET_MS);
  const kept = tally.buckets.filter(([start]) => !isOver(start, nowMs));
  const last = kept.at(-1);
  const buckets: readonly Bucket[] =
    last?.[0] === startMs ? [...kept.slice(0, -1), [startMs, last[1] + count]] : [...kept, [startMs, count]];
  return { ...tally, buckets };
}

/** Ends a pause. */
export function confirmed(nowMs: number): Tally {
  return { buckets: [], pausedSinceMs: undefined, confirmedAtMs: nowMs };
}

/** @param askedAtMs when it was asked for; `undefined`: nobody knows, and a confirmation holds for an hour */
export function isConfirmed({ confirmedAtMs }: Tally, askedAtMs: number | undefined, nowMs: number): boolean {
  if (confirmedAtMs === undefined) return false;
  return askedAtMs === undefined ? nowMs - confirmedAtMs < HOUR_MS : askedAtMs <= confirmedAtMs;
}

function isOver(startMs: number, nowMs: number): boolean {
  return startMs + BUCKET_MS + HOUR_MS <= nowMs;
}
