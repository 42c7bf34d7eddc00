/**
 * Reading, searching, deleting and linking users. A title that ends in [rec] is a recorded fact; [doc] a documented or
 * reported one.
 */
import test from "ava";
import { STRICT_DATABASE_OPTIONS } from "../../src/simulator/connections/presets.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { openTestSimulator, startTestSimulator, type Reply } from "../support/start-simulator.ts";

const DATABASE = "Username-Password-Authentication";
const FINDABLE = [
  {
    user_id: "ann",
    email: "ann@example.com",
    username: "ann",
    name: "Ann Lee",
    created_at: "2025-12-31T23:59:59.000Z",
  },
  { user_id: "bob", email: "bob@example.com", name: "Bob Lee", blocked: true, created_at: "2026-01-01T12:00:00.000Z" },
  {
    user_id: "cy",
    email: "cy@other.example",
    phone_number: "+4479460003",
    app_metadata: { plan: { name: "gold" }, tags: ["a", "b"], seats: 12 },
    created_at: "2026-01-02T00:00:00.000Z",
  },
  { connection: "google", user_id: "bob", email: "Bob@Example.com", created_at: "2026-01-03T00:00:00.000Z" },
];

const simulator = await openTestSimulator({
  connections: [
    { name: DATABASE, id: "con_ftSSLHb0O7rcUGmF" },
    { name: "google", strategy: "google-oauth2" },
  ],
  users: FINDABLE,
});

/** Holds these users and no others. */
const searchTenant = await openTestSimulator({
  connections: [{ name: DATABASE }, { name: "google", strategy: "google-oauth2" }],
  users: FINDABLE,
});
test.after.always(async () => {
  await simulator.close();
  await searchTenant.close();
});

function get(path: string): Promise<Reply> {
  return simulator.api("GET", path);
}

function found(query: string, more: Record<string, string> = {}): Promise<Reply> {
  return get(`/api/v2/users?${new URLSearchParams({ q: query, ...more }).toString()}`);
}

function ids(reply: Reply): unknown[] {
  return (reply.body as { user_id: string }[]).map((user) => user.user_id);
}

test("an absent user is 404 inexistent_user, an id without a provider 400 invalid_uri [rec, doc]", async (t) => {
  const absent = await get("/api/v2/users/auth0%7Cnobody");
  const malformed = await get("/api/v2/users/nobody");

  t.is(absent.status, 404);
  t.deepEqual(absent.body, {
    statusCode: 404,
    error: "Not Found",
    message: "The user does not exist.",
    errorCode: "inexistent_user",
  });
  t.is(malformed.status, 400);
  t.like(malformed.body, {
    message: "Object didn't pass validation for format user-id: nobody",
    errorCode: "invalid_uri",
  });
});

test("an id is percent-decoded once [rec]", async (t) => {
  t.is((await get("/api/v2/users/auth0%7Cann")).status, 200);
  t.is((await get("/api/v2/users/auth0|ann")).status, 200);
  t.is((await get("/api/v2/users/auth0%257Cann")).status, 400);
  t.is((await get("/api/v2/users/auth0%7Cann%2F")).status, 404);
});

test("fields selects, include_fields=false excludes [rec]", async (t) => {
  t.deepEqual((await get("/api/v2/users/auth0%7Cann?fields=email,username")).body, {
    email: "ann@example.com",
    username: "ann",
  });
  const excluded = (await get("/api/v2/users/auth0%7Cann?fields=email&include_fields=false")).body as object;
  t.false("email" in excluded);
  t.true("username" in excluded);
});

test("fields and include_fields shape lists and users-by-email as well [oas]", async (t) => {
  for (const path of ['/api/v2/users?q=email:"ann@example.com"&', "/api/v2/users-by-email?email=ann@example.com&"]) {
    t.deepEqual((await get(`${path}fields=user_id,name`)).body, [{ user_id: "auth0|ann", name: "Ann Lee" }], path);
    const [excluded] = (await get(`${path}fields=name,picture&include_fields=false`)).body as [object];
    t.deepEqual(
      ["name", "picture", "nickname"].filter((name) => name in excluded),
      ["nickname"],
      path,
    );
  }
});

