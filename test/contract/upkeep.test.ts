/** What becomes of attributes once they are set: policies of fields, of drift, and what is removed with them. */
import test from "ava";
import { desiredUserFrom } from "../../src/api/desired-user.ts";
import { findRecoveredNulls } from "../../src/api/last-applied.ts";
import { findUnset } from "../../src/api/unset.ts";
import { connectionName } from "../../src/core/ids.ts";
import { managedAttributes, removedAttributes } from "../../src/core/plan.ts";
import { ENFORCE_ALL } from "../../src/core/desired-user.ts";
import { DATABASE, aDesiredUser } from "../support/builders.ts";
import { aSideWorld, given, sent, verdictOf } from "../support/side-world.ts";

test("what is set at creation only is set then, and left to people afterwards", async (t) => {
  const { tenant, side } = await aSideWorld(t);
  const upkeep = { ...ENFORCE_ALL, initOnly: new Set(["nickname", "givenName", "userMetadata.theme"]) };
  const desired = aDesiredUser(
    { nickname: "kim", givenName: null, name: "Kim" },
    { userMetadata: { theme: "dark", team: "a" }, upkeep },
  );
  await side.pass(desired);
  t.like(await tenant.user("jane@example.com"), { nickname: "kim", user_metadata: { theme: "dark", team: "a" } });
  await tenant.patchUser(`auth0|${side.uid}`, {
    nickname: "by hand",
    name: "By Hand",
    user_metadata: { theme: "light" },
  });
  await sent(tenant);

  const outcome = await side.pass(desired, { isSync: true });
  t.is(verdictOf(outcome), "ready DriftCorrected");
  t.deepEqual(await sent(tenant), ["GET", ["PATCH", { name: "Kim" }]]);

  await side.pass({ ...desired, attributes: { ...desired.attributes, nickname: "other" } });
  t.deepEqual(await sent(tenant), [], "not even an edit of the spec touches it");
});

test("what is null at creation only is removed once, though Auth0 derived it", async (t) => {
  const { tenant, side } = await aSideWorld(t);
  const upkeep = { ...ENFORCE_ALL, initOnly: new Set(["nickname"]) };
  const desired = aDesiredUser({ nickname: null }, { upkeep });
  await tenant.faults({ rules: [{ kind: "status", status: 503, route: "PATCH /api/v2/users/{id}", count: 1 }] });

  t.is(verdictOf(await side.pass(desired)), "refused Auth0Unavailable");
  t.is(verdictOf(await side.pass(desired)), "ready Updated");

  t.is((await tenant.user("jane@example.com"))?.["nickname"], undefined);
  await tenant.patchUser(`auth0|${side.uid}`, { nickname: "by hand" });
  await sent(tenant);
  await side.pass(desired, { isSync: true });
  t.deepEqual(await sent(tenant), ["GET"]);
});

test("drift that is only to be detected is reported until the spec is edited", async (t) => {
  const { tenant, side } = await aSideWorld(t);
  const desired = aDesiredUser(
    { nickname: "kim", name: "Kim" },
    { userMetadata: { team: "a" }, upkeep: { ...ENFORCE_ALL, drift: "Detect" } },
  );
  await side.pass(desired);
  await tenant.patchUser(`auth0|${side.uid}`, { nickname: "by hand", user_metadata: { team: "b" } });
  await sent(tenant);

  for (const isSync of [true, false, true]) {
    const outcome = await side.pass(desired, { isSync });
    t.deepEqual([verdictOf(outcome), outcome.reported], ["ready InSync", ["nickname", "userMetadata.team"]]);
  }
  t.deepEqual(await sent(tenant), ["GET", "GET"]);

  const outcome = await side.pass({ ...desired, attributes: { ...desired.attributes, name: "Kimberly" } });
  t.deepEqual([verdictOf(outcome), outcome.reported], ["ready Updated", []]);
  t.like(await tenant.user("jane@example.com"), { nickname: "kim", name: "Kimberly", user_metadata: { team: "a" } });
});

test("a flag that is to be enforced is set back like any attribute", async (t) => {
  const { tenant, side } = await aSideWorld(t);
  const desired = aDesiredUser({ blocked: false }, { upkeep: { ...ENFORCE_ALL, enforced: new Set(["blocked"]) } });
  await side.pass(desired);
  await tenant.patchUser(`auth0|${side.uid}`, { blocked: true });
  await sent(tenant);

  t.is(verdictOf(await side.pass(desired, { isSync: true })), "ready DriftCorrected");

  t.deepEqual(await sent(tenant), ["GET", ["PATCH", { blocked: false }]]);
});

