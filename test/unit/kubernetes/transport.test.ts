/** One call to the API server: what goes out, what comes back, and what becomes of everything that can go wrong. */
import { createServer as createTcpServer, connect, type AddressInfo, type Socket } from "node:net";
import { createServer } from "node:http";
import { getEventListeners } from "node:events";
import test from "ava";
import { Registry } from "prom-client";
import { Deadline, DeadlineError } from "../../../src/runtime/abort.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { ApiError, isApiError } from "../../../src/kubernetes/api-error.ts";
import { resourcePath } from "../../../src/kubernetes/resource.ts";
import { splitLines } from "../../../src/kubernetes/split-lines.ts";
import { anApi } from "../../support/api-client.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { startScriptedServer, type Call } from "../../support/scripted-server.ts";

const never = new AbortController().signal;

test("a resource's path is made of its group, namespace, name and subresource", (t) => {
  const users = { group: "example.com", version: "v1", plural: "users" };
  const secrets = { group: "", version: "v1", plural: "secrets" };

  t.is(resourcePath(users), "/apis/example.com/v1/users");
  t.is(resourcePath(users, { namespace: "a" }), "/apis/example.com/v1/namespaces/a/users");
  t.is(
    resourcePath(users, { namespace: "a", name: "b", subresource: "status" }),
    "/apis/example.com/v1/namespaces/a/users/b/status",
  );
  t.is(resourcePath(secrets, { namespace: "a", name: "../b" }), "/api/v1/namespaces/a/secrets/..%2Fb");
});

test("each verb sends what the API expects of it", async (t) => {
  const server = await startScriptedServer(t, (call) => {
    call.answer(200, { kind: "Thing" });
  });
  const api = anApi(t, new URL("/prefix/", server.url), systemClock, {
    access: { authorize: () => Promise.resolve({ headers: { authorization: "Bearer t" }, tls: {} }) },
  });

  t.deepEqual(await api.get("/things", { limit: 5, continue: undefined, labelSelector: "a=b,c" }, never), {
    kind: "Thing",
  });
  await api.getMetadata("/things/x", never);
  await api.create("/things", { a: 1 }, never);
  await api.mergePatch("/things/x", { a: null }, never);
  await api.delete("/things/x", { uid: "u", propagationPolicy: "Background" }, never);

  t.deepEqual(
    server.calls.map((call) => [
      call.method,
      call.path,
      call.query.toString(),
      call.headers["content-type"],
      call.body,
    ]),
    [
      ["GET", "/prefix/things", "limit=5&labelSelector=a%3Db%2Cc", undefined, ""],
      ["GET", "/prefix/things/x", "", undefined, ""],
      ["POST", "/prefix/things", "", "application/json", '{"a":1}'],
      ["PATCH", "/prefix/things/x", "", "application/merge-patch+json", '{"a":null}'],
      [
        "DELETE",
        "/prefix/things/x",
        "",
        "application/json",
        '{"propagationPolicy":"Background","preconditions":{"uid":"u"}}',
      ],
    ],
  );
  t.deepEqual(
    server.calls.map(({ headers }) => headers.accept),
    [
      "application/json",
      "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
      "application/json",
      "application/json",
      "application/json",
    ],
  );
  t.true(server.calls.every(({ headers }) => headers.authorization === "Bearer t"));
  t.true(server.calls.every(({ headers }) => headers["user-agent"] === "test/1.0"));
  t.is(server.connections, 1, "one connection serves calls that follow each other");
});

