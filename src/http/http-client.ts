/**
 * Calls over HTTP/1.1 to one origin: a pool of kept connections, one call at a time on each, bodies as text. Node's own
 * client makes a dozen objects and as many events of each call, for uses that are none here, and takes four times the CPU
 * (docs/performance.md); what streams, as watches do, is its. Sockets, TLS and addresses are Node's.
 */
import { connect as connectPlain, isIP, type Socket } from "node:net";
import { connect as connectSecurely, createSecureContext, type SecureContext, type TLSSocket } from "node:tls";
import { DeadlineError } from "../runtime/abort.ts";
import type { Clock } from "../runtime/clock.ts";
import { ResponseReader, type HttpResponse } from "./response-reader.ts";

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Path and query, every part encoded once. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

/** As `node:tls` takes it. */
export interface TlsIdentity {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

export interface HttpClientOptions {
  readonly origin: URL;
  readonly tls?: TlsIdentity;
  /** Calls that are on their way at once; further ones wait for a connection. */
  readonly maxConnections: number;
  /** A host that does not take a connection by then is not going to. */
  readonly connectTimeoutMs: number;
  /** A connection that rested for longer may be forgotten on its way: it is closed. The far side may ask for less. */
  readonly maxIdleMs: number;
  readonly maxBodyBytes: number;
  readonly clock: Clock;
}

/** The server closed a kept connection just when it was used again; most likely it never saw the request. */
export class StaleConnectionError extends Error {
  override readonly name = "StaleConnectionError";
}

interface Exchange {
  readonly text: string;
  connection: Connection | undefined;
  readonly end: (result: HttpResponse | { readonly error: unknown }) => void;
}

/** TCP's own probes, as client-go sets them. */
const TCP_KEEP_ALIVE_MS = 30_000;
const PATH = /^\/[\x21-\x7e]*$/;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e]*$/;
/** A connection is given up so long before the far side said that it would close it. */
const KEEP_ALIVE_MARGIN_MS = 1_000;

/** What can be asked of a way to one origin. */
export type HttpCalls = Pick<HttpClient, keyof HttpClient>;

export class HttpClient {
  readonly #options: HttpClientOptions;
  readonly #target: Target;
  readonly #connections = new Set<Connection>();
  /** That used last at the end: it goes first, so that those which are not needed any more grow old. */
  readonly #idle: Connection[] = [];
  readonly #waiting = new Set<Exchange>();
  #cancelSweep: (() => void) | undefined;
  #isRetired = false;

  constructor(options: HttpClientOptions) {
    this.#options = options;
    this.#target = new Target(options);
  }

