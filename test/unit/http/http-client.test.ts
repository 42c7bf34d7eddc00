/** Calls over kept connections: each gets its own answer, or says that it got none. */
import { execFile } from "node:child_process";
import { createServer as createHttpServer } from "node:http";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import process from "node:process";
import { promisify } from "node:util";
import test, { type ExecutionContext } from "ava";
import {
  HttpClient,
  StaleConnectionError,
  type HttpClientOptions,
  type HttpRequest,
} from "../../../src/http/http-client.ts";
import { MalformedResponseError } from "../../../src/http/response-reader.ts";
import { DeadlineError } from "../../../src/runtime/abort.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { seededRandom } from "../../../src/runtime/random.ts";
import { makeCertificate } from "../../../src/simulator/tls/certificate.ts";
import { eventually } from "../../support/eventually.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const never = new AbortController().signal;
const GET: HttpRequest = { method: "GET", path: "/a", headers: {} };
const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";

interface Heard {
  readonly socket: Socket;
  readonly text: string;
  /** Whose connection it came by, counted from 0. */
  readonly connection: number;
}

/** A server that is handed what comes, as it comes. */
async function serve(t: ExecutionContext, hear: (heard: Heard) => void, tls?: TlsOptions) {
  const sockets: Socket[] = [];
  const heard: string[] = [];
  const accept = (socket: Socket): void => {
    const connection = sockets.push(socket) - 1;
    socket.on("error", () => {});
    socket.on("data", (bytes: Buffer) => {
      heard.push(bytes.toString());
      hear({ socket, text: bytes.toString(), connection });
    });
  };
  const server: Server = tls === undefined ? createServer(accept) : createTlsServer(tls, accept);
  if (tls !== undefined) server.on("tlsClientError", () => {});
  return { ...(await listening(t, server)), sockets, heard };
}

async function listening(t: ExecutionContext, server: Server): Promise<{ readonly port: number }> {
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  t.teardown(() => server.close());
  return { port: (server.address() as AddressInfo).port };
}

function until(isSo: () => boolean): Promise<void> {
  return eventually(
    () => {
      if (!isSo()) throw new Error(`not yet: ${isSo.toString()}`);
    },
    { everyMs: 5, timeoutMs: 8_000 },
  );
}

function aClient(t: ExecutionContext, port: number, options: Partial<HttpClientOptions> = {}): HttpClient {
  const client = new HttpClient({
    origin: new URL(`http://127.0.0.1:${String(port)}`),
    maxConnections: 4,
    connectTimeoutMs: 5_000,
    maxIdleMs: 30_000,
    maxBodyBytes: 1_000_000,
    clock: systemClock,
    ...options,
  });
  t.teardown(() => {
    client.close();
  });
  return client;
}

