/** What watches the operator: probes and metrics over plain HTTP. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Registry } from "prom-client";
import type { Log } from "../runtime/log.ts";
import type { Part } from "../runtime/run-group.ts";

export interface Address {
  /** Empty: all of the machine's. */
  readonly host: string;
  readonly port: number;
}

type Handler = (response: ServerResponse) => void;

/**
 * `/healthz` answers while the event loop turns: it says nothing of Auth0 or the API server, since a restart mends
 * neither. `/readyz` is for leader and standby alike, or a rolling update would wait for itself.
 */
export function healthServer(address: Address, isReady: () => boolean, log: Log): Part {
  return serverPart("health server", address, log, {
    "/healthz": (response) => {
      answer(response, 200, "ok\n");
    },
    "/readyz": (response) => {
      if (isReady()) answer(response, 200, "ok\n");
      else answer(response, 503, "the resources are not all read yet\n");
    },
  });
}

export function metricsServer(address: Address, registry: Registry, log: Log): Part {
  return serverPart("metrics server", address, log, {
    "/metrics": (response) => {
      registry.metrics().then(
        (text) => {
          answer(response, 200, text, registry.contentType);
        },
        (error: unknown) => {
          log.error("metrics not collected", { error });
          answer(response, 500, "see the log\n");
        },
      );
    },
  });
}

function serverPart(
  name: string,
  { host, port }: Address,
  log: Log,
  handlers: Readonly<Record<string, Handler>>,
): Part {
  return {
    name,
    async run(signal) {
      const server = createServer((request, response) => {
        const handle = request.method === "GET" ? handlers[pathOf(request)] : undefined;
        if (handle === undefined) answer(response, 404, "not found\n");
        else handle(response);
      });
      await listen(server, host, port);
      log.info(`${name} listens`, { address: addressOf(server) });
      await ended(signal);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, ...(host !== "" && { host }) }, resolve);
  });
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else
      signal.addEventListener(
        "abort",
        () => {
          resolve();
        },
        { once: true },
      );
  });
}

function pathOf({ url = "" }: IncomingMessage): string {
  return url.split("?", 1)[0] ?? "";
}

function addressOf(server: Server): string {
  const address = server.address();
  return typeof address === "object" && address !== null
    ? `${address.address}:${String(address.port)}`
    : String(address);
}

function answer(response: ServerResponse, status: number, text: string, type = "text/plain; charset=utf-8"): void {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(text) }).end(text);
}
