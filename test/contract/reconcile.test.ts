/** The sequence against a tenant over HTTP: what is sent, what is there afterwards, and what is said about it. */
import assert from "node:assert/strict";
import test from "ava";
import { parseDurationMs } from "../../src/api/duration.ts";
import { validateUserSpec } from "../../src/api/validate.ts";
import type { DesiredUser, RootAttributes } from "../../src/core/desired-user.ts";
import { connectionName, userId } from "../../src/core/ids.ts";
import { eventually } from "../support/eventually.ts";
import { DATABASE, aDesiredUser } from "../support/builders.ts";
import { Side, directoryOf } from "../support/side.ts";
import { aSideWorld as aWorld, given, messageOf, sent, verdictOf } from "../support/side-world.ts";
import { startTestSimulator, type TestSimulator } from "../support/start-simulator.ts";

const FIVE = {
  givenName: "Jane",
  familyName: "Doe",
  name: "Jane Doe",
  nickname: "jd",
  picture: "https://example.com/jane.png",
};
const FIVE_ON_THE_WIRE = {
  given_name: "Jane",
  family_name: "Doe",
  name: "Jane Doe",
  nickname: "jd",
  picture: "https://example.com/jane.png",
};
const FIVE_NULLS = { givenName: null, familyName: null, name: null, nickname: null, picture: null };

test("creates a user with everything in the one POST, and asks nothing else", async (t) => {
  const { tenant, side } = await aWorld(t);
  const desired = aDesiredUser(
    { ...FIVE, emailVerified: true, blocked: false },
    { userMetadata: { team: "a" }, appMetadata: { plan: "gold" } },
  );

  const outcome = await side.pass(desired, { password: given("Correct-Horse-7") });

  t.is(verdictOf(outcome), "ready Created");
  t.deepEqual(await sent(tenant), [
    [
      "POST",
      {
        connection: DATABASE,
        user_id: side.uid,
        email: "jane@example.com",
        email_verified: true,
        blocked: false,
        ...FIVE_ON_THE_WIRE,
        user_metadata: { team: "a" },
        app_metadata: { plan: "gold" },
        verify_email: false,
        password: "*****",
      },
    ],
  ]);
  t.true(await tenant.passwordMatches(`auth0|${side.uid}`, "Correct-Horse-7"));
  t.deepEqual(side.claim?.userId, userId(`auth0|${side.uid}`));
});

test("a look at a user in sync is one GET, a pass that may rely on the last sighting is none", async (t) => {
  const { tenant, side } = await aWorld(t);
  const desired = aDesiredUser(FIVE, { userMetadata: { team: "a" } });
  await side.pass(desired);
  await sent(tenant);

  t.is(verdictOf(await side.pass(desired)), "ready as before");
  t.deepEqual(await sent(tenant), []);
  t.is(verdictOf(await side.pass(desired, { isSync: true })), "ready as before");
  t.deepEqual(await sent(tenant), ["GET"]);
});

test("an edit of two attributes is one PATCH with two keys", async (t) => {
  const { tenant, side } = await aWorld(t);
  await side.pass(aDesiredUser(FIVE));
  await sent(tenant);

  const outcome = await side.pass(aDesiredUser({ ...FIVE, nickname: "new", name: "New Name" }));

  t.is(verdictOf(outcome), "ready Updated");
  t.deepEqual(await sent(tenant), [["PATCH", { name: "New Name", nickname: "new" }]]);
});

test("an edit after a restart reads first, then sends what differs", async (t) => {
  const { tenant, side } = await aWorld(t);
  await side.pass(aDesiredUser(FIVE));
  side.forget();
  await sent(tenant);

  await side.pass(aDesiredUser({ ...FIVE, nickname: "new" }));

  t.deepEqual(await sent(tenant), ["GET", ["PATCH", { nickname: "new" }]]);
});

