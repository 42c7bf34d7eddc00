/** The simulator's HTTP side: reads requests, hands them in, and delivers what becomes of them. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { isAbortOf } from "../runtime/abort.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Outcome } from "./faults/outcome.ts";
import { maxBodyBytes, type Answer } from "./http.ts";
import { findPage } from "./page/serve-page.ts";
import type { Simulator } from "./simulator.ts";
import type { ServerCertificate } from "./tls/certificate.ts";

export interface ServerOptions {
  readonly simulator: Simulator;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** With one, https. */
  readonly certificate: Pick<ServerCertificate, "cert" | "key"> | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Listener {
  readonly port: number;
  /** Resolves when no connection is left, after the signal was aborted. */
  readonly closed: Promise<void>;
}

/** Longer than clients keep idle connections, so that none is closed under a request. */
const KEEP_ALIVE_MS = 120_000;

/** Request line and headers; more than `MAX_TARGET_BYTES`, so that a long target can still be told that it is. */
const MAX_HEADER_BYTES = 64 << 10;

/** Of a body that is too long as much more is read and thrown away, so that its sender lives to read the 413. */
const MAX_DRAINED_BYTES = 64 << 20;

/** Resolves once the server listens; it ends, with all its connections, when `signal` is aborted. */
export async function listen(options: ServerOptions, signal: AbortSignal): Promise<Listener> {
  const { host, port, certificate, log } = options;
  signal.throwIfAborted();
  const onRequest = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    serve(options, incoming, outgoing, signal).catch((error: unknown) => {
      if (!isAbortOf(signal, error)) log.debug("a request ended without an answer", { error });
      outgoing.destroy();
    });
  };
  const limits = { maxHeaderSize: MAX_HEADER_BYTES };
  const server = certificate
    ? createSecureServer({ ...limits, cert: certificate.cert, key: certificate.key }, onRequest)
    : createServer(limits, onRequest);
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.on("clientError", (_error, socket) => {
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    else socket.destroy();
  });
  const listening = Promise.withResolvers<undefined>();
  server.on("error", listening.reject);
  server.listen(port, host, () => {
    listening.resolve(undefined);
  });
  await listening.promise;
  const closed = new Promise<void>((resolve) => {
    const close = (): void => {
      server.close(() => {
        resolve();
      });
      server.closeAllConnections();
    };
    if (signal.aborted) close();
    else signal.addEventListener("abort", close, { once: true });
  });
  const address = server.address();
  return { port: typeof address === "object" && address ? address.port : port, closed };
}

async function serve(
  { simulator, certificate, clock }: ServerOptions,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const { method = "GET", url = "/", headers } = incoming;
  const page = await findPage(method, url);
  if (page) {
    outgoing.end(writeHead(page, outgoing));
    return;
  }
  const body = await readBody(incoming, maxBodyBytes({ target: url }));
  const isSecure = certificate !== undefined || headers["x-forwarded-proto"] === "https";
  const exchange = simulator.exchange({ method, target: url, headers, isSecure, body });
  if (exchange.delayMs > 0) await clock.sleep(exchange.delayMs, signal);
  outgoing.sendDate = false;
  outgoing.setHeader("date", new Date(simulator.tenant.now()).toUTCString());
  await deliver(exchange, outgoing, clock, signal);
}

/** Keeps no more than is needed to tell that a body is longer than `maxBytes`. */
async function readBody(incoming: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const { headers } = incoming;
  if (headers["content-length"] === undefined && headers["transfer-encoding"] === undefined) return NO_BODY;
  const chunks: Buffer[] = [];
  let received = 0;
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  incoming.on("data", (chunk: Buffer) => {
    if (received <= maxBytes) chunks.push(chunk);
    received += chunk.length;
    if (received > maxBytes + MAX_DRAINED_BYTES) incoming.destroy();
  });
  incoming.once("end", () => {
    resolve(undefined);
  });
  incoming.once("close", () => {
    reject(new Error("the connection was closed in the middle of a request"));
  });
  incoming.once("error", reject);
  await promise;
  return Buffer.concat(chunks);
}

const NO_BODY = Buffer.alloc(0);

async function deliver(outcome: Outcome, outgoing: ServerResponse, clock: Clock, signal: AbortSignal): Promise<void> {
  if (outcome.kind === "reset") {
    outgoing.socket?.resetAndDestroy();
    return;
  }
  if (outcome.answer.stream && outcome.kind !== "truncated" && outgoing.req.method !== "HEAD") {
    stream(outcome.answer, outcome.answer.stream, outgoing);
    return;
  }
  const payload = writeHead(outcome.answer, outgoing);
  const half = Math.floor(payload.length / 2);
  switch (outcome.kind) {
    case "answered":
      outgoing.end(payload);
      return;
    case "truncated":
      outgoing.write(payload.subarray(0, half), () => outgoing.destroy());
      return;
    case "slow":
      outgoing.write(payload.subarray(0, half));
      await clock.sleep(outcome.pauseMs, signal);
      outgoing.end(payload.subarray(half));
      return;
    default:
      outcome satisfies never;
  }
}

/** Sends the head at once, so that the client knows that it is connected before there is anything to tell. */
function stream({ status, headers }: Answer, open: NonNullable<Answer["stream"]>, outgoing: ServerResponse): void {
  outgoing.writeHead(status, headers);
  outgoing.flushHeaders();
  const opened = open({
    write: (text) => outgoing.write(text),
    end: () => void outgoing.end(),
    reset: () => void outgoing.socket?.resetAndDestroy(),
  });
  outgoing.on("drain", () => {
    opened.resume();
  });
  outgoing.once("close", () => {
    opened.close();
  });
}

/** Sets status and headers, and gives the body's bytes. */
function writeHead({ status, headers = {}, body, html, bytes }: Answer, outgoing: ServerResponse): Buffer {
  const payload = bytes ?? Buffer.from(html ?? (body === undefined ? "" : JSON.stringify(body)));
  outgoing.writeHead(status, {
    "content-type": html === undefined ? "application/json; charset=utf-8" : "text/html",
    ...(status !== 204 && { "content-length": payload.length }),
    ...headers,
  });
  return payload;
}