test("a phone number goes with what is declared of it, without a text, and null removes it", async (t) => {
  const { tenant, side } = await aSideWorld(t);
  await side.pass(aDesiredUser({ phoneNumber: "+4420794609", phoneVerified: true }));
  t.like(await tenant.user("jane@example.com"), { phone_number: "+4420794609", phone_verified: true });
  await sent(tenant);

  await side.pass(aDesiredUser({ phoneNumber: "+4420794610", phoneVerified: true }));
  await side.pass(aDesiredUser({ phoneNumber: null }));

  t.deepEqual(await sent(tenant), [
    ["PATCH", { phone_number: "+4420794610", phone_verified: true, verify_phone_number: false }],
    ["PATCH", { phone_number: null }],
  ]);
  t.is((await tenant.user("jane@example.com"))?.["phone_number"], undefined);
});

test("a confirmation of the number that comes later is reported, not undone", async (t) => {
  const { tenant, side } = await aSideWorld(t);
  const desired = aDesiredUser({ phoneNumber: "+4420794609", phoneVerified: false });
  await side.pass(desired);
  await tenant.patchUser(`auth0|${side.uid}`, { phone_verified: true });

  const outcome = await side.pass(desired, { isSync: true });

  t.deepEqual(outcome.reported, ["phoneVerified"]);
  t.true((await tenant.user("jane@example.com"))?.["phone_verified"]);
});

test("a user of sms is known by its number, and its lost answer by its marker", async (t) => {
  const { tenant, side, other } = await aSideWorld(t);
  const desired = aDesiredUser({ email: undefined, phoneNumber: "+4420794609" }, { connection: connectionName("sms") });
  await tenant.faults({ rules: [{ kind: "reset-after", route: "POST /api/v2/users", count: 1 }] });

  t.is(verdictOf(await side.pass(desired)), "refused Auth0Unavailable");
  t.is(verdictOf(await side.pass(desired)), "ready Created");
  t.is(verdictOf(await other().pass(desired)), "refused UserConflict");

  t.is((await tenant.users()).length, 1);
});

test("all that one PATCH can't carry, a phone number besides, goes in three", async (t) => {
  const { tenant, side } = await aSideWorld(t);
  await side.pass(aDesiredUser({ username: "jane", phoneNumber: "+1" }));
  await sent(tenant);

  await side.pass(aDesiredUser({ email: "new@example.com", username: "janet", phoneNumber: "+2" }), {
    password: given("Correct-Horse-8"),
  });

  t.deepEqual(await sent(tenant), [
    ["PATCH", { phone_number: "+2", phone_verified: false, username: "janet", verify_phone_number: false }],
    ["PATCH", { email: "new@example.com", email_verified: false, verify_email: false }],
    ["PATCH", { password: "*****" }],
  ]);
});

const MISSING_ROLE = {
  roles: { items: ["not made yet"], isExact: false },
  permissions: undefined,
  organizations: undefined,
};

test("what is set at creation only is left to people also while a role of the user is not to be had", async (t) => {
  const { tenant, side } = await aSideWorld(t);
  const upkeep = { ...ENFORCE_ALL, initOnly: new Set(["nickname"]) };
  const desired = aDesiredUser({ nickname: "kim" }, { upkeep, assignments: MISSING_ROLE });
  t.is(verdictOf(await side.pass(desired)), "refused AssignmentNotFound");
  await tenant.patchUser(`auth0|${side.uid}`, { nickname: "chosen by herself" });

  t.is(verdictOf(await side.pass(desired, { isSync: true })), "refused AssignmentNotFound");

  t.is((await tenant.user(`auth0|${side.uid}`))?.["nickname"], "chosen by herself");
});

test("drift is only detected also while a role of the user is not to be had", async (t) => {
  const { tenant, side } = await aSideWorld(t);
  const upkeep = { ...ENFORCE_ALL, drift: "Detect" } as const;
  const desired = aDesiredUser({ nickname: "kim" }, { upkeep, assignments: MISSING_ROLE });
  t.is(verdictOf(await side.pass(desired)), "refused AssignmentNotFound");
  await tenant.patchUser(`auth0|${side.uid}`, { nickname: "chosen by herself" });

  const outcome = await side.pass(desired, { isSync: true });

  t.deepEqual(outcome.reported, ["nickname"]);
  t.is((await tenant.user(`auth0|${side.uid}`))?.["nickname"], "chosen by herself");
});