test("drift is repaired by one GET and one PATCH with the drifted keys only", async (t) => {
  const { tenant, side } = await aWorld(t);
  const desired = aDesiredUser(FIVE, { appMetadata: { plan: "gold" } });
  await side.pass(desired);
  await tenant.patchUser(`auth0|${side.uid}`, { nickname: "by hand", app_metadata: { plan: "free", foreign: 1 } });
  await sent(tenant);

  const outcome = await side.pass(desired, { isSync: true });

  t.is(verdictOf(outcome), "ready DriftCorrected");
  t.deepEqual(outcome.changed, ["nickname", "appMetadata.plan"]);
  t.deepEqual(await sent(tenant), ["GET", ["PATCH", { nickname: "jd", app_metadata: { plan: "gold" } }]]);
  t.deepEqual((await tenant.user(`auth0|${side.uid}`))?.["app_metadata"], { plan: "gold", foreign: 1 });
});

test("drift that an edit happens upon is seen in the answer and repaired at once", async (t) => {
  const { tenant, side } = await aWorld(t);
  await side.pass(aDesiredUser(FIVE));
  await tenant.patchUser(`auth0|${side.uid}`, { name: "By Hand" });
  await sent(tenant);

  await side.pass(aDesiredUser({ ...FIVE, nickname: "new" }));

  t.deepEqual(await sent(tenant), [
    ["PATCH", { nickname: "new" }],
    ["PATCH", { name: "Jane Doe" }],
  ]);
});

for (const nullRootAttribute of ["removed", "regenerated"] as const) {
  test(`all five attributes go by one PATCH of nulls, and no later pass sees drift (${nullRootAttribute})`, async (t) => {
    const { tenant, side } = await aWorld(t, { switches: { nullRootAttribute } });
    await side.pass(aDesiredUser(FIVE));
    await sent(tenant);

    const outcome = await side.pass(aDesiredUser(FIVE_NULLS));

    t.is(verdictOf(outcome), "ready Updated");
    t.deepEqual(await sent(tenant), [
      ["PATCH", { given_name: null, family_name: null, name: null, nickname: null, picture: null }],
    ]);
    t.is(verdictOf(await side.pass(aDesiredUser(FIVE_NULLS), { isSync: true })), "ready as before");
    side.forget();
    t.is(verdictOf(await side.pass(aDesiredUser(FIVE_NULLS), { isSync: true })), "ready as before");
    t.deepEqual(await sent(tenant), ["GET", "GET"]);
  });

  for (const [name, value] of Object.entries(FIVE)) {
    test(`${name} goes by one PATCH with one null (${nullRootAttribute})`, async (t) => {
      const { tenant, side } = await aWorld(t, { switches: { nullRootAttribute } });
      await side.pass(aDesiredUser({ [name]: value }));
      await sent(tenant);

      await side.pass(aDesiredUser({ [name]: null }));
      await side.pass(aDesiredUser({ [name]: null }), { isSync: true });

      const wire = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      t.deepEqual(await sent(tenant), [["PATCH", { [wire]: null }], "GET"]);
    });
  }
}

test("a null that Auth0 refuses is dropped, the rest is sent once more, and it is not tried again", async (t) => {
  const { tenant, side } = await aWorld(t, { switches: { nullRootAttribute: "refused" } });
  await side.pass(aDesiredUser(FIVE));
  await sent(tenant);
  const desired = aDesiredUser({ ...FIVE_NULLS, nickname: "new" });

  const outcome = await side.pass(desired);

  t.is(verdictOf(outcome), "refused AttributeNotWritable");
  t.deepEqual([...outcome.notWritable].toSorted(), ["familyName", "givenName", "name", "picture"]);
  t.deepEqual(await sent(tenant), [
    ["PATCH", { given_name: null, family_name: null, name: null, nickname: "new", picture: null }],
    ["PATCH", { nickname: "new" }],
  ]);
  t.is(verdictOf(await side.pass(desired, { isSync: true })), "refused AttributeNotWritable");
  t.deepEqual(await sent(tenant), ["GET"]);

  await tenant.switches({ nullRootAttribute: "removed" });
  t.is(verdictOf(await side.pass(aDesiredUser({ ...FIVE_NULLS, nickname: "newer" }))), "ready Updated");
});

test("a null from the first day on is one more PATCH after the POST", async (t) => {
  const { tenant, side } = await aWorld(t);

  await side.pass(aDesiredUser({ nickname: null }));

  const [, patch] = await sent(tenant);
  t.deepEqual(patch, ["PATCH", { nickname: null }]);
  t.is((await tenant.user(`auth0|${side.uid}`))?.["nickname"], undefined);
});

