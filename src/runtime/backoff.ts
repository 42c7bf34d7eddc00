/** How long to wait before trying again, when the far side named no moment. */
import type { Random } from "./random.ts";

export interface BackoffBounds {
  /** The ceiling of the first wait. */
  readonly baseMs: number;
  /** The ceiling of every wait. */
  readonly capMs: number;
}

/**
 * The wait before try number `failures + 1`: the ceiling doubles with each failure up to the cap, and the wait is
 * drawn from its upper half, so that it never collapses to zero and many waiters never come back together.
 *
 * @param failures tries that failed so far, 1 or more
 */
export function backoffMs(failures: number, { baseMs, capMs }: BackoffBounds, random: Random): number {
  const ceilingMs = Math.min(capMs, baseMs * 2 ** Math.min(failures - 1, 30));
  return ceilingMs / 2 + random.next() * (ceilingMs / 2);
}
