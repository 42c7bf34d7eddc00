/**
 * HTTP to one tenant: kept connections, bodies as text, a deadline, no redirects. Knows nothing of users.
 */
import { HttpClient, type HttpCalls, type HttpRequest } from "../http/http-client.ts";
import { ProxiedClient } from "../http/proxied-client.ts";
import { findProxyEnv } from "../http/proxy-env.ts";
import type { Clock, EpochMs } from "../runtime/clock.ts";

export interface HttpAnswer {
  readonly status: number;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly atMs: EpochMs;
}

/** No answer, or one that was cut off: whether the far side did the work is not known. */
export class NoAnswerError extends Error {
  override readonly name = "NoAnswerError";
}

/** Connections kept to one tenant, and so the calls in flight: at 50 ms a call, 64 carry 1,280 calls a second. */
const MAX_CONNECTIONS = 64;
/** From sending to the last byte of the answer. Auth0 itself gives up on slow work with 503 or 524 before. */
const CALL_TIMEOUT_MS = 30_000;
/** A host that does not take the connection by then is not going to. */
const CONNECT_TIMEOUT_MS = 5_000;
/** A connection that rested for longer may be closed at the other end without our knowing. */
const IDLE_TIMEOUT_MS = 30_000;
/** An answer larger than this is none of Auth0's: a page of users is some hundred kB. */
const MAX_ANSWER_BYTES = 16 << 20;

/** What the other parts see of it: they can do with any other way to the tenant. */
export type TenantCalls = Pick<TenantHttp, keyof TenantHttp>;

export class TenantHttp {
  readonly #client: HttpCalls;
  readonly #clock: Clock;

  /** @param env of which the proxy variables are heeded */
  constructor(origin: string, clock: Clock, env: Readonly<Record<string, string | undefined>>) {
    this.#clock = clock;
    const options = {
      origin: new URL(origin),
      maxConnections: MAX_CONNECTIONS,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      maxIdleMs: IDLE_TIMEOUT_MS,
      maxBodyBytes: MAX_ANSWER_BYTES,
      clock,
    };
    const proxyEnv = findProxyEnv(options.origin, env);
    this.#client = proxyEnv === undefined ? new HttpClient(options) : new ProxiedClient(options, proxyEnv);
  }

  /** @throws NoAnswerError, or `signal.reason` */
  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    try {
      const answer = await this.#client.send(request, signal, CALL_TIMEOUT_MS);
      return { ...answer, atMs: this.#clock.now() };
    } catch (error) {
      signal.throwIfAborted();
      throw new NoAnswerError(describe(error), { cause: error });
    }
  }

  close(): void {
    this.#client.close();
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? String(error.code) : "";
  // A host that was tried by several addresses fails with an AggregateError, whose message is empty.
  if (error.message === "") return code === "" ? error.name : code;
  return code === "" || error.message.includes(code) ? error.message : `${error.message} (${code})`;
}
