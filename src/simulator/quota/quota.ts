/** The tenant's rate limits: which bucket a call is counted in, and what the headers say about it. */
import type { Clock, EpochMs } from "../../runtime/clock.ts";
import { PLANS, type EndpointBucket, type PlanName, type Rate } from "./plans.ts";
import { TokenBucket } from "./token-bucket.ts";

export type BucketName = EndpointBucket | "authentication";

export interface Verdict {
  readonly allowed: boolean;
  /** Which limit it was, as 429 words it. */
  readonly limit: "Global" | "Endpoint";
  readonly bucket: TokenBucket;
}

export interface BucketLevel extends Rate {
  readonly name: string;
  readonly remaining: number;
}

/** Connections to the event feed at once where no plan says how many; more are a leak. */
const MAX_FEED_CONNECTIONS = 100;

export class Quota {
  /** Connections to the event feed at once. */
  readonly feedConnections: number;
  readonly #global: TokenBucket | undefined;
  readonly #buckets = new Map<string, TokenBucket>();

  /** @param plan without one nothing is limited, and no header speaks of limits */
  constructor(plan: PlanName | undefined, clock: Clock) {
    this.feedConnections = plan === undefined ? MAX_FEED_CONNECTIONS : PLANS[plan].feedConnections;
    if (plan === undefined) return;
    const { global, endpoints, authentication } = PLANS[plan];
    if (global) this.#global = new TokenBucket(global, clock);
    for (const [name, rate] of Object.entries({ ...endpoints, authentication })) {
      this.#buckets.set(name, new TokenBucket(rate, clock));
    }
  }

  /** How full each bucket is. */
  levels(): readonly BucketLevel[] {
    const named: readonly (readonly [string, TokenBucket])[] = [
      ...(this.#global ? [["global", this.#global] as const] : []),
      ...this.#buckets,
    ];
    return named.map(([name, { rate, remaining }]) => ({ name, remaining, ...rate }));
  }

  /** Counts a call, the global limit first. Undefined: nothing limits it. */
  take(name: BucketName): Verdict | undefined {
    const own = this.#buckets.get(name);
    if (name !== "authentication" && this.#global) {
      const allowed = this.#global.take();
      if (!allowed || !own) return { allowed, limit: "Global", bucket: this.#global };
    }
    if (!own) return undefined;
    return { allowed: own.take(), limit: name === "authentication" ? "Global" : "Endpoint", bucket: own };
  }
}

/**
 * `x-ratelimit-*` as recorded: `reset` is the Unix second in which the bucket will be full again, not the one in which the
 * next call is allowed.
 */
export function rateLimitHeaders({ bucket }: Verdict, now: EpochMs): Readonly<Record<string, string>> {
  return {
    "x-ratelimit-limit": String(bucket.rate.burst),
    "x-ratelimit-remaining": String(bucket.remaining),
    "x-ratelimit-reset": String(Math.ceil((now + bucket.untilFullMs) / 1000)),
  };
}

/** Whole seconds, at least one, until a refused call would be allowed. */
export function retryAfterSeconds({ bucket }: Verdict): string {
  return String(Math.max(1, Math.ceil(bucket.untilNextMs / 1000)));
}
