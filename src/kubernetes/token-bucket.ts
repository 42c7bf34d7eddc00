/** A bounded rate with room for a burst. */
import type { Clock } from "../runtime/clock.ts";

export class TokenBucket {
  readonly #clock: Clock;
  readonly #burst: number;
  readonly #perSecond: number;
  #tokens: number;
  #filledMs: number;

  constructor({
    burst,
    perSecond,
    clock,
  }: {
    readonly burst: number;
    readonly perSecond: number;
    readonly clock: Clock;
  }) {
    this.#clock = clock;
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#tokens = burst;
    this.#filledMs = clock.monotonicMs();
  }

  /**
   * Takes a token, if then still `reserve` are left.
   *
   * @returns 0, or how long it will be until that is so
   */
  takeOrWaitMs(reserve: number): number {
    const now = this.#clock.monotonicMs();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filledMs) / 1000) * this.#perSecond);
    this.#filledMs = now;
    const missing = reserve + 1 - this.#tokens;
    if (missing > 0) return (missing / this.#perSecond) * 1000;
    this.#tokens--;
    return 0;
  }
}
