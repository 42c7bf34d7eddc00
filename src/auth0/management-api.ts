/**
 * The one place through which every call to the Management API passes: token, quota, HTTP, metrics, translation of what
 * is no success. Calls that may be repeated without harm are, a little, within the pass; everything else is left to the
 * queue.
 */
import type { JsonMap } from "../core/json.ts";
import { DirectoryError } from "../reconcile/errors.ts";
import type { Precondition } from "../reconcile/ports.ts";
import { backoffMs } from "../runtime/backoff.ts";
import type { Clock } from "../runtime/clock.ts";
import { systemRandom, type Random } from "../runtime/random.ts";
import type { SetGauge } from "../runtime/sampled-gauge.ts";
import type { BucketLevel, RateHeaders } from "./bucket.ts";
import type { Access, Credentials } from "../reconcile/tenant-connections.ts";
import { NoAnswerError, TenantHttp, type HttpAnswer, type TenantCalls } from "./http.ts";
import type { Auth0Metrics } from "./metrics.ts";
import { Quota, type CallKind } from "./quota.ts";
import type { TenantAddress } from "./tenant-address.ts";
import { TokenSource } from "./token-source.ts";
import { callFailed, rateLimited, translateRefusal } from "./translate-failure.ts";

export interface Call {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** The path as documented, `/users/{id}`: the metric's label. */
  readonly route: string;
  /** The path below `/api/v2`, every part encoded once, with its query. */
  readonly path: string;
  readonly kind: CallKind;
  /** What is being done to what, for messages. */
  readonly what: string;
  /** Whom it concerns, where neither `what` nor `path` tells. */
  readonly whom?: string;
  readonly body?: JsonMap;
  /** Whether what comes of it, a mail or a link, names one of the tenant's domains. */
  readonly namesDomain?: true;
  readonly precondition?: Precondition | undefined;
  /** Values in the body that no message may repeat. */
  readonly secrets?: readonly string[];
}

/** For calls that read. What is written is decided anew each time: a user that was to be deleted may be wanted by now. */
const MAX_TRIES = 3;
const RETRY = { baseMs: 400, capMs: 800 };
/** Limits are counted by the hour at most: what names a later moment is mistaken. */
const MAX_CLOSED_MS = 3_600_000;
/** After a 429 that names no moment. */
const DEFAULT_CLOSED_MS = 1_000;
/** The Date header is cut to a second, and told when the answer is sent, which is later than it was counted. */
const DATE_PRECISION_MS = 1_000;

export class ManagementApi {
  readonly address: TenantAddress;
  readonly clock: Clock;
  /** The domain that mails and tickets name, where the tenant has several of its own and none by default. */
  customDomain: string | undefined;
  readonly #http: TenantCalls;
  #tokens: TokenSource;
  readonly #quota: Quota;
  readonly #random: Random;
  readonly #userAgent: string;
  readonly #metrics: Auth0Metrics;
  readonly #stopSampling: readonly (() => void)[];

  constructor({
    address,
    credentials,
    userAgent,
    clock,
    metrics,
    customDomain,
    quota = new Quota(clock),
    env = {},
    http = new TenantHttp(address.origin, clock, env),
    random = systemRandom,
  }: {
    readonly address: TenantAddress;
    readonly credentials: Credentials;
    readonly userAgent: string;
    readonly clock: Clock;
    readonly metrics: Auth0Metrics;
    readonly customDomain?: string | undefined;
    /** The tenant's own, where others call it, too. */
    readonly quota?: Quota;
    /** Of which the proxy variables are heeded. */
    readonly env?: Readonly<Record<string, string | undefined>>;
    /** Another way there than over the network. */
    readonly http?: TenantCalls | undefined;
    readonly random?: Random;
  }) {
    this.address = address;
    this.clock = clock;
    this.customDomain = customDomain;
    this.#userAgent = userAgent;
    this.#quota = quota;
    this.#http = http;
    this.#random = random;
    this.#metrics = metrics;
    this.#tokens = this.#tokensBy(credentials);
    this.#stopSampling = this.#sample();
  }

  /**
   * @returns the body of a 2xx, `undefined` where it has none
   * @throws DirectoryError, or `signal.reason`
   */
  async call(call: Call, signal: AbortSignal): Promise<unknown> {
    const tries = call.method === "GET" ? MAX_TRIES : 1;
    for (let failures = 1; ; failures++) {
      try {
        return await this.#callOnce(call, signal);
      } catch (error) {
        const isTransient = error instanceof DirectoryError && error.code === "unavailable";
        if (!isTransient || failures >= tries) throw error;
      }
      await this.clock.sleep(backoffMs(failures, RETRY, this.#random), signal);
    }
  }

  /** The gate to the tenant: one for all who call it. */
  get quota(): Quota {
    return this.#quota;
  }

  /** @see TenantConnection.prove */
  async prove(credentials: Credentials | "in use" | "in doubt", signal: AbortSignal): Promise<Access> {
    const tokens = typeof credentials === "string" ? this.#tokens : this.#tokensBy(credentials);
    const token = await tokens.get(signal);
    if (tokens.isGiven || credentials === "in doubt") await this.#tryToken(token, tokens, signal);
    this.#tokens = tokens;
    return tokens.access ?? { scopes: undefined, expiresAtMs: undefined };
  }

  /** @see TenantConnection.access */
  get access(): Access | undefined {
    return this.#tokens.access;
  }

  close(): void {
    for (const stop of this.#stopSampling) stop();
    this.#http.close();
  }

  /** A token that nobody asked for proves nothing until a call was taken with it, nor do any of a tenant that refuses its own. */
  async #tryToken(token: string, tokens: TokenSource, signal: AbortSignal): Promise<void> {
    const what = "try the access token";
    const path = "/users?per_page=1&fields=user_id";
    const answer = await this.#send({ method: "GET", route: "/users", path, kind: "read users", what }, token, signal);
    if (answer.status === 401) tokens.invalidate(token);
    if (answer.status < 200 || answer.status > 299) throw translateRefusal(what, answer, [token]);
  }

  #tokensBy(credentials: Credentials): TokenSource {
    return new TokenSource(this.address, credentials, this.#http, this.clock, (status) => {
      this.#count("POST", "/oauth/token", status);
    });
  }

