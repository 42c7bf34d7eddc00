/** The same calls as those of `HttpClient`, through a proxy, by Node's own client: it knows proxies, and takes more CPU. */
import http from "node:http";
import https from "node:https";
import { withDeadline } from "../runtime/abort.ts";
import { StaleConnectionError, type HttpCalls, type HttpClientOptions, type HttpRequest } from "./http-client.ts";
import type { ProxyEnv } from "./proxy-env.ts";
import type { HttpResponse } from "./response-reader.ts";

export class ProxiedClient implements HttpCalls {
  readonly #options: HttpClientOptions;
  readonly #agent: http.Agent;

  constructor(options: HttpClientOptions, proxyEnv: ProxyEnv) {
    this.#options = options;
    const { origin, tls, maxConnections, maxIdleMs } = options;
    const Agent = origin.protocol === "https:" ? https.Agent : http.Agent;
    const kept = { keepAlive: true, maxSockets: maxConnections, timeout: maxIdleMs, scheduling: "lifo" } as const;
    this.#agent = new Agent({ ...tls, ...kept, proxyEnv });
  }

  send(request: HttpRequest, signal: AbortSignal, timeoutMs: number): Promise<HttpResponse> {
    const { clock, maxBodyBytes } = this.#options;
    return withDeadline(signal, timeoutMs, clock, async (inTime) =>
      answerOf(await this.#request(request, inTime), maxBodyBytes),
    );
  }

  closeIdle(): void {
    for (const sockets of Object.values(this.#agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  }

  retire(): void {
    this.closeIdle();
  }

  close(): void {
    this.#agent.destroy();
  }

  #request({ method, path, headers, body }: HttpRequest, signal: AbortSignal): Promise<http.IncomingMessage> {
    const { hostname, port, protocol } = this.#options.origin;
    const transport = protocol === "https:" ? https : http;
    const where = { host: hostname.replace(/^\[|\]$/g, ""), port, path, method, agent: this.#agent, signal };
    return new Promise((resolve, reject) => {
      // The length has to be said: node:http leaves it out with DELETE, and the body is then taken for another request.
      const length = body !== undefined && { "content-length": Buffer.byteLength(body) };
      const sent = transport.request({ ...where, headers: { ...headers, ...length } }, resolve);
      sent.on("error", (error) => {
        const isStale = sent.reusedSocket && "code" in error && error.code === "ECONNRESET";
        reject(isStale ? new StaleConnectionError(error.message, { cause: error }) : error);
      });
      sent.end(body);
    });
  }
}

/** With the whole body. */
export async function answerOf(response: http.IncomingMessage, maxBodyBytes: number): Promise<HttpResponse> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > maxBodyBytes) throw new Error(`more than ${String(maxBodyBytes)} bytes of answer`);
  }
  const headers = Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)]));
  return { status: response.statusCode ?? 0, headers, body: Buffer.concat(chunks, bytes).toString() };
}
