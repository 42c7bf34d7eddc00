/** Laws of the simulator that hold for any request. `FC_SEED` repeats a run. */
import { randomInt } from "node:crypto";
import process from "node:process";
import test from "ava";
import * as fc from "fast-check";
import type { SimulatorRequest } from "../../src/simulator/http.ts";
import { HOST, InProcessSimulator } from "../support/in-process-simulator.ts";

const DATABASE = "Username-Password-Authentication";
const USER = "/api/v2/users/auth0%7Ckim";

/** Every status that any request at all may get while no fault is asked for. */
const STATUSES = new Set([200, 201, 204, 400, 401, 403, 404, 409, 410, 413, 414, 415]);

test("any request at all gets a proper answer, and nothing of the inside leaves", (t) => {
  const simulator = new InProcessSimulator({ users: [{ email: "kim@example.com", user_id: "kim" }] });
  const seed = Number(process.env["FC_SEED"] ?? randomInt(2 ** 31));
  t.log(`seed ${String(seed)}`);

  fc.assert(
    fc.property(anyRequest(simulator.token()), (request) => {
      const { status, body } = simulator.send(request);
      return STATUSES.has(status) && !/\bat .*\.ts:\d+/.test(JSON.stringify(body ?? null));
    }),
    { numRuns: 10_000, seed },
  );
  t.deepEqual(simulator.bugs, []);
});

const ROUTES = [
  ["POST", "/api/v2/users"],
  ["PATCH", USER],
  ["GET", USER],
  ["GET", "/api/v2/users"],
  ["GET", "/api/v2/users-by-email"],
  ["DELETE", "/api/v2/users/auth0%7Cgone"],
  ["POST", `${USER}/identities`],
  ["DELETE", `${USER}/identities/auth0/x`],
  ["GET", "/api/v2/connections"],
  ["GET", "/api/v2/events"],
  ["POST", "/oauth/token"],
] as const;

/** Hostile in every part, and often near enough to what is served to get deep. */
function anyRequest(token: string): fc.Arbitrary<SimulatorRequest> {
  const served = fc
    .tuple(fc.constantFrom(...ROUTES), anyQuery)
    .map(([[method, path], query]) => ({ method, target: `${path}?${query}` }));
  const wild = fc.record({
    method: fc.constantFrom("GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS"),
    target: fc.oneof(anyPath, fc.string()),
  });
  const headers = fc.record({
    host: fc.constant(HOST),
    authorization: fc.oneof(
      { weight: 20, arbitrary: fc.constant(`Bearer ${token}`) },
      { weight: 1, arbitrary: fc.string() },
      { weight: 1, arbitrary: fc.constantFrom("Bearer ..", "Bearer a.b.c", "Basic x", `Bearer ${token.slice(0, -2)}`) },
    ),
    "content-type": fc.oneof(
      { weight: 20, arbitrary: fc.constant("application/json") },
      { weight: 1, arbitrary: fc.constantFrom("application/x-www-form-urlencoded", "text/plain", "") },
    ),
  });
  return fc
    .tuple(fc.oneof({ weight: 4, arbitrary: served }, { weight: 1, arbitrary: wild }), headers, anyBody)
    .map(([line, named, body]) => ({ ...line, headers: named, body: Buffer.from(body) }));
}

const anyValue = fc.oneof(
  fc.constantFrom<unknown>(
    DATABASE,
    "sms",
    "kim@example.com",
    "a@b.example",
    "kim",
    "auth0|kim",
    "+44",
    null,
    "",
    {},
    true,
  ),
  fc.jsonValue({ maxDepth: 3 }),
  fc.string({ unit: "binary", maxLength: 400 }),
);

const anyMember = fc.tuple(
  fc.constantFrom(
    ...(
      "connection email password username user_id phone_number name nickname picture user_metadata app_metadata blocked " +
      "email_verified grant_type client_id audience provider connection_id link_with __proto__ constructor toString"
    ).split(" "),
  ),
  anyValue,
);

/** The members of a body that is valid for a create, or for an update. */
const anyValidBody: fc.Arbitrary<readonly (readonly [string, unknown])[]> = fc.oneof(
  fc
    .nat()
    .map((index) => [
      ["connection", DATABASE] as const,
      ["email", `user-${String(index)}@example.com`] as const,
      ["password", "some password"] as const,
    ]),
  fc.constant([["nickname", "kim"] as const]),
);

const TOO_LONG = " ".repeat((1 << 20) + 1);

/** Written by hand, so that names may come twice and `__proto__` is one like any other. */
const anyBody = fc.oneof(
  {
    weight: 300,
    arbitrary: fc
      .tuple(anyValidBody, fc.array(anyMember, { maxLength: 3 }))
      .map(([valid, more]) => `{${[...valid, ...more].map(asMember).join()}}`),
  },
  { weight: 30, arbitrary: fc.json() },
  { weight: 30, arbitrary: fc.string({ unit: "binary" }) },
  { weight: 1, arbitrary: fc.constant(TOO_LONG) },
);

function asMember([name, value]: readonly [string, unknown]): string {
  return `${JSON.stringify(name)}:${JSON.stringify(value)}`;
}

const anyPath = fc
  .array(
    fc.oneof(
      fc.constantFrom("api", "v2", "users", "users-by-email", "connections", "identities", "auth0", "auth0%7Ckim"),
      fc.constantFrom("%", "%00", "..", "%2F", "%E0%A4%A", "__proto__", "auth0|x"),
      fc.string({ maxLength: 20 }),
    ),
    { maxLength: 8 },
  )
  .map((segments) => `/${segments.join("/")}`);

const anyQueryText = fc
  .array(
    fc.constantFrom("(", ")", '"', ":", "user_id", "name", "*", "AND", "OR", "NOT", "[1 TO", "]", "\\", " ", "-"),
    {
      maxLength: 60,
    },
  )
  .map((parts) => parts.join(""));

const anyQuery = fc
  .array(
    fc.tuple(
      fc.constantFrom(
        "q",
        "page",
        "per_page",
        "sort",
        "fields",
        "include_totals",
        "email",
        "search_engine",
        "strategy[0]",
        "from",
        "from_timestamp",
        "event_type",
      ),
      fc.oneof(anyQueryText, fc.string({ maxLength: 60 }), fc.nat(200).map(String)),
    ),
    { maxLength: 2 },
  )
  .map((pairs) => new URLSearchParams(pairs).toString());