test("users-by-email of an address that nobody has is an empty list [rec]", async (t) => {
  const reply = await get("/api/v2/users-by-email?email=nobody@example.com");

  t.deepEqual([reply.status, reply.body], [200, []]);
});

test("users-by-email matches exactly, with regard to case, over all connections [rec, doc]", async (t) => {
  t.deepEqual(ids(await get("/api/v2/users-by-email?email=bob%40example.com")), ["auth0|bob"]);
  t.deepEqual(ids(await get("/api/v2/users-by-email?email=Bob%40Example.com")), ["google-oauth2|bob"]);
  t.deepEqual((await get("/api/v2/users-by-email?email=BOB%40example.com")).body, []);
  t.like((await get("/api/v2/users-by-email")).body, { statusCode: 400, errorCode: "invalid_query_string" });
});

test("DELETE is 204 without a body, also for a user that is gone, and a GET then is 404 [rec]", async (t) => {
  const { user_id } = await simulator.addUser({ connection: DATABASE, email: "leaving@example.com" });
  const path = `/api/v2/users/${encodeURIComponent(user_id)}`;

  const first = await simulator.api("DELETE", path);

  t.is(first.status, 204);
  t.is(first.body, undefined);
  t.is((await get(path)).status, 404);
  t.is((await simulator.api("DELETE", path)).status, 204);
  t.is(
    (await simulator.addUser({ connection: DATABASE, email: "leaving@example.com" }))["email"],
    "leaving@example.com",
  );
});

test("a list with totals has start, limit, length, users and total; without, it is an array [rec]", async (t) => {
  const quoted = await found('username:"ann"', { include_totals: "true", per_page: "50", search_engine: "v3" });
  const plain = await found("username:ann");

  t.is(quoted.status, 200);
  t.like(quoted.body, { start: 0, limit: 50, length: 1, total: 1 });
  t.deepEqual((quoted.body as { users: unknown[] }).users, plain.body);
  t.deepEqual((plain.body as unknown[])[0], (await get("/api/v2/users/auth0%7Cann")).body);
});

test("a page with totals has these keys and no others; start counts users, not pages [rec]", async (t) => {
  const page = async (query: string): Promise<object> =>
    (await searchTenant.api("GET", `/api/v2/users?include_totals=true&${query}`)).body as object;

  const second = await page("per_page=3&page=1");
  const none = await page("q=email:nobody@example.com");

  t.deepEqual(Object.keys(second).toSorted(), ["length", "limit", "start", "total", "users"]);
  t.like(second, { start: 3, limit: 3, length: 1, total: 4, users: [{ user_id: "google-oauth2|bob" }] });
  t.deepEqual(none, { start: 0, limit: 50, length: 0, users: [], total: 0 });
});

