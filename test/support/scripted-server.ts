/** An HTTP server that a test answers call by call, and that remembers what it was asked. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { ExecutionContext } from "ava";
import { isJsonObject, type JsonObject } from "../../src/runtime/json.ts";

export type Teardown = Pick<ExecutionContext, "teardown">;

/** One request and the power over its answer. */
export class Call {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  readonly #response: ServerResponse;

  constructor(request: IncomingMessage, body: string, response: ServerResponse) {
    const url = new URL(request.url ?? "/", "http://localhost");
    this.method = request.method ?? "";
    this.path = url.pathname;
    this.query = url.searchParams;
    this.headers = request.headers;
    this.body = body;
    this.#response = response;
  }

  get isWatch(): boolean {
    return this.query.get("watch") === "true";
  }

  /** The body, where it is a JSON object. */
  get json(): JsonObject {
    const value: unknown = JSON.parse(this.body);
    if (!isJsonObject(value)) throw new Error(`not a JSON object: ${this.body}`);
    return value;
  }

  /** Answers at once and whole; text goes out as it is. */
  answer(status: number, body: JsonObject | string, headers: Readonly<Record<string, string>> = {}): void {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    this.#response.writeHead(status, { "content-type": "application/json", ...headers });
    this.#response.end(text);
  }

  /** Answers as the API server refuses. */
  refuse(status: number, reason: string, headers: Readonly<Record<string, string>> = {}): void {
    this.answer(status, { kind: "Status", code: status, reason, message: `scripted: ${reason}` }, headers);
  }

  /** Begins an answer, or goes on with it. */
  write(...chunks: readonly (JsonObject | string | Buffer)[]): void {
    if (!this.#response.headersSent) this.#response.writeHead(200, { "content-type": "application/json" });
    this.#response.flushHeaders();
    for (const chunk of chunks) {
      this.#response.write(typeof chunk === "string" || Buffer.isBuffer(chunk) ? chunk : `${JSON.stringify(chunk)}\n`);
    }
  }

  end(): void {
    this.#response.end();
  }

  /** Cuts the connection, whatever has been answered. */
  reset(): void {
    this.#response.socket?.resetAndDestroy();
  }
}

export interface ScriptedServer {
  readonly url: URL;
  /** In the order in which they came. */
  readonly calls: readonly Call[];
  /** The call that came as number `index`, counted from 0, once it has come. */
  call(index: number): Promise<Call>;
  /** Connections that were ever opened. */
  readonly connections: number;
}

/** Lives as long as the test. `handle` answers the call that came as number `index`, counted from 0. */
export async function startScriptedServer(
  t: Teardown,
  handle: (call: Call, index: number) => void | Promise<void>,
): Promise<ScriptedServer> {
  const calls: Call[] = [];
  const awaited = new Map<number, PromiseWithResolvers<Call>>();
  const arrival = (index: number): PromiseWithResolvers<Call> => {
    const known = awaited.get(index) ?? Promise.withResolvers<Call>();
    awaited.set(index, known);
    return known;
  };
  let connections = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const call = new Call(request, Buffer.concat(chunks).toString(), response);
      calls.push(call);
      arrival(calls.length - 1).resolve(call);
      Promise.resolve(handle(call, calls.length - 1)).catch((error: unknown) => {
        call.answer(599, String(error));
      });
    });
  });
  server.keepAliveTimeout = 60_000; // which it says in each answer
  server.on("connection", () => {
    connections++;
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  t.teardown(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${String(port)}`),
    calls,
    call: (index) => arrival(index).promise,
    get connections() {
      return connections;
    },
  };
}