const REFUSALS = [
  [400, "BadRequest", "bad_request", { kind: "stall" }],
  [403, "Forbidden", "forbidden", { kind: "backoff" }],
  [404, "NotFound", "not_found", { kind: "backoff" }],
  [409, "Conflict", "conflict", { kind: "backoff" }],
  [409, "AlreadyExists", "already_exists", { kind: "backoff" }],
  [410, "Expired", "gone", { kind: "backoff" }],
  [413, "RequestEntityTooLarge", "too_large", { kind: "stall" }],
  [415, "UnsupportedMediaType", "bad_request", { kind: "stall" }],
  [422, "Invalid", "invalid", { kind: "stall" }],
  [429, "TooManyRequests", "too_many_requests", { kind: "backoff" }],
  [500, "InternalError", "unavailable", { kind: "backoff" }],
  [503, "ServiceUnavailable", "unavailable", { kind: "backoff" }],
  [504, "Timeout", "timeout", { kind: "backoff" }],
  [302, "Found", "unavailable", { kind: "backoff" }],
] as const;
for (const [status, reason, code, remedy] of REFUSALS) {
  test(`status ${String(status)} ${reason} is ${code}`, async (t) => {
    const server = await startScriptedServer(t, (call) => {
      call.refuse(status, reason, { location: "http://elsewhere.invalid/" });
    });
    const api = anApi(t, server.url, systemClock);

    const error = await t.throwsAsync(api.mergePatch("/things/x", {}, never), { instanceOf: ApiError });

    t.is(error.code, code);
    t.deepEqual(error.remedy, remedy);
    t.is(error.message, `[${code}] patch /things/x: scripted: ${reason}`);
  });
}

test("Retry-After names the moment, by header or in the status", async (t) => {
  const clock = new ManualClock();
  const server = await startScriptedServer(t, (call, index) => {
    if (index === 0) call.refuse(429, "TooManyRequests", { "retry-after": "7" });
    else if (index === 1) call.refuse(429, "TooManyRequests", { "retry-after": "0" });
    else if (index === 2) call.refuse(429, "TooManyRequests", { "retry-after": "86400" });
    else call.answer(500, { kind: "Status", reason: "ServerTimeout", details: { retryAfterSeconds: 3 } });
  });
  const api = anApi(t, server.url, clock);

  const first = await t.throwsAsync(api.get("/things", {}, never), { instanceOf: ApiError });
  const none = await t.throwsAsync(api.get("/things", {}, never), { instanceOf: ApiError });
  const longest = await t.throwsAsync(api.get("/things", {}, never), { instanceOf: ApiError });
  const second = await t.throwsAsync(api.get("/things", {}, never), { instanceOf: ApiError });

  t.deepEqual(longest.remedy, { kind: "wait", untilMs: clock.now() + 300_000 }, "nobody sleeps for a day");
  t.deepEqual(first.remedy, { kind: "wait", untilMs: clock.now() + 7_000 });
  t.deepEqual(none.remedy, { kind: "backoff" });
  t.deepEqual(second.remedy, { kind: "wait", untilMs: clock.now() + 3_000 });
});

test("deleting what is not there is success", async (t) => {
  const server = await startScriptedServer(t, (call) => {
    call.refuse(404, "NotFound");
  });
  const api = anApi(t, server.url, systemClock);

  await t.notThrowsAsync(api.delete("/things/x", {}, never));
});

test("an error about a Secret does not repeat what the server says, nor any query", async (t) => {
  const server = await startScriptedServer(t, (call) => {
    call.answer(400, { kind: "Status", reason: "BadRequest", message: "can't decode {password: hunter2}" });
  });
  const api = anApi(t, server.url, systemClock);

  const patched = await t.throwsAsync(api.mergePatch("/api/v1/namespaces/a/secrets/s", {}, never));
  const listed = await t.throwsAsync(api.get("/api/v1/secrets", { continue: "token" }, never));

  t.is(patched.message, "[bad_request] patch /api/v1/namespaces/a/secrets/s: BadRequest");
  t.is(listed.message, "[bad_request] get /api/v1/secrets: BadRequest");
});

test("an answer that is no JSON object is malformed, one of a proxy's that is no Status still an error", async (t) => {
  const server = await startScriptedServer(t, (call, index) => {
    if (index === 0) call.answer(200, "<html>");
    else call.answer(503, "<html>", { "content-type": "text/html" });
  });
  const api = anApi(t, server.url, systemClock);

  t.true(isApiError(await t.throwsAsync(api.get("/things", {}, never)), "malformed"));
  const error = await t.throwsAsync(api.get("/things", {}, never));
  t.is(error.message, "[unavailable] get /things: HTTP status 503");
});

test("a server that is not there is unavailable, with the cause", async (t) => {
  const nowhere = new URL("http://127.0.0.1:1");

  const error = await t.throwsAsync(anApi(t, nowhere, systemClock).get("/things", {}, never), { instanceOf: ApiError });

  t.is(error.code, "unavailable");
  t.regex(error.message, /^\[unavailable\] get \/things: .*ECONNREFUSED/);
  t.true(error.cause instanceof Error);
});

