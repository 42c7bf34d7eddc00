/** The event feed, fact by fact: `GET /api/v2/events`. */
import { Ajv } from "ajv";
import test, { type ExecutionContext } from "ava";
import { eventually } from "../support/eventually.ts";
import { FeedReader } from "../support/feed-reader.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { startTestSimulator, type TestSimulator, type TestSimulatorOptions } from "../support/start-simulator.ts";
import { userEventSchema } from "../support/user-event-schema.ts";

const KIM = { connection: "Username-Password-Authentication", email: "kim@example.com", password: "one two three" };
const KIM_ID = "auth0|kim";
const KIM_PATH = "/api/v2/users/auth0%7Ckim";

/** A tenant with a user, and a feed that has seen nothing yet. */
async function open(
  t: ExecutionContext,
  query = "",
  options: TestSimulatorOptions = {},
): Promise<{ tenant: TestSimulator; feed: FeedReader }> {
  const tenant = await startTestSimulator(t, { users: [{ ...KIM, user_id: "kim" }], ...options });
  return { tenant, feed: await FeedReader.open(t, tenant, query) };
}

test("a stream is text/event-stream, its head comes before any event, with rate limits on it [doc]", async (t) => {
  const { feed, tenant } = await open(t, "", { plan: "free" });

  t.is(feed.response.status, 200);
  t.is(feed.response.headers.get("content-type"), "text/event-stream");
  t.is(feed.response.headers.get("x-ratelimit-limit"), "2");
  await tenant.patchUser(KIM_ID, { nickname: "k" });
  await feed.events(1);
  t.deepEqual(feed.asides, [":connected", "retry: 2000"]);
});

test("creations, updates and deletions by the API come as their events, in the catalog's shape [oas]", async (t) => {
  const { tenant, feed } = await open(t, "", { domain: "acme.eu.auth0.com" });
  const created = await tenant.api("POST", "/api/v2/users", { ...KIM, email: "lee@example.com", username: "lee" });
  const updated = await tenant.api("PATCH", KIM_PATH, { nickname: "k", user_metadata: { a: 1 } });
  await tenant.api("DELETE", KIM_PATH);

  const messages = await feed.events(3);

  t.deepEqual(
    messages.map(({ event }) => event),
    ["user.created", "user.updated", "user.deleted"],
  );
  const [first, second, third] = messages.map(({ data }) => data.event.data.object);
  t.deepEqual(first, created.body);
  t.deepEqual(second, updated.body);
  t.like(third, { user_id: KIM_ID, nickname: "k" });
  for (const { event, id, data } of messages) {
    t.deepEqual(Object.keys(data), ["offset", "event"]);
    t.is(id, data.offset);
    const ajv = new Ajv({ allowUnionTypes: true });
    t.true(ajv.validate(userEventSchema(event), data.event), ajv.errorsText());
    t.is(data.event.source, "urn:auth0:acme.eu.auth0.com");
    t.is(data.event.a0tenant, "acme");
  }
  t.is(new Set(messages.map(({ data }) => data.event.id)).size, 3);
});

test("what a person does in the dashboard is announced as well", async (t) => {
  const { tenant, feed } = await open(t);
  await tenant.addUser({ ...KIM, email: "lee@example.com" });
  await tenant.patchUser(KIM_ID, { blocked: true });
  await tenant.deleteUser(KIM_ID);

  t.deepEqual(
    (await feed.events(3)).map(({ event }) => event),
    ["user.created", "user.updated", "user.deleted"],
  );
});

test("a user who is linked into another is deleted, and the other updated [doc]", async (t) => {
  const { tenant, feed } = await open(t);
  await tenant.addUser({ ...KIM, email: "lee@example.com", user_id: "lee" });
  await tenant.api("POST", `${KIM_PATH}/identities`, { provider: "auth0", user_id: "lee" });

  const [, ...linked] = await feed.events(3);

  t.deepEqual(
    linked.map(({ event, data }) => [event, data.event.data.object["user_id"]]),
    [
      ["user.deleted", "auth0|lee"],
      ["user.updated", KIM_ID],
    ],
  );
});

test("a refused call is no event", async (t) => {
  const { tenant, feed } = await open(t);
  await tenant.api("POST", "/api/v2/users", { ...KIM });
  await tenant.api("PATCH", KIM_PATH, { email: 1 });
  await tenant.api("DELETE", "/api/v2/users/auth0%7Cnobody");
  await tenant.api("PATCH", KIM_PATH, { nickname: "k" });

  const [only] = await feed.events(1);

  t.is(only?.event, "user.updated");
});

