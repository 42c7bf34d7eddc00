/**
 * The one gate through which every call to the tenant passes. Auth0's plans count kinds of calls in one bucket or in
 * several, and do not say which: a kind of call belongs to the bucket whose size its answers show, and kinds that show the
 * same size share one here, so that sharing is never underrated. Until a kind's first answer only one call of it is sent.
 */
import { abortable } from "../runtime/abort.ts";
import type { Clock, EpochMs } from "../runtime/clock.ts";
import { Bucket, type Admission, type RateHeaders } from "./bucket.ts";

/** The kinds that Auth0's self-service plans count apart. */
export type CallKind = "read users" | "write users" | "delete users" | "other";

/** How a call ended, as far as the limit is concerned. */
export type CallEnd =
  | { readonly kind: "answered"; readonly headers: RateHeaders | undefined; readonly isSuccess: boolean }
  | { readonly kind: "refused"; readonly headers: RateHeaders | undefined; readonly untilMs: EpochMs }
  | { readonly kind: "unanswered" };

interface Gate {
  /** "none": answers come without the headers, so there is no limit to obey. */
  bucket: Bucket | "none" | undefined;
  /** Settles when the first call of a kind that is not known has ended. */
  probe: Promise<void> | undefined;
  endProbe: () => void;
}

/** A place in a bucket, to be given back with `Quota.leave`. */
export interface Place {
  readonly kind: CallKind;
  readonly bucket: Bucket | undefined;
}

/** A probe without an answer says nothing; those who waited for it try again after this. */
const PROBE_AGAIN_MS = 1_000;

export class Quota {
  readonly #clock: Clock;
  readonly #gates = new Map<CallKind, Gate>();
  readonly #buckets = new Map<number, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Waits for a turn, or says when to come back. After every place exactly one `leave`.
   * @throws `signal.reason`
   */
  async enter(kind: CallKind, signal: AbortSignal): Promise<Place | Exclude<Admission, { kind: "go" }>> {
    const gate = this.#gate(kind);
    if (gate.bucket === undefined) {
      if (gate.probe === undefined) {
        const { promise, resolve } = Promise.withResolvers<void>();
        gate.probe = promise;
        gate.endProbe = resolve;
        return { kind, bucket: undefined };
      }
      await abortable(gate.probe, signal);
      if (this.#gate(kind).bucket === undefined) return { kind: "come back", atMs: this.#clock.now() + PROBE_AGAIN_MS };
    }
    const bucket = this.#gate(kind).bucket;
    if (bucket === "none" || bucket === undefined) return { kind, bucket: undefined };
    const admission = await bucket.enter(signal);
    return admission.kind === "go" ? { kind, bucket } : admission;
  }

  leave({ kind, bucket }: Place, end: CallEnd): void {
    const gate = this.#gate(kind);
    const headers = end.kind === "unanswered" ? undefined : end.headers;
    if (headers !== undefined) gate.bucket = this.#bucketOf(headers);
    else if (gate.bucket === undefined && end.kind === "answered" && end.isSuccess) gate.bucket = "none";
    if (end.kind === "refused") {
      if (gate.bucket === undefined || gate.bucket === "none") {
        gate.bucket = this.#bucketOf({ limit: 1, remaining: 0, fullAtMs: end.untilMs });
      }
      gate.bucket.close(end.untilMs);
    }
    bucket?.leave(bucket === gate.bucket ? headers : undefined);
    if (gate.probe !== undefined) {
      gate.probe = undefined;
      gate.endProbe();
    }
  }

  #gate(kind: CallKind): Gate {
    let gate = this.#gates.get(kind);
    if (gate === undefined) {
      gate = { bucket: undefined, probe: undefined, endProbe: () => {} };
      this.#gates.set(kind, gate);
    }
    return gate;
  }

  #bucketOf(headers: RateHeaders): Bucket {
    let bucket = this.#buckets.get(headers.limit);
    if (bucket === undefined) {
      bucket = new Bucket(headers, this.#clock);
      this.#buckets.set(headers.limit, bucket);
    }
    return bucket;
  }
}
