/**
 * When those who were sent away come back: one after the other, as fast as calls flow in, so that no crowd comes at once.
 * Who is woken and asks again before its turn keeps it; else a crowd that is woken would queue behind the turns that it
 * had, and nobody would come for those.
 */
export class Turns {
  /** By who asked, those given last at the end. */
  readonly #given = new Map<string, number>();
  #lastMs = 0;

  /** The next moment, none before `earliestMs`, that is `gapMs` after everybody else's. */
  give(who: string, nowMs: number, earliestMs: number, gapMs: number): number {
    this.#forgetMissed(nowMs);
    const nextMs = Math.max(this.#lastMs + gapMs, earliestMs);
    const keptMs = this.#given.get(who);
    if (keptMs !== undefined && keptMs > nowMs && keptMs <= nextMs) return keptMs;
    this.#lastMs = nextMs;
    this.#given.delete(who);
    this.#given.set(who, nextMs);
    return nextMs;
  }

  /** Who came does not need it any more. */
  end(who: string): void {
    this.#given.delete(who);
  }

  /** Those to come do not use what there is: the next turn is given from now on, not after theirs. */
  beginAnew(): void {
    this.#lastMs = 0;
  }

  #forgetMissed(nowMs: number): void {
    for (const [who, atMs] of this.#given) {
      if (atMs > nowMs) return;
      this.#given.delete(who);
    }
  }
}