test("event_type chooses, repeated or with commas; an unknown one is 400 [oas]", async (t) => {
  const { tenant, feed } = await open(t, "?event_type=user.created&event_type=user.deleted");
  const both = await FeedReader.open(t, tenant, "?event_type=user.created,user.deleted");
  const wrong = await FeedReader.open(t, tenant, "?event_type=user.renamed");
  await tenant.patchUser(KIM_ID, { nickname: "k" });
  await tenant.deleteUser(KIM_ID);

  t.is((await feed.events(1))[0]?.event, "user.deleted");
  t.is((await both.events(1))[0]?.event, "user.deleted");
  t.is(wrong.response.status, 400);
});

test("without a cursor the feed begins with what comes next [oas]", async (t) => {
  const { tenant } = await open(t);
  await tenant.patchUser(KIM_ID, { nickname: "before" });

  const feed = await FeedReader.open(t, tenant);
  await tenant.patchUser(KIM_ID, { nickname: "after" });

  t.is((await feed.events(1))[0]?.data.event.data.object["nickname"], "after");
});

test("from and Last-Event-ID resume after the event whose cursor they are; the header outweighs [doc]", async (t) => {
  const { tenant, feed } = await open(t);
  for (const nickname of ["one", "two", "three"]) await tenant.patchUser(KIM_ID, { nickname });
  const [one, two] = (await feed.events(2)).map(({ id }) => id ?? "");

  const byQuery = await FeedReader.open(t, tenant, `?from=${String(one)}`);
  const byHeader = await FeedReader.open(t, tenant, `?from=${String(one)}`, { "last-event-id": String(two) });

  t.is((await byQuery.events(1))[0]?.data.event.data.object["nickname"], "two");
  t.is((await byHeader.events(1))[0]?.data.event.data.object["nickname"], "three");
});

test("from_timestamp begins with what happened then, and does not go with from [oas, doc]", async (t) => {
  const clock = new ManualClock();
  const { tenant, feed } = await open(t, "", { clock });
  await tenant.patchUser(KIM_ID, { nickname: "one" });
  const [one] = await feed.events(1);
  await clock.advance(10_000);
  await tenant.patchUser(KIM_ID, { nickname: "two" });
  const timestamp = new Date(clock.now() - 5000).toISOString().replace(".000", "");

  const later = await FeedReader.open(t, tenant, `?from_timestamp=${timestamp}`);
  const both = await FeedReader.open(t, tenant, `?from_timestamp=${timestamp}&from=${String(one?.id)}`);
  const wrong = await FeedReader.open(t, tenant, "?from_timestamp=yesterday");

  t.is((await later.events(1))[0]?.data.event.data.object["nickname"], "two");
  t.is(both.response.status, 400);
  t.is(wrong.response.status, 400);
});

test("a made-up cursor is 400, one that the feed cannot go back to is 410 [oas]", async (t) => {
  const { tenant, feed } = await open(t);
  await tenant.patchUser(KIM_ID, { nickname: "one" });
  const [one] = await feed.events(1);
  await tenant.patchUser(KIM_ID, { nickname: "two" });
  await tenant.switches({ feedRetention: 0 });

  const expired = await tenant.api("GET", `/api/v2/events?from=${String(one?.id)}`);
  const madeUp = await tenant.api("GET", "/api/v2/events?from=made-up");

  t.is(expired.status, 410);
  t.like(expired.body, { error: "Gone", message: "Cursor points to data no longer available in the stream." });
  t.is(madeUp.status, 400);
  t.like(madeUp.body, { error: "Bad Request", message: "Invalid cursor format." });
});

test("a cursor of the tenant that was before an import is expired, and open streams are told so", async (t) => {
  const { tenant, feed } = await open(t);
  await tenant.patchUser(KIM_ID, { nickname: "one" });
  const [one] = await feed.events(1);

  const { body } = await tenant.request("GET", "/_simulator/state");
  await tenant.request("PUT", "/_simulator/state", { body });

  t.is((await feed.next())?.data.error?.code, "cursor_expired");
  t.is(await feed.next(), undefined);
  t.is((await FeedReader.open(t, tenant, `?from=${String(one?.id)}`)).response.status, 410);
});

test("an idle stream beats, and moves the cursor over what it does not show [doc]", async (t) => {
  const clock = new ManualClock();
  const { tenant, feed } = await open(t, "?event_type=user.deleted", { clock });
  await tenant.patchUser(KIM_ID, { nickname: "one" });
  await clock.advance(15_000);

  const beat = await feed.next();

  t.is(beat?.event, "offset-only");
  t.deepEqual(Object.keys(beat?.data ?? {}), ["offset"]);
  t.true(feed.asides.includes(": heartbeat"));
  const resumed = await FeedReader.open(t, tenant, `?from=${String(beat?.id)}`);
  await tenant.patchUser(KIM_ID, { nickname: "two" });
  t.is((await resumed.events(1))[0]?.data.event.data.object["nickname"], "two");
});

test("a stream is closed after some minutes [doc]", async (t) => {
  const clock = new ManualClock();
  const { feed } = await open(t, "", { clock, switches: { feedHeartbeatMs: 3_600_000 } });
  await clock.advance(300_000);

  t.is(await feed.next(), undefined);
});

