/** Calls through a proxy: a tunnel where the server is secure, kept as any connection is. */
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { connect, type AddressInfo, type Server, type Socket } from "node:net";
import test, { type ExecutionContext } from "ava";
import { TenantHttp } from "../../../src/auth0/http.ts";
import { StaleConnectionError, type HttpRequest } from "../../../src/http/http-client.ts";
import { ProxiedClient } from "../../../src/http/proxied-client.ts";
import { DeadlineError } from "../../../src/runtime/abort.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { makeCertificate } from "../../../src/simulator/tls/certificate.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const never = new AbortController().signal;
const GET: HttpRequest = { method: "GET", path: "/a", headers: {} };
const HOST = "tenant.test";

async function listen(t: ExecutionContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** A proxy that leads every name to one port of this machine, and notes what it was asked for. */
async function aProxy(t: ExecutionContext, port: number) {
  const asked: string[] = [];
  const tunnels: Socket[] = [];
  const proxy = createHttpServer((request, response) => {
    asked.push(`${request.method ?? ""} ${request.url ?? ""}`);
    response.end("by proxy");
  });
  proxy.on("connect", (request, socket: Socket) => {
    asked.push(`CONNECT ${request.url ?? ""}`);
    tunnels.push(socket);
    socket.on("error", () => {});
    const target = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      target.pipe(socket).pipe(target);
    });
    target.on("error", () => socket.destroy());
  });
  t.teardown(() => {
    for (const socket of tunnels) socket.destroy();
  });
  const url = `http://127.0.0.1:${String(await listen(t, proxy))}`;
  return { url, asked, tunnels };
}

async function aSecureWorld(t: ExecutionContext, answer: RequestListener) {
  const { ca, cert, key } = makeCertificate([HOST], Date.now());
  const port = await listen(t, createHttpsServer({ cert, key }, answer));
  const proxy = await aProxy(t, port);
  const clock = new ManualClock();
  const client = new ProxiedClient(
    {
      origin: new URL(`https://${HOST}`),
      tls: { ca },
      maxConnections: 4,
      connectTimeoutMs: 5_000,
      maxIdleMs: 30_000,
      maxBodyBytes: 100,
      clock,
    },
    { HTTPS_PROXY: proxy.url },
  );
  t.teardown(() => {
    client.close();
  });
  return { proxy, client, clock };
}

test("calls to a secure server go through one tunnel, kept from one to the next", async (t) => {
  const heard: string[] = [];
  const { client, proxy } = await aSecureWorld(t, (request, response) => {
    heard.push(`${request.method ?? ""} ${request.headers.host ?? ""} ${request.headers["content-length"] ?? "-"}`);
    response.statusCode = 201;
    request.resume().on("end", () => response.end("done"));
  });

  t.like(await client.send({ ...GET, method: "POST", body: "{}" }, never, 5_000), { status: 201, body: "done" });
  t.like(await client.send({ ...GET, method: "DELETE", body: "ü" }, never, 5_000), { status: 201, body: "done" });

  t.deepEqual(heard, [`POST ${HOST} 2`, `DELETE ${HOST} 2`]);
  t.deepEqual(proxy.asked, [`CONNECT ${HOST}:443`]);
});

test("a kept tunnel that was cut is told from a new one that broke", async (t) => {
  let calls = 0;
  const { client, proxy } = await aSecureWorld(t, (request, response) => {
    calls++;
    if (calls === 1) response.end("done");
    else request.socket.destroy();
  });
  await client.send(GET, never, 5_000);

  await t.throwsAsync(client.send(GET, never, 5_000), { instanceOf: StaleConnectionError });
  const broken = await t.throwsAsync(client.send(GET, never, 5_000), { code: "ECONNRESET" });
  t.false(broken instanceof StaleConnectionError, "a new tunnel was not stale");
  t.is(proxy.asked.length, 2);
});

test("a call has its deadline and its signal, and an answer its bound", async (t) => {
  const { client, clock } = await aSecureWorld(t, (request, response) => {
    if (request.url === "/long") response.end("x".repeat(101));
  });
  const late = client.send(GET, never, 1_000);
  await clock.advance(1_000);
  await t.throwsAsync(late, { instanceOf: DeadlineError });

  const ending = new AbortController();
  const ended = client.send(GET, ending.signal, 1_000);
  const reason = new Error("the end");
  ending.abort(reason);
  t.is(await t.throwsAsync(ended), reason);

  await t.throwsAsync(client.send({ ...GET, path: "/long" }, never, 1_000), { message: /100 bytes/ });
});

test("a proxy that does not let us through is named by its answer", async (t) => {
  const proxy = createHttpServer();
  proxy.on("connect", (_, socket: Socket) => {
    socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
  });
  const url = `http://127.0.0.1:${String(await listen(t, proxy))}`;
  const http = new TenantHttp(`https://${HOST}`, systemClock, { HTTPS_PROXY: url });
  t.teardown(() => {
    http.close();
  });

  await t.throwsAsync(http.send(GET, never), { name: "NoAnswerError", message: /407/ });
});

test("tenants are reached by the proxy that the environment names, and directly where it says so", async (t) => {
  const port = await listen(
    t,
    createHttpServer((_, response) => response.end("directly")),
  );
  const proxy = await aProxy(t, port);
  const bodyBy = async (origin: string, env: Record<string, string>): Promise<string> => {
    const http = new TenantHttp(origin, systemClock, env);
    t.teardown(() => {
      http.close();
    });
    return (await http.send(GET, never)).body;
  };

  t.is(await bodyBy("http://acme.test", { HTTP_PROXY: proxy.url }), "by proxy");
  t.deepEqual(proxy.asked, ["GET http://acme.test/a"]);
  t.is(await bodyBy(`http://127.0.0.1:${String(port)}`, { HTTP_PROXY: proxy.url }), "directly");
});
