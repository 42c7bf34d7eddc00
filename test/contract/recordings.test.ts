/**
 * The comparer of `npm run test:recordings`, held by a small made-up recording: the tenant agrees with it, and every way of
 * being slightly wrong is found.
 */
import test from "ava";
import { isJsonObject, type JsonObject } from "../../src/runtime/json.ts";
import type { SimulatorRequest } from "../../src/simulator/http.ts";
import type { Exchange, Simulator } from "../../src/simulator/simulator.ts";
import type { User } from "../../src/simulator/users/user.ts";
import { parseRecording, type Interaction } from "../recordings/interaction.ts";
import { replay, type Serve } from "../recordings/replay.ts";

const DATABASE = "Username-Password-Authentication";
const LOCAL_ID = "64f0a1b2c3d4e5f60718293a";
const USER = `/api/v2/users/auth0%7C${LOCAL_ID}`;
const CREATED = "2026-08-20T10:00:00.000Z";
const UPDATED = "2026-08-20T10:00:05.000Z";
const ROLES = [
  { id: "rol_AAAAAAAAAAAAAAAA", name: "admin", description: "All of it" },
  { id: "rol_BBBBBBBBBBBBBBBB", name: "reader", description: "Some of it" },
];

const FIRST: JsonObject = {
  created_at: CREATED,
  email: "kim@example.com",
  email_verified: false,
  identities: [{ connection: DATABASE, user_id: LOCAL_ID, provider: "auth0", isSocial: false }],
  name: "kim@example.com",
  nickname: "kim",
  picture:
    "https://s.gravatar.com/avatar/669f75780c0de8df09debe82d62aa397?s=480&r=pg&d=https%3A%2F%2Fcdn.auth0.com%2Favatars%2Fki.png",
  updated_at: CREATED,
  user_id: `auth0|${LOCAL_ID}`,
  user_metadata: { plan: "pro", seats: 3 },
};
const CHANGED: JsonObject = { ...FIRST, updated_at: UPDATED, user_metadata: { plan: "free", seats: 3 } };
const GONE = { statusCode: 404, error: "Not Found", message: "The user does not exist.", errorCode: "inexistent_user" };

/** `[method, path, request body, status, answer, query]`, one call after the other. */
const CALLS: readonly (readonly [string, string, unknown, number, unknown, Readonly<Record<string, string>>?])[] = [
  [
    "POST",
    "/api/v2/users",
    {
      connection: DATABASE,
      email: "Kim@example.com",
      password: "some password",
      user_metadata: { plan: "pro", seats: 3 },
    },
    201,
    FIRST,
  ],
  ["GET", USER, null, 200, FIRST],
  ["POST", "/api/v2/roles", { name: "reader", description: "Some of it" }, 200, ROLES[1]],
  ["POST", "/api/v2/roles", { name: "admin", description: "All of it" }, 200, ROLES[0]],
  ["POST", `${USER}/roles`, { roles: ROLES.map(({ id }) => id) }, 204, null],
  ["GET", USER, null, 200, FIRST],
  ["GET", `${USER}/roles`, null, 200, { roles: ROLES, start: 0, limit: 50, total: 2 }, { include_totals: "true" }],
  ["PATCH", USER, { user_metadata: { plan: "free" } }, 200, CHANGED],
  ["GET", USER, null, 200, CHANGED],
  ["DELETE", USER, null, 204, null],
  ["GET", USER, null, 404, GONE],
];

const RECORDING = recordingOf(CALLS);

function recordingOf(calls: typeof CALLS): readonly Interaction[] {
  const lines = calls.map(([method, path, requestBody, status, responseBody, query = {}], seq) =>
    JSON.stringify({ seq, method, path, query, requestBody, status, responseBody, responseHeaders: {} }),
  );
  return parseRecording(lines.join("\n"));
}

test("a faithful tenant agrees with every call", async (t) => {
  t.deepEqual(await replay(RECORDING), { calls: CALLS.length, disagreements: [], seeded: 0, gaps: 0 });
});

/** A tenant that does what is asked and then says something else. */
function saying(change: (body: JsonObject, request: SimulatorRequest) => unknown): Serve {
  return (simulator, request) => {
    const exchange = simulator.exchange(request);
    if (exchange.kind !== "answered" || !isJsonObject(exchange.answer.body)) return exchange;
    return { ...exchange, answer: { ...exchange.answer, body: change(exchange.answer.body, request) } };
  };
}

