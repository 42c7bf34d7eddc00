/** Waiting for a fact about another process; never a fixed pause. */

export interface EventuallyOptions {
  /** After this long the last failure is thrown. */
  readonly timeoutMs?: number;
  readonly everyMs?: number;
  /** Ends the waiting with its reason. */
  readonly signal?: AbortSignal;
}

/** Asks again until `assertion` does not throw, and gives its answer; throws its last error when the time is up. */
export async function eventually<T>(
  assertion: () => T | Promise<T>,
  { timeoutMs = 30_000, everyMs = 50, signal }: EventuallyOptions = {},
): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      signal?.throwIfAborted();
      if (performance.now() > deadlineMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }
}
