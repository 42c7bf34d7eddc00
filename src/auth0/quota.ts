/**
 * The one gate through which every call to the tenant passes. Auth0's plans count kinds of calls in one bucket or in
 * several, and do not say which: a kind of call belongs to the bucket whose size its answers show, and kinds that show the
 * same size share one here, so that sharing is never underrated; but a plan that shows different sizes for users' reads and
 * writes is one that counts each kind of them apart, whatever its size. Until a kind's first answer only one call of it is sent.
 */
import { abortable } from "../runtime/abort.ts";
import type { Clock } from "../runtime/clock.ts";
import type { QuotaSettings } from "../reconcile/tenant-connections.ts";
import { Bucket, type Admission, type BucketLevel, type BucketSettings, type RateHeaders } from "./bucket.ts";
import { findInflowPerMs } from "./plans.ts";

/**
 * Calls that one of Auth0's plans counts apart: self-service plans do so with users and connections, they and Enterprise
 * with an organization's members. Of the roles of members it is not said; so they are kinds of their own. A kind that is
 * counted in two buckets would be taken to be in whichever answered last.
 */
export type CallKind =
  | "read users"
  | "write users"
  | "delete users"
  | "read connections"
  | "read members"
  | "write members"
  | "read member roles"
  | "write member roles"
  | "other";

/** By what else a plan counts that counts reads and writes of users apart; the roles of members it may count with members. */
const COUNTED_APART: Readonly<Record<Exclude<CallKind, "other">, string>> = {
  "read users": "read users",
  "write users": "write users",
  "delete users": "delete users",
  "read connections": "connections",
  "read members": "read members",
  "write members": "write members",
  "read member roles": "read members",
  "write member roles": "write members",
};

/** Whether a plan counts these apart shows whether it counts kinds apart at all. */
const TELLING: readonly CallKind[] = ["read users", "write users", "delete users", "other"];

/** How a call ended, as far as the limit is concerned. */
export type CallEnd =
  | { readonly kind: "answered"; readonly headers: RateHeaders | undefined; readonly isSuccess: boolean }
  | { readonly kind: "refused"; readonly headers: RateHeaders | undefined; readonly forMs: number }
  /** Whether it was counted there is not known. */
  | { readonly kind: "unanswered" }
  /** It was given up before it was sent. */
  | { readonly kind: "unsent" };

interface Gate {
  /** "none": answers come without the headers, so there is no limit to obey. */
  bucket: Bucket | "none" | undefined;
  /** The size of the bucket, as the last answer showed it. */
  limit: number | undefined;
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

/** A probe without an answer says nothing; those who waited for it try again after this. */
const PROBE_AGAIN_MS = 1_000;
/** Of a bucket that refuses and does not show itself. */
const UNSHOWN_LIMIT = 1;

export class Quota {
  readonly #clock: Clock;
  readonly #gates = new Map<CallKind, Gate>();
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
    for (const bucket of this.#buckets()) bucket.configure(this.#settingsOf(bucket.level.limit));
  }

  #settingsOf(limit: number): BucketSettings {
    const settings = [...this.#settings.values()];
    const share = Math.min(1, ...settings.map((one) => one.share ?? 1));
    const plan = settings.find((one) => one.plan !== undefined)?.plan;
    return { share, inflowPerMs: findInflowPerMs(plan, limit) };
  }

