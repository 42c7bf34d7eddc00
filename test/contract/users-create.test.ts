/** What POST /api/v2/users answers. A title that ends in [rec] is a recorded fact; [doc] a documented or reported one. */
import { createHash } from "node:crypto";
import test from "ava";
import { STRICT_DATABASE_OPTIONS } from "../../src/simulator/connections/presets.ts";
import { openTestSimulator, startTestSimulator, type Reply } from "../support/start-simulator.ts";

const DATABASE = "Username-Password-Authentication";
const PASSWORD = "Some-Passw0rd!";

const simulator = await openTestSimulator({
  connections: [
    { name: DATABASE, options: { ...STRICT_DATABASE_OPTIONS, requires_username: false } },
    { name: "strict", options: STRICT_DATABASE_OPTIONS },
    { name: "excellent", options: { passwordPolicy: "excellent" } },
    { name: "fair", options: { passwordPolicy: "fair" } },
    { name: "low", options: { passwordPolicy: "low" } },
    {
      name: "wary",
      options: {
        passwordPolicy: "none",
        password_dictionary: { enable: true, dictionary: ["open sesame"] },
        password_no_personal_info: { enable: true },
      },
    },
    { name: "disabled", enabledClients: [] },
    { name: "scripts", options: { enabledDatabaseCustomization: true, import_mode: false } },
    { name: "email", strategy: "email" },
    { name: "sms", strategy: "sms" },
    { name: "google", strategy: "google-oauth2" },
    { name: "corporate", strategy: "okta" },
  ],
});
test.after.always(() => simulator.close());

let created = 0;
const newEmail = (): string => `user-${String(created++)}@example.com`;

function create(body: object): Promise<Reply> {
  return simulator.api("POST", "/api/v2/users", body);
}

/** What a database of the tenant takes at least, with `more`. */
function aUser(more: object = {}): Record<string, unknown> {
  return { connection: DATABASE, email: newEmail(), password: PASSWORD, ...more };
}

function user(reply: Reply): Record<string, unknown> {
  return reply.body as Record<string, unknown>;
}

test("a minimal create answers 201 with these keys and no others [rec]", async (t) => {
  const reply = await create(aUser());

  t.is(reply.status, 201);
  t.is(reply.headers.get("content-type"), "application/json; charset=utf-8");
  t.deepEqual(Object.keys(user(reply)).toSorted(), [
    "created_at",
    "email",
    "email_verified",
    "identities",
    "name",
    "nickname",
    "picture",
    "updated_at",
    "user_id",
  ]);
});

test("name becomes the e-mail address, nickname its local part, email_verified false [rec]", async (t) => {
  const { email, ...rest } = user(await create(aUser({ email: "testaccuser@acceptance.test.com" })));

  t.is(email, "testaccuser@acceptance.test.com");
  t.is(rest["name"], "testaccuser@acceptance.test.com");
  t.is(rest["nickname"], "testaccuser");
  t.is(rest["email_verified"], false);
});

test("picture is the gravatar of the address, with the name's first two letters [rec]", async (t) => {
  const plain = user(await create(aUser({ email: "testacc2@acceptance.test.com" })));
  const named = user(await create(aUser({ email: "testacc3@acceptance.test.com", name: "Zoe" })));

  const picture = (email: string, letters: string): string =>
    `https://s.gravatar.com/avatar/${createHash("md5").update(email).digest("hex")}` +
    `?s=480&r=pg&d=https%3A%2F%2Fcdn.auth0.com%2Favatars%2F${letters}.png`;
  t.is(plain["picture"], picture("testacc2@acceptance.test.com", "te"));
  t.is(named["picture"], picture("testacc3@acceptance.test.com", "zo"));
});

test("the gravatar of a recorded user is the recorded one [rec]", async (t) => {
  const recorded = user(await create(aUser({ connection: "low", email: "testaccuser@acceptance.test.com" })));

  t.true(String(recorded["picture"]).startsWith("https://s.gravatar.com/avatar/324ad113b0ef6dabbb2c2c4cf8a8d108?"));
});

test("a name of any characters has a picture", async (t) => {
  const letters = encodeURIComponent("avatars/\u{1F600}x.png");

  t.true(String(user(await create(aUser({ name: "\u{1F600}xyz" })))["picture"]).endsWith(letters));
  t.is((await create(aUser({ name: "\uD800" }))).status, 201);
});

test("given and family name do not change the derived name [rec]", async (t) => {
  const body = aUser({ given_name: "Chuck", family_name: "Sanchez" });

  t.is(user(await create(body))["name"], body["email"]);
});

