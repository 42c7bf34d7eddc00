/** The memory of the process. */

/**
 * Has V8 drop what nobody needs any more and give the pages back, which it otherwise keeps for the next rush. The process
 * stands still meanwhile, for some 50 ms. Node hands out its collector only where it was started with `--expose-gc`.
 */
export function giveBackMemory(): void {
  globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
}
