/** A bucket that holds `burst` calls and refills evenly. */
import type { Clock } from "../../runtime/clock.ts";
import type { Rate } from "./plans.ts";

export class TokenBucket {
  readonly rate: Rate;
  readonly #clock: Clock;
  #tokens: number;
  #countedMs: number;

  constructor(rate: Rate, clock: Clock) {
    this.rate = rate;
    this.#clock = clock;
    this.#tokens = rate.burst;
    this.#countedMs = clock.monotonicMs();
  }

  /** Takes one call out; false, and nothing taken, when there is none. */
  take(): boolean {
    this.#refill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Whole calls that are left. */
  get remaining(): number {
    this.#refill();
    return Math.floor(this.#tokens);
  }

  /** Until the bucket is full again. */
  get untilFullMs(): number {
    this.#refill();
    return ((this.rate.burst - this.#tokens) / this.rate.perSecond) * 1000;
  }

  /** Until there is a call again; 0 when there is one. */
  get untilNextMs(): number {
    this.#refill();
    return (Math.max(0, 1 - this.#tokens) / this.rate.perSecond) * 1000;
  }

  #refill(): void {
    const nowMs = this.#clock.monotonicMs();
    const gained = ((nowMs - this.#countedMs) / 1000) * this.rate.perSecond;
    this.#tokens = Math.min(this.rate.burst, this.#tokens + gained);
    this.#countedMs = nowMs;
  }
}
