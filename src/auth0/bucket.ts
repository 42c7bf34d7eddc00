/**
 * One of the tenant's token buckets, followed from what its answers show, so that a call waits here instead of being
 * refused there. What seems available = what the last answer left + what has flowed in since − the calls under way.
 * The inflow is never told; it is bounded from below by two observations, and the greater bound is used:
 * the headers (a bucket that lacks d tokens now and is full by t gains at least d / t), and the count (what was consumed
 * over a stretch in which the bucket never was full must have flowed in). Time is the monotonic clock's: nobody waits for an
 * hour because the machine's clock was set back by one.
 */
import type { Clock, EpochMs } from "../runtime/clock.ts";
import { Budget } from "./budget.ts";
import { Turns } from "./turns.ts";

/** What an answer says of its bucket. */
export interface RateHeaders {
  /** The bucket's size. */
  readonly limit: number;
  readonly remaining: number;
  /** Until the bucket is full again, at most (recorded: full, not "one token more"). */
  readonly fullInMs: number;
}

/** What people say of the tenant's limits. */
export interface BucketSettings {
  /** The part of the bucket that is ours, above 0, at most 1. */
  readonly share: number;
  /** As the tenant's plan has it; `undefined`: observed. */
  readonly inflowPerMs: number | undefined;
}

/** How a bucket stands, as far as is known. */
export interface BucketLevel {
  readonly limit: number;
  readonly remaining: number;
  readonly refillPerSecond: number;
  /** Calls that wait for their turn. */
  readonly waiting: number;
}

/**
 * What a call left of its token: what the bucket's answer shows; "spent" where nothing shows it, as in most refusals and
 * where there was no answer; "unsent": the token is still there.
 */
export type Spending = RateHeaders | "spent" | "unsent";

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
  #atMs: number;
  #inflowPerMs = MIN_INFLOW_PER_MS;
  #isInflowKnown = false;
  #count: { readonly sinceMs: number; readonly remaining: number; readonly underWay: number; answers: number };
  #underWay = 0;
  #closedUntilMs = 0;
  readonly #turns = new Turns();
  readonly #waiting = new Set<() => void>();
  #cancelTimer: (() => void) | undefined;
  readonly #budget: Budget;

  constructor({ limit, remaining }: RateHeaders, clock: Clock) {
    this.#clock = clock;
    this.#budget = new Budget(clock);
    this.#limit = limit;
    this.#remaining = remaining;
    this.#atMs = clock.monotonicMs();
    this.#count = { sinceMs: this.#atMs, remaining, underWay: 0, answers: 0 };
  }

  configure({ share, inflowPerMs }: BucketSettings): void {
    this.#budget.share = share;
    if (inflowPerMs !== undefined) this.#raiseInflow(inflowPerMs);
  }

  /**
   * Waits for a turn, or says when to come back. After every "go" exactly one `leave`.
   * @param who asks: the same name each time, and nobody else's
   * @throws `signal.reason`
   */
  async enter(who: string, signal: AbortSignal): Promise<Admission> {
    signal.throwIfAborted();
    if (this.#waiting.size === 0 && this.#isOpen()) {
      this.#turns.end(who);
      this.#turns.beginAnew();
      this.#go();
      return { kind: "go" };
    }
    const waitMs = this.#expectedWaitMs(this.#waiting.size + 1);
    if (waitMs > MAX_WAIT_MS) {
      return { kind: "come back", atMs: this.#clock.now() + Math.ceil(this.#untilTurnMs(who, waitMs)) };
    }
    this.#turns.end(who);
    await this.#wait(signal);
    return { kind: "go" };
  }

  leave(spending: Spending): void {
    this.#underWay--;
    if (spending === "unsent") this.#budget.giveBack();
    else if (spending === "spent") this.#spend();
    else this.#learn(spending);
    this.#admit();
  }

  /** What an answer showed that was not counted as under way here. */
  observe(headers: RateHeaders): void {
    this.#learn(headers);
    this.#admit();
  }

  /** A 429 came: nobody goes for so long. Who got it has left. */
  close(forMs: number): void {
    this.#closedUntilMs = Math.max(this.#closedUntilMs, this.#clock.monotonicMs() + forMs);
    this.#inflowPerMs = Math.max(this.#inflowPerMs * INFLOW_AFTER_REFUSAL, MIN_INFLOW_PER_MS);
    this.#remaining = 1 + this.#reserve; // the moment named is one at which a call passes
    this.#atMs = this.#closedUntilMs;
    this.#beginCount();
    this.#admit();
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

  /** Not counted towards the inflow: whether the tenant counted it is not known. */
  #spend(): void {
    this.#remaining = this.#filled - 1;
    this.#atMs = Math.max(this.#atMs, this.#clock.monotonicMs());
  }

  #learn({ limit, remaining, fullInMs }: RateHeaders): void {
    const nowMs = this.#clock.monotonicMs();
    this.#limit = limit;
    this.#remaining = remaining;
    this.#atMs = nowMs;
    const lacking = limit - remaining - 1;
    if (lacking > 0 && fullInMs > 0) this.#raiseInflow(lacking / fullInMs);
    this.#learnFromCount(nowMs);
  }

  /** Tokens lost to a full bucket make this bound weaker, never wrong; one that no longer helps is begun anew. */
  #learnFromCount(nowMs: number): void {
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

  get #available(): number {
    return this.#filled - this.#underWay - this.#reserve;
  }

  get #filled(): number {
    const flowedIn = Math.max(0, this.#clock.monotonicMs() - this.#atMs) * this.#inflowPerMs;
    return Math.min(this.#limit, this.#remaining + flowedIn);
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

  #untilTurnMs(who: string, waitMs: number): number {
    if (!this.#isInflowKnown) return MAX_WAIT_MS;
    const nowMs = this.#clock.monotonicMs();
    const gapMs = 1 / (this.#inflowPerMs * EARLY_FACTOR);
    return this.#turns.give(who, nowMs, nowMs + waitMs / EARLY_FACTOR, gapMs) - nowMs;
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