test("what one PATCH can't carry goes in the fewest that can", async (t) => {
  const { tenant, side } = await aWorld(t);
  await side.pass(aDesiredUser({ username: "jane", nickname: "jd" }), { password: given("Correct-Horse-7") });
  await sent(tenant);

  const outcome = await side.pass(
    aDesiredUser({ email: "new@example.com", emailVerified: true, username: "janet", nickname: "new" }),
    { password: given("Correct-Horse-8") },
  );

  t.is(verdictOf(outcome), "ready Updated");
  t.true(outcome.isPasswordSent);
  t.deepEqual(await sent(tenant), [
    ["PATCH", { username: "janet", nickname: "new" }],
    ["PATCH", { email: "new@example.com", email_verified: true, verify_email: false }],
    ["PATCH", { password: "*****" }],
  ]);
  t.true(await tenant.passwordMatches(`auth0|${side.uid}`, "Correct-Horse-8"));
});

test("a password is sent when it changed, and only then", async (t) => {
  const { tenant, side } = await aWorld(t);
  await side.pass(aDesiredUser(), { password: given("Correct-Horse-7") });
  await sent(tenant);

  t.false((await side.pass(aDesiredUser(), { password: given("Correct-Horse-7", "same") })).isPasswordSent);
  t.false((await side.pass(aDesiredUser(), { password: given("Correct-Horse-7", "unknown") })).isPasswordSent);
  t.true((await side.pass(aDesiredUser(), { password: given("Correct-Horse-8") })).isPasswordSent);
  t.deepEqual(await sent(tenant), [["PATCH", { password: "*****" }]]);
});

test("without its Secret no user is created; one that exists is looked after all the same", async (t) => {
  const { tenant, side } = await aWorld(t);
  const password = { kind: "missing", reason: "SecretNotFound", message: "Secret jane does not exist" } as const;

  t.is(verdictOf(await side.pass(aDesiredUser(), { password })), "refused SecretNotFound");
  t.deepEqual(await sent(tenant), []);
  t.is(side.claim, undefined);

  await side.pass(aDesiredUser());
  await sent(tenant);
  t.is(verdictOf(await side.pass(aDesiredUser({ nickname: "new" }), { password })), "refused SecretNotFound");
  t.deepEqual(await sent(tenant), [["PATCH", { nickname: "new" }]]);
});

test("a block that somebody set is reported and stands until the spec says something new of it", async (t) => {
  const { tenant, side } = await aWorld(t);
  await side.pass(aDesiredUser({ blocked: false }));
  await tenant.patchUser(`auth0|${side.uid}`, { blocked: true });

  const outcome = await side.pass(aDesiredUser({ blocked: false }), { isSync: true });
  t.deepEqual([verdictOf(outcome), outcome.reported], ["ready InSync", ["blocked"]]);
  await side.pass(aDesiredUser({ blocked: false, nickname: "new" }));
  t.true((await tenant.user(`auth0|${side.uid}`))?.["blocked"]);

  await side.pass(aDesiredUser({ blocked: true, nickname: "new" }));
  await side.pass(aDesiredUser({ blocked: false, nickname: "new" }));
  t.false((await tenant.user(`auth0|${side.uid}`))?.["blocked"]);
});

test("a lost answer to POST is recognised as our own user, not created twice", async (t) => {
  const { tenant, side } = await aWorld(t);
  await tenant.faults({ rules: [{ kind: "reset-after", route: "POST /api/v2/users", count: 1 }] });

  t.is(verdictOf(await side.pass(aDesiredUser())), "refused Auth0Unavailable");
  t.is(verdictOf(await side.pass(aDesiredUser())), "ready Created");

  t.deepEqual(
    (await sent(tenant)).map((one) => (Array.isArray(one) ? one[0] : one)),
    ["POST", "GET"],
  );
  t.is((await tenant.users()).length, 1);
});

test("a password that changed while the answer to its POST was lost is sent once more", async (t) => {
  const { tenant, side } = await aWorld(t);
  await tenant.faults({ rules: [{ kind: "reset-after", route: "POST /api/v2/users", count: 1 }] });

  await side.pass(aDesiredUser(), { password: given("Correct-Horse-7") });
  t.is(verdictOf(await side.pass(aDesiredUser(), { password: given("Correct-Horse-8") })), "ready Created");

  t.true(await tenant.passwordMatches(`auth0|${side.uid}`, "Correct-Horse-8"));
  t.deepEqual((await sent(tenant)).slice(1), ["GET", ["PATCH", { password: "*****" }]]);
});