test("a block that somebody set is not lifted because blocked: false left the spec", async (t) => {
  const { tenant, side } = await aSideWorld(t);
  const spec = { connection: DATABASE, email: "jane@example.com", unsetPolicy: "Remove" } as const;
  const first = desiredUserFrom({ ...spec, blocked: false }, []);
  await side.pass(first);
  await tenant.patchUser(`auth0|${side.uid}`, { blocked: true });
  side.forget(); // as after a restart

  const unset = findUnset(spec, { managed: managedAttributes(first), removed: removedAttributes(first) });
  await side.pass(desiredUserFrom(spec, unset));

  t.true((await tenant.user(`auth0|${side.uid}`))?.["blocked"], "this resource never set a block");
});

test("a block of the spec's own whose answer was lost is lifted when the spec takes it back", async (t) => {
  const { tenant, side } = await aSideWorld(t);
  await side.pass(aDesiredUser({ blocked: false }));
  await tenant.faults({ rules: [{ kind: "reset-after", route: "PATCH /api/v2/users/{id}", count: 1 }] });
  t.is(verdictOf(await side.pass(aDesiredUser({ blocked: true }))), "refused Auth0Unavailable");
  t.true((await tenant.user(`auth0|${side.uid}`))?.["blocked"]);

  // A side looks at Auth0 again after a failure.
  const outcome = await side.pass(aDesiredUser({ blocked: false, givenName: "Jane" }), { isSync: true });

  t.deepEqual(outcome.reported, []);
  t.is((await tenant.user(`auth0|${side.uid}`))?.["blocked"], false);
});

test("what the spec removes is removed from a user that is created again, too", async (t) => {
  const { tenant, side, clock } = await aSideWorld(t);
  const desired = aDesiredUser({ nickname: null });
  await side.pass(desired);
  t.is((await tenant.user(`auth0|${side.uid}`))?.["nickname"], undefined);
  await tenant.deleteUser(`auth0|${side.uid}`);
  await side.pass(desired, { isSync: true });
  await clock.advance(5_000);

  t.is(verdictOf(await side.pass(desired, { isSync: true })), "ready Recreated");

  t.is((await tenant.user(`auth0|${side.uid}`))?.["nickname"], undefined);
});

test("what Auth0 derives after a removal is no drift of a user without an address, either", async (t) => {
  const { tenant, side } = await aSideWorld(t, { switches: { nullRootAttribute: "regenerated" } });
  const desired = aDesiredUser(
    { email: undefined, phoneNumber: "+4420794609", name: null },
    { connection: connectionName("sms") },
  );
  await side.pass(desired);
  await sent(tenant);
  side.forget(); // as after a restart

  const outcome = await side.pass(desired, { isSync: true });

  t.is(verdictOf(outcome), "ready as before");
  t.deepEqual(await sent(tenant), ["GET"]);
});

test("a recovered null of the operator's own marker does not take it off", async (t) => {
  const { tenant, side } = await aSideWorld(t);
  const { user_id: id } = await tenant.addUser({
    connection: DATABASE,
    email: "jane@example.com",
    password: "Horse-7",
  });
  const spec = { connection: DATABASE, userId: id };
  await side.pass(desiredUserFrom(spec, []));
  t.truthy((await tenant.user(id))?.["app_metadata"]);
  const applied = JSON.stringify({ spec: { ...spec, appMetadata: { auth0_user_operator: null } } });
  await sent(tenant);

  const recovered = findRecoveredNulls({ ...spec, appMetadata: {} }, applied);
  for (let passes = 0; passes < 2; passes++) await side.pass(desiredUserFrom(spec, recovered), { isSync: true });

  t.deepEqual(await sent(tenant), ["GET", "GET"]);
});

test("a new address does not count as confirmed because the former one was", async (t) => {
  const { tenant, side } = await aSideWorld(t, { switches: { emailVerifiedOnEmailChange: "kept" } });
  await side.pass(aDesiredUser());
  await tenant.patchUser(`auth0|${side.uid}`, { email_verified: true });

  await side.pass(aDesiredUser({ email: "somebody.else@example.com" }));

  const user = await tenant.user(`auth0|${side.uid}`);
  t.is(user?.["email"], "somebody.else@example.com");
  t.is(user?.["email_verified"], false, "whoever may not declare addresses confirmed gets one by an edit");
});