const answer = ({ socket }: Heard, body = "{}"): void => {
  socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`);
};

test("a request is sent as HTTP/1.1 has it, bodies with their length in bytes", async (t) => {
  const { port, heard } = await serve(t, (one) => {
    answer(one);
  });
  const client = aClient(t, port);

  await client.send({ method: "POST", path: "/a?b=%20", headers: { "x-a": "b" }, body: '{"a":"ä"}' }, never, 1_000);
  await client.send({ method: "PATCH", path: "/a", headers: {} }, never, 1_000);
  await client.send({ method: "DELETE", path: "/a", headers: {} }, never, 1_000);

  const host = `host: 127.0.0.1:${String(port)}`;
  t.deepEqual(heard, [
    `POST /a?b=%20 HTTP/1.1\r\n${host}\r\nx-a: b\r\ncontent-length: 10\r\n\r\n{"a":"ä"}`,
    `PATCH /a HTTP/1.1\r\n${host}\r\ncontent-length: 0\r\n\r\n`,
    `DELETE /a HTTP/1.1\r\n${host}\r\n\r\n`,
  ]);
});

test("what could be taken for another header or request is not sent", async (t) => {
  const { port, sockets } = await serve(t, () => {});
  const client = aClient(t, port);
  const send = (part: Partial<HttpRequest>) => client.send({ ...GET, ...part }, never, 1_000);

  await t.throwsAsync(send({ headers: { authorization: "Bearer a\r\nx: y" } }), { message: /^(?!.*Bearer)/s });
  await t.throwsAsync(send({ headers: { "x-a": "ä" } }), { instanceOf: TypeError });
  await t.throwsAsync(send({ headers: { "x-a: b\r\nx-c": "d" } }), { instanceOf: TypeError });
  await t.throwsAsync(send({ path: "/a HTTP/1.1\r\n" }), { instanceOf: TypeError });
  await t.throwsAsync(send({ path: "a" }), { instanceOf: TypeError });
  t.is(sockets.length, 0);
});

test("many calls over few connections get each its own answer", async (t) => {
  const random = seededRandom(7);
  const server = createHttpServer((request, response) => {
    const body = `${request.url ?? ""} ${"x".repeat(random.next() * 40_000)}`;
    if (random.next() < 0.5) response.setHeader("content-length", body.length);
    if (random.next() < 0.2) response.setHeader("connection", "close");
    setImmediate(() => {
      response.write(body.slice(0, 10));
      response.end(body.slice(10));
    });
  });
  const { port } = await listening(t, server);
  const client = aClient(t, port);

  const paths = Array.from({ length: 300 }, (_, index) => `/${String(index)}`);
  const answers = await Promise.all(paths.map((path) => client.send({ ...GET, path }, never, 30_000)));

  t.deepEqual(
    answers.map(({ body }) => body.split(" ", 1)[0]),
    paths,
  );
});

test("calls beyond the connections wait, the one that came first goes first", async (t) => {
  const waiting: Heard[] = [];
  const { port, sockets } = await serve(t, (one) => waiting.push(one));
  const client = aClient(t, port, { maxConnections: 2 });
  const calls = ["/1", "/2", "/3", "/4"].map((path) => client.send({ ...GET, path }, never, 5_000));

  await until(() => waiting.length === 2);
  for (const one of waiting.splice(0)) answer(one, one.text.slice(4, 6));
  await until(() => waiting.length === 2);
  for (const one of waiting.splice(0)) answer(one, one.text.slice(4, 6));

  t.deepEqual(
    (await Promise.all(calls)).map(({ body }) => body),
    ["/1", "/2", "/3", "/4"],
  );
  t.is(sockets.length, 2);
});

test("a kept connection that the server closes as it is used again is told from one that failed", async (t) => {
  const { port } = await serve(t, (one) => {
    if (one.text.startsWith("GET /a")) answer(one);
    else one.socket.destroy();
  });
  const client = aClient(t, port);

  await t.throwsAsync(client.send({ ...GET, path: "/b" }, never, 1_000), { message: "socket hang up" });
  await client.send(GET, never, 1_000);
  await t.throwsAsync(client.send({ ...GET, path: "/b" }, never, 1_000), { instanceOf: StaleConnectionError });
});

test("an answer that is cut off fails, also on a kept connection", async (t) => {
  const { port } = await serve(t, (one) => {
    if (one.text.startsWith("GET /a")) answer(one);
    else one.socket.end("HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nhalf");
  });
  const client = aClient(t, port);
  await client.send(GET, never, 1_000);

  const error = await t.throwsAsync(client.send({ ...GET, path: "/b" }, never, 1_000));

  t.false(error instanceof StaleConnectionError, "the request was seen");
});

for (const [what, bytes] of [
  ["comes unasked", `${OK}{}`],
  ["is more than was asked for", `${OK}{}${OK}{}`],
] as const) {
  test(`an answer that ${what} is nobody's`, async (t) => {
    const served = await serve(t, (one) => {
      if (one.connection === 0) one.socket.write(what === "comes unasked" ? `${OK}[]` : bytes);
      else answer(one, "[1]");
    });
    const client = aClient(t, served.port);
    await client.send(GET, never, 1_000);
    const [socket] = served.sockets;
    if (what === "comes unasked") socket?.write(bytes);
    await until(() => socket?.destroyed === true);

    t.is((await client.send(GET, never, 1_000)).body, "[1]");
  });
}