test("a stream ends with the token that it was opened with [doc]", async (t) => {
  const clock = new ManualClock();
  const { feed } = await open(t, "", { clock, switches: { tokenLifetimeSeconds: 60, feedHeartbeatMs: 3_600_000 } });
  await clock.advance(60_000);

  t.is(await feed.next(), undefined);
});

for (const [plan, most] of [
  ["free", 1],
  ["self-service", 4],
  ["enterprise", 8],
] as const) {
  test(`${plan} allows ${String(most)} streams at once; one more is 403, until one is closed [doc]`, async (t) => {
    const tenant = await startTestSimulator(t, { plan });
    const closing = new AbortController();
    const opening = { headers: { authorization: `Bearer ${await tenant.token()}` }, signal: closing.signal };
    const ask = (): Promise<Response> => fetch(`${tenant.url}/api/v2/events`, opening);
    const streams: Response[] = [];
    const refused = await eventually(async () => {
      const response = await ask();
      if (response.status !== 429) streams.push(response);
      if (response.status !== 403) throw new Error(String(response.status));
      return response;
    });

    t.deepEqual(
      streams.map(({ status }) => status),
      [...Array.from({ length: most }, () => 200), 403],
    );
    t.regex(await refused.text(), /Maximum concurrent event stream connections reached/);
    closing.abort();
    await eventually(async () => {
      if ((await FeedReader.open(t, tenant)).response.status !== 200) throw new Error("still refused");
    });
  });
}

test("without read:events it is 403 [oas]", async (t) => {
  const tenant = await startTestSimulator(t);
  await tenant.editClient({ scopes: ["read:users"] });

  const reply = await tenant.api("GET", "/api/v2/events");

  t.is(reply.status, 403);
  t.like(reply.body, { errorCode: "insufficient_scope", message: "Insufficient scope, expected any of: read:events" });
});

test("HEAD is answered, and holds no stream open", async (t) => {
  const tenant = await startTestSimulator(t, { plan: "free" });
  const headers = { authorization: `Bearer ${await tenant.token()}` };

  t.is((await fetch(`${tenant.url}/api/v2/events`, { method: "HEAD", headers })).status, 200);
  t.is((await FeedReader.open(t, tenant)).response.status, 200);
});

test("a reader that does not read costs no more memory than its socket, and is sent all when it reads", async (t) => {
  const { tenant, feed } = await open(t);
  const name = "x".repeat(100_000);
  const count = 100;
  for (let index = 0; index < count; index++) {
    await tenant.patchUser(KIM_ID, { user_metadata: { name, index } });
  }

  const events = await feed.events(count);

  const indices = events.map(({ data }) => (data.event.data.object["user_metadata"] as { index: number }).index);
  t.deepEqual(
    indices,
    Array.from({ length: count }, (_, index) => index),
  );
});

test("a gap in a fault plan swallows events", async (t) => {
  const { tenant, feed } = await open(t);
  await tenant.faults({ rules: [{ kind: "feed-gap", event: "user.updated", count: 1 }] });
  await tenant.patchUser(KIM_ID, { nickname: "lost" });
  await tenant.patchUser(KIM_ID, { nickname: "told" });

  t.is((await feed.events(1))[0]?.data.event.data.object["nickname"], "told");
});

test("a duplicate comes twice, with the same id of the event", async (t) => {
  const { tenant, feed } = await open(t);
  await tenant.faults({ rules: [{ kind: "feed-duplicate", count: 1 }] });
  await tenant.patchUser(KIM_ID, { nickname: "twice" });

  const [first, second] = await feed.events(2);

  t.is(first?.data.event.id, second?.data.event.id);
  t.not(first?.id, second?.id);
});

test("a late event comes after those that happened since", async (t) => {
  const clock = new ManualClock();
  const { tenant, feed } = await open(t, "", { clock });
  await tenant.faults({ rules: [{ kind: "feed-late", ms: 5000, count: 1 }] });
  await tenant.patchUser(KIM_ID, { nickname: "first" });
  await tenant.patchUser(KIM_ID, { nickname: "second" });
  await clock.advance(5000);

  t.deepEqual(
    (await feed.events(2)).map(({ data }) => data.event.data.object["nickname"]),
    ["second", "first"],
  );
});

test("a break resets the connection at an event, which a cursor brings back", async (t) => {
  const { tenant, feed } = await open(t);
  await tenant.patchUser(KIM_ID, { nickname: "one" });
  const [one] = await feed.events(1);
  await tenant.faults({ rules: [{ kind: "feed-break", count: 1 }] });
  await tenant.patchUser(KIM_ID, { nickname: "two" });

  await t.throwsAsync(feed.next());
  const resumed = await FeedReader.open(t, tenant, `?from=${String(one?.id)}`);

  t.is((await resumed.events(1))[0]?.data.event.data.object["nickname"], "two");
});
