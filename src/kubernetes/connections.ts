/**
 * Connections to the API server, and the proof of who we are that goes over them. Both change while we run: tokens and
 * certificates rotate, certificate authorities too.
 *
 * HTTP/2 would spare sockets, and has brought clients on Node dead sessions and lost watches.
 */
import { createHash } from "node:crypto";
import http from "node:http";
import https from "node:https";
import { HttpClient, type HttpCalls } from "../http/http-client.ts";
import { ProxiedClient } from "../http/proxied-client.ts";
import type { HttpResponse } from "../http/response-reader.ts";
import type { Clock } from "../runtime/clock.ts";
import type { ClusterAccess, Credentials } from "./credentials.ts";

export interface Request {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** With its query. */
  readonly path: string;
  readonly body?: Body;
  /** What form of answer is wanted; JSON of the whole object unless said otherwise. */
  readonly accept?: string;
}

export interface Body {
  readonly type: "application/json" | "application/merge-patch+json";
  readonly text: string;
}

/** Sockets for calls are kept open and bounded in number; each watch has one of its own, and never keeps a call waiting. */
export interface Connection {
  readonly headers: Readonly<Record<string, string>>;
  readonly sockets: Sockets;
}

interface Sockets {
  readonly calls: HttpCalls;
  readonly watches: http.Agent;
}

export interface ConnectionsOptions {
  readonly access: ClusterAccess;
  readonly maxSockets: number;
  readonly userAgent: string;
  readonly clock: Clock;
}

/** How long a proof is used before it is asked for again: asking costs half as much as a call. */
const CREDENTIALS_TTL_MS = 10_000;
/** Sockets that nobody used for so long are closed before a load balancer forgets them (cloud ones do after 60 s). */
const IDLE_SOCKET_MS = 45_000;
/** To reach a server, of the time that a call has. */
const CONNECT_TIMEOUT_MS = 10_000;
/** An answer larger than this is given up. One object has 1.5 MiB at most, a page of a hundred mostly 0.2. */
export const MAX_ANSWER_BYTES = 256 << 20;

export class Connections {
  readonly #access: ClusterAccess;
  readonly #maxSockets: number;
  readonly #userAgent: string;
  readonly #clock: Clock;
  readonly #target: { readonly host: string; readonly port: string; readonly basePath: string };
  #current: Connection | undefined;
  #tlsHash = "";
  #validUntilMs = 0;
  #renewing: Promise<Connection> | undefined;

  constructor({ access, maxSockets, userAgent, clock }: ConnectionsOptions) {
    this.#access = access;
    this.#maxSockets = maxSockets;
    this.#userAgent = userAgent;
    this.#clock = clock;
    const { hostname, port, pathname } = access.server;
    this.#target = { host: hostname.replace(/^\[|\]$/g, ""), port, basePath: pathname.replace(/\/$/, "") };
  }

  /** The connection for the next call, unless its proof has to be asked for. */
  get ready(): Connection | undefined {
    return this.#clock.monotonicMs() < this.#validUntilMs ? this.#current : undefined;
  }

  /** The connection for the next call. Rejects with what made the proof impossible. */
  async get(): Promise<Connection> {
    return this.ready ?? this.#renew(false);
  }

  /** A new proof in place of the one that the server refused: made once for all the calls that were refused. */
  async renewAfter(refused: Connection): Promise<Connection> {
    return this.#current !== undefined && this.#current !== refused ? this.#current : this.#renew(true);
  }

  /**
   * One call with its whole answer.
   *
   * @throws StaleConnectionError, DeadlineError, what the socket says, or `signal.reason`
   */
  call(
    { headers, sockets: { calls } }: Connection,
    request: Request,
    signal: AbortSignal,
    timeoutMs: number,
  ): Promise<HttpResponse> {
    const { method, body } = request;
    const path = this.#target.basePath + request.path;
    return calls.send({ method, path, headers: headersFor(headers, request), body: body?.text }, signal, timeoutMs);
  }

  /**
   * Resolves when the head of a watch's answer is in.
   *
   * @throws what the socket says, or an AbortError
   */
  open({ headers, sockets }: Connection, request: Request, signal: AbortSignal): Promise<http.IncomingMessage> {
    const { host, port, basePath } = this.#target;
    const transport = this.#access.server.protocol === "https:" ? https : http;
    const { method, path } = request;
    return new Promise((resolve, reject) => {
      const options = { host, port, path: basePath + path, method, agent: sockets.watches, signal };
      const sent = transport.request({ ...options, headers: headersFor(headers, request) }, resolve);
      sent.on("error", reject);
      sent.end();
    });
  }

  /** Closes the sockets that no call uses now. */
  closeIdle(): void {
    this.#current?.sockets.calls.closeIdle();
  }

  close(): void {
    this.#current?.sockets.calls.close();
    this.#current?.sockets.watches.destroy();
    this.#current = undefined;
  }

  #renew(fresh: boolean): Promise<Connection> {
    this.#renewing ??= this.#make(fresh).finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #make(fresh: boolean): Promise<Connection> {
    const credentials = await this.#access.authorize({ fresh });
    const tlsHash = hashOf(credentials.tls);
    const previous = this.#current;
    const isSameTls = previous !== undefined && tlsHash === this.#tlsHash;
    // Calls under way go on over the old sockets; the idle ones would never be used again.
    if (previous !== undefined && !isSameTls) previous.sockets.calls.retire();
    this.#tlsHash = tlsHash;
    this.#validUntilMs = this.#clock.monotonicMs() + CREDENTIALS_TTL_MS;
    this.#current = {
      headers: { ...credentials.headers, accept: "application/json", "user-agent": this.#userAgent },
      sockets: isSameTls ? previous.sockets : this.#makeSockets(credentials),
    };
    return this.#current;
  }

  #makeSockets({ tls }: Credentials): Sockets {
    const { server, proxyEnv } = this.#access;
    const Agent = server.protocol === "https:" ? https.Agent : http.Agent;
    const options = {
      origin: server,
      tls,
      maxConnections: this.#maxSockets,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      maxIdleMs: IDLE_SOCKET_MS,
      maxBodyBytes: MAX_ANSWER_BYTES,
      clock: this.#clock,
    };
    const calls = proxyEnv === undefined ? new HttpClient(options) : new ProxiedClient(options, proxyEnv);
    return { calls, watches: new Agent({ ...tls, proxyEnv, keepAlive: false }) };
  }
}

function headersFor(headers: Connection["headers"], { accept, body }: Request): Connection["headers"] {
  return {
    ...headers,
    ...(accept !== undefined && { accept }),
    ...(body !== undefined && { "content-type": body.type }),
  };
}

function hashOf({ ca = "", cert = "", key = "", servername, rejectUnauthorized }: Credentials["tls"]): string {
  const hash = createHash("sha256");
  for (const part of [ca, cert, key]) hash.update(part).update("\0");
  return hash.update(JSON.stringify([servername, rejectUnauthorized])).digest("base64");
}