  async #callOnce(call: Call, signal: AbortSignal): Promise<unknown> {
    const token = await this.#tokens.get(signal);
    let answer = await this.#send(call, token, signal);
    if (answer.status === 401) {
      this.#tokens.invalidate(token);
      answer = await this.#send(call, await this.#tokens.get(signal), signal);
    }
    if (answer.status < 200 || answer.status > 299) throw translateRefusal(call.what, answer, call.secrets ?? []);
    if (answer.body === "") return undefined;
    try {
      return JSON.parse(answer.body);
    } catch (error) {
      throw callFailed("unavailable", `${call.what}: the answer is no JSON`, { cause: error });
    }
  }

  async #send(call: Call, token: string, signal: AbortSignal): Promise<HttpAnswer> {
    const place = await this.#quota.enter(call.kind, `${call.what} ${call.whom ?? call.path}`, signal);
    if (place.kind === "come back") throw rateLimited(call.what, place.atMs);
    const startMs = this.clock.monotonicMs();
    let answer: HttpAnswer;
    let isSent = false;
    try {
      call.precondition?.();
      signal.throwIfAborted();
      isSent = true;
      answer = await this.#http.send(
        {
          method: call.method,
          path: `/api/v2${call.path}`,
          headers: {
            authorization: `Bearer ${token}`,
            "user-agent": this.#userAgent,
            ...(call.namesDomain === true &&
              this.customDomain !== undefined && { "auth0-custom-domain": this.customDomain }),
            ...(call.body !== undefined && { "content-type": "application/json" }),
          },
          ...(call.body !== undefined && { body: JSON.stringify(call.body) }),
        },
        signal,
      );
    } catch (error) {
      this.#quota.leave(place, { kind: isSent ? "unanswered" : "unsent" });
      if (!(error instanceof NoAnswerError)) throw error;
      this.#count(call.method, call.route, 0);
      throw callFailed("unavailable", `${call.what}: no answer from ${this.address.domain}: ${error.message}`, {
        cause: error,
      });
    }
    this.#count(call.method, call.route, answer.status);
    const { method, route } = call;
    const seconds = (this.clock.monotonicMs() - startMs) / 1000;
    this.#metrics.durations.observe({ tenant: this.address.domain, method, route }, seconds);
    const headers = rateHeaders(answer);
    if (answer.status === 429) {
      const forMs = retryAfterMs(answer) ?? headers?.fullInMs ?? DEFAULT_CLOSED_MS;
      this.#quota.leave(place, { kind: "refused", headers, forMs });
      throw rateLimited(call.what, answer.atMs + forMs);
    }
    this.#quota.leave(place, { kind: "answered", headers, isSuccess: answer.status >= 200 && answer.status <= 299 });
    return answer;
  }

  #count(method: string, route: string, status: number): void {
    this.#metrics.requests.inc({ tenant: this.address.domain, method, route, status });
  }

  #sample(): readonly (() => void)[] {
    const { quotaLimit, quotaRemaining, quotaRefill, quotaWaiting, tokenExpiry } = this.#metrics;
    const tenant = this.address.domain;
    const ofBuckets = (value: (level: BucketLevel) => number) => (set: SetGauge<"tenant" | "bucket">) => {
      for (const [bucket, level] of this.#quota.levels()) set({ tenant, bucket }, value(level));
    };
    return [
      quotaLimit.onCollect(ofBuckets(({ limit }) => limit)),
      quotaRemaining.onCollect(ofBuckets(({ remaining }) => remaining)),
      quotaRefill.onCollect(ofBuckets(({ refillPerSecond }) => refillPerSecond)),
      quotaWaiting.onCollect(ofBuckets(({ waiting }) => waiting)),
      tokenExpiry.onCollect((set) => {
        const { expiresAtMs } = this.#tokens;
        if (expiresAtMs !== undefined) set({ tenant }, expiresAtMs / 1000);
      }),
    ];
  }
}

/** `x-ratelimit-*`. Both the moment and what time it was are the tenant's word, so that clocks need not agree. */
function rateHeaders(answer: HttpAnswer): RateHeaders | undefined {
  const [limit, remaining, resetSeconds] = ["limit", "remaining", "reset"].map((name) =>
    wholeNumber(answer.headers[`x-ratelimit-${name}`]),
  );
  if (limit === undefined || remaining === undefined || resetSeconds === undefined) return undefined;
  const dateMs = Date.parse(answer.headers["date"] ?? "");
  const sentAtMs = Number.isNaN(dateMs) ? answer.atMs : dateMs;
  return { limit, remaining, fullInMs: closedMs(Math.max(0, resetSeconds * 1000 - sentAtMs) + DATE_PRECISION_MS) };
}

function retryAfterMs(answer: HttpAnswer): number | undefined {
  const seconds = wholeNumber(answer.headers["retry-after"]);
  return seconds === undefined ? undefined : closedMs(seconds * 1000);
}

function closedMs(namedMs: number): number {
  return Math.min(namedMs, MAX_CLOSED_MS);
}

function wholeNumber(header: string | string[] | undefined): number | undefined {
  return typeof header === "string" && /^\d{1,12}$/.test(header) ? Number(header) : undefined;
}