/** A tenant in which something else happens before a call. */
function meddling(isMeant: (request: SimulatorRequest) => boolean, change: (user: User) => User): Serve {
  return (simulator: Simulator, request): Exchange => {
    const { users } = simulator.tenant;
    if (isMeant(request)) for (const user of Array.from(users.values())) users.put(change(user));
    return simulator.exchange(request);
  };
}

let drawn = 0;
const newLocalId = (): string => (drawn++).toString(16).padStart(24, "9");

const isUser = (body: JsonObject): boolean => "user_id" in body;

const MUTANTS: Readonly<Record<string, Serve>> = {
  "ids that only look right": saying((body) =>
    JSON.parse(JSON.stringify(body).replaceAll(/[0-9a-f]{24}/g, newLocalId)),
  ),
  "one id for two roles": saying((body) =>
    String(body["id"]).startsWith("rol_") ? { ...body, id: "rol_CCCCCCCCCCCCCCCC" } : body,
  ),
  "updated_at that moves with roles": meddling(
    ({ target }) => target.endsWith("/roles"),
    (user) => ({ ...user, updatedAtMs: user.updatedAtMs + 1 }),
  ),
  "updated_at that stays when it should move": saying((body) =>
    isUser(body) ? { ...body, updated_at: body["created_at"] } : body,
  ),
  "a missing key": saying(({ nickname: _nickname, ...body }) => body),
  "null for what should be absent": saying((body) => (isUser(body) ? { ...body, blocked: null } : body)),
  "metadata replaced instead of merged": meddling(
    ({ method }) => method === "PATCH",
    (user) => ({ ...user, attributes: { ...user.attributes, user_metadata: {} } }),
  ),
  "{} for metadata": saying((body) => (isUser(body) ? { ...body, user_metadata: {} } : body)),
  "roles in another order": saying((body) =>
    Array.isArray(body["roles"]) ? { ...body, roles: body["roles"].toReversed() } : body,
  ),
  "a total that is off": saying((body) => ("total" in body ? { ...body, total: 3 } : body)),
  "another gravatar": saying((body) => ({ ...body, picture: String(body["picture"]).replace("669f", "669e") })),
  "an address not lower-cased": saying((body) => (isUser(body) ? { ...body, email: "Kim@example.com" } : body)),
  "another error text": saying((body) => (body["statusCode"] === 404 ? { ...body, message: "No such user." } : body)),
  "another status": (simulator, request) => {
    const exchange = simulator.exchange(request);
    if (exchange.kind !== "answered" || exchange.answer.status !== 204) return exchange;
    return { ...exchange, answer: { status: 200 } };
  },
};

for (const [name, mutant] of Object.entries(MUTANTS)) {
  test(`is found: ${name}`, async (t) => {
    const { disagreements } = await replay(RECORDING, mutant);

    t.not(disagreements.length, 0);
  });
}

test("a disagreement names the call, the place, and both values", async (t) => {
  const { disagreements } = await replay(
    RECORDING,
    saying((body) => (isUser(body) ? { ...body, nickname: "kimmy" } : body)),
  );

  t.is(disagreements[0], '0 POST /api/v2/users: nickname: recorded "kim", simulated "kimmy"');
});

test("what was there before the file is put in place from the first sight of it", async (t) => {
  const [, read] = CALLS;
  const result = await replay(recordingOf(read ? [read, read] : []));

  t.deepEqual(result, { calls: 2, disagreements: [], seeded: 1, gaps: 0 });
});

test("a read that no call explains counts as a gap where calls are missing, and disagrees where none are", async (t) => {
  const unexplained = { ...CHANGED, nickname: "somebody else's doing" };
  const [create, read] = RECORDING.slice(0, 2);
  if (!create || !read) throw new Error("there are no such calls");
  const later = { ...read, responseBody: unexplained };

  const without = await replay([create, { ...read, seq: 1 }, { ...later, seq: 2 }]);
  const withGap = await replay([create, { ...read, seq: 1 }, { ...later, seq: 4 }]);

  t.not(without.disagreements.length, 0);
  t.deepEqual(withGap, { calls: 3, disagreements: [], seeded: 0, gaps: 1 });
});

test("a line that is no recorded call is named", (t) => {
  t.throws(() => parseRecording('{"seq":1}'), { message: "line 1 is no recorded call" });
});