test("an answer that comes too late is not taken for that of the next call", async (t) => {
  const waiting: Heard[] = [];
  const { port } = await serve(t, (one) => {
    if (one.text.startsWith("GET /late")) waiting.push(one);
    else answer(one, "mine");
  });
  const clock = new ManualClock();
  const client = aClient(t, port, { maxConnections: 1, clock });
  const late = t.throwsAsync(client.send({ ...GET, path: "/late" }, never, 200), {
    instanceOf: DeadlineError,
    message: "no answer within 200 ms",
  });
  await until(() => waiting.length === 1);
  const next = client.send(GET, never, 5_000);

  await clock.advance(200);
  await late;
  for (const one of waiting) answer(one, "late");

  t.is((await next).body, "mine");
});

test("who is told to stop gets the reason, and the connection is not used again", async (t) => {
  const { port, sockets, heard } = await serve(t, (one) => {
    if (one.connection > 0) answer(one);
  });
  const client = aClient(t, port, { maxConnections: 1 });
  const [underWay, waiting] = [new AbortController(), new AbortController()];
  const first = t.throwsAsync(client.send(GET, underWay.signal, 5_000), { message: "stop" });
  const second = t.throwsAsync(client.send(GET, waiting.signal, 5_000), { message: "no more" });
  const third = client.send(GET, never, 5_000);
  await until(() => sockets.length === 1);

  waiting.abort(new Error("no more"));
  await second;
  underWay.abort(new Error("stop"));
  await first;

  t.is((await third).status, 200);
  t.is(heard.length, 2, "who waited was not sent");
  await t.throwsAsync(client.send(GET, AbortSignal.abort(new Error("before")), 5_000), { message: "before" });
});

test("connections that rest are closed in time, earlier where the server says so", async (t) => {
  const hint = "HTTP/1.1 200 OK\r\nkeep-alive: timeout=5, max=100\r\ncontent-length: 2\r\n\r\n{}";
  const { port, sockets } = await serve(t, (one) => {
    if (one.text.startsWith("GET /hint")) one.socket.write(hint);
    else answer(one);
  });
  const clock = new ManualClock();
  const client = aClient(t, port, { clock });
  await client.send({ ...GET, path: "/hint" }, never, 1_000);
  await clock.advance(4_000);
  await client.send(GET, never, 1_000);
  t.is(sockets.length, 2, "a second before the server closes it");

  await clock.advance(29_000);
  await client.send(GET, never, 1_000);
  t.is(sockets.length, 2);
  await clock.advance(60_000);

  await until(() => sockets.every(({ destroyed }) => destroyed));
  t.is(clock.pending, 0);
});

test("a client that is retired ends with the calls that it carries", async (t) => {
  const waiting: Heard[] = [];
  const { port, sockets } = await serve(t, (one) => {
    if (one.text.startsWith("GET /a")) answer(one);
    else waiting.push(one);
  });
  const client = aClient(t, port);
  const slow = client.send({ ...GET, path: "/slow" }, never, 5_000);
  await until(() => waiting.length === 1);
  await client.send(GET, never, 1_000);
  t.is(sockets.length, 2);

  client.retire();
  await until(() => sockets.filter(({ destroyed }) => destroyed).length === 1);
  for (const one of waiting) answer(one);

  t.is((await slow).status, 200);
  await until(() => sockets.every(({ destroyed }) => destroyed));
});

test("a client that is closed fails what is under way and what waits", async (t) => {
  const { port, sockets } = await serve(t, () => {});
  const client = aClient(t, port, { maxConnections: 1 });
  const calls = [client.send(GET, never, 5_000), client.send(GET, never, 5_000)];
  const failed = Promise.allSettled(calls);
  await until(() => sockets.length === 1);

  client.close();

  for (const call of await failed)
    t.like(call, { status: "rejected", reason: { message: "the connection was closed by us" } });
});