test("a POST that never arrived is sent again", async (t) => {
  const { tenant, side } = await aWorld(t);
  await tenant.faults({ rules: [{ kind: "reset-before", route: "POST /api/v2/users", count: 1 }] });

  await side.pass(aDesiredUser());
  t.is(verdictOf(await side.pass(aDesiredUser())), "ready Created");

  t.is((await tenant.users()).length, 1);
});

test("an answer that comes truncated is taken for lost", async (t) => {
  const { tenant, side } = await aWorld(t);
  await tenant.faults({ rules: [{ kind: "truncate", route: "POST /api/v2/users", count: 1 }] });

  t.is(verdictOf(await side.pass(aDesiredUser())), "refused Auth0Unavailable");
  t.is(verdictOf(await side.pass(aDesiredUser())), "ready Created");
});

for (const status of [500, 502, 503, 524]) {
  test(`after a ${String(status)} whose work was done there is one user`, async (t) => {
    const { tenant, side } = await aWorld(t);
    await tenant.faults({ rules: [{ kind: "status", status, workDone: true, route: "POST /api/v2/users", count: 1 }] });

    t.is(verdictOf(await side.pass(aDesiredUser())), "refused Auth0Unavailable");
    t.is(verdictOf(await side.pass(aDesiredUser())), "ready Created");
    t.is((await tenant.users()).length, 1);
  });
}

test("reads survive a fault or two within the pass, writes are left to the next", async (t) => {
  const { tenant, side } = await aWorld(t);
  await side.pass(aDesiredUser());
  await tenant.faults({
    rules: [
      { kind: "status", status: 503, route: "GET /api/v2/users/{id}", count: 2 },
      { kind: "status", status: 503, route: "PATCH /api/v2/users/{id}", count: 1 },
    ],
  });

  t.is(verdictOf(await side.pass(aDesiredUser(), { isSync: true })), "ready as before");
  t.is(verdictOf(await side.pass(aDesiredUser({ nickname: "new" }))), "refused Auth0Unavailable");
  t.is(verdictOf(await side.pass(aDesiredUser({ nickname: "new" }))), "ready Updated");
});

test("an address that another user holds is a conflict that names the user and the way out", async (t) => {
  const { tenant, side } = await aWorld(t);
  const holder = await tenant.addUser({ connection: DATABASE, email: "jane@example.com" });

  const outcome = await side.pass(aDesiredUser({ email: "JANE@example.com" }));

  t.is(verdictOf(outcome), "refused UserConflict");
  t.like(outcome.verdict, { remedy: { kind: "stall" } });
  t.regex(messageOf(outcome), new RegExp(`${holder.user_id.replace("|", String.raw`\|`)}.*spec\\.userId`));
  t.is((await tenant.users()).length, 1);
});

test("an address that a just-deleted user still blocks is tried again, for a minute", async (t) => {
  const { tenant, side, clock } = await aWorld(t, { switches: { recreateConflictMs: 3_600_000 } });
  const holder = await tenant.addUser({ connection: DATABASE, email: "jane@example.com" });
  await tenant.api("DELETE", `/api/v2/users/${encodeURIComponent(holder.user_id)}`);

  const first = await side.pass(aDesiredUser());
  t.like(first.verdict, { reason: "UserConflict", remedy: { kind: "backoff" } });
  await clock.advance(61_000);
  t.like((await side.pass(aDesiredUser())).verdict, { reason: "UserConflict", remedy: { kind: "stall" } });
});

test("spec.userId takes over exactly that user and brings it to the spec", async (t) => {
  const { tenant, side } = await aWorld(t);
  const { user_id: id } = await tenant.addUser({ connection: DATABASE, email: "jane@example.com", nickname: "old" });
  const desired: DesiredUser = aDesiredUser({ nickname: "new" }, { adoptedId: userId(id) });
  await sent(tenant);

  const outcome = await side.pass(desired);

  t.is(verdictOf(outcome), "ready Adopted");
  const marker = `test/${side.uid};adopted;`;
  const [read, write, ...more] = await sent(tenant);
  t.deepEqual([read, more], ["GET", []]);
  t.like(write, ["PATCH", { nickname: "new" }]);
  t.true(JSON.stringify(write).includes(`"app_metadata":{"auth0_user_operator":"${marker}`), JSON.stringify(write));
  t.deepEqual(side.record.provenance, "adopted");
});