for (const [query, expected] of [
  ['user_id:("auth0|ann" OR "auth0|bob")', ["auth0|ann", "auth0|bob"]],
  ['user_id:("auth0|bob" "auth0|nobody")', ["auth0|bob"]],
  ["user_id:auth0|ann", ["auth0|ann"]],
  ["user_id:auth0*", ["auth0|ann", "auth0|bob", "auth0|cy"]],
  ["user_id:auth0", []],
  ['identities.user_id:"bob"', ["auth0|bob", "google-oauth2|bob"]],
  ['identities.connection:"google"', ["google-oauth2|bob"]],
  ['email:"BOB@example.com"', ["auth0|bob", "google-oauth2|bob"]],
  ["email:ann@example.com", ["auth0|ann"]],
  ["email.domain:example.com", ["auth0|ann", "auth0|bob"]],
  ["email:*@other.example", ["auth0|cy"]],
  ['phone_number:"+4479460003"', ["auth0|cy"]],
  ['name:"ann lee"', ["auth0|ann"]],
  ["name:lee", ["auth0|ann", "auth0|bob"]],
  ['name:"lee"', []],
  ["username:ANN", []],
  ["name:lee AND NOT blocked:true", ["auth0|ann"]],
  ["name:lee -blocked:true", ["auth0|ann"]],
  ["(name:ann OR name:bob) AND blocked:true", ["auth0|bob"]],
  ["_exists_:phone_number", ["auth0|cy"]],
  ["NOT _exists_:phone_number AND identities.connection:google", ["google-oauth2|bob"]],
  ['app_metadata.plan.name:"gold"', ["auth0|cy"]],
  ["app_metadata.tags:b", ["auth0|cy"]],
  ["app_metadata.seats:[5 TO 20]", ["auth0|cy"]],
  ["app_metadata.seats:[5 TO 12}", []],
  ["created_at:[2026-01-01 TO *]", ["auth0|bob", "auth0|cy", "google-oauth2|bob"]],
  ["created_at:[2026-01-01 TO 2026-01-02]", ["auth0|bob", "auth0|cy"]],
  ["created_at:{2026-01-01 TO *}", ["auth0|cy", "google-oauth2|bob"]],
  ["lee", ["auth0|ann", "auth0|bob"]],
] as const) {
  test(`search finds ${query} [doc]`, async (t) => {
    const reply = await searchTenant.api("GET", `/api/v2/users?${new URLSearchParams({ q: query }).toString()}`);

    t.deepEqual(ids(reply), [...expected]);
  });
}

test("what is no query is 400, never an error of ours [doc]", async (t) => {
  for (const query of ['name:"open', "name:(a OR", "a AND", ")", "name:[1 TO", "name:*ab", ":x", "(".repeat(100)]) {
    const reply = await found(query);
    t.is(reply.status, 400, query);
    t.like(reply.body, { errorCode: "invalid_query_string" });
  }
});

test("sort orders by a root attribute, either way, and not by metadata [doc]", async (t) => {
  const sorted = (sort: string): Promise<Reply> => searchTenant.api("GET", `/api/v2/users?sort=${sort}&fields=user_id`);

  t.deepEqual(ids(await sorted("created_at:-1")), ["google-oauth2|bob", "auth0|cy", "auth0|bob", "auth0|ann"]);
  t.deepEqual(ids(await sorted("username:1"))[0], "auth0|ann");
  t.is((await sorted("user_metadata.x:1")).status, 400);
  t.is((await sorted("created_at")).status, 400);
});

for (const [query, message] of [
  ["per_page=101", "'Value 101 is greater than maximum 100' on property per_page (Number of results per page)."],
  ["page=-1", "'Value -1 is less than minimum 0' on property page"],
  ["page=x", "'Expected type integer but found type string' on property page"],
  ["include_totals=maybe", "'Expected type boolean but found type string' on property include_totals"],
  ["search_engine=v4", "'No enum match for: v4' on property search_engine"],
  [
    "fields=id,email,name",
    "'String 'id,email,name' does not match pattern. Must be a comma separated list of the following values: " +
      "phone_number,email,email_verified,picture,username,user_id,name,nickname,created_at,identities,app_metadata," +
      "user_metadata,last_ip,last_login,logins_count,updated_at,blocked,family_name,given_name'",
  ],
] as const) {
  test(`GET /users?${query} is 400 invalid_query_string [doc]`, async (t) => {
    const { status, body } = await get(`/api/v2/users?${query}`);

    t.is(status, 400);
    t.like(body, { errorCode: "invalid_query_string" });
    t.true((body as { message: string }).message.startsWith(`Query validation error: ${message}`));
  });
}

test("older search engines are refused [doc]", async (t) => {
  t.like((await get("/api/v2/users?search_engine=v1")).body, {
    statusCode: 400,
    message: "You are not allowed to use search_engine=v1.",
  });
});

test("pages end at the thousandth hit [doc]", async (t) => {
  t.is((await get("/api/v2/users?page=9&per_page=100")).status, 200);
  const reply = await get("/api/v2/users?page=10&per_page=100");

  t.is(reply.status, 400);
  t.like(reply.body, {
    message:
      "You can only page through the first 1000 records. See " +
      "https://auth0.com/docs/users/search/v3/view-search-results-by-page#limitation.",
    errorCode: "invalid_paging",
  });
});

