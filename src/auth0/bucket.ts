/**
 * One of the tenant's token buckets, followed from what its answers show, so that a call waits here instead of being
 * refused there. What seems available = what the last answer left + what has flowed in since − the calls under way.
 * The inflow is never told; it is bounded from below by two observations, and the greater bound is used:
 * the headers (a bucket that lacks d tokens now and is full by t gains at least d / t), and the count (what was consumed
 * over a stretch in which the bucket never was full must have flowed in).
 */
import type { Clock, EpochMs } from "../runtime/clock.ts";
import { Budget } from "./budget.ts";

/** What an answer says of its bucket. */
export interface RateHeaders {
  /** The bucket's size. */
  readonly limit: number;
  readonly remaining: number;
  /** When the bucket is full again, rounded up to a second (recorded: full, not "one token more"). */
  readonly fullAtMs: EpochMs;
}

/** What people say of the tenant's limits. */
export interface BucketSettings {
  /** The part of the bucket that is ours, above 0, at most 1. */
  readonly share: number;
  /** As the tenant's plan has it; `undefined`: observed. */
  readonly inflowPerMs: number | undefined;
}

/** What became of a call that had a place: its answer's headers, or whether it took a token though no header tells of it. */
export type PlaceEnd = RateHeaders | "spent" | "unspent";

/** How a bucket stands, as far as is known. */
export interface BucketLevel {
  readonly limit: number;
  readonly remaining: number;
  readonly refillPerSecond: number;
  /** Calls that wait for their turn. */
  readonly waiting: number;
}

export type Admission = { readonly kind: "go" } | { readonly kind: "come back"; readonly atMs: EpochMs };

/** Whoever would wait longer is told when to come back, and holds no place meanwhile. */
const MAX_WAIT_MS = 2_000;
/** Who was sent away comes back a little early rather than late: a token that nobody waits for is lost when full. */
const EARLY_FACTOR = 1.25;
/** The part of a bucket that is left alone: other clients of the tenant, and answers under way. */
const RESERVED_SHARE = 1 / 20;
/** Until observations say more: half of the slowest plan (Free: 2 calls a second). */
const MIN_INFLOW_PER_MS = 1 / 1_000;
/** A 429 means that the inflow was overrated, or is shared with somebody. */
const INFLOW_AFTER_REFUSAL = 0.8;
/** A count over a longer stretch than this is begun anew, so that it follows a tenant's other clients. */
const MAX_COUNT_MS = 60_000;

export class Bucket {
  readonly #clock: Clock;
  #limit: number;
  #remaining: number;
  /** When that was so; like every moment in here by the monotonic clock. */
  #atMs: number;
  #inflowPerMs = MIN_INFLOW_PER_MS;
  #isInflowKnown = false;
  #count: { readonly sinceMs: EpochMs; readonly remaining: number; readonly underWay: number; answers: number };
  #underWay = 0;
  #closedUntilMs = 0;
  #shownAtMs: number;
  #lastTurnMs = 0;
  /** Of those who were sent away, in the order of their turns. */
  readonly #turns = new Map<string, number>();
  readonly #waiting = new Set<() => void>();
  #cancelTimer: (() => void) | undefined;
  readonly #budget: Budget;

  constructor({ limit, remaining }: RateHeaders, clock: Clock) {
    this.#clock = clock;
    this.#budget = new Budget(clock);
    this.#limit = limit;
    this.#remaining = remaining;
    this.#atMs = clock.monotonicMs();
    this.#shownAtMs = this.#atMs;
    this.#count = { sinceMs: this.#atMs, remaining, underWay: 0, answers: 0 };
  }

  configure({ share, inflowPerMs }: BucketSettings): void {
    this.#budget.share = share;
    if (inflowPerMs !== undefined) this.#raiseInflow(inflowPerMs);
  }

  /**
   * Waits for a turn, or says when to come back. After every "go" exactly one `leave`.
   * @param caller the same when it comes back: who was woken before its turn keeps it
   * @throws `signal.reason`
   */
  async enter(caller: string, signal: AbortSignal): Promise<Admission> {
    signal.throwIfAborted();
    if (this.#waiting.size === 0 && this.#isOpen()) {
      this.#turns.delete(caller);
      this.#go();
      return { kind: "go" };
    }
    const waitMs = this.#expectedWaitMs(this.#waiting.size + 1);
    if (waitMs > MAX_WAIT_MS) {
      const inMs = this.#takeTurn(caller, waitMs) - this.#clock.monotonicMs();
      return { kind: "come back", atMs: this.#clock.now() + inMs };
    }
    this.#turns.delete(caller);
    await this.#wait(signal);
    return { kind: "go" };
  }

  leave(end: PlaceEnd): void {
    this.#underWay--;
    if (end === "spent") this.#spend();
    else if (end !== "unspent") this.#learn(end);
    this.#admit();
  }

  /** What an answer showed that was not counted as under way here. */
  observe(headers: RateHeaders): void {
    this.#learn(headers);
    this.#admit();
  }

  /** A 429 came: nobody goes before `untilMs`. Who got it leaves as well. */
  close(untilMs: EpochMs): void {
    this.#closedUntilMs = Math.max(this.#closedUntilMs, this.#momentOf(untilMs));
    this.#inflowPerMs = Math.max(this.#inflowPerMs * INFLOW_AFTER_REFUSAL, MIN_INFLOW_PER_MS);
    this.#remaining = 1 + this.#reserve; // the moment named is one at which a call passes
    this.#atMs = this.#closedUntilMs;
    this.#beginCount();
  }

  /** When an answer last told of it. */
  get shownAtMs(): number {
    return this.#shownAtMs;
  }

  get level(): BucketLevel {
    const isClosed = this.#clock.monotonicMs() < this.#closedUntilMs;
    return {
      limit: this.#limit,
      remaining: isClosed ? 0 : Math.max(0, this.#available + this.#reserve),
      refillPerSecond: this.#inflowPerMs * 1000,
      waiting: this.#waiting.size,
    };
  }

  #learn({ limit, remaining, fullAtMs }: RateHeaders): void {
    const nowMs = this.#clock.monotonicMs();
    this.#shownAtMs = nowMs;
    this.#limit = limit;
    this.#remaining = remaining;
    this.#atMs = nowMs;
    const lacking = limit - remaining - 1;
    const fullInMs = this.#momentOf(fullAtMs) - nowMs;
    if (lacking > 0 && fullInMs > 0) this.#raiseInflow(lacking / fullInMs);
    this.#learnFromCount(nowMs);
  }

  /** Answers without headers, and calls without an answer, have taken a token all the same. */
  #spend(): void {
    this.#remaining = this.#filled - 1;
    this.#atMs = this.#clock.monotonicMs();
  }