  /**
   * Waits for a turn, or says when to come back. After every place exactly one `leave`.
   * @param who asks, by the same name each time: who asks again before its turn keeps it
   * @throws `signal.reason`
   */
  async enter(kind: CallKind, who: string, signal: AbortSignal): Promise<Place | ComeBack> {
    const gate = this.#gate(kind);
    while (gate.bucket === undefined) {
      const probe = gate.probe ?? this.#firstProbe;
      if (probe === undefined) return this.#enterProbing(kind, who, gate, signal);
      const isAnswered = await abortable(probe, signal);
      if (!isAnswered) return { kind: "come back", atMs: this.#clock.now() + PROBE_AGAIN_MS };
    }
    return gate.bucket === "none" ? place(kind, []) : this.#enterAll(kind, who, this.#bucketsOf(gate.bucket), signal);
  }

  leave({ kind, buckets, endProbe }: Place, end: CallEnd): void {
    const gate = this.#gate(kind);
    const headers = "headers" in end ? end.headers : undefined;
    if (headers !== undefined) this.#place(kind, gate, headers);
    else if (end.kind === "answered" && end.isSuccess) gate.bucket = "none"; // whatever a refusal said before
    const unseen = end.kind === "unsent" ? "unsent" : "spent";
    for (const bucket of buckets) bucket.leave(bucket === gate.bucket && headers !== undefined ? headers : unseen);
    if (headers !== undefined && gate.bucket instanceof Bucket && !buckets.includes(gate.bucket)) {
      gate.bucket.observe(headers);
    }
    if (end.kind === "refused") {
      if (!(gate.bucket instanceof Bucket)) {
        this.#place(kind, gate, { limit: UNSHOWN_LIMIT, remaining: 0, fullInMs: end.forMs });
      }
      if (gate.bucket instanceof Bucket) gate.bucket.close(end.forMs);
    }
    endProbe("headers" in end);
  }

  /** Each by its size, and by the first of its kinds of calls where another one has this size, too. */
  levels(): ReadonlyMap<string, BucketLevel> {
    const levels = new Map<string, BucketLevel>();
    const sizes = this.#buckets().map(({ level }) => level.limit);
    for (const bucket of this.#buckets()) {
      const { level } = bucket;
      const isOnly = sizes.filter((size) => size === level.limit).length === 1;
      const [kind = ""] = [...this.#gates].find(([, gate]) => gate.bucket === bucket) ?? [];
      levels.set(isOnly ? String(level.limit) : `${String(level.limit)} ${kind}`, level);
    }
    return levels;
  }

  /** The first call of a kind may go into any bucket: it takes a place in every one that is known. */
  async #enterProbing(kind: CallKind, who: string, gate: Gate, signal: AbortSignal): Promise<Place | ComeBack> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    gate.probe = promise;
    const known = this.#buckets();
    if (known.length === 0) this.#firstProbe = promise;
    const endProbe = (isAnswered: boolean): void => {
      gate.probe = undefined;
      this.#firstProbe = undefined;
      resolve(isAnswered);
    };
    try {
      const entered = await this.#enterAll(kind, who, known, signal);
      if (entered.kind !== "come back") return { ...entered, endProbe };
      endProbe(false);
      return entered;
    } catch (error) {
      endProbe(false);
      throw error;
    }
  }

  /** Enterprise counts a call that concerns members in their bucket and in the one of all calls, and shows the former. */
  #bucketsOf(own: Bucket): readonly Bucket[] {
    const all = this.#gate("other").bucket;
    const ofUsers = this.#gate("read users").bucket ?? all;
    return all instanceof Bucket && all === ofUsers && all !== own ? [all, own] : [own];
  }

  async #enterAll(
    kind: CallKind,
    who: string,
    buckets: readonly Bucket[],
    signal: AbortSignal,
  ): Promise<Place | ComeBack> {
    const entered: Bucket[] = [];
    try {
      for (const bucket of buckets) {
        const admission = await bucket.enter(who, signal);
        if (admission.kind === "come back") return admission;
        entered.push(bucket);
      }
      return place(kind, entered);
    } finally {
      if (entered.length < buckets.length) for (const bucket of entered) bucket.leave("unsent");
    }
  }

  #gate(kind: CallKind): Gate {
    let gate = this.#gates.get(kind);
    if (gate === undefined) {
      gate = { bucket: undefined, limit: undefined, probe: undefined };
      this.#gates.set(kind, gate);
    }
    return gate;
  }

  /** The kind belongs to the bucket of this size that kinds have with which it may be counted; to one of its own otherwise. */
  #place(kind: CallKind, gate: Gate, headers: RateHeaders): void {
    gate.bucket = this.#findBucket(kind, headers.limit) ?? this.#newBucket(headers);
    gate.limit = headers.limit;
  }

  #findBucket(kind: CallKind, limit: number): Bucket | undefined {
    const areApart = this.#areApart();
    const foreign = new Set<Bucket>();
    for (const [other, { bucket, limit: shown }] of this.#gates) {
      if (!(bucket instanceof Bucket) || shown !== limit) continue;
      if (areApart && !areCountedTogether(kind, other)) foreign.add(bucket);
      else if (!foreign.has(bucket)) return bucket;
    }
    return undefined;
  }

  #newBucket(headers: RateHeaders): Bucket {
    const bucket = new Bucket(headers, this.#clock);
    bucket.configure(this.#settingsOf(headers.limit));
    return bucket;
  }

  #areApart(): boolean {
    const limits = TELLING.map((kind) => this.#gates.get(kind)?.limit);
    return new Set(limits.filter((limit) => limit !== undefined && limit !== UNSHOWN_LIMIT)).size > 1;
  }

  #buckets(): readonly Bucket[] {
    const buckets = [...this.#gates.values()].map(({ bucket }) => bucket);
    return [...new Set(buckets.filter((bucket) => bucket instanceof Bucket))];
  }
}

/** Where a plan counts apart: of all else nothing is said but its size. */
function areCountedTogether(kind: CallKind, other: CallKind): boolean {
  return kind === "other" || other === "other" || COUNTED_APART[kind] === COUNTED_APART[other];
}

function place(kind: CallKind, buckets: readonly Bucket[]): Place {
  return { kind, buckets, endProbe: () => {} };
}
