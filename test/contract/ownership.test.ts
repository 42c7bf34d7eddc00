/** Taking over, being gone, and two that want the same user: the sequence against the simulator. */
import test from "ava";
import { connectionName, userId } from "../../src/core/ids.ts";
import { aDesiredUser } from "../support/builders.ts";
import { aSideWorld, messageOf, sent, verdictOf } from "../support/side-world.ts";

test("an address that another user holds is taken over where the policy says so, and that user alone is changed", async (t) => {
  const { tenant, side } = await aSideWorld(t);
  const { user_id: id } = await tenant.addUser({
    connection: "Username-Password-Authentication",
    email: "jane@example.com",
    password: "Correct-Horse-8",
  });
  side.adoption = "Adopt";

  const outcome = await side.pass(aDesiredUser({ nickname: "new" }));

  t.is(verdictOf(outcome), "ready Adopted");
  t.is(side.record.userId, userId(id));
  t.is(side.record.provenance, "adopted");
  t.is((await tenant.users()).length, 1);
  t.is((await tenant.user(id))?.["nickname"], "new");
});

test("without the policy nobody is taken over", async (t) => {
  const { tenant, side } = await aSideWorld(t);
  const { user_id: id } = await tenant.addUser({
    connection: "Username-Password-Authentication",
    email: "jane@example.com",
    password: "Correct-Horse-8",
  });

  const outcome = await side.pass(aDesiredUser({ nickname: "new" }));

  t.is(verdictOf(outcome), "refused UserConflict");
  t.is((await tenant.user(id))?.["nickname"], "jane");
});

test("a user that the tenant does not grant is read and not touched", async (t) => {
  const { tenant, side } = await aSideWorld(t);
  const { user_id: id } = await tenant.addUser({
    connection: "Username-Password-Authentication",
    email: "ceo@acme.example",
    password: "Correct-Horse-8",
  });
  side.findObjection = () => "addresses in acme.example (emailDomains)";
  await tenant.clearCalls();

  const outcome = await side.pass(aDesiredUser({ email: "jane@example.com" }, { adoptedId: userId(id) }));

  t.is(verdictOf(outcome), "refused NotGranted");
  t.deepEqual(await sent(tenant), ["GET"]);
});

test("a grant that was taken back stops writes to a user that was taken over", async (t) => {
  const { tenant, side } = await aSideWorld(t);
  const { user_id: id } = await tenant.addUser({
    connection: "Username-Password-Authentication",
    email: "jane@example.com",
    password: "Correct-Horse-8",
  });
  await side.pass(aDesiredUser({}, { adoptedId: userId(id) }));
  side.findObjection = () => "taken back";

  const outcome = await side.pass(aDesiredUser({ nickname: "new" }, { adoptedId: userId(id) }), { isSync: true });

  t.is(verdictOf(outcome), "refused NotGranted");
  t.not((await tenant.user(id))?.["nickname"], "new");
});

test("a user that another resource holds is not even read", async (t) => {
  const { tenant, side } = await aSideWorld(t);
  side.holder = "team-a/jane";
  await tenant.clearCalls();

  const outcome = await side.pass(aDesiredUser({}, { adoptedId: userId("auth0|jane") }));

  t.is(verdictOf(outcome), "refused DuplicateClaim");
  t.regex(messageOf(outcome), /belongs to Auth0User team-a\/jane/);
  t.deepEqual(await sent(tenant), []);
});

test("a user that was deleted at Auth0 is reported where the policy says so", async (t) => {
  const { tenant, side, clock } = await aSideWorld(t);
  await side.pass(aDesiredUser());
  await tenant.deleteUser(side.record.userId ?? "");
  side.recreation = "Report";

  await side.pass(aDesiredUser(), { isSync: true });
  await clock.advance(10_000);
  const outcome = await side.pass(aDesiredUser(), { isSync: true });

  t.is(verdictOf(outcome), "refused UserNotFound");
  t.is((await tenant.users()).length, 0);
});

test("a user that was deleted at Auth0 is not created again within recreateAfter, by default an hour", async (t) => {
  const { tenant, side, clock } = await aSideWorld(t);
  await side.pass(aDesiredUser());
  await tenant.deleteUser(side.record.userId ?? "");
  side.recreateAfterMs = undefined;
  await side.pass(aDesiredUser(), { isSync: true });
  await clock.advance(3_500_000);
  await tenant.faults({ rules: [{ kind: "status", status: 503 }] });
  await side.pass(aDesiredUser(), { isSync: true });
  await tenant.faults({});

  const waiting = await side.pass(aDesiredUser(), { isSync: true });
  t.is(verdictOf(waiting), "refused RecreationScheduled");
  t.like(waiting.verdict, { remedy: { kind: "wait" } });
  t.is((await tenant.users()).length, 0);

  await clock.advance(100_000);
  t.is(
    verdictOf(await side.pass(aDesiredUser(), { isSync: true })),
    "ready Recreated",
    "a failure does not begin anew",
  );
});

test("a user that comes back within recreateAfter is not missing any more", async (t) => {
  const { tenant, side, clock } = await aSideWorld(t);
  const byEmail = aDesiredUser({}, { connection: connectionName("email") });
  await side.pass(byEmail);
  const userBefore = (await tenant.users())[0];
  await tenant.deleteUser(side.record.userId ?? "");
  side.recreateAfterMs = undefined;
  await side.pass(byEmail, { isSync: true });
  await clock.advance(10_000);
  t.is(verdictOf(await side.pass(byEmail, { isSync: true })), "refused RecreationScheduled");

  await tenant.addUser({ ...userBefore, connection: "email" });

  const outcome = await side.pass(byEmail, { isSync: true });
  t.is(outcome.verdict.kind, "ready");
  t.is(outcome.memory.goneSinceMs, undefined);
});

test("a number that Auth0 calls taken is searched for, and not tried again while the search lags", async (t) => {
  const { tenant, side, clock } = await aSideWorld(t);
  await tenant.switches({ searchLagMs: 3_600_000 });
  await tenant.addUser({ connection: "sms", phone_number: "+4420794609" });
  const desired = aDesiredUser({ email: undefined, phoneNumber: "+4420794609" }, { connection: connectionName("sms") });
  await tenant.clearCalls();

  t.is(verdictOf(await side.pass(desired)), "refused UserConflict");
  t.is((await sent(tenant)).length, 2, "one POST, and a search");
  const second = await side.pass(desired);
  t.like(second.verdict, { reason: "UserConflict", remedy: { kind: "backoff" } });
  t.deepEqual(await sent(tenant), ["GET"]);

  await clock.advance(61_000);
  t.like((await side.pass(desired)).verdict, { reason: "UserConflict", remedy: { kind: "stall" } });
});
