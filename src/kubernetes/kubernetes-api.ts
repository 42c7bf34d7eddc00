/**
 * This room is a small controller kit, what client-go and controller-runtime are to Go: reflectors fill stores, stores
 * wake keys in a workqueue, controllers have them reconciled; beside them conditions, Events and leader election. It
 * knows no kind of ours and nothing of Auth0.
 *
 * Here are calls to the API server: JSON in, JSON out, a deadline on each, and every failure an `ApiError` that says what was
 * being done to what. It knows verbs and paths, no kinds; what is in an answer is for the caller to parse.
 */
import type { IncomingMessage } from "node:http";
import { Deadline, DeadlineError, abortable } from "../runtime/abort.ts";
import type { Clock } from "../runtime/clock.ts";
import { findJsonObject, type JsonObject } from "../runtime/json.ts";
import { ApiError, apiErrorFromRefusal, isApiError } from "./api-error.ts";
import { Connections, StaleSocketError, type Body, type Connection, type Pool, type Request } from "./connections.ts";
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

/** An answer larger than this is given up. One object has 1.5 MiB at most, a page of a hundred mostly 0.2. */
const MAX_ANSWER_BYTES = 256 << 20;

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
    const response = await this.#withDeadline(request, signal, (inTime) => this.#open(request, "watches", inTime));
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

  #call(request: Request, signal: AbortSignal): Promise<JsonObject> {
    return this.#withDeadline(request, signal, async (inTime) => {
      const response = await this.#open(request, "calls", inTime);
      const answer = findJsonObject(await readBody(response));
      if (answer !== undefined) return answer;
      throw new ApiError("malformed", `${describe(request)}: the answer is no JSON object`, { kind: "backoff" });
    });
  }

  async #withDeadline<T>(request: Request, signal: AbortSignal, run: (inTime: AbortSignal) => Promise<T>): Promise<T> {
    const deadline = new Deadline(signal, this.#callTimeoutMs, this.#clock);
    try {
      return await run(deadline.signal);
    } catch (error) {
      throw this.#failure(request, signal, deadline.signal.aborted ? deadline.signal.reason : error);
    } finally {
      deadline.clear();
    }
  }

  /** Sends the request; the answer is a success of which only the head has been read. */
  async #open(request: Request, pool: Pool, signal: AbortSignal): Promise<IncomingMessage> {
    let connection = this.#connections.ready ?? (await this.#connect(this.#connections.get(), signal));
    for (let isFirstTry = true; ; isFirstTry = false) {
      let response: IncomingMessage;
      try {
        response = await this.#connections.send(connection, pool, request, signal);
      } catch (error) {
        this.#count("<error>", request);
        // All but creating is the same done twice: a patch with a precondition is refused the second time.
        if (!isFirstTry || !(error instanceof StaleSocketError) || request.method === "POST") throw error;
        this.#connections.closeIdle();
        continue;
      }
      const { statusCode = 0 } = response;
      this.#count(String(statusCode), request);
      if (statusCode >= 200 && statusCode < 300) return response;
      const text = await readBody(response);
      if (statusCode === 401 && isFirstTry) {
        connection = await this.#connect(this.#connections.renewAfter(connection), signal);
        continue;
      }
      throw apiErrorFromRefusal({
        doing: describe(request),
        httpStatus: statusCode,
        status: findJsonObject(text),
        retryAfter: response.headers["retry-after"],
        confidential: SECRETS.test(request.path),
        now: this.#clock.now(),
      });
    }
  }

  async #connect(connecting: Promise<Connection>, signal: AbortSignal): Promise<Connection> {
    try {
      return await abortable(connecting, signal);
    } catch (cause) {
      throw new ApiError("unauthorized", "no credentials for the API server", { kind: "backoff" }, { cause });
    }
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

/** The whole body as text. Events instead of `for await` save a tenth of what a call costs. */
function readBody(response: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    response.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MAX_ANSWER_BYTES)
        response.destroy(new Error(`more than ${String(MAX_ANSWER_BYTES)} bytes of answer`));
    });
    response.on("end", () => {
      const [only] = chunks;
      resolve((chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, bytes)).toString());
    });
    response.on("error", reject);
  });
}
