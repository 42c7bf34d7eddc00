/** What the simulator offers outside of Auth0's API: counts, edits, faults, switches; and that nothing brings it down. */
import { connect } from "node:net";
import test from "ava";
import { systemClock } from "../../src/runtime/clock.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { simulatorPart } from "../../src/simulator/start-simulator.ts";
import { eventually } from "../support/eventually.ts";
import { aRequest, HOST, InProcessSimulator } from "../support/in-process-simulator.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { silentLog } from "../support/silent-log.ts";
import { startTestSimulator, type Reply } from "../support/start-simulator.ts";

const DATABASE = "Username-Password-Authentication";
const USER = "/api/v2/users/auth0%7Ckim";
const KIM = { email: "kim@example.com", user_id: "kim", password: "some password" };

test("calls are counted by route and status, edits and controls are not, DELETE sets all to zero", async (t) => {
  const tenant = await startTestSimulator(t, { users: [KIM] });
  await tenant.api("GET", USER);
  await tenant.api("GET", "/api/v2/users/auth0%7Cnobody");
  await tenant.api("PATCH", USER, { nickname: "k" });
  await tenant.patchUser("auth0|kim", { nickname: "x" });
  await tenant.request("GET", "/nowhere");

  t.deepEqual(await tenant.calls(), {
    total: 5,
    byRoute: { "POST /oauth/token": 1, "GET /api/v2/users/{id}": 2, "PATCH /api/v2/users/{id}": 1, "GET *": 1 },
    byStatus: { "200": 3, "404": 2 },
  });
  await tenant.clearCalls();
  t.deepEqual(await tenant.calls(), { total: 0, byRoute: {}, byStatus: {} });
  t.deepEqual(await tenant.requests(), []);
});

test("requests are shown as they came, in order, but for their secrets", async (t) => {
  const tenant = await startTestSimulator(t, { users: [KIM] });
  await tenant.api("PATCH", USER, { nickname: null, user_metadata: { a: null } });
  await tenant.api("PATCH", USER, { password: "another password" });

  const [token, ...patches] = await tenant.requests();

  t.like(token, { method: "POST", path: "/oauth/token", status: 200, body: { client_secret: "*****" } });
  t.deepEqual(patches, [
    { method: "PATCH", path: USER, status: 200, body: { nickname: null, user_metadata: { a: null } } },
    { method: "PATCH", path: USER, status: 200, body: { password: "*****" } },
  ]);
});

test("a person can add, edit and delete users of any kind, past the API's rules", async (t) => {
  const tenant = await startTestSimulator(t, {
    connections: [{ name: "google", strategy: "google-oauth2" }, { name: DATABASE }],
  });
  const added = await tenant.addUser({ user_id: "google-oauth2|1", email: "Kim@Example.com", locale: "de" });

  const edited = await tenant.patchUser("google-oauth2|1", {
    nickname: "k",
    email: "new@example.com",
    password: "x",
    email_verified: true,
    locale: null,
    app_metadata: { a: 1 },
    user_id: "other",
  });

  t.like(added, {
    email: "Kim@Example.com",
    locale: "de",
    identities: [{ provider: "google-oauth2", isSocial: true }],
  });
  t.like(edited, { user_id: "google-oauth2|1", nickname: "k", email: "new@example.com", app_metadata: { a: 1 } });
  t.false("locale" in edited);
  t.deepEqual(await tenant.users(), [edited]);
  await tenant.deleteUser("google-oauth2|1");
  t.deepEqual(await tenant.users(), []);
  t.is((await tenant.request("GET", "/_simulator/users/google-oauth2%7C1")).status, 404);
});

test("whether a password is set can be asked, never which", async (t) => {
  const tenant = await startTestSimulator(t, { users: [KIM] });

  t.true(await tenant.passwordMatches("auth0|kim", "some password"));
  t.false(await tenant.passwordMatches("auth0|kim", "some passwore"));
  t.is((await tenant.request("GET", "/_simulator/passwords/auth0%7Cnobody?candidate=x")).status, 404);
});

