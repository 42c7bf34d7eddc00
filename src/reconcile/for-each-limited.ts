/** Work on many, a few at a time. */

/** Runs `work` over `items` in order, at most `limit` at once; the first failure ends it once those under way have ended. */
export async function forEachLimited<T>(
  items: Iterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  let fault: { readonly error: unknown } | undefined;
  const worker = async (): Promise<void> => {
    for (let next = iterator.next(); !next.done && fault === undefined; next = iterator.next()) {
      try {
        await work(next.value);
      } catch (error) {
        fault ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, worker));
  if (fault !== undefined) throw fault.error;
}
