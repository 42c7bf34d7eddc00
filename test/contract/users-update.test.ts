/** What PATCH /api/v2/users/{id} does. A title that ends in [rec] is a recorded fact; [doc] a documented or reported one. */
import test from "ava";
import { ManualClock } from "../support/manual-clock.ts";
import { openTestSimulator, startTestSimulator, type Reply } from "../support/start-simulator.ts";

const DATABASE = "Username-Password-Authentication";
const PASSWORD = "some password";

const simulator = await openTestSimulator({
  connections: [
    {
      name: DATABASE,
      options: {
        passwordPolicy: "low",
        password_history: { enable: true, size: 2 },
        attributes: {
          email: { identifier: { active: true }, profile_required: true },
          username: { identifier: { active: true }, validation: { min_length: 3, max_length: 20 } },
        },
      },
    },
    { name: "disabled", enabledClients: [] },
    { name: "sms", strategy: "sms" },
    { name: "google", strategy: "google-oauth2" },
    { name: "google-unsynced", strategy: "google-oauth2", options: { set_user_root_attributes: "never_on_login" } },
    { name: "corporate", strategy: "okta" },
  ],
});
test.after.always(() => simulator.close());

let made = 0;

/** A new user with `more`; its id, its path and its first answer. */
async function newUser(more: Record<string, unknown> = {}): Promise<{ id: string; path: string; first: WireUser }> {
  made++;
  const email = `user-${String(made)}@example.com`;
  const first = await simulator.addUser({ connection: DATABASE, email, password: PASSWORD, ...more });
  return { id: first.user_id, path: `/api/v2/users/${encodeURIComponent(first.user_id)}`, first };
}

type WireUser = Awaited<ReturnType<typeof simulator.addUser>>;

function patch(path: string, body: object): Promise<Reply> {
  return simulator.api("PATCH", path, body);
}

function user(reply: Reply): Record<string, unknown> {
  return reply.body as Record<string, unknown>;
}

test("root attributes are replaced, the others stay, the whole user is answered [rec]", async (t) => {
  const { path, first } = await newUser();
  const changes = {
    name: "Firstname Lastname",
    given_name: "Firstname",
    family_name: "Lastname",
    picture: "https://www.example.com/picture.jpg",
  };

  const reply = await patch(path, changes);

  t.is(reply.status, 200);
  const { updated_at, ...rest } = user(reply);
  const { updated_at: before, ...expected } = first;
  t.deepEqual(rest, { ...expected, ...changes });
  t.true(String(updated_at) > String(before));
  t.deepEqual((await simulator.api("GET", path)).body, reply.body);
});

test("the query parameter fields is ignored [rec]", async (t) => {
  const { path } = await newUser();

  t.true("created_at" in user(await patch(`${path}?fields=email`, { nickname: "kim" })));
});

test("metadata merge one level deep: keys given replace, others stay, null deletes [rec]", async (t) => {
  const { path } = await newUser({ user_metadata: { a: 1, b: { c: 1, d: 2 } }, app_metadata: { x: 1 } });

  const reply = await patch(path, {
    user_metadata: { b: { c: 3 }, e: "new" },
    app_metadata: { x: null, y: [1, null] },
  });

  t.like(reply.body, { user_metadata: { a: 1, b: { c: 3 }, e: "new" }, app_metadata: { y: [1, null] } });
  t.deepEqual(user(reply)["user_metadata"], { a: 1, b: { c: 3 }, e: "new" });
  t.deepEqual(user(reply)["app_metadata"], { y: [1, null] });
});

test("{} empties user_metadata to {}, and makes app_metadata vanish [rec]", async (t) => {
  const { path } = await newUser({ user_metadata: { foo: "bar" }, app_metadata: { foo: "bar" } });

  const reply = await patch(path, { user_metadata: {}, app_metadata: {} });

  t.deepEqual(user(reply)["user_metadata"], {});
  t.false("app_metadata" in user(reply));
});

test("updated_at moves with every PATCH, also when nothing differs, even within a millisecond [rec]", async (t) => {
  const tenant = await startTestSimulator(t, {
    clock: new ManualClock(),
    users: [{ email: "kim@example.com", user_id: "kim", nickname: "kim" }],
  });
  const updates: Record<string, unknown>[] = [];

  for (let time = 0; time < 3; time++) {
    updates.push(user(await tenant.api("PATCH", "/api/v2/users/auth0%7Ckim", { nickname: "kim" })));
  }

  t.deepEqual(
    updates.map((update) => update["updated_at"]),
    ["2026-01-01T00:00:00.001Z", "2026-01-01T00:00:00.002Z", "2026-01-01T00:00:00.003Z"],
  );
  t.true(updates.every((update) => update["created_at"] === "2026-01-01T00:00:00.000Z"));
});

