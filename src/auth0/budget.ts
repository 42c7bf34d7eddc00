/**
 * The part of a bucket that is ours to use, where the tenant's own applications are to have the rest: filled at our share
 * of the inflow, and emptied by our calls alone, so that nobody else's rest is ours.
 */
import type { Clock } from "../runtime/clock.ts";

export class Budget {
  readonly #clock: Clock;
  #share = 1;
  #tokens: number | undefined;
  #atMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#atMs = clock.monotonicMs();
  }

  /** @param share above 0, at most 1: then nothing is kept back */
  set share(share: number) {
    this.#share = share;
    this.#tokens = undefined;
  }

  take(limit: number, inflowPerMs: number): void {
    this.#tokens = this.#level(limit, inflowPerMs) - 1;
    this.#atMs = this.#clock.monotonicMs();
  }

  /** What was taken for a call that was not sent. */
  giveBack(): void {
    if (this.#tokens !== undefined) this.#tokens++;
  }

  /** Until `count` more calls are ours to make. */
  waitMs(count: number, limit: number, inflowPerMs: number): number {
    if (this.#share === 1) return 0;
    return Math.max(0, count - this.#level(limit, inflowPerMs)) / (inflowPerMs * this.#share);
  }

  #level(limit: number, inflowPerMs: number): number {
    const most = Math.max(1, limit * this.#share);
    if (this.#tokens === undefined) return most;
    return Math.min(most, this.#tokens + (this.#clock.monotonicMs() - this.#atMs) * inflowPerMs * this.#share);
  }
}
