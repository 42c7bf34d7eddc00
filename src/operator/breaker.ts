/**
 * What stops a mistake from becoming a disaster: a bad merge that deletes five hundred resources deletes as many users as
 * the limit allows, then waits for a person. The counts are written down before anything is done, some at a time, so that
 * a restart can only make them too large.
 */
import {
  NOTHING_DONE,
  bucketAt,
  confirmed,
  countOf,
  isConfirmed,
  isOver,
  isSpent,
  recounted,
  withoutOld,
  type Tally,
} from "../core/tally.ts";
import type { UserId } from "../core/ids.ts";
import { allowedOf, type Limit } from "../core/limit.ts";
import type { Clock } from "../runtime/clock.ts";
import { findJsonObject, isJsonObject } from "../runtime/json.ts";

/** Where the counts of one tenant are kept, and where a person confirms. */
export interface BreakerNotes {
  /** What was written last, and what stands in the annotation `confirm-deletions`. */
  read(signal: AbortSignal): Promise<{ readonly text: string | undefined; readonly confirmation: string | undefined }>;
  /** Refused where somebody else wrote since `read` or the last `write`. */
  write(text: string, signal: AbortSignal): Promise<void>;
  /** Tells people of a pause that begins. */
  tell(message: string): void;
  /** How a person confirms, as a command. */
  confirmCommand(confirmation: string): string;
}

export interface Limits {
  /** `undefined`: the greater of a hundred and a tenth. */
  readonly maxDeletesPerHour?: Limit | undefined;
  /** `undefined`: no limit. */
  readonly maxChangesPerHour?: Limit | undefined;
}

export interface BreakerOptions {
  readonly notes: BreakerNotes;
  readonly countDeclared: () => number;
  readonly clock: Clock;
}

export interface Pause {
  readonly message: string;
}

export const PAUSED_KINDS = ["deletions", "changes"] as const;
type PausedKind = (typeof PAUSED_KINDS)[number];

/** What is known of one kind of write. */
interface Count {
  /** As it was written down, but for what was found since to be too much. */
  readonly tally: Tally;
  /** So many of a bucket were written down in advance, and are yet to be done. */
  readonly reserve: { readonly bucketMs: number; readonly left: number };
  /** In which bucket each user counts: one whose write is tried again counts once, at the last attempt. */
  readonly attempts: Map<UserId, number>;
}

const DELETIONS = "deletions";
/** Written down at a time, as a share of the limit: a restart may count so many too much. */
const RESERVED_SHARE = 0.1;
/** How often a person's word is looked for. */
const LOOK_AGAIN_MS = 2_000;
/** How often who waits for it asks again. */
export const PAUSED_AGAIN_MS = 5_000;

export class Breaker {
  readonly #options: BreakerOptions;
  #limits: Limits = {};
  readonly #counts = new Map<string, Count>();
  #turn: Promise<unknown> = Promise.resolve();
  #isRead = false;
  #readAtMs = 0;
  /** As it was read last. */
  #confirmation: string | undefined;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  /** From now on; what was done already counts. */
  limit(limits: Limits): void {
    this.#limits = limits;
  }

  get hasChangeLimit(): boolean {
    return this.#limits.maxChangesPerHour !== undefined;
  }

  /**
   * @param deletedAtMs when a person deleted the resource
   * @returns why not now; `undefined`: it may be done, and counts
   */
  admitDeletion(id: UserId, deletedAtMs: number | undefined, signal: AbortSignal): Promise<Pause | undefined> {
    return this.#inTurn(() => this.#admit(DELETIONS, this.#limits.maxDeletesPerHour, id, deletedAtMs, signal));
  }

  /** Why no user may be deleted now, asked before anything is read for it. */
  findDeletionPause(signal: AbortSignal): Promise<Pause | undefined> {
    return this.#inTurn(async () => {
      const sinceMs = (await this.#countOf(DELETIONS, signal)).tally.pausedSinceMs;
      return sinceMs === undefined ? undefined : { message: this.#messageOf(DELETIONS, sinceMs) };
    });
  }

