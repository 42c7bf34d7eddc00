/** Notices that something which should show signs of life does not. */
import type { Clock } from "../runtime/clock.ts";

/** Aborts its signal after `idleMs` without a call of `break`. It sets one timer a period, however often it is called. */
export class SilenceGuard {
  readonly #clock: Clock;
  readonly #idleMs: number;
  readonly #controller = new AbortController();
  readonly #reason: () => Error;
  #brokenAtMs: number;
  #cancelTimer: () => void;

  /** @param reason asked for the reason of the abort when it comes to that */
  constructor(clock: Clock, idleMs: number, reason: () => Error) {
    this.#clock = clock;
    this.#idleMs = idleMs;
    this.#reason = reason;
    this.#brokenAtMs = clock.monotonicMs();
    this.#cancelTimer = clock.timer(idleMs, this.#check);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  break(): void {
    this.#brokenAtMs = this.#clock.monotonicMs();
  }

  end(): void {
    this.#cancelTimer();
  }

  readonly #check = (): void => {
    const leftMs = this.#brokenAtMs + this.#idleMs - this.#clock.monotonicMs();
    if (leftMs <= 0) this.#controller.abort(this.#reason());
    else this.#cancelTimer = this.#clock.timer(leftMs, this.#check);
  };
}
