/**
 * Users whose documents vanished while they were watched. A document may be away for a moment, while an editor saves or a
 * branch is checked out, and a folder that is emptied by mistake must not empty a tenant: a user is deleted when its
 * document has been gone for a while, and when no more are gone than may be deleted within an hour.
 */
import { parseDurationMs } from "../api/duration.ts";
import { allowedOf, type Limit } from "../core/limit.ts";
import { NOTHING_DONE, bucketAt, countOf, recounted, withoutOld } from "../core/tally.ts";
import type { DeclaredUser } from "../files/declarations.ts";
import type { DeletionOutcome } from "../reconcile/delete-user.ts";
import { forEachLimited } from "../reconcile/for-each-limited.ts";
import { backoffMs } from "../runtime/backoff.ts";
import type { Clock, EpochMs } from "../runtime/clock.ts";
import type { Random } from "../runtime/random.ts";

export interface PruningParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly limit: Limit | undefined;
  /** @param deleteAtMs from when on the user may be deleted */
  readonly remove: (
    user: DeclaredUser,
    deleteAtMs: EpochMs | undefined,
    signal: AbortSignal,
  ) => Promise<DeletionOutcome>;
  /** Tells of a pause, once. */
  readonly tell: (message: string) => void;
}

interface Vanished {
  readonly user: DeclaredUser;
  readonly sinceMs: EpochMs;
  readonly dueAtMs: EpochMs;
  readonly failures: number;
}

/** How long a document must be gone. */
const GONE_MS = 5_000;
/** Users at once. */
const CONCURRENCY = 10;
const RETRY = { baseMs: 500, capMs: 30_000 };
/** What only a person can mend is looked at again after so long. */
const STALLED_MS = 5 * 60_000;

export class Pruning {
  readonly #parts: PruningParts;
  readonly #vanished = new Map<string, Vanished>();
  #deletions = NOTHING_DONE;
  #declared = 0;
  #isPaused = false;

  constructor(parts: PruningParts) {
    this.#parts = parts;
  }

  /** The documents were read again. */
  note(before: readonly DeclaredUser[], now: readonly DeclaredUser[]): void {
    const nowMs = this.#parts.clock.now();
    this.#declared = now.length;
    const present = new Set(now.map(({ key }) => key));
    for (const key of present) this.#vanished.delete(key);
    for (const user of before) {
      if (present.has(user.key)) continue;
      this.#vanished.set(user.key, { user, sinceMs: nowMs, dueAtMs: nowMs + GONE_MS, failures: 0 });
    }
  }

  /** Deletes the users whose turn it is. @throws only `signal.reason` and bugs */
  async run(signal: AbortSignal): Promise<void> {
    const nowMs = this.#parts.clock.now();
    const due = [...this.#vanished.values()].filter(({ dueAtMs }) => dueAtMs <= nowMs);
    if (due.length === 0) return;
    const isPaused = this.#isTooMuch(nowMs);
    await forEachLimited(
      due.filter(({ user }) => !isPaused || isKept(user)),
      CONCURRENCY,
      (one) => this.#remove(one, signal),
    );
  }

  /** All or none: of a hundred that vanish by mistake not the first ten are deleted. */
  #isTooMuch(nowMs: EpochMs): boolean {
    const waiting = [...this.#vanished.values()].filter(({ user }) => !isKept(user)).length;
    const wanted = waiting + countOf(this.#deletions, nowMs);
    const allowed = allowedOf(this.#parts.limit, this.#declared + wanted);
    const wasPaused = this.#isPaused;
    this.#isPaused = wanted > allowed;
    if (this.#isPaused && !wasPaused) {
      this.#parts.tell(
        `the documents of ${String(waiting)} users vanished, and ${String(allowed)} may be deleted within an hour: none is; bring the documents back, or, if all of them are to go, start with a higher --max-deletes-per-hour before you take them away`,
      );
    }
    return this.#isPaused;
  }

  async #remove({ user, sinceMs, failures }: Vanished, signal: AbortSignal): Promise<void> {
    const { clock, random, remove } = this.#parts;
    const deleteAfterMs = parseDurationMs(user.spec.deleteAfter ?? "");
    const outcome = await remove(user, deleteAfterMs === undefined ? undefined : sinceMs + deleteAfterMs, signal);
    const nowMs = clock.now();
    if (outcome.kind === "released") {
      if (!isKept(user)) {
        this.#deletions = recounted(withoutOld(this.#deletions, nowMs), bucketAt(nowMs), 1);
      }
      this.#vanished.delete(user.key);
      return;
    }
    const { remedy } = outcome;
    const dueAtMs =
      remedy.kind === "wait"
        ? remedy.untilMs
        : nowMs + (remedy.kind === "backoff" ? backoffMs(failures + 1, RETRY, random) : STALLED_MS);
    this.#vanished.set(user.key, { user, sinceMs, dueAtMs, failures: failures + 1 });
  }
}

/** Nothing at Auth0 is lost by it. */
function isKept({ spec: { deletionPolicy } }: DeclaredUser): boolean {
  return deletionPolicy === "Retain" || deletionPolicy === "Disable";
}
