/**
 * The one gate through which every call to the tenant passes. Auth0's plans count kinds of calls in one bucket or in
 * several, and do not say which: a kind of call belongs to the buckets whose size its answers show, and kinds that show the
 * same size share one here, so that sharing is never underrated. Until a kind's first answer only one call of it is sent.
 */
import { abortable } from "../runtime/abort.ts";
import type { Clock, EpochMs } from "../runtime/clock.ts";
import type { QuotaSettings } from "../reconcile/tenant-connections.ts";
import { Bucket, type Admission, type BucketLevel, type BucketSettings, type RateHeaders } from "./bucket.ts";
import { findInflowPerMs } from "./plans.ts";

/** The kinds that Auth0's plans count apart. */
export type CallKind =
  "read users" | "write users" | "delete users" | "read connections" | "read members" | "write members" | "other";

/** How a call ended, as far as the limit is concerned. */
export type CallEnd =
  | { readonly kind: "answered"; readonly headers: RateHeaders | undefined; readonly isSuccess: boolean }
  | { readonly kind: "refused"; readonly headers: RateHeaders | undefined; readonly untilMs: EpochMs }
  | { readonly kind: "unanswered" }
  /** It never left. */
  | { readonly kind: "unsent" };

interface Gate {
  /** Those that its answers have shown: one, or one within another, of which a refusal tells. Empty: there is no limit to obey. */
  buckets: readonly Bucket[] | undefined;
  /** The first call of the kind, while it is under way; gives whether it was answered. */
  probe: Promise<boolean> | undefined;
}

/** Places in buckets, to be given back together with `Quota.leave`. */
export interface Place {
  readonly kind: CallKind;
  readonly buckets: readonly Bucket[];
  readonly endProbe: (isAnswered: boolean) => void;
}

type ComeBack = Exclude<Admission, { kind: "go" }>;

/** A bucket that no answer has shown for so long is not the tenant's any more. */
const SHOWN_MS = 10 * 60_000;
/** A probe without an answer says nothing; those who waited for it try again after this. */
const PROBE_AGAIN_MS = 1_000;