  #momentOf(atMs: EpochMs): number {
    return this.#clock.monotonicMs() + atMs - this.#clock.now();
  }

  /** Tokens lost to a full bucket make this bound weaker, never wrong; one that no longer helps is begun anew. */
  #learnFromCount(nowMs: EpochMs): void {
    const { sinceMs, answers, remaining, underWay } = this.#count;
    this.#count.answers++;
    const perMs = (this.#remaining - remaining + answers - underWay) / Math.max(1, nowMs - sinceMs);
    if (perMs > this.#inflowPerMs) this.#raiseInflow(perMs);
    else if (nowMs - sinceMs > MAX_COUNT_MS) this.#beginCount();
    else if (this.#remaining >= this.#limit - 1 && perMs < this.#inflowPerMs / 2) this.#beginCount();
  }

  #raiseInflow(perMs: number): void {
    if (perMs <= 0) return;
    this.#isInflowKnown = true;
    this.#inflowPerMs = Math.max(this.#inflowPerMs, perMs);
  }

  #beginCount(): void {
    this.#count = {
      sinceMs: this.#clock.monotonicMs(),
      remaining: this.#remaining,
      underWay: this.#underWay,
      answers: 0,
    };
  }

  get #filled(): number {
    const flowedIn = Math.max(0, this.#clock.monotonicMs() - this.#atMs) * this.#inflowPerMs;
    return Math.min(this.#limit, this.#remaining + flowedIn);
  }

  get #available(): number {
    return this.#filled - this.#underWay - this.#reserve;
  }

  get #reserve(): number {
    return Math.floor(this.#limit * RESERVED_SHARE);
  }

  #isOpen(): boolean {
    const isOurs = this.#budget.waitMs(1, this.#limit, this.#inflowPerMs) === 0;
    return this.#clock.monotonicMs() >= this.#closedUntilMs && this.#available >= 1 && isOurs;
  }

  /** Until `count` more calls have gone, if the inflow is no greater than it is known to be. */
  #expectedWaitMs(count: number): number {
    const closedMs = Math.max(0, this.#closedUntilMs - this.#clock.monotonicMs());
    const flowMs = Math.max(0, count - this.#available) / this.#inflowPerMs;
    return closedMs + Math.max(flowMs, this.#budget.waitMs(count, this.#limit, this.#inflowPerMs));
  }

  /** The next free moment after those that were given to others who were sent away; its own where it has one. */
  #takeTurn(caller: string, waitMs: number): number {
    const nowMs = this.#clock.monotonicMs();
    if (!this.#isInflowKnown) return nowMs + MAX_WAIT_MS;
    const ownMs = this.#turns.get(caller) ?? 0;
    if (ownMs > nowMs) return ownMs;
    this.#turns.delete(caller);
    for (const [other, turnMs] of this.#turns) {
      if (turnMs > nowMs) break;
      this.#turns.delete(other);
    }
    const earliestMs = nowMs + waitMs / EARLY_FACTOR;
    this.#lastTurnMs = Math.max(this.#lastTurnMs + 1 / (this.#inflowPerMs * EARLY_FACTOR), earliestMs);
    this.#turns.set(caller, this.#lastTurnMs);
    return this.#lastTurnMs;
  }

  #wait(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = (): void => {
      this.#waiting.delete(go);
      reject(signal.reason);
    };
    const go = (): void => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    this.#waiting.add(go);
    this.#admit();
    return promise;
  }

  /** Lets go who may, first come first served, and looks again when the next one should be able to. */
  #admit(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    for (const go of this.#waiting) {
      if (!this.#isOpen()) {
        this.#cancelTimer = this.#clock.timer(Math.max(1, this.#expectedWaitMs(1)), () => {
          this.#admit();
        });
        return;
      }
      this.#waiting.delete(go);
      this.#go();
      go();
    }
  }

  #go(): void {
    this.#underWay++;
    this.#budget.take(this.#limit, this.#inflowPerMs);
  }
}
