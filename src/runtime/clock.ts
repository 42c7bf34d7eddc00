/**
 * Time, handed in. Outside this room nothing reads the wall clock or sets a timer, so a test can own time
 * (`ManualClock` in test/support).
 */

/** Milliseconds since the Unix epoch, as the wall clock shows them: for what others read (conditions, tokens, leases). */
export type EpochMs = number;

/** The last moment that has a date. */
export const LATEST_MS: EpochMs = 8.64e15;

export interface Clock {
  /** Wall time. May jump when the machine's clock is set. */
  now(): EpochMs;
  /** Milliseconds since some fixed moment; never jumps. For measuring how long something took or may still take. */
  monotonicMs(): number;
  /** Runs `callback` once after `afterMs`; the answer cancels it. A timer never keeps the process alive by itself. */
  timer(afterMs: number, callback: () => void): () => void;
  /** Resolves after `ms`; rejects with `signal.reason` as soon as the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** setTimeout takes 2^31-1 ms at most (about 24.8 days) and fires at once beyond it. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  timer(afterMs, callback) {
    const handle = setTimeout(callback, Math.min(Math.max(afterMs, 0), MAX_TIMER_MS)).unref();
    return () => {
      clearTimeout(handle);
    };
  },
  sleep(ms, signal) {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const handle = setTimeout(
        () => {
          signal.removeEventListener("abort", onAbort);
          resolve();
        },
        Math.min(Math.max(ms, 0), MAX_TIMER_MS),
      );
      const onAbort = (): void => {
        clearTimeout(handle);
        reject(signal.reason);
      };
      signal.addEventListener("abort", onAbort, { once: true });
    });
  },
};
