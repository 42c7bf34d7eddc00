/** What a connection says about its users, known before Auth0 is asked for what it would refuse. */
import test, { type ExecutionContext } from "ava";
import { connectionName, userId } from "../../src/core/ids.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { Side, directoryOf } from "../support/side.ts";
import { startTestSimulator } from "../support/start-simulator.ts";
import { DATABASE, aDesiredUser } from "../support/builders.ts";
import { aSideWorld, given, messageOf, sent, verdictOf, type SideWorld } from "../support/side-world.ts";

const passwordPolicy = { passwordPolicy: "good", password_complexity_options: { min_length: 12 } };

function aWorldWith(t: ExecutionContext, name: string, strategy: string, options = {}): Promise<SideWorld> {
  return aSideWorld(t, { connections: [{ name, strategy, options }] });
}

async function anAdopted(world: SideWorld, connection: string, attributes: object) {
  const { user_id: id } = await world.tenant.addUser({ connection, ...attributes });
  await sent(world.tenant);
  return aDesiredUser({ email: undefined }, { connection: connectionName(connection), adoptedId: userId(id) });
}

test("a plain user of a database is created without a connection being read", async (t) => {
  const { tenant, side } = await aSideWorld(t);

  await side.pass(aDesiredUser(), { password: given("Correct-Horse-7") });

  t.is((await tenant.calls()).byRoute["GET /api/v2/connections"], undefined);
});

test("what the identity provider owns is named before any PATCH, and the rest is done", async (t) => {
  const world = await aWorldWith(t, "acme", "samlp");
  const { tenant, side } = world;
  const adopted = await anAdopted(world, "acme", { email: "jane@example.com", nickname: "idp" });
  const desired = { ...adopted, attributes: { nickname: "mine", name: "Mine" }, appMetadata: { plan: "gold" } };

  const outcome = await side.pass(desired);

  t.is(verdictOf(outcome), "refused AttributeNotWritable");
  t.deepEqual(outcome.notWritable, ["name", "nickname"]);
  t.regex(
    messageOf(outcome),
    /name, nickname can't be changed: connection acme .*set_user_root_attributes to on_first_login/,
  );
  const calls = await sent(tenant);
  t.is(calls.length, 3);
  t.deepEqual(fieldsOf(calls), ["app_metadata"]);
  t.is(verdictOf(await side.pass(desired, { isSync: true })), "refused AttributeNotWritable");
  t.deepEqual(await sent(tenant), ["GET"], "the connection is known by now");
});

test("a setting that was changed at the connection is seen by itself", async (t) => {
  const tenant = await startTestSimulator(t, { connections: [{ name: "acme", strategy: "oidc", options: {} }] });
  const clock = new ManualClock(Date.now());
  const { api, directory } = directoryOf(tenant, clock);
  t.teardown(() => {
    api.close();
  });
  const side = new Side(directory, clock);
  const { user_id: id } = await tenant.addUser({ connection: "acme", email: "jane@example.com" });
  const adopted = { connection: connectionName("acme"), adoptedId: userId(id) };
  const desired = { ...aDesiredUser({}, adopted), attributes: { nickname: "mine" } };
  t.is(verdictOf(await side.pass(desired)), "refused AttributeNotWritable");

  const [connection] = (await tenant.api("GET", "/api/v2/connections")).body as { id: string }[];
  await tenant.api("PATCH", `/api/v2/connections/${connection?.id ?? ""}`, {
    options: { set_user_root_attributes: "on_first_login" },
  });
  t.is(verdictOf(await side.pass(desired, { isSync: true })), "refused AttributeNotWritable");
  await clock.advance(16 * 60_000);

  t.regex(verdictOf(await side.pass(desired, { isSync: true })), /^ready/);
  t.is((await tenant.user(id))?.["nickname"], "mine");
});

for (const [strategy, attributes, path] of [
  ["samlp", { emailVerified: true }, "emailVerified"],
  ["google-oauth2", { email: "new@example.com" }, "email"],
  ["email", { email: "new@example.com" }, "email"],
] as const) {
  test(`${path} of ${strategy} users is known not to be writable`, async (t) => {
    const world = await aWorldWith(t, strategy, strategy);
    const desired = await anAdopted(world, strategy, { email: "jane@example.com" });

    const outcome = await world.side.pass({ ...desired, attributes });

    t.deepEqual([verdictOf(outcome), outcome.notWritable], ["refused AttributeNotWritable", [path]]);
    t.deepEqual(fieldsOf(await sent(world.tenant)), ["app_metadata"], "nothing but the marker is sent");
  });
}

test("a username is not added to a user that has none", async (t) => {
  const { tenant, side } = await aSideWorld(t);
  await side.pass(aDesiredUser());
  await sent(tenant);

  const outcome = await side.pass(aDesiredUser({ username: "jane", nickname: "jd" }));

  t.deepEqual(outcome.notWritable, ["username"]);
  t.deepEqual(await sent(tenant), [["PATCH", { nickname: "jd" }]]);
});

test("users of an identity provider are not created, and Auth0 is asked once at most", async (t) => {
  const { tenant, side, other } = await aWorldWith(t, "acme", "samlp");
  const desired = aDesiredUser({}, { connection: connectionName("acme") });

  const first = await side.pass(desired, { password: { kind: "unmanaged" } });
  const second = await other().pass(desired, { password: { kind: "unmanaged" } });

  t.deepEqual(
    [verdictOf(first), verdictOf(second)],
    ["refused ConnectionUnsupported", "refused ConnectionUnsupported"],
  );
  t.regex(messageOf(second), /adopt the user by spec\.userId/);
  t.is((await tenant.calls()).byRoute["POST /api/v2/users"], 1);
});

