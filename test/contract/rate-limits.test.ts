/** Rate limits by plan. [rec] is a recorded fact, [doc] a documented or reported one. Time stands still unless moved. */
import test from "ava";
import { ManualClock } from "../support/manual-clock.ts";
import { startTestSimulator, type Reply, type TestSimulator } from "../support/start-simulator.ts";

const USER = "/api/v2/users/auth0%7Ckim";
const START_SECONDS = Date.UTC(2026, 0, 1) / 1000;

function limits(reply: Reply): (number | null)[] {
  return ["limit", "remaining", "reset"].map((name) => {
    const value = reply.headers.get(`x-ratelimit-${name}`);
    return value === null ? null : Number(value);
  });
}

async function getTimes(tenant: TestSimulator, times: number): Promise<Reply[]> {
  const replies: Reply[] = [];
  for (let time = 0; time < times; time++) replies.push(await tenant.api("GET", USER));
  return replies;
}

test("without a plan nothing is limited and no header speaks of limits", async (t) => {
  const tenant = await startTestSimulator(t, { users: [{ email: "kim@example.com", user_id: "kim" }] });

  const replies = await getTimes(tenant, 100);

  t.true(replies.every(({ status }) => status === 200));
  t.deepEqual(limits(replies[0] as Reply), [null, null, null]);
});