test("spec.userId never creates, and never takes a user of another connection", async (t) => {
  const { tenant, side, other } = await aWorld(t);
  const absent = await side.pass(aDesiredUser({}, { adoptedId: userId("auth0|nobody") }));
  t.is(verdictOf(absent), "refused UserNotFound");

  const { user_id: id } = await tenant.addUser({ connection: "email", email: "jane@example.com" });
  t.is(verdictOf(await other().pass(aDesiredUser({}, { adoptedId: userId(id) }))), "refused UserConflict");
  t.is((await tenant.users()).length, 1);
});

test("a user that was deleted at Auth0 is created again, after a second look", async (t) => {
  const { tenant, side, clock } = await aWorld(t);
  await side.pass(aDesiredUser(FIVE));
  await tenant.deleteUser(`auth0|${side.uid}`);

  t.is(verdictOf(await side.pass(aDesiredUser(FIVE), { isSync: true })), "undecided");
  t.is((await tenant.users()).length, 0);
  await clock.advance(5_000);
  t.is(verdictOf(await side.pass(aDesiredUser(FIVE), { isSync: true })), "ready Recreated");
  t.like(await tenant.user(`auth0|${side.uid}`), FIVE_ON_THE_WIRE);
});

test("an edit of a user that was deleted meanwhile finds out by its PATCH", async (t) => {
  const { tenant, side, clock } = await aWorld(t);
  await side.pass(aDesiredUser());
  await tenant.deleteUser(`auth0|${side.uid}`);

  t.is(verdictOf(await side.pass(aDesiredUser({ nickname: "new" }))), "undecided");
  await clock.advance(5_000);
  t.is(verdictOf(await side.pass(aDesiredUser({ nickname: "new" }))), "ready Recreated");
});

test("an adopted user that was deleted at Auth0 is reported, not created", async (t) => {
  const { tenant, side, clock } = await aWorld(t);
  const { user_id: id } = await tenant.addUser({ connection: DATABASE, email: "jane@example.com" });
  const desired = aDesiredUser({}, { adoptedId: userId(id) });
  await side.pass(desired);
  await tenant.deleteUser(id);

  await side.pass(desired, { isSync: true });
  await clock.advance(5_000);

  t.is(verdictOf(await side.pass(desired, { isSync: true })), "refused UserNotFound");
  t.is((await tenant.users()).length, 0);
});

test("a user that was linked into another account is neither created again nor deleted", async (t) => {
  const { tenant, side } = await aWorld(t);
  await side.pass(aDesiredUser());
  const primary = await tenant.addUser({ connection: DATABASE, email: "main@example.com" });
  await tenant.api("POST", `/api/v2/users/${encodeURIComponent(primary.user_id)}/identities`, {
    provider: "auth0",
    user_id: side.uid,
  });
  await sent(tenant);

  const outcome = await side.pass(aDesiredUser(), { isSync: true });

  t.is(verdictOf(outcome), "refused UserLinked");
  t.regex(messageOf(outcome), new RegExp(primary.user_id.replace("|", String.raw`\|`)));
  t.is((await tenant.users()).length, 1);
});

test("a claim of another tenant leads to no call at all", async (t) => {
  const { tenant, side } = await aWorld(t);
  const elsewhere = await aWorld(t);
  await side.pass(aDesiredUser());
  const moved = elsewhere.other();
  moved.record = side.record;

  t.is(verdictOf(await moved.pass(aDesiredUser(), { isSync: true })), "refused TenantChanged");
  t.like(await moved.end(aDesiredUser()), { kind: "refused", reason: "TenantChanged" });
  t.like(await moved.end(aDesiredUser(), "Retain"), { kind: "released", reason: "Retained" });
  t.deepEqual(await sent(elsewhere.tenant), []);
  t.is((await tenant.users()).length, 1);
});

