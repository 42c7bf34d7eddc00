/** Fairness among those who share one event loop. */
import type { Clock } from "./clock.ts";

/**
 * Cuts up work that would otherwise go on without ever waiting: timers, sockets and probes get their turn in between.
 * Meant to be asked often, by all who work off the same heap.
 */
export class TimeSlice {
  readonly #clock: Clock;
  readonly #sliceMs: number;
  #startedMs = 0;
  #turn: Promise<void> | undefined;

  constructor(clock: Clock, sliceMs: number) {
    this.#clock = clock;
    this.#sliceMs = sliceMs;
  }

  /** Resolves at once until the slice is used up, then after the event loop has gone round. */
  async breathe(): Promise<void> {
    if (this.#turn === undefined && this.#clock.monotonicMs() - this.#startedMs < this.#sliceMs) return;
    this.#turn ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#startedMs = this.#clock.monotonicMs();
        this.#turn = undefined;
        resolve();
      });
    });
    await this.#turn;
  }
}