  /**
   * Resolves with the whole answer, whatever its status.
   *
   * @throws StaleConnectionError, MalformedResponseError, DeadlineError, what the socket says, or `signal.reason`
   */
  send(request: HttpRequest, signal: AbortSignal, timeoutMs: number): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const text = this.#target.textOf(request);
      const giveUp = (error: unknown): void => {
        this.#waiting.delete(exchange);
        exchange.end({ error });
        exchange.connection?.destroy();
      };
      const onAbort = (): void => {
        giveUp(signal.reason);
      };
      const cancelTimer = this.#options.clock.timer(timeoutMs, () => {
        giveUp(new DeadlineError(`no answer within ${String(Math.round(timeoutMs))} ms`));
      });
      const exchange: Exchange = {
        text,
        connection: undefined,
        end(result) {
          cancelTimer();
          signal.removeEventListener("abort", onAbort);
          if ("error" in result) reject(result.error);
          else resolve(result);
        },
      };
      signal.addEventListener("abort", onAbort);
      this.#waiting.add(exchange);
      this.#assign();
    });
  }

  /** Closes the connections that no call uses now. */
  closeIdle(): void {
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  /** Nothing new is to be sent: each connection is closed with the last call that it carries. */
  retire(): void {
    this.#isRetired = true;
    this.closeIdle();
  }

  /** Calls under way fail. */
  close(): void {
    this.retire();
    this.#cancelSweep?.();
    const error = new Error("the connection was closed by us");
    for (const exchange of this.#waiting) exchange.end({ error });
    this.#waiting.clear();
    for (const connection of this.#connections) connection.destroy(error);
  }

  #assign(): void {
    for (const exchange of this.#waiting) {
      const connection = this.#takeIdle() ?? this.#open();
      if (connection === undefined) return;
      this.#waiting.delete(exchange);
      exchange.connection = connection;
      connection.begin(exchange);
    }
  }

  #takeIdle(): Connection | undefined {
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      if (connection.isUsable) return connection;
      connection.destroy();
    }
    return undefined;
  }

  #open(): Connection | undefined {
    if (this.#connections.size >= this.#options.maxConnections) return undefined;
    const connection = new Connection(this.#target.connect(), this.#options, {
      onFree: () => {
        this.#keep(connection);
      },
      onGone: () => {
        this.#connections.delete(connection);
        const index = this.#idle.indexOf(connection);
        if (index >= 0) this.#idle.splice(index, 1);
        this.#assign();
      },
    });
    this.#connections.add(connection);
    return connection;
  }

  #keep(connection: Connection): void {
    if (this.#isRetired && this.#waiting.size === 0) {
      connection.destroy();
      return;
    }
    this.#idle.push(connection);
    this.#assign();
    this.#cancelSweep ??= this.#options.clock.timer(this.#options.maxIdleMs, () => {
      this.#sweep();
    });
  }

  #sweep(): void {
    this.#cancelSweep = undefined;
    const nowMs = this.#options.clock.monotonicMs();
    for (const connection of this.#idle.filter(({ expiresAtMs }) => expiresAtMs <= nowMs)) connection.destroy();
    const [oldest] = this.#idle;
    if (oldest === undefined) return;
    this.#cancelSweep = this.#options.clock.timer(Math.max(1, oldest.expiresAtMs - nowMs), () => {
      this.#sweep();
    });
  }
}

/** Where requests go, and how a connection to there is made. */
class Target {
  readonly #isSecure: boolean;
  readonly #host: string;
  readonly #port: number;
  readonly #hostHeader: string;
  readonly #tls: TlsIdentity;
  /** Made once: it holds every certificate authority. */
  readonly #context: SecureContext | undefined;
  #session: Buffer | undefined;

  constructor({ origin, tls = {} }: HttpClientOptions) {
    this.#isSecure = origin.protocol === "https:";
    this.#host = origin.hostname.replace(/^\[|\]$/g, "");
    this.#port = Number(origin.port || (this.#isSecure ? 443 : 80));
    this.#hostHeader = origin.host;
    this.#tls = tls;
    const { ca, cert, key } = tls;
    this.#context = this.#isSecure ? createSecureContext({ ca, cert, key }) : undefined;
  }