test("a claim that nothing proves never leads to POST", async (t) => {
  const { tenant, side, other } = await aWorld(t);
  await side.pass(aDesiredUser());
  const thief = other();
  thief.claim = side.claim && { ...side.claim, isSigned: false };
  await sent(tenant);

  t.is(verdictOf(await thief.pass(aDesiredUser({ nickname: "mine" }))), "refused UserConflict");
  t.like(await thief.end(aDesiredUser()), { kind: "released", reason: "Retained" });
  t.deepEqual(await sent(tenant), []);
});

test("a passwordless user whose answer was lost is known by its marker", async (t) => {
  const { tenant, side } = await aWorld(t);
  const desired = aDesiredUser({}, { connection: connectionName("email") });
  await tenant.faults({ rules: [{ kind: "reset-after", route: "POST /api/v2/users", count: 1 }] });

  t.is(verdictOf(await side.pass(desired)), "refused Auth0Unavailable");
  t.is(verdictOf(await side.pass(desired)), "ready Created");

  const [user] = await tenant.users();
  t.is(side.record.userId, user?.user_id as never);
  t.is((await tenant.users()).length, 1);
  t.is(verdictOf(await side.pass(desired, { isSync: true })), "ready as before");
});

test("a passwordless user of somebody else is not taken for our own", async (t) => {
  const { tenant, side } = await aWorld(t);
  await tenant.addUser({ connection: "email", email: "jane@example.com" });

  t.is(verdictOf(await side.pass(aDesiredUser({}, { connection: connectionName("email") }))), "refused UserConflict");
});

test("deleting a user just written is one DELETE", async (t) => {
  const { tenant, side } = await aWorld(t);
  await side.pass(aDesiredUser());
  await sent(tenant);

  t.like(await side.end(aDesiredUser()), { kind: "released", reason: "Deleted" });

  t.deepEqual(await sent(tenant), ["DELETE"]);
  t.is((await tenant.users()).length, 0);
});

test("deleting a user not seen for ten minutes looks first, and tells absent from deleted", async (t) => {
  const { tenant, side, clock } = await aWorld(t);
  await side.pass(aDesiredUser());
  await sent(tenant);
  await clock.advance(11 * 60_000);

  t.like(await side.end(aDesiredUser()), { kind: "released", reason: "Deleted" });
  t.deepEqual(await sent(tenant), ["GET", "DELETE"]);
  t.like(await side.end(aDesiredUser()), { kind: "released", reason: "AlreadyAbsent" });
});

test("a user with a linked account is deleted only with a person's word", async (t) => {
  const { tenant, side } = await aWorld(t);
  await side.pass(aDesiredUser());
  const linked = await tenant.addUser({ connection: "email", email: "jane@example.com" });
  await tenant.api("POST", `/api/v2/users/auth0%7C${side.uid}/identities`, {
    provider: "email",
    user_id: linked.user_id.split("|")[1],
  });
  await side.pass(aDesiredUser(), { isSync: true });

  const refusal = await side.end(aDesiredUser());
  t.like(refusal, { kind: "refused", reason: "DeletionNeedsConfirmation" });
  t.true(refusal.message.includes(linked.user_id));
  t.like(await side.end(aDesiredUser(), "Delete", `auth0|${side.uid}`), { kind: "released", reason: "Deleted" });
  t.is((await tenant.users()).length, 0);
});

test("adopted users are retained unless told otherwise, created ones deleted", async (t) => {
  const { tenant, side } = await aWorld(t);
  const { user_id: id } = await tenant.addUser({ connection: DATABASE, email: "jane@example.com" });
  const desired = aDesiredUser({}, { adoptedId: userId(id) });
  await side.pass(desired);

  t.like(await side.end(desired), { kind: "released", reason: "Retained" });
  t.is((await tenant.users()).length, 1);
  t.like(await side.end(desired, "Delete"), { kind: "released", reason: "Deleted" });
});

test("a resource deleted while its creation was in doubt deletes what came to be", async (t) => {
  const { tenant, side } = await aWorld(t);
  await tenant.faults({ rules: [{ kind: "reset-after", route: "POST /api/v2/users", count: 1 }] });
  await side.pass(aDesiredUser());

  t.like(await side.end(aDesiredUser()), { kind: "released", reason: "Deleted" });
  t.is((await tenant.users()).length, 0);
});