  admitChange(attribute: string, id: UserId, signal: AbortSignal): Promise<Pause | undefined> {
    const { maxChangesPerHour } = this.#limits;
    if (maxChangesPerHour === undefined) return Promise.resolve(undefined);
    return this.#inTurn(() => this.#admit(`changes of ${attribute}`, maxChangesPerHour, id, undefined, signal));
  }

  /** What is paused now, in words; empty: nothing. */
  get pauses(): string[] {
    return this.#paused().map(([what, sinceMs]) => this.#messageOf(what, sinceMs));
  }

  get pausedKinds(): ReadonlySet<PausedKind> {
    return new Set(this.#paused().map(([what]) => (what === DELETIONS ? DELETIONS : "changes")));
  }

  /** Likewise, once a person's word has been looked for: nobody may be waiting for it any more. */
  findPauses(signal: AbortSignal): Promise<readonly string[]> {
    return this.#inTurn(async () => {
      if (!this.#isRead) await this.#read(signal);
      for (const [what] of this.#paused()) await this.#countOf(what, signal);
      return this.pauses;
    });
  }

  /** Of changes none is paused while they are not limited. */
  #paused(): [what: string, sinceMs: number][] {
    return [...this.#counts].flatMap(
      ([
        what,
        {
          tally: { pausedSinceMs },
        },
      ]) => (pausedSinceMs !== undefined && (what === DELETIONS || this.hasChangeLimit) ? [[what, pausedSinceMs]] : []),
    );
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }

