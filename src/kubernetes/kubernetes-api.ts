/**
 * This room is a small controller kit, what client-go and controller-runtime are to Go: reflectors fill stores, stores
 * wake keys in a workqueue, controllers have them reconciled; beside them conditions, Events and leader election. It
 * knows no kind of ours and nothing of Auth0.
 *
 * Here are calls to the API server: JSON in, JSON out, a deadline on each, and every failure an `ApiError` that says what was
 * being done to what. It knows verbs and paths, no kinds; what is in an answer is for the caller to parse.
 */
import type { IncomingMessage } from "node:http";
import { StaleConnectionError } from "../http/http-client.ts";
import { answerOf } from "../http/proxied-client.ts";
import type { HttpResponse } from "../http/response-reader.ts";
import { DeadlineError, abortable, withDeadline } from "../runtime/abort.ts";
import type { Clock } from "../runtime/clock.ts";
import { findJsonObject, type JsonObject } from "../runtime/json.ts";
import { ApiError, apiErrorFromRefusal, isApiError } from "./api-error.ts";
import { Connections, MAX_ANSWER_BYTES, type Body, type Connection, type Request } from "./connections.ts";
import type { ClusterAccess } from "./credentials.ts";
import type { KubernetesMetrics } from "./metrics.ts";
import { splitLines } from "./split-lines.ts";

export interface KubernetesApiOptions {
  readonly access: ClusterAccess;
  readonly clock: Clock;
  readonly metrics: KubernetesMetrics;
  /** `name/version`; the server takes the name for the field manager of our writes. */
  readonly userAgent: string;
  /**
   * Calls that are on their way at once; further ones wait for a socket. Watches are not counted. 16 unless said
   * otherwise: between 8 and 64 an API server on two cores does the same 300 creations a second.
   */
  readonly maxSockets?: number;
  /** From the wish to call to the end of the answer; for a watch, to the beginning of the answer. */
  readonly callTimeoutMs?: number;
}

/** What is undefined is not asked. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface DeleteOptions {
  /** Only this very object, not another that got its name since. */
  readonly uid?: string;
  readonly propagationPolicy?: "Background" | "Foreground" | "Orphan";
}

/** What the other parts see of it: they can do with any other way to an API server. */
export type KubernetesCalls = Pick<KubernetesApi, keyof KubernetesApi>;

export class KubernetesApi {
  readonly #clock: Clock;
  readonly #metrics: KubernetesMetrics;
  readonly #callTimeoutMs: number;
  readonly #host: string;
  readonly #connections: Connections;

  constructor({ access, clock, metrics, userAgent, maxSockets = 16, callTimeoutMs = 30_000 }: KubernetesApiOptions) {
    this.#clock = clock;
    this.#metrics = metrics;
    this.#callTimeoutMs = callTimeoutMs;
    this.#host = access.server.host;
    this.#connections = new Connections({ access, maxSockets, userAgent, clock });
  }

  get(path: string, query: Query, signal: AbortSignal): Promise<JsonObject> {
    return this.#call({ method: "GET", path: path + queryString(query) }, signal);
  }

  /** The `metadata` of an object whose rest is large and not wanted. */
  getMetadata(path: string, signal: AbortSignal): Promise<JsonObject> {
    return this.#call({ method: "GET", path, accept: METADATA_ONLY }, signal);
  }

  create(path: string, object: JsonObject, signal: AbortSignal): Promise<JsonObject> {
    return this.#call({ method: "POST", path, body: jsonBody(object) }, signal);
  }

  /**
   * Changes what `patch` names, by RFC 7386: null removes, a list is replaced whole. Of all forms of write it costs the
   * server the least. With `metadata.resourceVersion` in it, it is refused (`conflict`) unless the object still has
   * that version.
   */
  mergePatch(path: string, patch: JsonObject, signal: AbortSignal): Promise<JsonObject> {
    const body = { ...jsonBody(patch), type: "application/merge-patch+json" } as const;
    return this.#call({ method: "PATCH", path, body }, signal);
  }

  /** Deletes an object; one that is not there is deleted already. */
  async delete(path: string, { uid, propagationPolicy }: DeleteOptions, signal: AbortSignal): Promise<void> {
    const body = jsonBody({ propagationPolicy, ...(uid !== undefined && { preconditions: { uid } }) });
    try {
      await this.#call({ method: "DELETE", path, body }, signal);
    } catch (error) {
      if (!isApiError(error, "not_found")) throw error;
    }
  }

  /**
   * The lines of a watch as they come, until the server ends it, over a socket of its own; it is read no faster than the
   * caller takes them.
   */
  async *watch(path: string, query: Query, signal: AbortSignal): AsyncGenerator<Buffer, void> {
    const request: Request = { method: "GET", path: path + queryString({ ...query, watch: true }) };
    const response = await this.#openWatch(request, signal);
    const onAbort = (): void => {
      response.destroy();
    };
    signal.addEventListener("abort", onAbort);
    try {
      signal.throwIfAborted();
      yield* splitLines(response);
    } catch (error) {
      throw this.#failure(request, signal, error);
    } finally {
      signal.removeEventListener("abort", onAbort);
      response.destroy();
    }
  }

