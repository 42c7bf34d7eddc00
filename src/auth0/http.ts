/** HTTP to one tenant: a pool of connections, bodies as JSON, deadlines, no redirects. Knows nothing of users. */
import { Agent } from "undici";
import { Deadline, DeadlineError, isAbortOf } from "../runtime/abort.ts";
import type { Clock, EpochMs } from "../runtime/clock.ts";

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Path and query, every part encoded once. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  readonly atMs: EpochMs;
}

/** No answer, or one that was cut off: whether the far side did the work is not known. */
export class NoAnswerError extends Error {
  override readonly name = "NoAnswerError";
}

/** Connections kept to one tenant, and so the calls in flight: at 50 ms a call, 64 carry 1,280 calls a second. */
const MAX_CONNECTIONS = 64;
const CONNECT_TIMEOUT_MS = 5_000;
/** From sending to the last byte of the answer. Auth0 itself gives up on slow work with 503 or 524 before. */
const CALL_TIMEOUT_MS = 30_000;

export class TenantHttp {
  readonly #origin: string;
  readonly #clock: Clock;
  readonly #agent: Agent;

  constructor(origin: string, clock: Clock) {
    this.#origin = origin;
    this.#clock = clock;
    this.#agent = new Agent({
      allowH2: false,
      connections: MAX_CONNECTIONS,
      connect: { timeout: CONNECT_TIMEOUT_MS },
      headersTimeout: CALL_TIMEOUT_MS,
      bodyTimeout: CALL_TIMEOUT_MS,
    });
  }

  /** @throws NoAnswerError, or `signal.reason` */
  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const deadline = new Deadline(signal, CALL_TIMEOUT_MS, this.#clock);
    try {
      const answer = await this.#agent.request({
        origin: this.#origin,
        method: request.method,
        path: request.path,
        headers: request.headers,
        body: request.body ?? null,
        signal: deadline.signal,
      });
      const body = await answer.body.text();
      return { status: answer.statusCode, headers: answer.headers, body, atMs: this.#clock.now() };
    } catch (error) {
      if (isAbortOf(signal, error)) throw signal.reason;
      const cause = deadline.signal.reason instanceof DeadlineError ? deadline.signal.reason : error;
      throw new NoAnswerError(describe(cause), { cause });
    } finally {
      deadline.clear();
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

function describe(error: unknown): string {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  return code === "" || message.includes(code) ? message : `${message} (${code})`;
}