test("pages do not overlap and cover everybody, in the order of creation", async (t) => {
  const pages = await Promise.all(
    [0, 1, 2].map((page) => searchTenant.api("GET", `/api/v2/users?page=${String(page)}&per_page=2&fields=user_id`)),
  );

  t.deepEqual(pages.flatMap(ids), ["auth0|ann", "auth0|bob", "auth0|cy", "google-oauth2|bob"]);
});

test("a URL beyond 8 kB is 414 [doc]", async (t) => {
  const many = Array.from({ length: 400 }, (_, index) => `"auth0|${String(index).padStart(24, "0")}"`).join(" OR ");

  t.is((await found(`user_id:(${many})`)).status, 414);
});

test("search lags behind by the switch, reads by id and by address never [doc]", async (t) => {
  const clock = new ManualClock();
  const tenant = await startTestSimulator(t, { clock, switches: { searchLagMs: 1000 } });
  const search = async (query: string): Promise<unknown[]> =>
    ids(await tenant.api("GET", `/api/v2/users?${new URLSearchParams({ q: query }).toString()}`));
  const everybody = async (): Promise<unknown> => (await tenant.api("GET", "/api/v2/users?fields=user_id")).body;
  await tenant.addUser({ email: "kim@example.com", user_id: "kim", name: "Kim" });

  t.deepEqual(await search('user_id:"auth0|kim"'), []);
  t.deepEqual(await search("email:kim@example.com"), []);
  t.deepEqual(await everybody(), []);
  t.is((await tenant.api("GET", "/api/v2/users/auth0%7Ckim")).status, 200);
  t.is(ids(await tenant.api("GET", "/api/v2/users-by-email?email=kim@example.com")).length, 1);

  await clock.advance(1000);
  t.deepEqual(await search("email:kim@example.com"), ["auth0|kim"]);
  await tenant.patchUser("auth0|kim", { email: "kim2@example.com" });
  await clock.advance(500);
  await tenant.patchUser("auth0|kim", { name: "Kimberly" });
  t.deepEqual(await search("email:kim@example.com"), ["auth0|kim"]);
  t.deepEqual(await search("email:kim2@example.com"), []);

  await clock.advance(500);
  t.deepEqual(await search("email:kim2@example.com AND name:Kim"), ["auth0|kim"]);
  await clock.advance(500);
  t.deepEqual(await search("name:Kimberly"), ["auth0|kim"]);
  await tenant.deleteUser("auth0|kim");
  t.deepEqual(await search("name:Kimberly"), ["auth0|kim"]);
  t.deepEqual(await everybody(), [{ user_id: "auth0|kim" }]);
  await clock.advance(1000);
  t.deepEqual(await search("name:Kimberly"), []);
});

test("a deleted address blocks a create for a while where the switch says so [doc]", async (t) => {
  const clock = new ManualClock();
  const tenant = await startTestSimulator(t, { clock, switches: { recreateConflictMs: 2000 } });
  const body = { connection: DATABASE, email: "kim@example.com", password: "Some-Passw0rd!" };
  await tenant.addUser({ ...body, user_id: "kim" });
  await tenant.deleteUser("auth0|kim");

  t.is((await tenant.api("POST", "/api/v2/users", body)).status, 409);
  await clock.advance(2000);
  t.is((await tenant.api("POST", "/api/v2/users", body)).status, 201);
});

test("keys come in any order where the switch says so [rec]", async (t) => {
  const tenant = await startTestSimulator(t, { users: [{ email: "kim@example.com", user_id: "kim" }] });
  const keys = async (): Promise<string[]> =>
    Object.keys((await tenant.api("GET", "/api/v2/users/auth0%7Ckim")).body as object);
  const stable = await keys();
  await tenant.switches({ keyOrder: "shuffled" });

  const orders = await Promise.all(Array.from({ length: 10 }, keys));

  t.true(orders.some((order) => order.join() !== stable.join()));
  for (const order of orders) t.deepEqual(order.toSorted(), stable.toSorted());
});

