/**
 * The one place through which every call to the Management API passes: token, quota, HTTP, metrics, translation of what
 * is no success. Calls that may be repeated without harm are, a little, within the pass; everything else is left to the
 * queue.
 */
import pRetry from "p-retry";
import { Counter, Histogram, type Registry } from "prom-client";
import type { JsonMap } from "../core/json.ts";
import { DirectoryError } from "../reconcile/errors.ts";
import type { Clock, EpochMs } from "../runtime/clock.ts";
import type { RateHeaders } from "./bucket.ts";
import { NoAnswerError, TenantHttp, type HttpAnswer } from "./http.ts";
import { Quota, type CallKind } from "./quota.ts";
import type { TenantAddress } from "./tenant-address.ts";
import { TokenSource, type Credentials } from "./token-source.ts";
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
  readonly body?: JsonMap;
  /** Values in the body that no message may repeat. */
  readonly secrets?: readonly string[];
}

/** Tries after the first, for calls that read or delete. */
const RETRIES = 2;
const RETRY_AFTER_MS = 200;
/** After a 429 that names no moment. */
const DEFAULT_CLOSED_MS = 1_000;
/** Clocks that differ by less are taken for equal: the Date header itself is rounded to a second. */
const CLOCK_SKEW_MS = 2_000;

export class ManagementApi {
  readonly address: TenantAddress;
  readonly clock: Clock;
  readonly #http: TenantHttp;
  readonly #tokens: TokenSource;
  readonly #quota: Quota;
  readonly #userAgent: string;
  readonly #requests: Counter<"method" | "route" | "status">;
  readonly #durations: Histogram<"method" | "route">;

  constructor({
    address,
    credentials,
    userAgent,
    clock,
    metrics,
  }: {
    readonly address: TenantAddress;
    readonly credentials: Credentials;
    readonly userAgent: string;
    readonly clock: Clock;
    readonly metrics: Registry;
  }) {
    this.address = address;
    this.clock = clock;
    this.#userAgent = userAgent;
    this.#quota = new Quota(clock);
    this.#http = new TenantHttp(address.origin, clock);
    this.#requests = new Counter({
      name: "auth0_user_operator_auth0_requests_total",
      help: "Calls to Auth0 by route and status; status 0 is no answer.",
      labelNames: ["method", "route", "status"],
      registers: [metrics],
    });
    this.#durations = new Histogram({
      name: "auth0_user_operator_auth0_request_duration_seconds",
      help: "Time from sending a call to Auth0 to the end of its answer.",
      labelNames: ["method", "route"],
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers: [metrics],
    });
    this.#tokens = new TokenSource(address, credentials, this.#http, clock, (status) => {
      this.#requests.inc({ method: "POST", route: "/oauth/token", status });
    });
  }

  /**
   * @returns the body of a 2xx, `undefined` where it has none
   * @throws DirectoryError, or `signal.reason`
   */
  async call(call: Call, signal: AbortSignal): Promise<unknown> {
    if (call.method === "POST" || call.method === "PATCH") return this.#callOnce(call, signal);
    return pRetry(() => this.#callOnce(call, signal), {
      retries: RETRIES,
      minTimeout: RETRY_AFTER_MS,
      randomize: true,
      signal,
      shouldRetry: ({ error }) => error instanceof DirectoryError && error.code === "unavailable",
    });
  }

  close(): void {
    this.#http.close();
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
    const place = await this.#quota.enter(call.kind, signal);
    if (place.kind === "come back") throw rateLimited(call.what, place.atMs);
    const startMs = this.clock.monotonicMs();
    let answer: HttpAnswer;
    try {
      answer = await this.#http.send(
        {
          method: call.method,
          path: `/api/v2${call.path}`,
          headers: {
            authorization: `Bearer ${token}`,
            "user-agent": this.#userAgent,
            ...(call.body !== undefined && { "content-type": "application/json" }),
          },
          ...(call.body !== undefined && { body: JSON.stringify(call.body) }),
        },
        signal,
      );
    } catch (error) {
      this.#quota.leave(place, { kind: "unanswered" });
      if (!(error instanceof NoAnswerError)) throw error;
      this.#requests.inc({ method: call.method, route: call.route, status: 0 });
      throw callFailed("unavailable", `${call.what}: no answer from ${this.address.domain}: ${error.message}`, {
        cause: error,
      });
    }
    this.#requests.inc({ method: call.method, route: call.route, status: answer.status });
    this.#durations.observe({ method: call.method, route: call.route }, (this.clock.monotonicMs() - startMs) / 1000);
    const headers = rateHeaders(answer);
    if (answer.status === 429) {
      const untilMs = retryAtMs(answer) ?? headers?.fullAtMs ?? answer.atMs + DEFAULT_CLOSED_MS;
      this.#quota.leave(place, { kind: "refused", headers, untilMs });
      throw rateLimited(call.what, untilMs);
    }
    this.#quota.leave(place, { kind: "answered", headers, isSuccess: answer.status >= 200 && answer.status <= 299 });
    return answer;
  }
}

/** `x-ratelimit-*`, the moment put into our own clock's time. */
function rateHeaders(answer: HttpAnswer): RateHeaders | undefined {
  const [limit, remaining, resetSeconds] = ["limit", "remaining", "reset"].map((name) =>
    wholeNumber(answer.headers[`x-ratelimit-${name}`]),
  );
  if (limit === undefined || remaining === undefined || resetSeconds === undefined) return undefined;
  const dateMs = Date.parse(String(answer.headers["date"]));
  const aheadMs = answer.atMs - dateMs;
  return { limit, remaining, fullAtMs: resetSeconds * 1000 + (Math.abs(aheadMs) > CLOCK_SKEW_MS ? aheadMs : 0) };
}

function retryAtMs(answer: HttpAnswer): EpochMs | undefined {
  const seconds = wholeNumber(answer.headers["retry-after"]);
  return seconds === undefined ? undefined : answer.atMs + seconds * 1000;
}

function wholeNumber(header: string | string[] | undefined): number | undefined {
  return typeof header === "string" && /^\d{1,12}$/.test(header) ? Number(header) : undefined;
}