  connect(): Socket {
    const where = { host: this.#host, port: this.#port, noDelay: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS };
    if (this.#context === undefined) return connectPlain({ ...where, keepAlive: true });
    const { servername = isIP(this.#host) === 0 ? this.#host : "", rejectUnauthorized = true } = this.#tls;
    const socket: TLSSocket = connectSecurely({
      ...where,
      servername,
      rejectUnauthorized,
      secureContext: this.#context,
      ALPNProtocols: ["http/1.1"],
      ...(this.#session !== undefined && { session: this.#session }),
    });
    socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
    socket.on("session", (session) => {
      this.#session = session;
    });
    return socket;
  }

  /** @throws TypeError for a header or path that could be taken for something else than itself */
  textOf({ method, path, headers, body }: HttpRequest): string {
    if (!PATH.test(path)) throw new TypeError("a path with characters that have to be encoded");
    let text = `${method} ${path} HTTP/1.1\r\nhost: ${this.#hostHeader}\r\n`;
    for (const name of Object.keys(headers)) {
      const value = headers[name] ?? "";
      const isSafe = HEADER_NAME.test(name) && HEADER_VALUE.test(value);
      if (!isSafe) throw new TypeError(`a header ${JSON.stringify(name)} with characters that none may carry`);
      text += `${name}: ${value}\r\n`;
    }
    if (body === undefined)
      return `${text}${method === "POST" || method === "PATCH" ? "content-length: 0\r\n" : ""}\r\n`;
    return `${text}content-length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`;
  }
}

interface ConnectionEvents {
  /** It may carry another call. */
  readonly onFree: () => void;
  readonly onGone: () => void;
}

/** One socket, with at most one call on it. */
class Connection {
  readonly #socket: Socket;
  readonly #options: HttpClientOptions;
  readonly #events: ConnectionEvents;
  #isOpen = false;
  #exchange: Exchange | undefined;
  #reader: ResponseReader;
  #answers = 0;
  #failure: Error | undefined;
  /** By the monotonic clock; while it carries no call. */
  expiresAtMs = Infinity;

  constructor(socket: Socket, options: HttpClientOptions, events: ConnectionEvents) {
    this.#socket = socket;
    this.#options = options;
    this.#events = events;
    this.#reader = new ResponseReader(options.maxBodyBytes);
    const { connectTimeoutMs, clock } = options;
    const cancelTimer = clock.timer(connectTimeoutMs, () => {
      socket.destroy(new Error(`no connection within ${String(connectTimeoutMs)} ms`));
    });
    socket.once("connect", cancelTimer);
    socket.once(options.origin.protocol === "https:" ? "secureConnect" : "connect", () => {
      this.#isOpen = true;
      if (this.#exchange !== undefined) socket.write(this.#exchange.text);
    });
    socket.on("data", (chunk: Buffer) => {
      this.#take(chunk);
    });
    socket.on("end", () => {
      const answer = this.#exchange && this.#reader.end();
      if (answer !== undefined) this.#finish(answer, false);
    });
    socket.on("error", (error) => {
      this.#failure = error;
    });
    socket.on("close", () => {
      cancelTimer();
      this.#fail(this.#failure ?? Object.assign(new Error("socket hang up"), { code: "ECONNRESET" }));
      this.#events.onGone();
    });
  }

  /** Of one that rests. */
  get isUsable(): boolean {
    return (
      !this.#socket.readableEnded && !this.#socket.destroyed && this.#options.clock.monotonicMs() < this.expiresAtMs
    );
  }

  begin(exchange: Exchange): void {
    this.#exchange = exchange;
    if (this.#answers > 0) {
      this.#reader = new ResponseReader(this.#options.maxBodyBytes);
      this.#socket.ref();
    }
    // Nothing is sent to a server before it has proven who it is.
    if (this.#isOpen) this.#socket.write(exchange.text);
  }

  /** @param error for whoever waits for an answer; without it nobody does any more */
  destroy(error?: Error): void {
    if (error !== undefined) this.#exchange?.end({ error });
    this.#exchange = undefined;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    if (this.#exchange === undefined) {
      this.#socket.destroy(); // an answer that nobody asked for
      return;
    }
    try {
      const answer = this.#reader.take(chunk);
      if (answer !== undefined) this.#finish(answer, this.#reader.isKept && this.#socket.writableLength === 0);
    } catch (error) {
      this.#fail(error);
      this.#socket.destroy();
    }
  }

  #finish(answer: HttpResponse, isKept: boolean): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#answers++;
    if (isKept) {
      const idleMs = Math.min(this.#options.maxIdleMs, keptForMs(answer) - KEEP_ALIVE_MARGIN_MS);
      this.expiresAtMs = this.#options.clock.monotonicMs() + idleMs;
      this.#socket.unref();
      this.#events.onFree();
    } else {
      this.#socket.destroy();
    }
    exchange?.end(answer);
  }

  #fail(error: unknown): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    if (exchange === undefined) return;
    const isReset = error instanceof Error && "code" in error && ["ECONNRESET", "EPIPE"].includes(String(error.code));
    const isStale = isReset && this.#answers > 0 && !this.#reader.hasBegun;
    exchange.end({ error: isStale ? new StaleConnectionError(error.message, { cause: error }) : error });
  }
}

/** `Keep-Alive: timeout=5`, in seconds. */
function keptForMs({ headers }: HttpResponse): number {
  const [, seconds] = /(?:^|[,\s])timeout=(\d+)/.exec(headers["keep-alive"] ?? "") ?? [];
  return seconds === undefined ? Infinity : Number(seconds) * 1000;
}
