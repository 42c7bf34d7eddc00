/** Laws of the simulator that hold for any request. `FC_SEED` repeats a run. */
import { randomInt } from "node:crypto";
import { connect } from "node:net";
import process from "node:process";
import test from "ava";
import * as fc from "fast-check";
import { CONTROL_ENDPOINTS } from "../../src/simulator/control/control-endpoints.ts";
import { API_ENDPOINTS, AUTHENTICATION_ENDPOINTS } from "../../src/simulator/endpoints.ts";
import { STATE_PATH, type SimulatorRequest } from "../../src/simulator/http.ts";
import { HOST, InProcessSimulator } from "../support/in-process-simulator.ts";
import { startTestSimulator } from "../support/start-simulator.ts";
import { STATUSES } from "../support/statuses.ts";

const DATABASE = "Username-Password-Authentication";

test("any request at all gets a proper answer, and nothing of the inside leaves", (t) => {
  const simulator = new InProcessSimulator({ users: [{ email: "kim@example.com", user_id: "kim" }] });
  const seed = Number(process.env["FC_SEED"] ?? randomInt(2 ** 31));
  t.log(`seed ${String(seed)}`);

  fc.assert(
    fc.property(anyRequest(simulator.token()), (request) => {
      const { status, body } = simulator.send(request);
      return STATUSES[status] !== undefined && !/\bat .*\.ts:\d+/.test(JSON.stringify(body ?? null));
    }),
    { numRuns: 10_000, seed },
  );
  t.deepEqual(simulator.bugs, []);
});

test("any bytes at all are answered as HTTP or not at all, and the server lives on", async (t) => {
  const tenant = await startTestSimulator(t);
  const seed = Number(process.env["FC_SEED"] ?? randomInt(2 ** 31));
  t.log(`seed ${String(seed)}`);

  await fc.assert(
    fc.asyncProperty(anyBytes, async (bytes) => {
      const answer = await sendRaw(tenant.url, bytes);
      const [, status] = /^(?:HTTP\/1\.1 100 Continue\r\n\r\n)?HTTP\/1\.1 (\d{3}) /.exec(answer) ?? [];
      return answer === "" || STATUSES[Number(status)] !== undefined;
    }),
    { numRuns: 500, seed },
  );
  t.is((await tenant.request("GET", "/_simulator/calls")).status, 200);
});

const HEADERS = (
  "Content-Length: -1|Content-Length: 5|Content-Length: 99999999999999999999|Transfer-Encoding: chunked|Host:|" +
  "Expect: 100-continue|Content-Encoding: gzip|Connection: upgrade|Upgrade: h2c|\0: \0"
).split("|");

const anyBytes = fc
  .tuple(
    fc.constantFrom("GET", "POST", "PATCH", "BREW", "", "GET GET"),
    fc.oneof(
      fc.constantFrom("/api/v2/users", "*", "//", "/%", `/${"x".repeat(70_000)}`),
      fc.string({ unit: "binary" }),
    ),
    fc.array(fc.oneof(fc.constantFrom(...HEADERS), fc.string({ unit: "binary" })), { maxLength: 4 }),
    fc.oneof(fc.constantFrom("", "5\r\nabc", "ffffffffffffffffff\r\n", "0\r\n\r\n"), fc.string({ unit: "binary" })),
  )
  .map(
    ([method, target, headers, body]) => `${[`${method} ${target} HTTP/1.1`, ...headers].join("\r\n")}\r\n\r\n${body}`,
  );

/** What comes back until the server closes, or after our end of the connection is closed. */
function sendRaw(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect(Number(port), hostname, () => socket.end(text));
    socket.setEncoding("latin1").on("data", (chunk: string) => (answer += chunk));
    socket.on("error", () => {}); // A reset is followed by the end, too.
    socket.on("close", () => {
      resolve(answer);
    });
  });
}

/** Of each `{name}` in a path: what is there, what is not, and what could never be. */
const anySegment = fc.constantFrom(
  "auth0%7Ckim",
  "auth0%7Cgone",
  "kim",
  "x",
  "auth0",
  "%00",
  "..%2F",
  "__proto__",
  "%",
);

const ROUTES = [...API_ENDPOINTS, ...AUTHENTICATION_ENDPOINTS, ...CONTROL_ENDPOINTS].filter(
  ({ method, path }) => method === "GET" || path !== STATE_PATH,
);

const anyServed: fc.Arbitrary<{ readonly method: string; readonly path: string }> = fc
  .constantFrom(...ROUTES)
  .chain(({ method, path }) => {
    const [first = "", ...rest] = path.split(/\{[^}]*\}/);
    return fc
      .tuple(...rest.map(() => anySegment))
      .map((values) => ({ method, path: rest.reduce((text, part, at) => `${text}${values[at] ?? ""}${part}`, first) }));
  });

/** Hostile in every part, and often near enough to what is served to get deep. */
function anyRequest(token: string): fc.Arbitrary<SimulatorRequest> {
  const served = fc
    .tuple(anyServed, anyQuery)
    .map(([{ method, path }, query]) => ({ method, target: `${path}?${query}` }));
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
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          "application/x-www-form-urlencoded",
          "text/plain",
          "",
          "multipart/form-data; boundary=b",
        ),
      },
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
const TOO_DEEP = `{"user_metadata":{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}}`;

/** Parts of a multipart body, as imports take them. */
const anyForm = fc
  .array(fc.tuple(fc.constantFrom("users", "connection_id", "upsert", "external_id"), fc.oneof(fc.json(), fc.string())))
  .map((parts) =>
    parts
      .map(([name, value]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
      .concat("--b--\r\n")
      .join(""),
  );

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
  { weight: 1, arbitrary: fc.constantFrom(TOO_LONG, TOO_DEEP) },
  { weight: 10, arbitrary: anyForm },
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
