/** Time of a history: one for all, and a clock for each life of the operator, whose timers end with it. */
import type { Clock, EpochMs } from "../../src/runtime/clock.ts";

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

export class Time {
  nowMs: EpochMs = Date.UTC(2026, 0, 1);
}

export class LifeClock implements Clock {
  readonly #time: Time;
  readonly #bornMs: EpochMs;
  readonly #timers = new Set<Timer>();

  constructor(time: Time) {
    this.#time = time;
    this.#bornMs = time.nowMs;
  }

  now(): EpochMs {
    return this.#time.nowMs;
  }

  monotonicMs(): number {
    return this.#time.nowMs - this.#bornMs;
  }

  timer(afterMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#time.nowMs + Math.max(afterMs, 0), callback };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        cancel();
        reject(signal.reason);
      };
      const cancel = this.timer(ms, () => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      });
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** When the next timer is due. */
  get nextDueMs(): EpochMs | undefined {
    return this.#next()?.atMs;
  }

  /** Moves time to the next timer, and fires it. */
  fireNext(): void {
    const next = this.#next();
    if (next === undefined) return;
    this.#timers.delete(next);
    this.#time.nowMs = Math.max(this.#time.nowMs, next.atMs);
    next.callback();
  }

  end(): void {
    this.#timers.clear();
  }

  #next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) if (first === undefined || timer.atMs < first.atMs) first = timer;
    return first;
  }
}