test("a new password counts, and sets last_password_reset [rec]", async (t) => {
  const { path, id } = await newUser();

  const reply = await patch(path, { password: "another password", connection: DATABASE, app_metadata: { a: 1 } });

  t.is(reply.status, 200);
  t.is(user(reply)["last_password_reset"], user(reply)["updated_at"]);
  t.false("password" in user(reply));
  t.true(await simulator.passwordMatches(id, "another password"));
  t.false(await simulator.passwordMatches(id, PASSWORD));
});

test("the policy and the history of passwords hold on updates too [doc]", async (t) => {
  const { path } = await newUser();
  await patch(path, { password: "second password" });

  t.like((await patch(path, { password: "short" })).body, { message: "PasswordStrengthError: Password is too weak" });
  for (const used of [PASSWORD, "second password"]) {
    t.like((await patch(path, { password: used })).body, {
      statusCode: 400,
      message: "PasswordHistoryError: Password has previously been used",
    });
  }
});

test("an id that nobody has is 404 inexistent_user [rec]", async (t) => {
  const reply = await patch("/api/v2/users/auth0%7Cnobody", { name: "x" });

  t.is(reply.status, 404);
  t.deepEqual(reply.body, {
    statusCode: 404,
    error: "Not Found",
    message: "The user does not exist.",
    errorCode: "inexistent_user",
  });
});

for (const [one, other] of [
  ["password", "email"],
  ["password", "email_verified"],
  ["username", "email"],
  ["username", "email_verified"],
  ["username", "password"],
] as const) {
  test(`${one} and ${other} in one PATCH are 400, and nothing of it is done [doc]`, async (t) => {
    const { path } = await newUser({ username: `pair-${one[0] ?? ""}-${other.slice(0, 8)}` });
    const before = (await simulator.api("GET", path)).body;
    const values = {
      password: "another password",
      email: "new@example.com",
      email_verified: true,
      username: "another",
    };

    const reply = await patch(path, { [one]: values[one], [other]: values[other] });

    t.is(reply.status, 400);
    t.like(reply.body, { message: `Cannot update ${one} and ${other} simultaneously.` });
    t.deepEqual((await simulator.api("GET", path)).body, before);
  });
}

test("email and email_verified go together [doc]", async (t) => {
  const { path } = await newUser();

  const reply = await patch(path, { email: "Together@Example.com", email_verified: true, verify_email: false });

  t.like(reply.body, { email: "together@example.com", email_verified: true });
  t.false("verify_email" in user(reply));
});

test("a changed address leaves name, nickname and picture as they were [doc]", async (t) => {
  const { path, first } = await newUser();

  const reply = await patch(path, { email: "moved@example.com" });

  t.like(reply.body, { email: "moved@example.com", name: first["name"], picture: first["picture"] });
});

test("an address that another user of the connection has is 400, one's own is not [doc]", async (t) => {
  const { first: other } = await newUser();
  const { path, first } = await newUser();

  const taken = await patch(path, { email: String(other["email"]).toUpperCase() });

  t.is(taken.status, 400);
  t.like(taken.body, { message: "The specified new email already exists", errorCode: "auth0_idp_error" });
  t.is((await patch(path, { email: first["email"] })).status, 200);
});

test("a freed address is free: users-by-email follows at once [doc]", async (t) => {
  const { path, first } = await newUser();
  await patch(path, { email: "freed@example.com" });

  const byOld = await simulator.api("GET", `/api/v2/users-by-email?email=${String(first["email"])}`);
  const again = await simulator.addUser({ connection: DATABASE, email: first["email"] });

  t.deepEqual(byOld.body, []);
  t.is(again["email"], first["email"]);
});

test("a username can be changed where there is one, within the connection's rules [doc]", async (t) => {
  const { path } = await newUser({ username: "before" });
  const { path: without } = await newUser();
  await newUser({ username: "occupied" });

  t.like((await patch(path, { username: "After", nickname: "kim", blocked: true })).body, { username: "after" });
  t.like((await patch(without, { username: "kim" })).body, {
    message: "Cannot update username for users without an username already set.",
  });
  t.like((await patch(path, { username: "Occupied" })).body, { message: "The username provided is in use already." });
  for (const username of ["ab", "x".repeat(21), "kim@example.com", "with blank"]) {
    t.is((await patch(path, { username })).status, 400, username);
  }
});

test("an empty string is refused where null is taken [doc]", async (t) => {
  const { path } = await newUser();

  t.like((await patch(path, { nickname: "" })).body, {
    message:
      "Payload validation error: 'String is too short (0 chars), minimum 1' on property nickname (Preferred nickname or " +
      "alias of this user).",
    errorCode: "invalid_body",
  });
});