  /** Closes all sockets; calls and watches under way fail. */
  close(): void {
    this.#connections.close();
  }

  async #call(request: Request, signal: AbortSignal): Promise<JsonObject> {
    const { body } = await this.#inTime(request, signal, (connection, leftMs) =>
      this.#connections.call(connection, request, signal, leftMs),
    );
    const answer = findJsonObject(body);
    if (answer !== undefined) return answer;
    throw new ApiError("malformed", `${describe(request)}: the answer is no JSON object`, { kind: "backoff" });
  }

  /** Resolves with a success of which only the head has been read. */
  async #openWatch(request: Request, signal: AbortSignal): Promise<IncomingMessage> {
    const answer = await this.#inTime(request, signal, (connection, leftMs) =>
      withDeadline(signal, leftMs, this.#clock, async (inTime) => {
        const stream = await this.#connections.open(connection, request, inTime);
        const { statusCode: status = 0 } = stream;
        return isSuccess(status)
          ? { status, headers: {}, body: "", stream }
          : { ...(await answerOf(stream, MAX_ANSWER_BYTES)), stream };
      }),
    );
    return answer.stream;
  }

  /** @param send sends the request, once or again, in the time that is left */
  async #inTime<T extends HttpResponse>(
    request: Request,
    signal: AbortSignal,
    send: (connection: Connection, leftMs: number) => Promise<T>,
  ): Promise<T> {
    const untilMs = this.#clock.monotonicMs() + this.#callTimeoutMs;
    const leftMs = (): number => Math.max(0, untilMs - this.#clock.monotonicMs());
    try {
      let connection = this.#connections.ready ?? (await this.#connect(this.#connections.get(), signal, leftMs()));
      for (let isFirstTry = true; ; isFirstTry = false) {
        let answer: T;
        try {
          answer = await send(connection, leftMs());
        } catch (error) {
          this.#count("<error>", request);
          // All but creating is the same done twice: a patch with a precondition is refused the second time.
          if (!isFirstTry || !(error instanceof StaleConnectionError) || request.method === "POST") throw error;
          this.#connections.closeIdle();
          continue;
        }
        this.#count(String(answer.status), request);
        if (isSuccess(answer.status)) return answer;
        if (answer.status !== 401 || !isFirstTry) throw this.#refusal(request, answer);
        connection = await this.#connect(this.#connections.renewAfter(connection), signal, leftMs());
      }
    } catch (error) {
      throw this.#failure(request, signal, error);
    }
  }

  #refusal(request: Request, { status, headers, body }: HttpResponse): ApiError {
    return apiErrorFromRefusal({
      doing: describe(request),
      httpStatus: status,
      status: findJsonObject(body),
      retryAfter: headers["retry-after"],
      confidential: SECRETS.test(request.path),
      now: this.#clock.now(),
    });
  }

  async #connect(connecting: Promise<Connection>, signal: AbortSignal, leftMs: number): Promise<Connection> {
    return withDeadline(signal, leftMs, this.#clock, async (inTime) => {
      try {
        return await abortable(connecting, inTime);
      } catch (cause) {
        throw new ApiError("unauthorized", "no credentials for the API server", { kind: "backoff" }, { cause });
      }
    });
  }

  /** What a failure is called outside. Cancellation stays what it is. */
  #failure(request: Request, signal: AbortSignal, error: unknown): unknown {
    const failure: unknown = signal.aborted ? signal.reason : error;
    // Where one socket leads nowhere any more, the idle ones beside it hardly do better.
    if (failure instanceof DeadlineError) this.#connections.closeIdle();
    if (signal.aborted || failure instanceof ApiError) return failure;
    const code = failure instanceof DeadlineError ? "timeout" : "unavailable";
    return new ApiError(code, `${describe(request)}: ${wordsOf(failure)}`, { kind: "backoff" }, { cause: failure });
  }

  #count(code: string, { method }: Request): void {
    this.#metrics.requests.inc({ code, method, host: this.#host });
  }
}

const METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const SECRETS = /^\/api\/v1\/(namespaces\/[^/]+\/)?secrets(\/|\?|$)/;

function jsonBody(value: JsonObject): Body {
  return { type: "application/json", text: JSON.stringify(value) };
}

function queryString(query: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
  return search.size === 0 ? "" : `?${search.toString()}`;
}

/** Verb and path; a query is left out, since it may carry a token of the server's. */
function describe({ method, path }: Request): string {
  return `${method.toLowerCase()} ${path.split("?", 1)[0] ?? path}`;
}

/** A connection that was tried by several addresses fails with an AggregateError, whose message is empty. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== "") return error.message;
  return "code" in error ? String(error.code) : error.name;
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}
