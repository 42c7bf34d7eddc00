/** Cancellation. Aborting is not failing: whoever waits rethrows `signal.reason` untouched. */
import type { Clock } from "./clock.ts";

/** Why the signal of a `Deadline` was aborted: the time was up, nobody cancelled. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

/** Whether `error` is this signal's own reason, i.e. nothing failed: somebody did not want the result any more. */
export function isAbortOf(signal: AbortSignal, error: unknown): boolean {
  return signal.aborted && (error === signal.reason || (error instanceof Error && error.cause === signal.reason));
}

/**
 * A signal that is aborted with `parent`, or after `afterMs` with a `DeadlineError`. Call `clear` when the work is done:
 * it frees the timer and the listener.
 */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #parent: AbortSignal;
  readonly #clock: Clock;
  #cancelTimer: () => void = () => {};
  readonly #onAbort = (): void => {
    this.#controller.abort(this.#parent.reason);
  };

  constructor(parent: AbortSignal, afterMs: number, clock: Clock) {
    this.#parent = parent;
    this.#clock = clock;
    if (parent.aborted) this.#onAbort();
    else parent.addEventListener("abort", this.#onAbort, { once: true });
    this.renew(afterMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Starts the time anew: something came, and the next is due within `afterMs`. */
  renew(afterMs: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.timer(afterMs, () => {
      this.#controller.abort(new DeadlineError(`no answer within ${String(afterMs)} ms`));
    });
  }

  clear(): void {
    this.#cancelTimer();
    this.#parent.removeEventListener("abort", this.#onAbort);
  }
}

/** @throws what `run` throws; once its signal is aborted, the reason of that */
export async function withDeadline<T>(
  parent: AbortSignal,
  afterMs: number,
  clock: Clock,
  run: (inTime: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new Deadline(parent, afterMs, clock);
  try {
    return await run(deadline.signal);
  } catch (error) {
    throw deadline.signal.aborted ? deadline.signal.reason : error;
  } finally {
    deadline.clear();
  }
}

/** Waits for `promise`, but no longer than `signal` lets it; the promise itself goes on. */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) promise.catch(() => {}); // nobody waits for it any more
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => {
    reject(signal.reason);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