test("a fault plan or a switch that does not exist is refused, and what held before goes on", async (t) => {
  const tenant = await startTestSimulator(t);
  const put = (path: string, body: object): Promise<Reply> => tenant.request("PUT", `/_simulator/${path}`, { body });
  const before = (await tenant.request("GET", "/_simulator/switches")).body;

  for (const [path, body] of [
    ["switches", { searchLag: 1 }],
    ["switches", { searchLagMs: -1 }],
    ["switches", { keyOrder: "random" }],
    ["faults", { rules: [{ kind: "explode" }] }],
    ["faults", { rules: [{ kind: "status" }] }],
    ["faults", { rules: [{ kind: "reset-before", rate: 2 }] }],
    ["faults", { rule: [] }],
  ] as const) {
    t.is((await put(path, body)).status, 400, JSON.stringify(body));
  }
  t.deepEqual((await tenant.request("GET", "/_simulator/switches")).body, before);
});

test("status faults answer instead of the tenant: nothing is done, a count ends them", async (t) => {
  const tenant = await startTestSimulator(t, { users: [KIM] });
  const statuses = [429, 500, 502, 503, 524];
  await tenant.token();
  await tenant.faults({
    rules: statuses.map((status) => ({ route: "PATCH /api/v2/users/{id}", kind: "status", status, count: 1 })),
  });

  const replies: Reply[] = [];
  for (let time = 0; time < 6; time++) replies.push(await tenant.api("PATCH", USER, { nickname: String(time) }));

  t.deepEqual(
    replies.map(({ status }) => status),
    [...statuses, 200],
  );
  t.like(replies[0]?.body, { errorCode: "too_many_requests" });
  t.regex(String(replies[3]?.body), /^<html>/);
  t.like(await tenant.user("auth0|kim"), { nickname: "5" });
  t.like(await tenant.calls(), { byRoute: { "PATCH /api/v2/users/{id}": 6 } });
});

test("workDone: the work is done, and another answer given", async (t) => {
  const tenant = await startTestSimulator(t, { users: [KIM] });
  await tenant.token();
  await tenant.faults({ rules: [{ kind: "status", status: 504, workDone: true, count: 1 }] });

  t.is((await tenant.api("PATCH", USER, { nickname: "done" })).status, 504);
  t.like(await tenant.user("auth0|kim"), { nickname: "done" });
});

test("reset-before does nothing, reset-after does everything, the caller sees the same", async (t) => {
  const tenant = await startTestSimulator(t);
  const body = (email: string): object => ({ connection: DATABASE, email, password: "some password" });
  await tenant.token();
  await tenant.faults({
    rules: [
      { route: "POST /api/v2/users", kind: "reset-before", count: 1 },
      { route: "POST /api/v2/users", kind: "reset-after", count: 1 },
    ],
  });

  await t.throwsAsync(tenant.api("POST", "/api/v2/users", body("before@example.com")));
  await t.throwsAsync(tenant.api("POST", "/api/v2/users", body("after@example.com")));

  t.deepEqual(
    (await tenant.users()).map((user) => user["email"]),
    ["after@example.com"],
  );
  t.like(await tenant.calls(), { byRoute: { "POST /api/v2/users": 2 }, byStatus: { reset: 2 } });
});

test("a truncated body ends in the middle, a slow one comes whole", async (t) => {
  const clock = new ManualClock();
  const tenant = await startTestSimulator(t, { clock, users: [KIM] });
  await tenant.token();
  await tenant.faults({
    rules: [
      { kind: "truncate", count: 1 },
      { kind: "slow-body", ms: 1000, count: 1 },
    ],
  });

  await t.throwsAsync(tenant.api("GET", USER));
  const slow = await settledAfter(clock, 1000, tenant.api("GET", USER));

  t.like(slow.body, { user_id: "auth0|kim" });
});

test("latency comes after the work and before the answer", async (t) => {
  const clock = new ManualClock();
  const tenant = await startTestSimulator(t, { clock, users: [KIM] });
  await tenant.token();
  await tenant.faults({ rules: [{ kind: "latency", ms: 1000, count: 1 }] });

  const reply = await settledAfter(clock, 1000, tenant.api("PATCH", USER, { nickname: "late" }));

  t.like(reply.body, { nickname: "late" });
});