test("everything that was sent is stored, directions and password are not answered [rec]", async (t) => {
  const sent = {
    email: newEmail(),
    username: "test-user735",
    given_name: "Chuck",
    family_name: "Sanchez",
    nickname: "Chucky",
    user_metadata: { favourite_attack: "roundhouse_kick" },
    app_metadata: { facts: ["count_to_infinity_twice"] },
    picture: "https://example-picture-url.jpg",
    blocked: false,
    email_verified: true,
  };

  const { created_at, updated_at, user_id, identities, name, ...rest } = user(
    await create({ connection: "strict", password: PASSWORD, verify_email: false, ...sent }),
  );

  t.deepEqual(rest, sent);
  t.is(name, sent.email);
  t.is(created_at, updated_at);
  t.regex(String(created_at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  t.regex(String(user_id), /^auth0\|[0-9a-f]{24}$/);
  t.deepEqual(identities, [
    { connection: "strict", user_id: String(user_id).slice("auth0|".length), provider: "auth0", isSocial: false },
  ]);
});

test("a GET right after a create answers the identical body [rec]", async (t) => {
  const body = user(await create(aUser({ app_metadata: { a: 1 } })));

  const read = await simulator.api("GET", `/api/v2/users/${encodeURIComponent(String(body["user_id"]))}`);

  t.deepEqual(read.body, body);
});

test("empty user_metadata are present, empty app_metadata absent [rec]", async (t) => {
  const body = user(await create(aUser({ user_metadata: {}, app_metadata: {} })));

  t.deepEqual(body["user_metadata"], {});
  t.false("app_metadata" in body);
});

test("a chosen user_id is prefixed, its identity holds it bare, its case is kept [rec]", async (t) => {
  const body = user(await create(aUser({ user_id: "ID_issue#218" })));

  t.is(body["user_id"], "auth0|ID_issue#218");
  t.like(body, { identities: [{ user_id: "ID_issue#218" }] });
  t.is((await simulator.api("GET", "/api/v2/users/auth0%7CID_issue%23218")).status, 200);
  t.is((await simulator.api("GET", "/api/v2/users/auth0%7Cid_issue%23218")).status, 404);
});

test("a chosen user_id is taken for all databases of the tenant [doc]", async (t) => {
  await create(aUser({ user_id: "shared" }));

  const reply = await create(aUser({ connection: "low", user_id: "shared" }));

  t.is(reply.status, 409);
  t.like(reply.body, { errorCode: "auth0_idp_error", message: "The user already exists." });
});

test("a custom database with scripts makes up the id itself [doc]", async (t) => {
  const body = user(await create(aUser({ connection: "scripts", user_id: "mine" })));

  t.regex(String(body["user_id"]), /^auth0\|[0-9a-f]{24}$/);
});

test("Auth0's own store keeps e-mail and username in lower case, other stores keep the case [doc]", async (t) => {
  const own = user(await create(aUser({ connection: "strict", email: "Jane@Example.com", username: "JaneDoe" })));
  const scripted = user(await create(aUser({ connection: "scripts", email: "Jane@Example.com" })));

  t.like(own, { email: "jane@example.com", username: "janedoe", name: "jane@example.com", nickname: "jane" });
  t.like(scripted, { email: "Jane@Example.com" });
});

test("an address that the connection has is 409 auth0_idp_error, in another connection it is free [doc]", async (t) => {
  const email = newEmail();
  await create(aUser({ email }));

  const again = await create(aUser({ email: email.toUpperCase() }));

  t.is(again.status, 409);
  t.deepEqual(again.body, {
    statusCode: 409,
    error: "Conflict",
    message: "The user already exists.",
    errorCode: "auth0_idp_error",
  });
  t.is((await create(aUser({ connection: "low", email }))).status, 201);
});

test("a username that the connection has is 400 [doc]", async (t) => {
  await create(aUser({ connection: "strict", username: "taken" }));

  const reply = await create(aUser({ connection: "strict", username: "TAKEN" }));

  t.is(reply.status, 400);
  t.like(reply.body, { message: "The username provided is in use already." });
});

test("passwordless users need an address or a number, and get prefixed ids [doc]", async (t) => {
  const byEmail = user(await create({ connection: "email", email: newEmail() }));
  const bySms = user(await create({ connection: "sms", phone_number: "+4479460000", phone_verified: true }));
  const none = await create({ connection: "sms", email: newEmail() });

  t.regex(String(byEmail["user_id"]), /^email\|/);
  t.regex(String(bySms["user_id"]), /^sms\|/);
  t.like(bySms, { phone_number: "+4479460000", phone_verified: true, name: "+4479460000" });
  t.is(none.status, 400);
  t.is((await create({ connection: "sms", phone_number: "+4479460000" })).status, 409);
});

for (const [title, body, message] of [
  [
    "an unknown connection",
    { connection: "nowhere" },
    { message: "The connection does not exist.", errorCode: "inexistent_connection" },
  ],
  [
    "a social connection",
    { connection: "google" },
    {
      message:
        "Connection does not support user creation through the API. It must either be a database or passwordless connection.",
    },
  ],
  [
    "an enterprise connection",
    { connection: "corporate" },
    {
      message:
        "Connection does not support user creation through the API. It must either be a database or passwordless connection.",
    },
  ],
  ["a disabled connection", { connection: "disabled" }, { message: "Connection is disabled." }],
  [
    "a username where the connection has none",
    { username: "kim" },
    { message: "Cannot set username for connection without requires_username" },
  ],
  [
    "no username where the connection requires one",
    { connection: "strict" },
    { message: "Payload validation error: 'Missing required property: username'.", errorCode: "invalid_body" },
  ],
  [
    "a username longer than the connection takes",
    { connection: "strict", username: "sixteen-letters!" },
    {
      message:
        "Payload validation error: 'String is too long (16 chars), maximum 15' on property username " +
        "(The user's username. Only valid if the connection requires a username).",
    },
  ],
  [
    "no e-mail address",
    { email: undefined },
    { message: "Payload validation error: 'Missing required property: email'.", errorCode: "invalid_body" },
  ],
  [
    "no password",
    { password: undefined },
    { message: "Payload validation error: 'Missing required property: password'." },
  ],
  [
    "a password below the policy good",
    { password: "abcdefgh" },
    { message: "PasswordStrengthError: Password is too weak" },
  ],
  [
    "a password below the policy fair",
    { connection: "fair", password: "abcdefgh!!" },
    { message: "PasswordStrengthError: Password is too weak" },
  ],
  [
    "a password below the policy low",
    { connection: "low", password: "abcde" },
    { message: "PasswordStrengthError: Password is too weak" },
  ],
  [
    "three equal characters in a row under excellent",
    { connection: "excellent", password: "Abcdef-1111" },
    { message: "PasswordStrengthError: Password is too weak" },
  ],
  [
    "a password of the connection's dictionary",
    { connection: "wary", password: "Open Sesame" },
    { message: "PasswordDictionaryError: Password is too common" },
  ],
  [
    "a password with the person's name in it",
    { connection: "wary", given_name: "Melanie", password: "xx-melanie-xx" },
    { message: "PasswordNoUserInfoError: Password contains user information" },
  ],
  [
    "a property that is none",
    { nick: "x", foo: 1 },
    {
      message:
        "Payload validation error: 'Additional properties not allowed: nick,foo' (consider storing them in app_metadata " +
        'or user_metadata. See "Users Metadata" in https://auth0.com/docs/api/v2/changes for more details).',
      errorCode: "invalid_body",
    },
  ],
  [
    "no connection",
    { connection: undefined },
    { message: "Payload validation error: 'Missing required property: connection'.", errorCode: "invalid_body" },
  ],
  [
    "null, which no property takes on a create",
    { nickname: null },
    {
      message:
        "Payload validation error: 'Expected type string but found type null' on property nickname (The user's nickname).",
    },
  ],
  ["a reserved name in app_metadata", { app_metadata: { email: "x" } }, { errorCode: "invalid_body" }],
] as const) {
  test(`POST with ${title} is 400 [doc]`, async (t) => {
    const reply = await create(aUser(body));

    t.is(reply.status, 400);
    t.like(reply.body, { statusCode: 400, error: "Bad Request", ...message });
  });
}

test("a policy is met by what just meets it [doc]", async (t) => {
  for (const [connection, password] of [
    ["low", "lower case words"],
    ["fair", "Abcdefg1"],
    ["excellent", "Abcdef-112"],
    ["wary", "x"],
  ]) {
    t.is((await create(aUser({ connection, password }))).status, 201, connection);
  }
});

test("several problems are joined with (also), in reverse order of the schema [doc]", async (t) => {
  const reply = await create(
    aUser({ phone_number: "", given_name: "", family_name: "", name: "", nickname: "", picture: "", username: "" }),
  );

  t.deepEqual(reply.body, {
    statusCode: 400,
    error: "Bad Request",
    message:
      "Payload validation error: 'String is too short (0 chars), minimum 1' on property username (The user's username. " +
      "Only valid if the connection requires a username). (also) Payload validation error: 'Object didn't pass " +
      "validation for format strict-uri: ' on property picture (A URI pointing to the user's picture). (also) Payload " +
      "validation error: 'String is too short (0 chars), minimum 1' on property nickname (The user's nickname). (also) " +
      "Payload validation error: 'String is too short (0 chars), minimum 1' on property name (The user's full name). " +
      "(also) Payload validation error: 'String is too short (0 chars), minimum 1' on property family_name (The user's " +
      "family name(s)). (also) Payload validation error: 'String is too short (0 chars), minimum 1' on property " +
      "given_name (The user's given name(s)). (also) Payload validation error: 'String does not match pattern " +
      "^\\+[0-9]{1,15}$: ' on property phone_number (The user's phone number (following the E.164 recommendation)).",
    errorCode: "invalid_body",
  });
});

for (const { sent, problem } of [
  ...["email", "phone_number", "given_name", "family_name", "name", "nickname", "picture", "password", "username"].map(
    (name) => ({ sent: { [name]: 7 }, problem: `'Expected type string but found type integer' on property ${name}` }),
  ),
  ...["blocked", "email_verified", "phone_verified", "verify_email"].map((name) => ({
    sent: { [name]: "true" },
    problem: `'Expected type boolean but found type string' on property ${name}`,
  })),
  ...["user_metadata", "app_metadata"].map((name) => ({
    sent: { [name]: [] },
    problem: `'Expected type object but found type array' on property ${name}`,
  })),
  {
    sent: { user_id: "with blank" },
    problem: "'String does not match pattern ^\\S*$: with blank' on property user_id",
  },
  {
    sent: { picture: "a.png" },
    problem: "'Object didn't pass validation for format strict-uri: a.png' on property picture",
  },
  {
    sent: { phone_number: "0123" },
    problem: "'String does not match pattern ^\\+[0-9]{1,15}$: 0123' on property phone_number",
  },
  {
    sent: { username: "x".repeat(129) },
    problem: "'String is too long (129 chars), maximum 128' on property username",
  },
  { sent: { connection: "" }, problem: "'String is too short (0 chars), minimum 1' on property connection" },
]) {
  test(`POST with ${JSON.stringify(sent).slice(0, 40)} breaks the schema [oas]`, async (t) => {
    const { status, body } = await create(aUser(sent));

    t.is(status, 400);
    t.like(body, { errorCode: "invalid_body" });
    t.true((body as { message: string }).message.startsWith(`Payload validation error: ${problem}`));
  });
}

test("no property may be null on a create [oas]", async (t) => {
  const taken = aUser({ user_id: "a", username: "a", phone_number: "+1", verify_email: true, phone_verified: true });
  const rest = ["given_name", "family_name", "name", "nickname", "picture", "blocked", "email_verified"];
  for (const name of [...Object.keys(taken), ...rest, "user_metadata", "app_metadata"]) {
    const { body } = await create(aUser({ [name]: null }));
    t.regex((body as { message: string }).message, /but found type null' on property/, name);
  }
});

test("limits of length are those of the schema: one character more is refused [doc]", async (t) => {
  for (const [name, limit] of [
    ["given_name", 150],
    ["family_name", 150],
    ["name", 300],
    ["nickname", 300],
    ["user_id", 255],
  ] as const) {
    t.is((await create(aUser({ [name]: "x".repeat(limit) }))).status, 201, name);
    t.is((await create(aUser({ [name]: "y".repeat(limit + 1) }))).status, 400, name);
  }
});

test("e-mail addresses are checked for their form and length [doc]", async (t) => {
  for (const email of ["plain", "a b@example.com", " a@example.com", "a@localhost", `${"x".repeat(65)}@example.com`]) {
    const reply = await create(aUser({ email }));
    t.like(
      reply.body,
      {
        message: `Payload validation error: 'Object didn't pass validation for format email: ${email}' on property email (The user's email).`,
      },
      email,
    );
  }
  t.is((await create(aUser({ email: "o'neil+tag@mail.example.co.uk" }))).status, 201);
});

test("a tenant with several verified domains wants one named in a header [rec]", async (t) => {
  const tenant = await startTestSimulator(t, { customDomains: ["login.one.example", "login.two.example"] });

  const unnamed = await tenant.api("POST", "/api/v2/users", aUser());
  const token = await tenant.token();
  const named = await tenant.request("POST", "/api/v2/users", {
    headers: { authorization: `Bearer ${token}`, "auth0-custom-domain": "login.two.example" },
    body: aUser(),
  });

  t.is(unnamed.status, 409);
  t.deepEqual(unnamed.body, {
    statusCode: 409,
    error: "Conflict",
    message: "The tenant has multiple verified custom domains.",
    errorCode: "custom_domain_conflict",
  });
  t.is(named.status, 201);
});

test("a form does as well as JSON [doc]", async (t) => {
  const email = newEmail();
  const form = new URLSearchParams({ connection: DATABASE, email, password: PASSWORD, email_verified: "true" });

  const reply = await simulator.request("POST", "/api/v2/users", {
    headers: {
      authorization: `Bearer ${await simulator.token()}`,
      "content-type": "application/x-www-form-urlencoded",
    },
    body: form.toString(),
  });

  t.is(reply.status, 201);
  t.like(reply.body, { email, email_verified: true });
});