const refusals: [
  title: string,
  attributes: RootAttributes,
  rest: Partial<DesiredUser>,
  password: string,
  reason: string,
][] = [
  ["an unknown connection", {}, { connection: connectionName("nowhere") }, "Correct-Horse-7", "ConnectionNotFound"],
  ["a weak password", {}, {}, "a", "PasswordRejected"],
];
for (const [title, attributes, rest, password, reason] of refusals) {
  test(`${title} stalls with a reason of its own and without the password`, async (t) => {
    const { tenant, side } = await aWorld(t);

    const outcome = await side.pass(aDesiredUser(attributes, rest), { password: given(password) });

    t.is(verdictOf(outcome), `refused ${reason}`);
    t.like(outcome.verdict, { remedy: { kind: "stall" } });
    t.is((await tenant.users()).length, 0);
  });
}

test("wrong credentials are asked about once, and said with what to check", async (t) => {
  const tenant = await startTestSimulator(t);
  const { api, directory } = directoryOf({ ...tenant, clientSecret: "wrong-secret" });
  t.teardown(() => {
    api.close();
  });

  const outcomes = await Promise.all([1, 2, 3].map(() => new Side(directory).pass(aDesiredUser())));

  t.deepEqual(
    outcomes.map(verdictOf),
    Array.from({ length: 3 }, () => "refused CredentialsInvalid"),
  );
  t.true(outcomes.every((outcome) => messageOf(outcome).includes("client id and secret")));
  t.notRegex(JSON.stringify(outcomes), /wrong-secret/);
  t.is((await tenant.calls()).byRoute["POST /oauth/token"], 1);
});

test("a secret that is changed while running is noticed, and the new token is asked for once", async (t) => {
  const { tenant, side } = await aWorld(t);
  await side.pass(aDesiredUser());
  await tenant.editClient({ client_secret: "another-secret" });

  t.is(verdictOf(await side.pass(aDesiredUser(), { isSync: true })), "refused CredentialsInvalid");
});

test("a tenant that can't be reached is said to be, with the domain", async (t) => {
  const { api, directory } = directoryOf({ url: "http://127.0.0.1:1", clientId: "a", clientSecret: "b" });
  t.teardown(() => {
    api.close();
  });

  const outcome = await new Side(directory).pass(aDesiredUser());

  t.is(verdictOf(outcome), "refused Auth0Unavailable");
  t.regex(messageOf(outcome), /127\.0\.0\.1:1.*ECONNREFUSED/);
});

test("a 429 is waited out as told, and nothing is doubled", async (t) => {
  const { tenant, side } = await aWorld(t);
  await tenant.faults({ rules: [{ kind: "status", status: 429, route: "POST /api/v2/users", count: 1 }] });

  const outcome = await side.pass(aDesiredUser());

  t.like(outcome.verdict, { reason: "RateLimited", remedy: { kind: "wait" } });
  await eventually(async () => {
    assert.equal(verdictOf(await side.pass(aDesiredUser())), "ready Created");
  });
  t.is((await tenant.users()).length, 1);
});

test("cancelling a pass is no failure: its own reason comes back", async (t) => {
  const { tenant, side } = await aWorld(t);
  await tenant.faults({ rules: [{ kind: "latency", ms: 60_000, route: "POST /api/v2/users" }] });
  const controller = new AbortController();
  const reason = new Error("stop");

  const pass = side.pass(aDesiredUser(), { signal: controller.signal });
  await untilCalled(tenant, "POST /api/v2/users");
  controller.abort(reason);

  t.is(await t.throwsAsync(pass), reason);
});

test("one token serves all", async (t) => {
  const { tenant, side, other } = await aWorld(t);
  await side.pass(aDesiredUser());
  await Promise.all(["a", "b", "c"].map((name) => other().pass(aDesiredUser({ email: `${name}@example.com` }))));
  await side.pass(aDesiredUser(), { isSync: true });

  t.is((await tenant.calls()).byRoute["POST /oauth/token"], 1);
});

async function untilCalled(tenant: TestSimulator, route: string): Promise<void> {
  while ((await tenant.calls()).byRoute[route] === undefined) await new Promise((resolve) => setImmediate(resolve));
}

