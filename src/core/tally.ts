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

/** Names the bucket that a moment falls into. */
export function bucketAt(nowMs: number): number {
  return nowMs - (nowMs % BUCKET_MS);
}

/** @param change how many more were done in the bucket; negative: fewer */
export function recounted(tally: Tally, bucketMs: number, change: number): Tally {
  const [, count = 0] = tally.buckets.find(([startMs]) => startMs === bucketMs) ?? [];
  const others = tally.buckets.filter(([startMs]) => startMs !== bucketMs);
  return { ...tally, buckets: count + change > 0 ? [...others, [bucketMs, count + change]] : others };
}

export function withoutOld(tally: Tally, nowMs: number): Tally {
  return { ...tally, buckets: tally.buckets.filter(([startMs]) => !isOver(startMs, nowMs)) };
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

/** Whether nothing of it counts any more, of what nobody knows when it was asked for. */
export function isSpent(tally: Tally, nowMs: number): boolean {
  const isOpen = tally.pausedSinceMs !== undefined || isConfirmed(tally, undefined, nowMs);
  return !isOpen && tally.buckets.every(([startMs]) => isOver(startMs, nowMs));
}

export function isOver(bucketMs: number, nowMs: number): boolean {
  return bucketMs + BUCKET_MS + HOUR_MS <= nowMs;
}