test("what is not to be understood fails, and its connection is not used again", async (t) => {
  const { port, sockets } = await serve(t, (one) => {
    if (one.connection === 0) one.socket.write("nonsense\r\n\r\n");
    else answer(one);
  });
  const client = aClient(t, port);

  await t.throwsAsync(client.send(GET, never, 1_000), { instanceOf: MalformedResponseError });
  t.is((await client.send(GET, never, 1_000)).status, 200);
  t.is(sockets.length, 2);
});

test("an answer before the whole request was sent ends the connection", async (t) => {
  const { port, sockets } = await serve(t, (one) => {
    if (one.socket.bytesRead > 100_000) return;
    one.socket.pause();
    answer(one, "too large");
  });
  const client = aClient(t, port);

  const body = "x".repeat(50_000_000);
  t.is((await client.send({ method: "POST", path: "/", headers: {}, body }, never, 5_000)).body, "too large");
  sockets[0]?.resume();
  await until(() => sockets[0]?.destroyed === true);
  t.pass();
});

test("a process waits for its answers, and not for connections that rest", async (t) => {
  const { port } = await serve(t, (one) => {
    setTimeout(() => {
      answer(one, one.text.split(" ")[1]);
    }, 50);
  });
  const room = new URL("../../../src/", import.meta.url).href;
  const script = `
    import { HttpClient } from "${room}http/http-client.ts";
    import { systemClock as clock } from "${room}runtime/clock.ts";
    const origin = new URL("http://127.0.0.1:${String(port)}");
    const client = new HttpClient({ origin, maxConnections: 1, connectTimeoutMs: 5_000, maxIdleMs: 60_000, maxBodyBytes: 100, clock });
    for (const path of ["/1", "/2"]) {
      const { body } = await client.send({ method: "GET", path, headers: {} }, new AbortController().signal, 5_000);
      process.stdout.write(body);
    }`;

  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], {
    timeout: 20_000,
  });

  t.is(stdout, "/1/2");
});

test("a host that can't be reached says so", async (t) => {
  const { port, sockets } = await serve(t, () => {});
  t.is(sockets.length, 0);
  const closed = createServer();
  await new Promise<void>((resolve) => {
    closed.listen(0, "127.0.0.1", resolve);
  });
  const { port: nobody } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  t.not(nobody, port);

  await t.throwsAsync(aClient(t, nobody).send(GET, never, 1_000), { code: "ECONNREFUSED" });
});

const certificate = makeCertificate(["localhost"], Date.now());
const { key, cert, ca } = certificate;

test("over TLS sessions are resumed, and the name is said", async (t) => {
  const names: unknown[] = [];
  const resumed: boolean[] = [];
  const { port, sockets } = await serve(
    t,
    (one) => {
      one.socket.write("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}");
    },
    {
      key,
      cert,
      ALPNProtocols: ["h2", "http/1.1"],
      SNICallback(name, done) {
        names.push(name);
        done(null);
      },
    },
  );
  const client = aClient(t, port, { origin: new URL(`https://localhost:${String(port)}`), tls: { ca } });

  for (let call = 0; call < 3; call++) {
    await client.send(GET, never, 5_000);
    const socket = sockets.at(-1);
    resumed.push(socket !== undefined && "isSessionReused" in socket && (socket.isSessionReused as () => boolean)());
  }

  t.deepEqual(names.slice(0, 1), ["localhost"]);
  t.deepEqual(resumed, [false, true, true]);
});

for (const [who, origin, tls, code] of [
  ["of another name", "https://127.0.0.1", { ca }, "ERR_TLS_CERT_ALTNAME_INVALID"],
  ["that nobody vouches for", "https://localhost", {}, "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
] as const) {
  test(`nothing is sent to a server ${who}`, async (t) => {
    const { port, heard } = await serve(t, () => {}, { key, cert });
    const client = aClient(t, port, { origin: new URL(`${origin}:${String(port)}`), tls });

    await t.throwsAsync(client.send({ ...GET, headers: { authorization: "Bearer secret" } }, never, 5_000), { code });
    t.deepEqual(heard, []);
  });
}
