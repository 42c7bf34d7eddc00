/** The marker in app_metadata: how users that were taken over are known again, and how two operators notice each other. */
import test from "ava";
import { userId } from "../../src/core/ids.ts";
import { aDesiredUser } from "../support/builders.ts";
import { aSideWorld, messageOf, sent, verdictOf } from "../support/side-world.ts";

const jane = {
  connection: "Username-Password-Authentication",
  email: "jane@example.com",
  password: "Correct-Horse-8",
  nickname: "old",
};
const MARKER = "auth0_user_operator";

test("a user that is taken over is marked, once, by the call that changes it; and unmarked when it is let go", async (t) => {
  const { tenant, side } = await aSideWorld(t);
  const { user_id: id } = await tenant.addUser({ ...jane, app_metadata: { theirs: 1 } });
  const desired = aDesiredUser({ nickname: "new" }, { adoptedId: userId(id) });
  await tenant.clearCalls();

  const adopted = await side.pass(desired);
  t.deepEqual(adopted.changed, ["nickname"], "the marker is no attribute of the user's");
  const calls = await sent(tenant);
  t.is(calls.length, 2);
  t.regex(JSON.stringify(calls[1]), /"auth0_user_operator":"test\/uid-\d+;adopted;k1:[\w-]{22}"/);
  t.is(verdictOf(await side.pass(desired, { isSync: true })), "ready as before");
  t.deepEqual(await sent(tenant), ["GET"]);

  const end = await side.end(desired);
  t.like(end, { kind: "released", reason: "Retained" });
  t.deepEqual((await tenant.user(id))?.["app_metadata"], { theirs: 1 });
});

test("a user whose id we chose is not marked unless the tenant wants it, and then by its one POST", async (t) => {
  const { tenant, side, other } = await aSideWorld(t);
  await side.pass(aDesiredUser());
  const marking = other();
  marking.marksAllUsers = true;
  await tenant.clearCalls();
  await marking.pass(aDesiredUser({ email: "kim@example.com" }));

  t.is((await tenant.user("jane@example.com"))?.["app_metadata"], undefined);
  const calls = await sent(tenant);
  t.is(calls.length, 1);
  t.regex(JSON.stringify(calls), /;created;k1:/);
});

test("a switch that is turned on marks users that exist, and that is no drift", async (t) => {
  const { tenant, side } = await aSideWorld(t);
  await side.pass(aDesiredUser());
  side.marksAllUsers = true;

  const outcome = await side.pass(aDesiredUser(), { isSync: true });

  t.is(verdictOf(outcome), "ready as before");
  t.false(outcome.isDrift);
  t.regex(JSON.stringify((await tenant.user("jane@example.com"))?.["app_metadata"]), /;created;k1:/);
});

for (const [how, marksAll] of [
  ["took the user over", false],
  ["created the user", true],
] as const) {
  test(`an operator of another cluster leaves a user alone that the first one ${how}, and names its resource`, async (t) => {
    const { tenant, side, other } = await aSideWorld(t);
    side.marksAllUsers = marksAll;
    const id = marksAll ? undefined : (await tenant.addUser(jane)).user_id;
    await side.pass(aDesiredUser({ nickname: "ours" }, { adoptedId: id === undefined ? undefined : userId(id) }));
    const held = side.record.userId;
    await tenant.clearCalls();

    for (const [adoption, adoptedId] of [
      ["Adopt", undefined],
      ["Review", held],
      ["Never", held],
    ] as const) {
      const foreign = other("k2");
      foreign.adoption = adoption;
      const outcome = await foreign.pass(aDesiredUser({ nickname: "theirs" }, { adoptedId }));
      t.is(verdictOf(outcome), "refused DuplicateClaim");
      t.regex(messageOf(outcome), new RegExp(`that of Auth0User test/${side.uid} of another operator`));
      t.is(foreign.claim?.provenance === "adopted", false);
    }
    const writes = (await sent(tenant)).filter(
      (call) => !["GET", "POST"].includes(Array.isArray(call) ? call[0] : call),
    );
    t.deepEqual(writes, []);
    t.is((await tenant.user(held ?? ""))?.["nickname"], "ours");
  });
}

test("who finds another operator's marker on a user of its own stops writing, and deletes nobody", async (t) => {
  const { tenant, side, other } = await aSideWorld(t);
  await side.pass(aDesiredUser({ nickname: "first" }));
  const second = other("k2");
  await second.pass(aDesiredUser({ nickname: "second" }, { adoptedId: side.record.userId }));

  t.is(verdictOf(await side.pass(aDesiredUser({ nickname: "first" }), { isSync: true })), "refused DuplicateClaim");
  t.is((await tenant.user("jane@example.com"))?.["nickname"], "second");
  t.like(await side.end(aDesiredUser(), "Delete"), { kind: "released", reason: "ClaimMoved" });
  t.is((await tenant.users()).length, 1);
});

test("a marker that our own keys made for somebody who let go does not hinder", async (t) => {
  const { tenant, side, other } = await aSideWorld(t);
  const { user_id: id } = await tenant.addUser(jane);
  await side.pass(aDesiredUser({}, { adoptedId: userId(id) }));

  const heir = other();
  t.is(verdictOf(await heir.pass(aDesiredUser({}, { adoptedId: userId(id) }))), "ready Adopted");
  t.regex(JSON.stringify((await tenant.user(id))?.["app_metadata"]), new RegExp(`test/${heir.uid};adopted`));
});

test("a user that was taken over is not deleted as one that a lost creation left behind", async (t) => {
  const { tenant, side } = await aSideWorld(t);
  const byEmail = aDesiredUser({}, { connection: "email" as ReturnType<typeof aDesiredUser>["connection"] });
  await tenant.addUser({ connection: "email", email: "jane@example.com" });
  side.adoption = "Adopt";
  await side.pass(byEmail);
  const claim = side.claim;
  if (claim === undefined) throw new Error("nothing was claimed");
  side.claim = { ...claim, userId: undefined, provenance: "created" };
  side.record = { userId: undefined, tenantDomain: undefined, connection: undefined, provenance: "created" };

  t.like(await side.end(byEmail, "Delete"), { kind: "released", reason: "AlreadyAbsent" });
  t.is((await tenant.users()).length, 1);
});

test("what hinders the removal of the marker does not hinder the release", async (t) => {
  const { tenant, side } = await aSideWorld(t);
  const { user_id: id } = await tenant.addUser(jane);
  const desired = aDesiredUser({}, { adoptedId: userId(id) });
  await side.pass(desired);
  await tenant.faults({ rules: [{ route: "PATCH /api/v2/users/{id}", kind: "status", status: 503 }] });

  const end = await side.end(desired);

  t.like(end, { kind: "released", reason: "Retained" });
  t.regex(end.message, new RegExp(`the marker ${MARKER} may be left`));
});
