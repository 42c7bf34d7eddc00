/** A spec of which one part can't be brought about for now: what was brought about is no news any more. */
import test from "ava";
import { asObject } from "../../histories/cluster.ts";
import { DATABASE, GLOBEX } from "../../histories/names.ts";
import { aScenario } from "../../histories/scenario.ts";

const JANE = { email: "jane@example.com", roles: ["no-such-role"] };

test("with a role that does not exist, too, what is only reported is not overwritten", async (t) => {
  const scenario = await aScenario(t);
  const uid = scenario.create("a/jane", { ...JANE, nickname: "jj", driftPolicy: "Detect" });
  await scenario.rest(60_000);
  t.is(scenario.reasonOf("a/jane"), "AssignmentNotFound");
  const side = scenario.sideOf(GLOBEX);
  t.true(side.edit(`auth0|${uid}`, { nickname: "chosen by herself" }));
  await scenario.rest(30 * 60_000);

  t.is(side.find(`auth0|${uid}`)?.["nickname"], "chosen by herself");
});

test("with a role that does not exist, too, what is set at creation only is not set again", async (t) => {
  const scenario = await aScenario(t);
  const uid = scenario.create("a/jane", { ...JANE, nickname: "jj", fieldPolicies: { nickname: "InitOnly" } });
  await scenario.rest(60_000);
  const side = scenario.sideOf(GLOBEX);
  t.true(side.edit(`auth0|${uid}`, { nickname: "chosen by herself" }));
  await scenario.rest(30 * 60_000);

  t.is(side.find(`auth0|${uid}`)?.["nickname"], "chosen by herself");
});

test("with a role that does not exist, too, a block that somebody set is not lowered by a restart", async (t) => {
  const scenario = await aScenario(t);
  const uid = scenario.create("a/jane", { ...JANE, blocked: false });
  await scenario.rest(60_000);
  const side = scenario.sideOf(GLOBEX);
  scenario.restart(() => {
    t.true(side.edit(`auth0|${uid}`, { blocked: true }));
  });
  await scenario.rest(30 * 60_000);

  t.is(side.find(`auth0|${uid}`)?.["blocked"], true);
});

test("with an address that somebody else has, too, what is only reported is not overwritten", async (t) => {
  const scenario = await aScenario(t);
  const side = scenario.sideOf(GLOBEX);
  side.enter({ connection: DATABASE, email: "taken@example.com" });
  const uid = scenario.create("a/jane", { email: "jane@example.com", nickname: "jj", driftPolicy: "Detect" });
  await scenario.rest(60_000);
  scenario.edit("a/jane", { spec: { email: "taken@example.com" } });
  await scenario.rest(60_000);
  t.is(scenario.reasonOf("a/jane"), "UserConflict");
  t.true(side.edit(`auth0|${uid}`, { nickname: "chosen by herself" }));
  await scenario.rest(30 * 60_000);

  t.is(side.find(`auth0|${uid}`)?.["nickname"], "chosen by herself");
});

test("what was pending is brought about once it can be, also where drift is only reported", async (t) => {
  const scenario = await aScenario(t);
  const side = scenario.sideOf(GLOBEX);
  const other = side.enter({ connection: DATABASE, email: "taken@example.com" });
  const uid = scenario.create("a/jane", { email: "jane@example.com", nickname: "jj", driftPolicy: "Detect" });
  await scenario.rest(60_000);
  scenario.edit("a/jane", { spec: { email: "taken@example.com" } });
  await scenario.rest(60_000);
  const statusOf = () => asObject(scenario.find("a/jane")?.["status"]);
  t.deepEqual(statusOf()["pendingAttributes"], ["email"]);

  side.drop(String(other?.user_id));
  await scenario.rest(30 * 60_000);

  t.is(side.find(`auth0|${uid}`)?.["email"], "taken@example.com");
  t.is(scenario.reasonOf("a/jane"), "Updated", "which is no drift");
  t.is(statusOf()["pendingAttributes"], undefined);
});