/** The outcome of `promise`, time moved on as soon as the simulator waits for it. */
async function settledAfter<T>(clock: ManualClock, ms: number, promise: Promise<T>): Promise<T> {
  await eventually(
    () => {
      if (clock.pending === 0) throw new Error("the simulator does not wait yet");
    },
    { everyMs: 1 },
  );
  await clock.advance(ms);
  return promise;
}

test("a rate hits that share of calls, and the same ones for the same seed", (t) => {
  const hits = (seed: number): string => {
    const simulator = new InProcessSimulator();
    const plan = { seed, rules: [{ kind: "status", status: 500, rate: 0.3, route: "GET *" }] };
    simulator.send(aRequest("PUT", "/_simulator/faults", plan));
    const statuses = Array.from({ length: 1000 }, () => simulator.send(aRequest("GET", "/api/v2/users")).status);
    return statuses.map((status) => (status === 500 ? "x" : ".")).join("");
  };

  t.is(hits(7), hits(7));
  t.not(hits(7), hits(8));
  const share = hits(7).replaceAll(".", "").length / 1000;
  t.true(share > 0.25 && share < 0.35, String(share));
});

test("latency with a 99th percentile is drawn from a long-tailed distribution around its median", (t) => {
  const simulator = new InProcessSimulator();
  const plan = { rules: [{ kind: "latency", ms: 50, p99Ms: 400 }] };
  simulator.send(aRequest("PUT", "/_simulator/faults", plan));

  const delays = Array.from(
    { length: 2000 },
    () => simulator.simulator.exchange(aRequest("GET", "/x")).delayMs,
  ).toSorted((a, b) => a - b);

  const median = delays[1000] ?? 0;
  const p99 = delays[1980] ?? 0;
  t.true(median > 45 && median < 55, String(median));
  t.true(p99 > 300 && p99 < 520, String(p99));
});

test("a body beyond 1 MiB is 413, one just within is read", async (t) => {
  const tenant = await startTestSimulator(t, { users: [KIM] });
  const metadata = (bytes: number): object => ({ user_metadata: { a: "x".repeat(bytes) } });

  t.is((await tenant.api("PATCH", USER, metadata(1 << 20))).status, 413);
  t.is((await tenant.api("PATCH", USER, metadata((1 << 20) - 100))).status, 200);
});

test("a body nested without end is 400: it could be read and never be written again", async (t) => {
  const tenant = await startTestSimulator(t, { users: [KIM] });
  const nested = (depth: number): object => ({
    user_metadata: { a: JSON.parse("[".repeat(depth) + "]".repeat(depth)) },
  });

  t.is((await tenant.api("PATCH", USER, nested(400))).status, 200);
  const headers = { authorization: `Bearer ${await tenant.token()}`, "content-type": "application/json" };
  const body = `{"user_metadata":{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}}`;
  t.is((await tenant.request("PATCH", USER, { headers, body })).status, 400);
  t.is((await tenant.users()).length, 1);
});

test("what is no JSON is 400, another content type 415, an unknown path 404", async (t) => {
  const tenant = await startTestSimulator(t, { users: [KIM] });
  const authorization = `Bearer ${await tenant.token()}`;
  const send = async (path: string, type: string, body: string): Promise<number> =>
    (await tenant.request("PATCH", path, { headers: { authorization, "content-type": type }, body })).status;

  t.is(await send(USER, "application/json", "{"), 400);
  t.is(await send(USER, "application/json", "[]"), 400);
  t.is(await send(USER, "text/plain", "{}"), 415);
  t.is(await send("/api/v2/nothing", "application/json", "{}"), 404);
  t.is((await tenant.api("GET", "/api/v2/users/%E0%A4%A")).status, 400);
});