const CHUCK = {
  given_name: "Chuck",
  family_name: "Sanchez",
  nickname: "Chucky",
  picture: "https://example-picture-url.jpg",
  email_verified: true,
};

async function twoUsers(name: string): Promise<{ primary: string; secondary: string }> {
  const [primary, secondary] = await Promise.all(
    [1, 2].map((index) => {
      const email = `${name}${String(index)}@example.com`;
      return simulator.addUser({ connection: DATABASE, email, user_metadata: { a: 1 }, blocked: false, ...CHUCK });
    }),
  );
  return { primary: String(primary?.user_id), secondary: String(secondary?.user_id) };
}

function identitiesPath(userId: string): string {
  return `/api/v2/users/${encodeURIComponent(userId)}/identities`;
}

test("a link answers 201 with both identities and what each profile said [rec]", async (t) => {
  const { primary, secondary } = await twoUsers("link");

  const reply = await simulator.api("POST", identitiesPath(primary), {
    connection_id: "con_ftSSLHb0O7rcUGmF",
    user_id: secondary,
    provider: "auth0",
  });

  t.is(reply.status, 201);
  const identity = (userId: string, email: string): object => ({
    profileData: { email, ...CHUCK },
    connection: DATABASE,
    user_id: userId.slice("auth0|".length),
    provider: "auth0",
    isSocial: false,
  });
  t.deepEqual(reply.body, [identity(primary, "link1@example.com"), identity(secondary, "link2@example.com")]);
});

test("a linked user is gone as a user: 404, DELETE 204, found by its identity, its address and id taken [rec, doc]", async (t) => {
  const { primary, secondary } = await twoUsers("linked");
  const bare = secondary.slice("auth0|".length);
  await simulator.api("POST", identitiesPath(primary), { user_id: bare, provider: "auth0" });

  t.is((await get(`/api/v2/users/${encodeURIComponent(secondary)}`)).status, 404);
  t.is((await simulator.api("DELETE", `/api/v2/users/${encodeURIComponent(secondary)}`)).status, 204);
  t.deepEqual(ids(await found(`identities.user_id:"${bare}"`)), [primary]);
  const again = { connection: DATABASE, password: "Some-Passw0rd!" };
  t.is((await simulator.api("POST", "/api/v2/users", { ...again, email: "linked2@example.com" })).status, 409);
  const sameId = { ...again, email: "linked3@example.com", user_id: bare };
  t.is((await simulator.api("POST", "/api/v2/users", sameId)).status, 409);
});

test("an unlink answers 200 with what remains, and the identity is a user again, without metadata [rec, doc]", async (t) => {
  const { primary, secondary } = await twoUsers("unlink");
  const bare = secondary.slice("auth0|".length);
  await simulator.api("POST", identitiesPath(primary), { user_id: secondary, provider: "auth0" });

  const reply = await simulator.api("DELETE", `${identitiesPath(primary)}/auth0/${bare}`);

  t.is(reply.status, 200);
  t.like((reply.body as object[])[0], { user_id: primary.slice("auth0|".length), profileData: CHUCK });
  t.is((reply.body as object[]).length, 1);
  const user = (await get(`/api/v2/users/${encodeURIComponent(secondary)}`)).body as Record<string, unknown>;
  t.like(user, { email: "unlink2@example.com", name: "unlink2@example.com", ...CHUCK });
  t.false("user_metadata" in user);
});