for (const [state, answer] of Object.entries({
  "before its head": () => {},
  "within its body": (call: Call) => {
    call.write('{"half":');
  },
})) {
  test(`an answer that stops ${state} ends with the deadline`, async (t) => {
    const clock = new ManualClock();
    const server = await startScriptedServer(t, answer);
    const api = anApi(t, server.url, clock);
    const calling = t.throwsAsync(api.get("/things", {}, never));
    await server.call(0);

    await clock.advance(30_000);

    const error = await calling;
    t.true(isApiError(error, "timeout"));
    t.is(error?.message, "[timeout] get /things: no answer within 30000 ms");
    t.is(clock.pending, 0);
  });

  test(`cancelling an answer ${state} ends with the reason itself`, async (t) => {
    const server = await startScriptedServer(t, answer);
    const api = anApi(t, server.url, systemClock);
    const controller = new AbortController();
    const reason = new Error("not wanted any more");
    const calling = t.throwsAsync(api.get("/things", {}, controller.signal));
    await server.call(0);

    controller.abort(reason);

    t.is(await calling, reason);
  });
}

test("a body that is cut off is unavailable, not half an object", async (t) => {
  const server = await startScriptedServer(t, (call) => {
    call.write('{"half":');
    setImmediate(() => {
      call.reset();
    });
  });
  const api = anApi(t, server.url, systemClock);

  t.true(isApiError(await t.throwsAsync(api.get("/things", {}, never)), "unavailable"));
});

test("401 makes the proof anew, once for all who were refused, and the call goes through", async (t) => {
  const asked: boolean[] = [];
  const server = await startScriptedServer(t, (call) => {
    if (call.headers.authorization === "Bearer new") call.answer(200, {});
    else call.refuse(401, "Unauthorized");
  });
  const api = anApi(t, server.url, systemClock, {
    access: {
      authorize: ({ fresh }) => {
        asked.push(fresh);
        return Promise.resolve({ headers: { authorization: fresh ? "Bearer new" : "Bearer old" }, tls: {} });
      },
    },
  });

  await Promise.all(Array.from({ length: 5 }, () => api.get("/things", {}, never)));

  t.deepEqual(asked, [false, true]);
});

test("a proof that is refused twice is an error, not a loop", async (t) => {
  const server = await startScriptedServer(t, (call) => {
    call.refuse(401, "Unauthorized");
  });
  const api = anApi(t, server.url, systemClock);

  t.true(isApiError(await t.throwsAsync(api.get("/things", {}, never)), "unauthorized"));
  t.is(server.calls.length, 2);
});

test("the proof is asked for again after ten seconds, and a failure to make one says so", async (t) => {
  const clock = new ManualClock();
  const server = await startScriptedServer(t, (call) => {
    call.answer(200, {});
  });
  let asked = 0;
  const cause = new Error("plugin failed");
  const api = anApi(t, server.url, clock, {
    access: {
      authorize: () =>
        ++asked < 3 ? Promise.resolve({ headers: { x: String(asked) }, tls: {} }) : Promise.reject(cause),
    },
  });

  await api.get("/a", {}, never);
  await clock.advance(9_999);
  await api.get("/b", {}, never);
  await clock.advance(1);
  await api.get("/c", {}, never);
  await clock.advance(10_000);
  const error = await t.throwsAsync(api.get("/d", {}, never), { instanceOf: ApiError });

  t.deepEqual(
    server.calls.map(({ headers }) => headers["x"]),
    ["1", "1", "2"],
  );
  t.is(error.message, "[unauthorized] no credentials for the API server");
  t.is(error.cause, cause);
});

test("a proof that is not made in time is a timeout", async (t) => {
  const clock = new ManualClock();
  const api = anApi(t, new URL("http://127.0.0.1:1"), clock, { access: { authorize: () => new Promise(() => {}) } });
  const calling = t.throwsAsync(api.get("/things", {}, never));

  await clock.advance(30_000);

  t.true(isApiError(await calling, "timeout"));
});