test("what is no HTTP is answered 400, and the simulator lives on", async (t) => {
  const tenant = await startTestSimulator(t);
  const { hostname, port } = new URL(tenant.url);

  const answer = await new Promise<string>((resolve, reject) => {
    let text = "";
    const socket = connect(Number(port), hostname, () => socket.write("NONSENSE\r\n\r\n"));
    socket.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    socket.on("close", () => {
      resolve(text);
    });
    socket.on("error", reject);
  });

  t.regex(answer, /^HTTP\/1\.1 400 /);
  t.is((await tenant.request("GET", "/_simulator/calls")).status, 200);
});

test("as a part of the program it listens until it is told to stop", async (t) => {
  const controller = new AbortController();
  const listening = Promise.withResolvers<string>();
  const part = simulatorPart({ clock: systemClock, random: systemRandom, log: silentLog }, ({ url }) => {
    listening.resolve(url);
  });
  const running = part.run(controller.signal);
  const url = await listening.promise;
  t.is((await fetch(`${url}/_simulator/calls`)).status, 200);

  controller.abort();
  await running;

  await t.throwsAsync(fetch(`${url}/_simulator/calls`));
});

test("the tenant goes by the Host of the request, and a token works only there", (t) => {
  const simulator = new InProcessSimulator({ users: [KIM] });
  const token = simulator.token();
  const get = (host: string): number =>
    simulator.send({ ...aRequest("GET", USER), headers: { host, authorization: `Bearer ${token}` } }).status;

  t.is(get(HOST), 200);
  t.is(get("other.example"), 401);
});

test("a page of another origin may not give orders, the simulator's own may", async (t) => {
  const tenant = await startTestSimulator(t, { users: [KIM] });
  const drop = (origin: string): Promise<Reply> =>
    tenant.request("DELETE", "/_simulator/users/auth0%7Ckim", { headers: { origin } });

  t.is((await drop("https://evil.example")).status, 403);
  t.is((await tenant.users()).length, 1);
  t.is((await drop(tenant.url)).status, 204);
});

test("the page is served, and may load nothing from elsewhere", async (t) => {
  const tenant = await startTestSimulator(t);

  const page = await tenant.request("GET", "/");

  t.is(page.status, 200);
  t.is(page.headers.get("content-type"), "text/html; charset=utf-8");
  t.regex(page.headers.get("content-security-policy") ?? "", /default-src 'none'; script-src 'self'/);
  for (const [, file = ""] of String(page.body).matchAll(/(?:href|src)="(\/_simulator\/page[^"]*)"/g)) {
    t.is((await tenant.request("GET", file)).status, 200, file);
  }
  t.deepEqual(await tenant.calls(), { total: 0, byRoute: {}, byStatus: {} });
});

test("what goes on is told since the last answer: calls, events, buckets", async (t) => {
  const tenant = await startTestSimulator(t, { users: [KIM], plan: "self-service" });
  const live = async (query = ""): Promise<Record<string, unknown>> =>
    (await tenant.request("GET", `/_simulator/live${query}`)).body as Record<string, unknown>;
  await tenant.api("PATCH", USER, { nickname: "k" });

  const first = await live();
  const { total, happened } = first;
  const second = await live(`?calls=${String(total)}&events=${String(happened)}`);

  t.like(first, { users: 1, followers: 0, faults: { seed: 1, rules: [] } });
  t.like((first["calls"] as object[]).at(-1), { number: 1, method: "PATCH", path: USER, status: 200 });
  t.like((first["events"] as object[]).at(-1), { type: "user.updated", subject: "auth0|kim" });
  t.true((first["quota"] as { name: string }[]).some(({ name }) => name === "writeUsers"));
  t.deepEqual([second["calls"], second["events"]], [[], []]);
});

test("users are searched by text in id and attributes, the newest first, and counted", async (t) => {
  const tenant = await startTestSimulator(t, {
    users: [KIM, { email: "max@example.com" }, { email: "maxine@b.example" }],
  });

  const found = await tenant.request("GET", "/_simulator/users?search=MAX&limit=1");

  t.like(found.body, [{ email: "maxine@b.example" }]);
  t.is(found.headers.get("x-total-count"), "2");
});