test("2xx tell limit, remaining, and the second in which the bucket is full again [rec]", async (t) => {
  const clock = new ManualClock();
  const tenant = await startTestSimulator(t, {
    clock,
    plan: "enterprise-non-production",
    users: [{ email: "kim@example.com", user_id: "kim" }],
  });

  const replies = await getTimes(tenant, 10);

  t.deepEqual(
    replies.map((reply) => limits(reply).slice(0, 2)),
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0].map((remaining) => [10, remaining]),
  );
  const afterSeconds = replies.map((reply) => Number(limits(reply)[2]) - START_SECONDS);
  t.deepEqual(afterSeconds, [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
});

test("2xx of every kind have the headers: 200, 201 and 204 [rec]", async (t) => {
  const tenant = await startTestSimulator(t, { clock: new ManualClock(), plan: "enterprise" });
  const user = { connection: "Username-Password-Authentication", email: "lee@example.com", password: "some password" };

  const created = await tenant.api("POST", "/api/v2/users", { ...user, user_id: "lee" });
  const changed = await tenant.api("PATCH", "/api/v2/users/auth0%7Clee", { nickname: "l" });
  const deleted = await tenant.api("DELETE", "/api/v2/users/auth0%7Clee");

  const replies = [created, changed, deleted];
  t.deepEqual(
    replies.map(({ status }) => status),
    [201, 200, 204],
  );
  t.deepEqual(
    replies.map((reply) => limits(reply).slice(0, 2)),
    [49, 48, 47].map((remaining) => [50, remaining]),
  );
});

for (const { plan, calls, remaining, afterSeconds } of [
  { plan: "enterprise-non-production", calls: 1, remaining: 9, afterSeconds: 1 },
  { plan: "enterprise-non-production", calls: 5, remaining: 5, afterSeconds: 3 },
  { plan: "enterprise-non-production", calls: 10, remaining: 0, afterSeconds: 6 },
  { plan: "enterprise", calls: 1, remaining: 49, afterSeconds: 1 },
  { plan: "enterprise", calls: 16, remaining: 34, afterSeconds: 1 },
] as const) {
  test(`${plan}: with ${String(remaining)} remaining, reset is ${String(afterSeconds)} s ahead [rec]`, async (t) => {
    const clock = new ManualClock();
    const tenant = await startTestSimulator(t, {
      clock,
      plan,
      users: [{ email: "kim@example.com", user_id: "kim" }],
    });
    await clock.advance(plan === "enterprise" ? 0 : 100);

    const last = (await getTimes(tenant, calls)).at(-1);

    t.deepEqual(limits(last as Reply).slice(1), [remaining, START_SECONDS + afterSeconds]);
  });
}

test("the bucket refills evenly: one call after 1/rate, all after reset [doc]", async (t) => {
  const clock = new ManualClock();
  const tenant = await startTestSimulator(t, {
    clock,
    plan: "free",
    users: [{ email: "kim@example.com", user_id: "kim" }],
  });
  const statuses = async (times: number): Promise<number[]> =>
    (await getTimes(tenant, times)).map(({ status }) => status);

  t.deepEqual(await statuses(3), [200, 200, 429]);
  await clock.advance(500);
  t.deepEqual(await statuses(2), [200, 429]);
  await clock.advance(1000);
  t.deepEqual(await statuses(3), [200, 200, 429]);
});

test("429 has the recorded body and the headers, and Retry-After by switch only [rec, doc]", async (t) => {
  const clock = new ManualClock();
  const tenant = await startTestSimulator(t, { clock, plan: "free" });
  await getTimes(tenant, 2);

  const plain = await tenant.api("GET", USER);
  await tenant.switches({ retryAfterOn429: true });
  const hinted = await tenant.api("GET", USER);

  t.is(plain.status, 429);
  t.deepEqual(plain.body, {
    statusCode: 429,
    error: "Too Many Requests",
    message: "Global limit has been reached",
    errorCode: "too_many_requests",
  });
  t.deepEqual(limits(plain), [2, 0, START_SECONDS + 1]);
  t.is(plain.headers.get("retry-after"), null);
  t.is(hinted.headers.get("retry-after"), "1");
});

test("400, 401, 403 and 404 have no rate-limit headers, but count; by switch they have them [rec]", async (t) => {
  const tenant = await startTestSimulator(t, { clock: new ManualClock(), plan: "enterprise" });
  const refused = async (): Promise<Reply[]> => [
    await tenant.api("GET", USER),
    await tenant.api("GET", "/api/v2/users/nobody"),
    await tenant.request("GET", USER),
  ];

  for (const reply of await refused()) t.deepEqual(limits(reply), [null, null, null]);
  await tenant.switches({ rateLimitHeadersOn4xx: true });
  const [absent, malformed, unauthenticated] = await refused();

  t.deepEqual(limits(absent as Reply).slice(0, 2), [50, 47]);
  t.deepEqual(limits(malformed as Reply).slice(0, 2), [50, 46]);
  t.deepEqual(limits(unauthenticated as Reply), [null, null, null]);
});

test("self-service plans limit each group of endpoints for itself [doc]", async (t) => {
  const tenant = await startTestSimulator(t, {
    clock: new ManualClock(),
    plan: "self-service",
    users: [{ email: "kim@example.com", user_id: "kim" }],
  });

  const read = limits(await tenant.api("GET", USER));
  const searched = limits(await tenant.api("GET", "/api/v2/users"));
  const written = limits(await tenant.api("PATCH", USER, { nickname: "k" }));
  const connections = await Promise.all(Array.from({ length: 6 }, () => tenant.api("GET", "/api/v2/connections")));
  const deleted = limits(await tenant.api("DELETE", USER));

  t.deepEqual(read.slice(0, 2), [40, 39]);
  t.deepEqual(searched.slice(0, 2), [40, 38]);
  t.deepEqual(written.slice(0, 2), [20, 19]);
  t.deepEqual(deleted.slice(0, 2), [20, 19]);
  t.is(connections.filter(({ status }) => status === 200).length, 5);
  t.deepEqual(connections.find(({ status }) => status === 429)?.body, {
    statusCode: 429,
    error: "Too Many Requests",
    message: "Endpoint limit has been reached",
    errorCode: "too_many_requests",
  });
});

test("tokens have a limit of their own [doc]", async (t) => {
  const tenant = await startTestSimulator(t, { clock: new ManualClock(), plan: "self-service" });
  const ask = (): Promise<Reply> => tenant.request("POST", "/oauth/token", { body: { grant_type: "x" } });

  const replies = await Promise.all(Array.from({ length: 26 }, ask));

  const refused = replies.filter(({ status }) => status === 429);
  t.is(refused.length, 1);
  t.deepEqual(refused[0]?.body, { error: "too_many_requests", error_description: "Global limit has been reached" });
});

test("a tenant whose clock is ahead says so in Date, and counts its resets from there", async (t) => {
  const tenant = await startTestSimulator(t, {
    clock: new ManualClock(),
    plan: "enterprise",
    switches: { clockSkewMs: 90_000 },
    users: [{ email: "kim@example.com", user_id: "kim" }],
  });

  const reply = await tenant.api("GET", USER);

  t.is(Date.parse(reply.headers.get("date") ?? "") / 1000, START_SECONDS + 90);
  t.is(limits(reply)[2], START_SECONDS + 91);
});