  async #admit(
    what: string,
    limit: Limit | undefined,
    id: UserId,
    askedAtMs: number | undefined,
    signal: AbortSignal,
  ): Promise<Pause | undefined> {
    let { tally, reserve, attempts } = await this.#countOf(what, signal);
    const nowMs = this.#options.clock.now();
    if (isConfirmed(tally, askedAtMs, nowMs)) return undefined;
    if (tally.pausedSinceMs !== undefined) return { message: this.#messageOf(what, tally.pausedSinceMs) };
    const bucketMs = bucketAt(nowMs);
    const triedMs = attempts.get(id);
    if (triedMs === bucketMs) return undefined;
    if (triedMs !== undefined) tally = recounted(tally, triedMs, -1);
    if (reserve.bucketMs !== bucketMs) {
      tally = withoutOld(recounted(tally, reserve.bucketMs, -reserve.left), nowMs);
      reserve = { bucketMs, left: 0 };
      attempts = new Map([...attempts].filter(([, earlierMs]) => !isOver(earlierMs, nowMs)));
    }
    if (reserve.left === 0) {
      const count = countOf(tally, nowMs);
      const most = this.#limitOf(limit, count);
      if (count >= most) return this.#pause(what, tally, signal);
      const left = Math.min(most - count, Math.max(1, Math.floor(most * RESERVED_SHARE)));
      tally = recounted(tally, bucketMs, left);
      await this.#write(what, tally, signal);
      reserve = { bucketMs, left };
    }
    reserve = { bucketMs, left: reserve.left - 1 };
    attempts.set(id, bucketMs);
    this.#counts.set(what, { tally, reserve, attempts });
    return undefined;
  }

  async #pause(what: string, tally: Tally, signal: AbortSignal): Promise<Pause> {
    const nowMs = this.#options.clock.now();
    const paused = { ...tally, pausedSinceMs: nowMs };
    await this.#write(what, paused, signal);
    this.#counts.set(what, countFrom(paused));
    const message = this.#messageOf(what, nowMs);
    this.#options.notes.tell(message);
    return { message };
  }

  /** As it stands, once a person's word has been looked for. */
  async #countOf(what: string, signal: AbortSignal): Promise<Count> {
    const find = (): Count => this.#counts.get(what) ?? countFrom(NOTHING_DONE);
    const isPaused = find().tally.pausedSinceMs !== undefined;
    const isOld = this.#options.clock.monotonicMs() - this.#readAtMs >= LOOK_AGAIN_MS;
    if (!this.#isRead || (isPaused && isOld)) await this.#read(signal);
    const count = find();
    const sinceMs = count.tally.pausedSinceMs;
    if (sinceMs === undefined || this.#confirmation !== confirmationOf(sinceMs)) return count;
    const next = countFrom(confirmed(this.#options.clock.now()));
    await this.#write(what, next.tally, signal);
    this.#counts.set(what, next);
    return next;
  }

  /** @param done of what was declared a while ago */
  #limitOf(limit: Limit | undefined, done: number): number {
    return allowedOf(limit, this.#options.countDeclared() + done);
  }

  #messageOf(what: string, sinceMs: number): string {
    const confirmation = confirmationOf(sinceMs);
    return `${what} are paused since ${confirmation}: more than protection allows within an hour; if they are meant, confirm: ${this.#options.notes.confirmCommand(confirmation)}`;
  }

  async #read(signal: AbortSignal): Promise<void> {
    const { text, confirmation } = await this.#options.notes.read(signal);
    this.#confirmation = confirmation;
    this.#readAtMs = this.#options.clock.monotonicMs();
    for (const [what, tally] of Object.entries(findJsonObject(text ?? "") ?? {})) {
      const parsed = parseTally(tally);
      if (parsed === undefined) continue;
      const known = this.#counts.get(what);
      // Of what somebody else was told is meant, nothing counts any more.
      const isSame = known?.tally.confirmedAtMs === parsed.confirmedAtMs;
      this.#counts.set(what, known !== undefined && isSame ? { ...known, tally: parsed } : countFrom(parsed));
    }
    this.#isRead = true;
  }

  async #write(what: string, tally: Tally, signal: AbortSignal): Promise<void> {
    this.#forget(what);
    const tallies = [...this.#counts].map(([one, count]) => [one, count.tally] as const);
    const next = new Map(tallies).set(what, tally);
    // A leader that was thought dead may have counted meanwhile: what it wrote is read before anything else is done.
    this.#isRead = false;
    await this.#options.notes.write(JSON.stringify(Object.fromEntries(next)), signal);
    this.#isRead = true;
  }

  /** The notes have little room: what says nothing any more goes, and all of changes while they are not limited. */
  #forget(present: string): void {
    const nowMs = this.#options.clock.now();
    for (const [what, { tally }] of this.#counts) {
      if (what === present || what === DELETIONS) continue;
      if (!this.hasChangeLimit || isSpent(tally, nowMs)) this.#counts.delete(what);
    }
  }
}

function countFrom(tally: Tally): Count {
  return { tally, reserve: { bucketMs: 0, left: 0 }, attempts: new Map() };
}

/** Names one pause, so that an old word of confirmation is none for the next. */
function confirmationOf(sinceMs: number): string {
  return new Date(sinceMs).toISOString();
}

/** Notes that somebody spoilt are none. */
function parseTally(value: unknown): Tally | undefined {
  if (!isJsonObject(value) || !Array.isArray(value["buckets"])) return undefined;
  const { pausedSinceMs, confirmedAtMs } = value;
  const buckets = value["buckets"].flatMap((bucket: unknown): Tally["buckets"] => {
    const [startMs, count] = Array.isArray(bucket) ? bucket.map(Number) : [];
    return startMs !== undefined && count !== undefined && Number.isFinite(startMs + count) ? [[startMs, count]] : [];
  });
  const momentOf = (moment: unknown): number | undefined => (typeof moment === "number" ? moment : undefined);
  return { buckets, pausedSinceMs: momentOf(pausedSinceMs), confirmedAtMs: momentOf(confirmedAtMs) };
}
