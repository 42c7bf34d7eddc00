/** What somebody else writes to a user while we work from what we saw of it is neither lost nor undone by accident. */
import test from "ava";
import { userId } from "../../src/core/ids.ts";
import { aDesiredUser } from "../support/builders.ts";
import { aSideWorld, given, sent, verdictOf } from "../support/side-world.ts";

const jane = { connection: "Username-Password-Authentication", email: "jane@example.com", password: "Correct-Horse-8" };

test("a block that somebody sets just before an edit of the spec stays, and is reported", async (t) => {
  for (const isSync of [false, true]) {
    const { tenant, side } = await aSideWorld(t);
    await side.pass(aDesiredUser({ blocked: false, nickname: "old" }));
    const id = side.record.userId ?? "";
    await tenant.patchUser(id, { blocked: true });
    await tenant.clearCalls();

    const outcome = await side.pass(aDesiredUser({ blocked: false, nickname: "new" }), { isSync });

    t.is(verdictOf(outcome), "ready Updated");
    t.deepEqual(outcome.reported, ["blocked"], "seen by the read before our write, or in the answer to it");
    t.like(await tenant.user(id), { blocked: true, nickname: "new" });
    t.deepEqual(await sent(tenant), [...(isSync ? ["GET"] : []), ["PATCH", { nickname: "new" }]]);
  }
});

test("a flag that the spec itself raised is lowered by it", async (t) => {
  const { tenant, side } = await aSideWorld(t);
  await side.pass(aDesiredUser({ blocked: true }));

  await side.pass(aDesiredUser({ blocked: false }));

  t.is((await tenant.user(side.record.userId ?? ""))?.["blocked"], false);
});

test("a user that was taken over is read before it is edited, and before it is deleted", async (t) => {
  const { tenant, side } = await aSideWorld(t);
  const { user_id: id } = await tenant.addUser(jane);
  const desired = aDesiredUser({ nickname: "new" }, { adoptedId: userId(id) });
  await side.pass(aDesiredUser({}, { adoptedId: userId(id) }));
  await tenant.clearCalls();

  await side.pass(desired);
  t.deepEqual(await sent(tenant), ["GET", ["PATCH", { nickname: "new" }]]);

  await side.end(desired, "Delete");
  t.deepEqual(await sent(tenant), ["GET", "DELETE"]);
});

test("what somebody wrote between a read and our write is seen in the answer, and planned anew", async (t) => {
  const { tenant, side } = await aSideWorld(t);
  const spec = { nickname: "old", givenName: "Jane" };
  await side.pass(aDesiredUser(spec, { userMetadata: { team: "a" } }));
  const id = side.record.userId ?? "";
  await tenant.patchUser(id, { given_name: "Kim", user_metadata: { team: "b", theirs: 1 } });
  await tenant.clearCalls();

  const outcome = await side.pass(aDesiredUser({ ...spec, nickname: "new" }, { userMetadata: { team: "a" } }));

  t.deepEqual(await sent(tenant), [
    ["PATCH", { nickname: "new" }],
    ["PATCH", { given_name: "Jane", user_metadata: { team: "a" } }],
  ]);
  t.true(outcome.isDrift, "and it is said that somebody had changed it");
  t.like(await tenant.user(id), { nickname: "new", given_name: "Jane", user_metadata: { team: "a", theirs: 1 } });
});

test("an edit of a user that we created costs its one PATCH, as before", async (t) => {
  const { tenant, side } = await aSideWorld(t);
  await side.pass(aDesiredUser());
  await tenant.clearCalls();

  await side.pass(aDesiredUser({ nickname: "new" }), { password: given("Correct-Horse-7", "same") });

  t.deepEqual(await sent(tenant), [["PATCH", { nickname: "new" }]]);
});