const usernames: [title: string, options: object, username: string | undefined, message: RegExp][] = [
  ["a username is needed", { requires_username: true }, undefined, /demands username: set it/],
  ["a username is forbidden", {}, "jane", /has no usernames/],
  ["a username is too long", { requires_username: true }, "a".repeat(16), /1 to 15 characters/],
];
for (const [title, options, username, message] of usernames) {
  test(`${title}, and it is said with what to do`, async (t) => {
    const { tenant, side } = await aWorldWith(t, DATABASE, "auth0", options);

    const outcome = await side.pass(aDesiredUser({ username }));

    t.is(verdictOf(outcome), "refused ConnectionUnsupported");
    t.regex(messageOf(outcome), message);
    t.is((await tenant.calls()).byRoute["POST /api/v2/users"], username === undefined ? 1 : undefined);
  });
}

test("an identifier that the connection demands is named", async (t) => {
  const { tenant, side, other } = await aWorldWith(t, DATABASE, "auth0", {
    attributes: { email: { profile_required: false }, phone_number: { profile_required: true }, username: {} },
  });

  t.regex(messageOf(await side.pass(aDesiredUser())), /demands phoneNumber: set it/);
  t.regex(messageOf(await other().pass(aDesiredUser())), /demands phoneNumber: set it/);
  t.is((await tenant.calls()).byRoute["POST /api/v2/users"], 1, "known from the second user on");
});

test("a password that the connection would refuse does not leave, and the user is looked after all the same", async (t) => {
  const { tenant, side } = await aWorldWith(t, DATABASE, "auth0", passwordPolicy);
  await side.pass(aDesiredUser(), { password: given("Correct-Horse-7") });
  await sent(tenant);

  const outcome = await side.pass(aDesiredUser({ nickname: "jd" }), { password: given("short-Pw1") });

  t.is(verdictOf(outcome), "refused PasswordRejected");
  t.regex(messageOf(outcome), /too weak: shorter than 12 characters; everything else is as declared/);
  t.deepEqual(await sent(tenant), ["GET", ["PATCH", { nickname: "jd" }]]);
});

test("a password that Auth0 refuses all the same is not sent again and again", async (t) => {
  const { tenant, side } = await aWorldWith(t, DATABASE, "auth0", {
    ...passwordPolicy,
    password_history: { enable: true, size: 5 },
  });
  await side.pass(aDesiredUser(), { password: given("Correct-Horse-7") });
  await side.pass(aDesiredUser(), { password: given("Correct-Horse-8") });
  await sent(tenant);

  const outcome = await side.pass(aDesiredUser({ email: "new@example.com" }), { password: given("Correct-Horse-7") });
  t.is(verdictOf(outcome), "refused PasswordRejected");
  t.is(outcome.passwordFailure?.reason, "PasswordRejected");
  await side.pass(aDesiredUser({ email: "new@example.com" }), { password: given("Correct-Horse-7"), isSync: true });

  t.deepEqual(await sent(tenant), [
    ["PATCH", { email: "new@example.com", email_verified: false, verify_email: false }],
    ["PATCH", { password: "*****" }],
    "GET",
  ]);
});

test("one attribute that can't be set does not keep the others from being set, and all are named", async (t) => {
  const { tenant, side } = await aSideWorld(t);
  await tenant.addUser({ connection: DATABASE, email: "taken@example.com", username: "taken" });
  await side.pass(aDesiredUser({ username: "jane" }));
  await sent(tenant);

  const outcome = await side.pass(
    aDesiredUser({ username: "taken", email: "taken@example.com", nickname: "jd" }, { userMetadata: { team: "a" } }),
    { password: given("Correct-Horse-8") },
  );

  t.is(verdictOf(outcome), "refused UserConflict");
  t.regex(messageOf(outcome), /username.*in use.*email already exists.*everything else is as declared/);
  t.true(outcome.isPasswordSent);
  t.like(await tenant.user("jane@example.com"), { username: "jane", nickname: "jd", user_metadata: { team: "a" } });
});

test("a number that somebody else has is named, and the rest is set", async (t) => {
  const { tenant, side } = await aSideWorld(t);
  await tenant.addUser({ connection: "sms", phone_number: "+4420" });
  const sms = { connection: connectionName("sms") };
  await side.pass(aDesiredUser({ email: undefined, phoneNumber: "+4421" }, sms));
  await sent(tenant);

  const outcome = await side.pass(aDesiredUser({ email: undefined, phoneNumber: "+4420", nickname: "jd" }, sms));

  t.is(verdictOf(outcome), "refused UserConflict");
  t.like(await tenant.user(side.record.userId ?? ""), { phone_number: "+4421", nickname: "jd" });
});

test("without the scope to read connections everything else goes on", async (t) => {
  const { tenant, side } = await aSideWorld(t);
  await tenant.editClient({ scopes: ["read:users", "create:users", "update:users", "delete:users"] });

  const outcome = await side.pass(aDesiredUser({ username: "jane" }), { password: given("weak-1") });

  t.is(verdictOf(outcome), "ready Created");
});

/** The fields of all bodies that were sent. */
function fieldsOf(calls: readonly unknown[]): string[] {
  return calls.flatMap((call): string[] => (Array.isArray(call) ? Object.keys(Object(call[1])) : []));
}