test("a time so long that it means never is waited for, and is no bug", async (t) => {
  const { tenant, side, clock } = await aWorld(t);
  side.recreateAfterMs = parseDurationMs("9999999999h");
  await side.pass(aDesiredUser());
  await tenant.deleteUser(`auth0|${side.uid}`);
  await side.pass(aDesiredUser(), { isSync: true });
  await clock.advance(5_000);

  t.is(verdictOf(await side.pass(aDesiredUser(), { isSync: true })), "refused RecreationScheduled");
});

test("a user that was unblocked since it was last seen is blocked by Disable", async (t) => {
  const { tenant, side } = await aWorld(t);
  const desired = aDesiredUser({ blocked: true });
  await side.pass(desired);
  await tenant.patchUser(`auth0|${side.uid}`, { blocked: false });

  t.like(await side.end(desired, "Disable"), { kind: "released", reason: "Disabled" });

  t.true((await tenant.user(`auth0|${side.uid}`))?.["blocked"], "its resource went, saying that it stays blocked");
});

test("a user that was deleted since it was last seen does not keep a resource with Disable", async (t) => {
  const { tenant, side } = await aWorld(t);
  await side.pass(aDesiredUser());
  await tenant.deleteUser(`auth0|${side.uid}`);

  t.like(await side.end(aDesiredUser(), "Disable"), { kind: "released", reason: "AlreadyAbsent" });
});

test("a username that is taken is found though the address is also that of a user of another connection", async (t) => {
  const { tenant, side } = await aWorld(t);
  await tenant.addUser({ connection: "email", email: "jane@example.com" });
  const holder = await tenant.addUser({
    connection: DATABASE,
    email: "old@example.com",
    username: "jane",
    password: "Correct-Horse-7",
  });

  const outcome = await side.pass(aDesiredUser({ username: "jane" }));

  t.is(verdictOf(outcome), "refused UserConflict");
  t.like(outcome.verdict, { remedy: { kind: "stall" } });
  t.true(messageOf(outcome).includes(holder.user_id), messageOf(outcome));
});

const FLEXIBLE = {
  name: DATABASE,
  options: {
    attributes: {
      email: { identifier: { active: true }, profile_required: false, unique: true },
      phone_number: { identifier: { active: true }, profile_required: false },
    },
  },
};

test("two attributes that other users have do not keep a third from being set", async (t) => {
  const { tenant, side } = await aWorld(t, { connections: [FLEXIBLE] });
  await tenant.addUser({
    connection: DATABASE,
    email: "taken@example.com",
    phone_number: "+4420794600",
    password: "Correct-Horse-7",
  });
  await side.pass(aDesiredUser({ phoneNumber: "+4420794609" }));

  const outcome = await side.pass(
    aDesiredUser({ email: "taken@example.com", phoneNumber: "+4420794600", nickname: "new" }),
  );

  t.is(verdictOf(outcome), "refused UserConflict");
  t.is((await tenant.user(`auth0|${side.uid}`))?.["nickname"], "new");
});

test("a phone number that another user has does not keep a new password from being set", async (t) => {
  const { tenant, side } = await aWorld(t, { connections: [FLEXIBLE] });
  await tenant.addUser({ connection: DATABASE, phone_number: "+4420794600", password: "Correct-Horse-7" });
  await side.pass(aDesiredUser({ phoneNumber: "+4420794609" }));

  const outcome = await side.pass(aDesiredUser({ phoneNumber: "+4420794600", nickname: "new" }), {
    password: given("Correct-Horse-8"),
  });

  t.is(verdictOf(outcome), "refused UserConflict");
  t.is(outcome.passwordFailure, undefined, "nothing was wrong with the password");
  t.true(await tenant.passwordMatches(`auth0|${side.uid}`, "Correct-Horse-8"));
  t.is((await tenant.user(`auth0|${side.uid}`))?.["nickname"], "new");
});

test("a picture that the schema takes and Auth0 does not keeps nothing else from being set", async (t) => {
  const { tenant, side } = await aWorld(t);
  await side.pass(aDesiredUser());
  const picture = "https://example.com:70000/jane.png";
  t.is(validateUserSpec({ connection: DATABASE, email: "jane@example.com", picture }).kind, "valid");

  const outcome = await side.pass(aDesiredUser({ picture, nickname: "new" }));

  t.is((await tenant.user(`auth0|${side.uid}`))?.["nickname"], "new", messageOf(outcome));
});
