/**
 * HTTP to one tenant: a pool of connections, bodies as text, a deadline, no redirects. Knows nothing of users. Node's own
 * client: for small calls over kept connections it costs less CPU and memory than undici (docs/performance.md).
 */
import * as http from "node:http";
import * as https from "node:https";
import { Deadline, DeadlineError } from "../runtime/abort.ts";
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
  readonly headers: http.IncomingHttpHeaders;
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
  readonly #origin: URL;
  readonly #clock: Clock;
  readonly #agent: http.Agent;
  readonly #request: typeof http.request;

  constructor(origin: string, clock: Clock) {
    this.#origin = new URL(origin);
    this.#clock = clock;
    const isSecure = this.#origin.protocol === "https:";
    const options = { keepAlive: true, maxSockets: MAX_CONNECTIONS, timeout: IDLE_TIMEOUT_MS } as const;
    this.#agent = isSecure ? new https.Agent(options) : new http.Agent(options);
    this.#request = isSecure ? https.request : http.request;
  }

  /** @throws NoAnswerError, or `signal.reason` */
  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    signal.throwIfAborted();
    const deadline = new Deadline(signal, CALL_TIMEOUT_MS, this.#clock);
    try {
      return await this.#exchange(request, deadline.signal);
    } catch (error) {
      signal.throwIfAborted();
      const cause: unknown = deadline.signal.reason instanceof DeadlineError ? deadline.signal.reason : error;
      throw new NoAnswerError(describe(cause), { cause });
    } finally {
      deadline.clear();
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #exchange({ method, path, headers, body }: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const outgoing = this.#request({
        agent: this.#agent,
        hostname: this.#origin.hostname.replace(/^\[|\]$/g, ""),
        port: this.#origin.port,
        method,
        path,
        headers: body === undefined ? headers : { ...headers, "content-length": Buffer.byteLength(body) },
        timeout: CONNECT_TIMEOUT_MS,
      });
      const onAbort = (): void => {
        outgoing.destroy(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
      };
      signal.addEventListener("abort", onAbort, { once: true });
      outgoing.once("close", () => {
        signal.removeEventListener("abort", onAbort);
      });
      outgoing.on("timeout", () => {
        if (outgoing.socket?.connecting === true) {
          outgoing.destroy(new Error(`no connection within ${String(CONNECT_TIMEOUT_MS)} ms`));
        }
      });
      outgoing.once("error", reject);
      outgoing.once("response", (answer) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        answer.on("data", (chunk: Buffer) => {
          chunks.push(chunk);
          bytes += chunk.length;
          if (bytes > MAX_ANSWER_BYTES)
            answer.destroy(new Error(`more than ${String(MAX_ANSWER_BYTES)} bytes of answer`));
        });
        answer.once("error", reject);
        answer.once("end", () => {
          const text = Buffer.concat(chunks, bytes).toString();
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text, atMs: this.#clock.now() });
        });
      });
      outgoing.end(body);
    });
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? String(error.code) : "";
  // A host that was tried by several addresses fails with an AggregateError, whose message is empty.
  if (error.message === "") return code === "" ? error.name : code;
  return code === "" || error.message.includes(code) ? error.message : `${error.message} (${code})`;
}
