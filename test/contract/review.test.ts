/** Taking over under review: nothing is written to anybody until a person approved exactly what would be. */
import test from "ava";
import { userId } from "../../src/core/ids.ts";
import { Keyring } from "../../src/reconcile/keyring.ts";
import { aDesiredUser } from "../support/builders.ts";
import { aSideWorld, given, messageOf, sent, verdictOf, type SideWorld } from "../support/side-world.ts";

const database = "Username-Password-Authentication";
const jane = { connection: database, email: "jane@example.com", password: "Correct-Horse-8", nickname: "old" };

async function janeUnderReview(t: Parameters<typeof aSideWorld>[0]): Promise<SideWorld & { id: string }> {
  const world = await aSideWorld(t);
  const { user_id: id } = await world.tenant.addUser(jane);
  world.side.adoption = "Review";
  await world.tenant.clearCalls();
  return { ...world, id };
}

test("a takeover under review is shown and not made, by address and by id", async (t) => {
  const { tenant, side, other, id } = await janeUnderReview(t);

  const byAddress = await side.pass(aDesiredUser({ nickname: "new" }));
  const byId = other();
  byId.adoption = "Review";
  const outcome = await byId.pass(aDesiredUser({ nickname: "new" }, { adoptedId: userId(id) }));

  for (const { verdict, review, user } of [byAddress, outcome]) {
    t.is(verdict.kind === "refused" ? verdict.reason : verdict.kind, "AwaitingApproval");
    t.is(verdict.kind === "refused" ? verdict.remedy.kind : "", "wait", "a person's word is waited for, without haste");
    t.deepEqual(
      review?.changes.filter(({ field }) => field === "nickname").map(({ from, to }) => [from, to]),
      [["old", "new"]],
    );
    t.is(user, undefined);
  }
  t.is(side.claim, undefined, "nothing is claimed, either");
  t.true((await sent(tenant)).every((call) => call === "GET"));
});

test("what was approved is done, and reviewed no more", async (t) => {
  const { tenant, side, id } = await janeUnderReview(t);
  const desired = aDesiredUser({ nickname: "new" });
  side.approved = (await side.pass(desired)).review?.hash;

  t.is(verdictOf(await side.pass(desired)), "ready Adopted");
  t.is((await tenant.user(id))?.["nickname"], "new");
  t.is(side.record.provenance, "adopted");
  t.is(verdictOf(await side.pass(aDesiredUser({ nickname: "newer" }))), "ready Updated");
});

test("an approval is for one plan: another value at Auth0, in the spec or in the Secret needs another", async (t) => {
  const { tenant, side, id } = await janeUnderReview(t);
  const desired = aDesiredUser({ nickname: "new" });
  side.approved = (await side.pass(desired)).review?.hash;

  t.is(verdictOf(await side.pass(aDesiredUser({ nickname: "other" }))), "refused AwaitingApproval");
  const password = given("Correct-Horse-9");
  t.is(verdictOf(await side.pass(desired, { password })), "refused AwaitingApproval");
  await tenant.patchUser(id, { nickname: "edited" });
  const outcome = await side.pass(desired);

  t.is(verdictOf(outcome), "refused AwaitingApproval");
  t.not(outcome.review?.hash, side.approved);
  t.is((await tenant.user(id))?.["nickname"], "edited");
});

test("while the operator's keys are missing nothing can be approved, and the plan says so", async (t) => {
  const { side, clock } = await janeUnderReview(t);
  const desired = aDesiredUser({ nickname: "new" });
  const { keyring } = side;
  side.keyring = new Keyring(new Map());
  side.approved = "";
  const outcome = await side.pass(desired);

  t.is(verdictOf(outcome), "refused AwaitingApproval");
  t.regex(messageOf(outcome), /keys are missing: restore its state Secret/);
  t.is(outcome.review?.hash, undefined);
  const { verdict } = outcome;
  t.deepEqual(verdict.kind === "refused" && verdict.remedy, { kind: "wait", untilMs: clock.now() + 60_000 });

  side.keyring = keyring;
  side.approved = (await side.pass(desired)).review?.hash;
  t.is(verdictOf(await side.pass(desired)), "ready Adopted");
});

test("the approval of one resource is none of another's", async (t) => {
  const { side, other, id } = await janeUnderReview(t);
  const desired = aDesiredUser({ nickname: "new" }, { adoptedId: userId(id) });
  const second = other();
  second.adoption = "Review";
  second.approved = (await side.pass(desired)).review?.hash;

  t.is(verdictOf(await second.pass(desired)), "refused AwaitingApproval");
});

test("contents of metadata and passwords count and are not shown; roles are read and not given", async (t) => {
  const { tenant, side } = await janeUnderReview(t);
  const { id: role } = (await tenant.api("POST", "/api/v2/roles", { name: "support" })).body as { id: string };
  await tenant.clearCalls();
  const assignments = {
    roles: { items: ["support"], isExact: false },
    permissions: undefined,
    organizations: undefined,
  };
  const desired = aDesiredUser({ nickname: "old" }, { appMetadata: { plan: "gold" }, assignments });

  const { review } = await side.pass(desired, { password: given("Correct-Horse-9") });

  t.deepEqual(
    review?.changes
      .map(({ field, change, to, isShown }) => [field, change, isShown ? to : "hidden"])
      .filter(([field]) => field !== "appMetadata.auth0_user_operator"),
    [
      ["appMetadata.plan", "Set", "hidden"],
      ["password", "Set", "hidden"],
      ["roles", "Add", role],
    ],
  );
  t.true((await sent(tenant)).every((call) => call === "GET"));
});

test("where nobody holds the address a user is created at once", async (t) => {
  const { tenant, side } = await aSideWorld(t);
  side.adoption = "Review";

  t.is(verdictOf(await side.pass(aDesiredUser())), "ready Created");
  t.is((await tenant.users()).length, 1);
});

test("the end of a takeover that nobody approved leaves the user alone", async (t) => {
  const { tenant, side, id } = await janeUnderReview(t);
  const desired = aDesiredUser({}, { adoptedId: userId(id) });
  await side.pass(desired);
  await tenant.clearCalls();

  const outcome = await side.end(desired, "Delete");

  t.is(outcome.kind, "released");
  t.deepEqual(await sent(tenant), []);
});

test("the message names the hash, and what is approved", async (t) => {
  const { side } = await janeUnderReview(t);

  const outcome = await side.pass(aDesiredUser({ nickname: "new" }));

  t.true(messageOf(outcome).endsWith(`approve-plan is ${outcome.review?.hash ?? "?"}`), messageOf(outcome));
  t.regex(messageOf(outcome), /nickname/);
});

test("an approval that was given before a key was added counts", async (t) => {
  const { side, id, tenant } = await janeUnderReview(t);
  const desired = aDesiredUser({ nickname: "new" });
  side.approved = (await side.pass(desired)).review?.hash;
  t.not(side.approved, undefined);
  side.keyring = new Keyring(new Map(["k1", "k2"].map((key) => [key, Buffer.alloc(32, key)])));

  t.is(verdictOf(await side.pass(desired)), "ready Adopted");
  t.is((await tenant.user(id))?.["nickname"], "new");
});