test("null is refused for flags, metadata and what identifies a user [doc]", async (t) => {
  const { path } = await newUser();

  for (const name of ["blocked", "email_verified", "user_metadata", "app_metadata", "email", "password"]) {
    t.is((await patch(path, { [name]: null })).status, 400, name);
  }
});

test("the schema of an update takes null for what can be unset, and for nothing else [oas]", async (t) => {
  const { path } = await newUser({ username: "nulled", phone_number: "+4479460009" });
  const nullable = ["given_name", "family_name", "name", "nickname", "picture"];
  const identifying = ["email", "phone_number", "username", "password"];
  const never = ["blocked", "email_verified", "phone_verified", "verify_email", "verify_phone_number"];

  for (const name of nullable) t.is((await patch(path, { [name]: null })).status, 200, name);
  for (const name of identifying) {
    t.notRegex(String(user(await patch(path, { [name]: null }))["message"]), /found type null/, name);
  }
  for (const name of [...never, "connection", "client_id", "user_metadata", "app_metadata"]) {
    t.regex(String(user(await patch(path, { [name]: null }))["message"]), /found type null' on property/, name);
  }
});

test("username goes together with name, nickname, picture, blocked and metadata [rec]", async (t) => {
  const { path } = await newUser({ username: "together" });
  const changes = {
    username: "together-2",
    name: "Kim",
    nickname: "kim",
    picture: "https://example.com/kim.png",
    blocked: true,
    user_metadata: { a: 1 },
    app_metadata: { b: 2 },
  };

  const reply = await patch(path, changes);

  t.is(reply.status, 200);
  t.like(reply.body, changes);
});

test("phone_number and username go with null where the connection can do without [doc]", async (t) => {
  const { path } = await newUser({ phone_number: "+4479460001", username: "leaving" });

  const reply = await patch(path, { phone_number: null, username: null });

  t.is(reply.status, 200);
  t.false("phone_number" in user(reply));
  t.false("username" in user(reply));
});

test("a foreign root attribute can be removed and not set [doc]", async (t) => {
  const { path } = await newUser({ shoe_size: 43 });

  t.like((await patch(path, { shoe_size: 44 })).body, {
    message:
      "Payload validation error: 'Additional properties not allowed: shoe_size' (consider storing them in app_metadata or " +
      'user_metadata. See "Users Metadata" in https://auth0.com/docs/api/v2/changes for more details).',
  });
  t.false("shoe_size" in user(await patch(path, { shoe_size: null })));
});

test("attributes that the identity provider owns are refused by name, alphabetically [doc]", async (t) => {
  const { path } = await newUser({ connection: "google", user_id: "1091" });

  const reply = await patch(path, { picture: "https://example.com/x.png", given_name: "Kim", blocked: true });

  t.is(reply.status, 400);
  t.deepEqual(reply.body, {
    statusCode: 400,
    error: "Bad Request",
    message:
      "The following user attributes cannot be updated: given_name, picture. The connection (google) must either be a " +
      "database connection (using the Auth0 store), a passwordless connection (email or sms) or has disabled 'Sync user " +
      "profile attributes at each login'. For more information, see " +
      "https://auth0.com/docs/dashboard/guides/connections/configure-connection-sync",
    errorCode: "operation_not_supported",
  });
  t.is((await patch(path, { blocked: true, app_metadata: { a: 1 } })).status, 200);
});

test("with the sync off they can be written and removed [doc]", async (t) => {
  const { path } = await newUser({ connection: "google-unsynced", user_id: "1092" });

  t.like((await patch(path, { given_name: "Kim" })).body, { given_name: "Kim" });
  t.false("given_name" in user(await patch(path, { given_name: null })));
});

for (const [what, more, body, message] of [
  [
    "email of a user of no database",
    { connection: "google", user_id: "2001" },
    { email: "x@example.com" },
    "Cannot update email for non-database user.",
  ],
  [
    "password of a user of no database",
    { connection: "sms", phone_number: "+4479460002" },
    { password: "some password" },
    "Connection is not supported for this operation.",
  ],
  [
    "email in a disabled connection",
    { connection: "disabled", user_id: "2002" },
    { email: "x@example.com" },
    "Cannot change email or password for users in a disabled connection.",
  ],
  [
    "email_verified of an enterprise user",
    { connection: "corporate", user_id: "2003" },
    { email_verified: true },
    "Email verification is not supported for enterprise users.",
  ],
  ["anything in a connection that the user is not in", {}, { connection: "nowhere" }, "The connection does not exist."],
] as const) {
  test(`${what} is 400 [doc]`, async (t) => {
    const { path } = await newUser(more);

    const reply = await patch(path, body);

    t.is(reply.status, 400);
    t.like(reply.body, { message });
  });
}

test("a token for app_metadata alone writes nothing else [doc]", async (t) => {
  const tenant = await startTestSimulator(t, {
    clients: [{ clientId: "app", clientSecret: "s", scopes: ["update:users_app_metadata"] }],
    users: [{ email: "kim@example.com", user_id: "kim" }],
  });

  t.is((await tenant.api("PATCH", "/api/v2/users/auth0%7Ckim", { app_metadata: { a: 1 } })).status, 200);
  t.is((await tenant.api("PATCH", "/api/v2/users/auth0%7Ckim", { nickname: "x" })).status, 403);
});

const ROOT = { name: "Kim", nickname: "kim", picture: "https://example.com/x.png", given_name: "K", family_name: "Im" };
const NULLS = { name: null, nickname: null, picture: null, given_name: null, family_name: null };

test("switch nullRootAttribute=removed: null removes each of the five root attributes", async (t) => {
  const tenant = await startTestSimulator(t, { users: [{ email: "kim@example.com", user_id: "kim", ...ROOT }] });

  const reply = await tenant.api("PATCH", "/api/v2/users/auth0%7Ckim", NULLS);

  t.is(reply.status, 200);
  for (const name of Object.keys(ROOT)) t.false(name in user(reply), name);
});

test("switch nullRootAttribute=regenerated: name, nickname and picture are derived anew", async (t) => {
  const tenant = await startTestSimulator(t, {
    users: [{ email: "kim@example.com", user_id: "kim", ...ROOT }],
    switches: { nullRootAttribute: "regenerated" },
  });

  const reply = await tenant.api("PATCH", "/api/v2/users/auth0%7Ckim", NULLS);

  t.like(reply.body, { name: "kim@example.com", nickname: "kim" });
  t.regex(String(user(reply)["picture"]), /gravatar.*ki\.png$/);
  t.false("given_name" in user(reply));
});

test("switch nullRootAttribute=refused: 400 that names the nulls, and nothing of the PATCH is done", async (t) => {
  const tenant = await startTestSimulator(t, {
    users: [{ email: "kim@example.com", user_id: "kim", ...ROOT }],
    switches: { nullRootAttribute: "refused" },
  });

  const reply = await tenant.api("PATCH", "/api/v2/users/auth0%7Ckim", {
    nickname: null,
    given_name: null,
    name: "New",
  });

  t.is(reply.status, 400);
  t.like(reply.body, {
    message:
      "The following user attributes cannot be removed: given_name, nickname. The connection " +
      "(Username-Password-Authentication) must either be a custom database connection with import mode disabled, a social " +
      "or enterprise connection.",
  });
  t.like(await tenant.user("auth0|kim"), ROOT);
});

test("switches nameMaxLength and nicknameMaxLength set how long they may be", async (t) => {
  const tenant = await startTestSimulator(t, {
    users: [{ email: "kim@example.com", user_id: "kim" }],
    switches: { nameMaxLength: 150, nicknameMaxLength: 350 },
  });
  const send = async (body: object): Promise<number> =>
    (await tenant.api("PATCH", "/api/v2/users/auth0%7Ckim", body)).status;

  t.deepEqual([await send({ name: "x".repeat(150) }), await send({ name: "x".repeat(151) })], [200, 400]);
  t.deepEqual([await send({ nickname: "x".repeat(350) }), await send({ nickname: "x".repeat(351) })], [200, 400]);
});

test("switches decide on {}, read-only attributes, and email_verified after a new address", async (t) => {
  const tenant = await startTestSimulator(t, {
    users: [{ email: "kim@example.com", user_id: "kim", email_verified: true }],
  });
  const send = (body: object): Promise<Reply> => tenant.api("PATCH", "/api/v2/users/auth0%7Ckim", body);

  t.is((await send({})).status, 200);
  t.is((await send({ user_id: "auth0|kim" })).status, 400);
  t.like((await send({ email: "kim2@example.com" })).body, { email_verified: true });
  await tenant.switches({
    emptyPatch: "refused",
    readOnlyAttributeInPatch: "ignored",
    emailVerifiedOnEmailChange: "reset",
  });
  t.is((await send({})).status, 400);
  t.like((await send({ user_id: "auth0|other", nickname: "x" })).body, { user_id: "auth0|kim", nickname: "x" });
  t.like((await send({ email: "KIM2@example.com" })).body, { email_verified: true });
  t.like((await send({ email: "kim3@example.com" })).body, { email_verified: false });
});
