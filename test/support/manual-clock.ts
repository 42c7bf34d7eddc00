/** Time that a test owns: nothing happens until it is advanced. */
import type { Clock, EpochMs } from "../../src/runtime/clock.ts";

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly callback: () => void;
}

export class ManualClock implements Clock {
  #now: EpochMs;
  readonly #started: EpochMs;
  #setBackMs = 0;
  #order = 0;
  readonly #timers = new Set<Timer>();

  constructor(startMs: EpochMs = Date.UTC(2026, 0, 1)) {
    this.#now = startMs;
    this.#started = startMs;
  }

  now(): EpochMs {
    return this.#now - this.#setBackMs;
  }

  /** As when somebody sets the machine's clock: what is measured goes on. */
  setBack(ms: number): void {
    this.#setBackMs += ms;
  }

  monotonicMs(): number {
    return this.#now - this.#started;
  }

  timer(afterMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#now + Math.max(afterMs, 0), order: this.#order++, callback };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const cancel = this.timer(ms, () => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      });
      const onAbort = (): void => {
        cancel();
        reject(signal.reason);
      };
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Timers that are set and have not fired. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves time forward, firing what falls due in order and letting promises settle after each. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settle();
    for (;;) {
      const due = [...this.#timers]
        .filter((timer) => timer.atMs <= until)
        .toSorted((a, b) => a.atMs - b.atMs || a.order - b.order)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#now = Math.max(this.#now, due.atMs);
      due.callback();
      await settle();
    }
    this.#now = until;
  }
}

/** Lets every promise that can settle now do so (promises only: no sockets, no timers). */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