for (const [name, tls] of Object.entries({
  nothing: { ca: "a" },
  "the authority": { ca: "b" },
  "the certificate": { ca: "a", cert: "c" },
  "the key": { ca: "a", key: "k" },
  "the server's name": { ca: "a", servername: "inner" },
  "the checking": { ca: "a", rejectUnauthorized: false },
})) {
  test(`when ${name} changes, connections are ${name === "nothing" ? "kept" : "made anew"}`, async (t) => {
    const clock = new ManualClock();
    const server = await startScriptedServer(t, (call) => {
      call.answer(200, {});
    });
    let asked = 0;
    const api = anApi(t, server.url, clock, {
      access: { authorize: () => Promise.resolve({ headers: {}, tls: asked++ === 0 ? { ca: "a" } : tls }) },
    });
    await api.get("/a", {}, never);

    await clock.advance(10_000);
    await api.get("/b", {}, never);

    t.is(asked, 2);
    t.is(server.connections, name === "nothing" ? 1 : 2);
  });
}

test("a kept connection that the server closed meanwhile is not noticed by a patch", async (t) => {
  let connections = 0;
  const open: Socket[] = [];
  const answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
  // Answers the first request of each connection, and resets the connection at the second.
  const server = createTcpServer((socket) => {
    connections++;
    open.push(socket);
    let requests = 0;
    socket.on("data", () => {
      if (++requests === 1) socket.write(answer);
      else socket.resetAndDestroy();
    });
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const api = anApi(t, new URL(`http://127.0.0.1:${String(port)}`), systemClock);

  await Promise.all([api.mergePatch("/things/x", {}, never), api.mergePatch("/things/y", {}, never)]);
  t.is(connections, 2);
  await api.mergePatch("/things/x", {}, never);
  t.is(connections, 3);
  // What might be done twice by it is not sent twice.
  t.true(isApiError(await t.throwsAsync(api.create("/things", {}, never)), "unavailable"));
  t.is(connections, 3);

  for (const socket of open) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

for (const whose of ["its own", "the caller's"] as const) {
  test(`after a call that reached ${whose} deadline, idle connections are not trusted any more`, async (t) => {
    const clock = new ManualClock();
    const server = await startScriptedServer(t, (call) => {
      if (call.path !== "/silent") call.answer(200, {});
    });
    const api = anApi(t, server.url, clock);
    await Promise.all([api.get("/a", {}, never), api.get("/b", {}, never)]);
    t.is(server.connections, 2);

    const deadline = new Deadline(never, whose === "its own" ? Infinity : 5_000, clock);
    const silent = t.throwsAsync(api.get("/silent", {}, deadline.signal));
    await server.call(2);
    await clock.advance(30_000);
    const error = await silent;
    await api.get("/c", {}, never);

    t.true(whose === "its own" ? isApiError(error, "timeout") : error instanceof DeadlineError);
    t.is(server.connections, 3);
  });
}

test("calls beyond the sockets wait for one, watches have their own", async (t) => {
  const server = await startScriptedServer(t, (call) => {
    if (call.isWatch) call.write({ a: 1 });
  });
  const api = anApi(t, server.url, systemClock, { maxSockets: 2 });
  const stop = new AbortController();
  const watches = Array.from({ length: 3 }, () => api.watch("/things", {}, stop.signal));
  await Promise.all(watches.map((watch) => watch.next()));
  t.is(server.connections, 3);

  const calls = Promise.all(Array.from({ length: 5 }, () => api.get("/things", {}, never)));
  for (let answered = 0; answered < 5; answered++) {
    const call = await server.call(3 + answered);
    t.true(server.connections <= 5);
    call.answer(200, {});
  }
  await calls;

  stop.abort();
});

test("a watch gives lines as they come, ends with the server, and leaves no connection behind", async (t) => {
  const server = await startScriptedServer(t, (call) => {
    call.write('{"a":1}\n{"b', '":2}\n');
    call.end();
  });
  const api = anApi(t, server.url, systemClock);

  const { signal } = new AbortController();

  const lines: string[] = [];
  for await (const line of api.watch("/things", { resourceVersion: "5" }, signal)) lines.push(line.toString());

  t.deepEqual(lines, ['{"a":1}', '{"b":2}']);
  t.deepEqual(getEventListeners(signal, "abort"), []);
  t.is(server.calls[0]?.query.toString(), "resourceVersion=5&watch=true");
});

test("a watch that is refused says why, one that is cut is unavailable, a cancelled one ends with the reason", async (t) => {
  const server = await startScriptedServer(t, (call, index) => {
    if (index === 0) call.refuse(410, "Expired");
    else call.write({ index });
    if (index === 1) setImmediate(() => call.reset());
  });
  const api = anApi(t, server.url, systemClock);
  const controller = new AbortController();
  const reason = new Error("stop");
  const read = async (signal: AbortSignal): Promise<void> => {
    for await (const _ of api.watch("/things", {}, signal)) if (server.calls.length === 3) controller.abort(reason);
  };

  t.true(isApiError(await t.throwsAsync(read(never)), "gone"));
  t.true(isApiError(await t.throwsAsync(read(never)), "unavailable"));
  t.is(await t.throwsAsync(read(controller.signal)), reason);
});

test("a watch has a deadline for its beginning only", async (t) => {
  const clock = new ManualClock();
  const server = await startScriptedServer(t, (call, index) => {
    if (index === 0) call.write({ a: 1 });
  });
  const api = anApi(t, server.url, clock);
  const watch = api.watch("/things", {}, never);
  await watch.next();
  const next = watch.next();
  await clock.advance(3_600_000);
  server.calls[0]?.write({ b: 2 });
  t.is((await next).value?.toString(), '{"b":2}');
  await watch.return();

  const silent = t.throwsAsync(api.watch("/things", {}, never).next());
  await server.call(1);
  await clock.advance(30_000);

  t.true(isApiError(await silent, "timeout"));
});

test("lines are cut at line feeds only, and whole whatever the chunks", async (t) => {
  const text = '{"a":"\u2028\u00e4\u{1f600}"}\n\n{"b":1}\nrest';
  const bytes = Buffer.from(text);
  for (let size = 1; size <= bytes.length; size++) {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size),
    );
    const lines: string[] = [];
    for await (const line of splitLines(asyncFrom(chunks))) lines.push(line.toString());

    t.deepEqual(lines, ['{"a":"\u2028\u00e4\u{1f600}"}', "", '{"b":1}']);
  }
});

test("a line without end does not fill the memory", async (t) => {
  const megabyte = Buffer.alloc(1 << 20, "x");
  let read = 0;
  async function* endless(): AsyncGenerator<Buffer> {
    for (;;) {
      read++;
      yield megabyte;
    }
  }

  await t.throwsAsync(splitLines(endless()).next(), { message: /more than 16777216 bytes/ });
  t.is(read, 17);
});

test("calls are counted by method and answer", async (t) => {
  const registry = new Registry();
  const server = await startScriptedServer(t, (call, index) => {
    if (index === 0) call.answer(200, {});
    else call.reset();
  });
  const api = anApi(t, server.url, systemClock, { registry });
  await api.get("/things", {}, never);
  await t.throwsAsync(api.create("/things", {}, never));

  const { values } = (await registry.getSingleMetric("rest_client_requests_total")?.get()) ?? { values: [] };

  t.deepEqual(
    values.map(({ labels, value }) => [labels["method"], labels["code"], value]),
    [
      ["GET", "200", 1],
      ["POST", "<error>", 1],
    ],
  );
});

test("a proxy that the access names is used", async (t) => {
  const server = await startScriptedServer(t, (call) => {
    call.answer(200, {});
  });
  const asked: string[] = [];
  const proxy = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.end("{}");
  });
  proxy.on("connect", (request, socket: Socket) => {
    asked.push(request.url ?? "");
    const { port, hostname } = server.url;
    const target = connect(Number(port), hostname, () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      target.pipe(socket).pipe(target);
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const { port } = proxy.address() as AddressInfo;
  const api = anApi(t, server.url, systemClock, {
    access: { proxyEnv: { HTTP_PROXY: `http://127.0.0.1:${String(port)}` } },
  });

  await api.get("/things", {}, never);

  t.is(asked.length, 1);
  t.true(asked[0]?.includes(server.url.host));
  proxy.closeAllConnections();
  await new Promise((resolve) => proxy.close(resolve));
});

async function* asyncFrom(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
}
