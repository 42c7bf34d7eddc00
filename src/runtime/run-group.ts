/** Long-lived parts, run together and stopped in order. */

/** Something that lives until it is told to stop: resolves after an orderly stop, rejects on a fatal fault. */
export interface Part {
  readonly name: string;
  run(signal: AbortSignal): Promise<void>;
}

/**
 * Runs all parts at once. The first part that ends, by fault or on its own, or the abort of `signal`, stops the
 * others: the last named first, each awaited before the next is told, so that a part may rely on those named before it
 * until its own end (name what the others need first).
 *
 * @throws the fault, or an AggregateError of several, after every part has ended
 */
export async function runGroup(parts: readonly Part[], signal: AbortSignal): Promise<void> {
  const faults: unknown[] = [];
  const { promise: wanted, resolve: stop } = Promise.withResolvers<void>();
  const onAbort = (): void => {
    stop();
  };
  if (signal.aborted) stop();
  else signal.addEventListener("abort", onAbort, { once: true });

  const running = parts.map((part) => {
    const controller = new AbortController();
    const ended = part.run(controller.signal).then(
      () => {
        stop();
      },
      (error: unknown) => {
        if (!(controller.signal.aborted && error === controller.signal.reason)) faults.push(error);
        stop();
      },
    );
    return { controller, ended };
  });

  await wanted;
  signal.removeEventListener("abort", onAbort);
  const reason: unknown = signal.aborted ? signal.reason : new Error("another part of the program ended");
  for (const { controller, ended } of running.toReversed()) {
    controller.abort(reason);
    await ended;
  }
  if (faults.length === 1) throw faults[0];
  if (faults.length > 1) throw new AggregateError(faults, "several parts of the program failed");
}
