/**
 * Sockets to the API server, and the proof of who we are that goes over them. Both change while we run: tokens and
 * certificates rotate, certificate authorities too.
 *
 * HTTP/1.1 by `node:https`: undici's `dispatch` costs 0.04 ms of CPU less a call and 20 MB of memory more a process.
 * HTTP/2 would spare sockets, and has brought clients on Node dead sessions and lost watches.
 */
import { createHash } from "node:crypto";
import http from "node:http";
import https from "node:https";
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
export type Pool = "calls" | "watches";

export interface Connection {
  readonly headers: http.OutgoingHttpHeaders;
  readonly agents: Readonly<Record<Pool, http.Agent>>;
}

/** The server closed a kept socket just when we used it again; most likely it never saw the request. */
export class StaleSocketError extends Error {
  override readonly name = "StaleSocketError";
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
/** TCP's own probes, as client-go sets them. */
const TCP_KEEP_ALIVE_MS = 30_000;

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
   * Resolves when the head of the answer is in.
   *
   * @throws StaleSocketError, what the socket says, or an AbortError
   */
  send(
    connection: Connection,
    pool: Pool,
    { method, path, body, accept }: Request,
    signal: AbortSignal,
  ): Promise<http.IncomingMessage> {
    const { host, port, basePath } = this.#target;
    const transport = this.#access.server.protocol === "https:" ? https : http;
    return new Promise((resolve, reject) => {
      const request = transport.request(
        {
          host,
          port,
          path: basePath + path,
          method,
          headers: {
            ...connection.headers,
            ...(accept !== undefined && { accept }),
            ...(body !== undefined && headersOf(body)),
          },
          agent: connection.agents[pool],
          signal,
        },
        resolve,
      );
      request.on("error", (error: NodeJS.ErrnoException) => {
        const isStale = request.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE");
        reject(isStale ? new StaleSocketError(error.message, { cause: error }) : error);
      });
      request.end(body?.text);
    });
  }

  /** Closes the sockets that no call uses now. */
  closeIdle(): void {
    if (this.#current !== undefined) closeIdleSockets(this.#current);
  }

  close(): void {
    for (const agent of Object.values(this.#current?.agents ?? {})) agent.destroy();
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
    if (previous !== undefined && !isSameTls) closeIdleSockets(previous);
    this.#tlsHash = tlsHash;
    this.#validUntilMs = this.#clock.monotonicMs() + CREDENTIALS_TTL_MS;
    this.#current = {
      headers: { ...credentials.headers, accept: "application/json", "user-agent": this.#userAgent },
      agents: isSameTls ? previous.agents : this.#makeAgents(credentials),
    };
    return this.#current;
  }

  #makeAgents({ tls }: Credentials): Connection["agents"] {
    const { server, proxyEnv } = this.#access;
    const Agent = server.protocol === "https:" ? https.Agent : http.Agent;
    const common = { ...tls, ...(proxyEnv !== undefined && { proxyEnv }) };
    const agents = {
      calls: new Agent({
        ...common,
        keepAlive: true,
        keepAliveMsecs: TCP_KEEP_ALIVE_MS,
        maxSockets: this.#maxSockets,
        timeout: IDLE_SOCKET_MS,
        // The last one used goes first, so that sockets which are not needed any more grow idle.
        scheduling: "lifo",
      }),
      watches: new Agent({ ...common, keepAlive: false }),
    };
    // Every socket leads to the one server by the one proof: the name that Node makes of both for each call, certificates
    // in full, would tell nothing.
    for (const agent of Object.values(agents)) agent.getName = () => "";
    return agents;
  }
}

/** The length has to be said: node:http leaves it out with DELETE, and the body is then taken for another request. */
function headersOf({ type, text }: Body): http.OutgoingHttpHeaders {
  return { "content-type": type, "content-length": Buffer.byteLength(text) };
}

function closeIdleSockets({ agents }: Connection): void {
  for (const sockets of Object.values(agents.calls.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}

function hashOf({ ca = "", cert = "", key = "", servername, rejectUnauthorized }: Credentials["tls"]): string {
  const hash = createHash("sha256");
  for (const part of [ca, cert, key]) hash.update(part).update("\0");
  return hash.update(JSON.stringify([servername, rejectUnauthorized])).digest("base64");
}