export class Quota {
  readonly #clock: Clock;
  readonly #gates = new Map<CallKind, Gate>();
  readonly #buckets = new Map<number, Bucket>();
  readonly #settings = new Map<object, QuotaSettings>();
  /** While nothing is known of the tenant's buckets, one call of any kind is under way, no more. */
  #firstProbe: Promise<boolean> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Several objects may name one tenant: the least share that any of them allows counts.
   * @param by whose settings they are; `undefined` takes them back
   */
  configure(by: object, settings: QuotaSettings | undefined): void {
    if (JSON.stringify(settings) === JSON.stringify(this.#settings.get(by))) return;
    if (settings === undefined) this.#settings.delete(by);
    else this.#settings.set(by, settings);
    for (const [limit, bucket] of this.#buckets) bucket.configure(this.#settingsOf(limit));
  }

  #settingsOf(limit: number): BucketSettings {
    const settings = [...this.#settings.values()];
    const share = Math.min(1, ...settings.map((one) => one.share ?? 1));
    const plan = settings.find((one) => one.plan !== undefined)?.plan;
    return { share, inflowPerMs: findInflowPerMs(plan, limit) };
  }

  /**
   * Waits for a turn, or says when to come back. After every place exactly one `leave`.
   * @param caller the same when it comes back: who was woken before its turn keeps it
   * @throws `signal.reason`
   */
  async enter(kind: CallKind, caller: string, signal: AbortSignal): Promise<Place | ComeBack> {
    const gate = this.#gate(kind);
    while (gate.buckets === undefined) {
      const probe = gate.probe ?? this.#firstProbe;
      if (probe === undefined) return this.#enterProbing(kind, gate, caller, signal);
      const isAnswered = await abortable(probe, signal);
      if (!isAnswered) return { kind: "come back", atMs: this.#clock.now() + PROBE_AGAIN_MS };
    }
    return this.#enterAll(kind, gate.buckets, caller, signal);
  }

  leave({ kind, buckets, endProbe }: Place, end: CallEnd): void {
    const gate = this.#gate(kind);
    const headers = "headers" in end ? end.headers : undefined;
    const shown = headers === undefined ? undefined : this.#bucketOf(headers);
    if (shown !== undefined) gate.buckets = [shown, ...this.#othersOf(gate, shown)];
    else if (gate.buckets === undefined && end.kind === "answered" && end.isSuccess) gate.buckets = [];
    if (end.kind === "refused") {
      if (gate.buckets === undefined || gate.buckets.length === 0) {
        gate.buckets = [this.#bucketOf({ limit: 1, remaining: 0, fullAtMs: end.untilMs })];
      }
      (shown ?? gate.buckets[0])?.close(end.untilMs);
    }
    // What the call took a token of: the one that the answer shows, and those that it lies in.
    const isSpent = end.kind === "answered" || end.kind === "unanswered";
    for (const bucket of buckets) {
      const isOfKind = gate.buckets?.includes(bucket) ?? true;
      if (headers !== undefined && bucket === shown) bucket.leave(headers);
      else bucket.leave(isSpent && isOfKind ? "spent" : "unspent");
    }
    if (headers !== undefined && shown !== undefined && !buckets.includes(shown)) shown.observe(headers);
    endProbe("headers" in end);
  }

  /** Each may have been shown by any kind of call. */
  #othersOf({ buckets = [] }: Gate, shown: Bucket): readonly Bucket[] {
    const sinceMs = this.#clock.monotonicMs() - SHOWN_MS;
    return buckets.filter((bucket) => bucket !== shown && bucket.shownAtMs > sinceMs);
  }

  levels(): readonly BucketLevel[] {
    return [...this.#buckets.values()].map((bucket) => bucket.level);
  }

  /** The first call of a kind may go into any bucket: it takes a place in every one that is known. */
  async #enterProbing(kind: CallKind, gate: Gate, caller: string, signal: AbortSignal): Promise<Place | ComeBack> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    gate.probe = promise;
    if (this.#buckets.size === 0) this.#firstProbe = promise;
    const endProbe = (isAnswered: boolean): void => {
      gate.probe = undefined;
      this.#firstProbe = undefined;
      resolve(isAnswered);
    };
    try {
      const entered = await this.#enterAll(kind, [...this.#buckets.values()], caller, signal);
      if (entered.kind !== "come back") return { ...entered, endProbe };
      endProbe(false);
      return entered;
    } catch (error) {
      endProbe(false);
      throw error;
    }
  }

  async #enterAll(
    kind: CallKind,
    buckets: readonly Bucket[],
    caller: string,
    signal: AbortSignal,
  ): Promise<Place | ComeBack> {
    const entered: Bucket[] = [];
    try {
      for (const bucket of buckets) {
        const admission = await bucket.enter(caller, signal);
        if (admission.kind === "come back") return admission;
        entered.push(bucket);
      }
      return place(kind, entered);
    } finally {
      if (entered.length < buckets.length) for (const bucket of entered) bucket.leave("unspent");
    }
  }

  #gate(kind: CallKind): Gate {
    let gate = this.#gates.get(kind);
    if (gate === undefined) {
      gate = { buckets: undefined, probe: undefined };
      this.#gates.set(kind, gate);
    }
    return gate;
  }

  #bucketOf(headers: RateHeaders): Bucket {
    let bucket = this.#buckets.get(headers.limit);
    if (bucket === undefined) {
      bucket = new Bucket(headers, this.#clock);
      bucket.configure(this.#settingsOf(headers.limit));
      this.#buckets.set(headers.limit, bucket);
    }
    return bucket;
  }
}

function place(kind: CallKind, buckets: readonly Bucket[]): Place {
  return { kind, buckets, endProbe: () => {} };
}