test("links that cannot be are refused [doc]", async (t) => {
  const { primary, secondary } = await twoUsers("refused");
  const { primary: other } = await twoUsers("other");
  const link = (userId: string, body: object): Promise<Reply> => simulator.api("POST", identitiesPath(userId), body);

  t.like((await link(primary, { provider: "auth0", user_id: primary })).body, {
    statusCode: 400,
    message: "Main identity and the new one are the same.",
  });
  t.like((await link(primary, { provider: "auth0", user_id: "nobody" })).body, {
    statusCode: 400,
    message: "Linking to an inexistent identity is not allowed.",
  });
  t.is((await link("auth0|nobody", { provider: "auth0", user_id: secondary })).status, 404);
  await link(primary, { provider: "auth0", user_id: secondary });
  t.like((await link(other, { provider: "auth0", user_id: secondary })).body, {
    statusCode: 409,
    message: "Specified identity already exists.",
  });
  const main = `${identitiesPath(primary)}/auth0/${primary.slice("auth0|".length)}`;
  t.like((await simulator.api("DELETE", main)).body, { statusCode: 400, message: "Main identity cannot be removed." });
});

test("PATCH of a linked identity names its connection, and writes to its profile [doc]", async (t) => {
  const tenant = await startTestSimulator(t, {
    connections: [{ name: DATABASE }, { name: "second", options: STRICT_DATABASE_OPTIONS }],
    users: [
      { connection: DATABASE, user_id: "main", email: "main@example.com" },
      { connection: "second", user_id: "side", email: "side@example.com", username: "side" },
    ],
  });
  await tenant.api("POST", identitiesPath("auth0|main"), { provider: "auth0", user_id: "side" });
  const patch = (body: object): Promise<Reply> => tenant.api("PATCH", "/api/v2/users/auth0%7Cmain", body);

  const moved = await patch({ connection: "second", email: "side2@example.com" });
  const named = await patch({ connection: "second", nickname: "x" });

  t.like(moved.body, {
    email: "main@example.com",
    identities: [{ user_id: "main" }, { profileData: { email: "side2@example.com" } }],
  });
  t.like(named.body, {
    statusCode: 400,
    message:
      "The following user attributes cannot be updated: nickname. The specified connection belongs to a secondary identity.",
  });
});

test("connections are listed with totals, by name and by strategy, and read by id [rec]", async (t) => {
  const byName = await get(`/api/v2/connections?include_totals=true&name=${DATABASE}&per_page=50`);
  const byStrategy = await get("/api/v2/connections?strategy[0]=google-oauth2&strategy[1]=sms");
  const one = await get("/api/v2/connections/con_ftSSLHb0O7rcUGmF");

  t.deepEqual(Object.keys(byName.body as object).toSorted(), ["connections", "limit", "start", "total"]);
  t.like(byName.body, { total: 1, start: 0, limit: 50 });
  t.deepEqual((byName.body as { connections: unknown[] }).connections, [one.body]);
  t.like(one.body, {
    id: "con_ftSSLHb0O7rcUGmF",
    strategy: "auth0",
    name: DATABASE,
    is_domain_connection: false,
    realms: [DATABASE],
    enabled_clients: [simulator.clientId],
    options: {},
  });
  t.like((byStrategy.body as unknown[])[0], { name: "google" });
  t.deepEqual((await get("/api/v2/connections/con_0000000000000000")).body, {
    statusCode: 404,
    error: "Not Found",
    message: "The connection does not exist.",
    errorCode: "inexistent_connection",
  });
});

test("neither ranges nor wildcards find anything in user_metadata, as they do in app_metadata [doc]", async (t) => {
  const tenant = await startTestSimulator(t);
  await tenant.addUser({
    email: "kim@example.com",
    user_id: "kim",
    user_metadata: { seats: 12, plan: "golden" },
    app_metadata: { seats: 12, plan: "golden" },
  });
  const search = (q: string): Promise<Reply> =>
    tenant.api("GET", `/api/v2/users?${new URLSearchParams({ q }).toString()}`);

  for (const condition of ["seats:[10 TO 20]", "plan:gold*"]) {
    t.deepEqual(ids(await search(`app_metadata.${condition}`)), ["auth0|kim"]);
    const { status, body } = await search(`user_metadata.${condition}`);
    t.true(status === 400 || (Array.isArray(body) && body.length === 0), `${condition}: ${JSON.stringify(body)}`);
  }
});
