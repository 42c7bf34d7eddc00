/** A resource that was restored from a backup without its status: what was done once is not done again. */
import test from "ava";
import { ACTIONS_ANNOTATION } from "../../../src/api/names.ts";
import type { JsonObject } from "../../../src/runtime/json.ts";
import { asObject, metadataOf } from "../../histories/cluster.ts";
import { GLOBEX, usersIn } from "../../histories/names.ts";
import { conditionOf } from "../../histories/reading.ts";
import { aScenario, type Scenario } from "../../histories/scenario.ts";
import type { Call } from "../../histories/wire.ts";

test("an action that was answered before a resource was restored is not done again", async (t) => {
  const scenario = await aScenario(t);
  const spec = { email: "jane@example.com" };
  scenario.create("a/jane", spec, { annotations: { [ACTIONS_ANNOTATION]: "verification-email" } });
  await scenario.rest(60_000);
  const mails = () => scenario.trace.filter((line) => line.includes(`arrives: POST ${GLOBEX} /jobs/`)).length;
  t.is(mails(), 1);

  restore(scenario, spec);
  await scenario.rest(60_000);

  t.is(mails(), 1);
  const { results } = asObject(asObject(scenario.find("a/jane")?.["status"])["actions"]);
  t.like(results, [{ action: "verification-email", result: "Unknown" }]);
});

test("what is set at creation only is not set again for a restored resource, whatever fails", async (t) => {
  const scenario = await aScenario(t);
  const spec = { email: "jane@example.com", nickname: "jj", fieldPolicies: { nickname: "InitOnly" } };
  const uid = scenario.create("a/jane", spec);
  await scenario.rest(60_000);
  const side = scenario.sideOf(GLOBEX);
  t.true(side.edit(`auth0|${uid}`, { nickname: "chosen by herself" }));

  restore(scenario, spec);
  const look = ({ what }: Call): boolean => what === `GET ${GLOBEX} /users/auth0|${uid}`;
  for (let failures = 0; failures < 10; failures++) {
    await scenario.rest(20_000, look);
    for (const call of scenario.life.wire.calls.filter(look)) scenario.life.wire.lose(call);
  }
  await scenario.rest(15 * 60_000);

  t.is(scenario.userIdOf("a/jane"), `auth0|${uid}`);
  t.is(side.find(`auth0|${uid}`)?.["nickname"], "chosen by herself");
});

test("a block that somebody set is not lowered because a resource was restored", async (t) => {
  const scenario = await aScenario(t);
  const spec = { email: "jane@example.com", blocked: false };
  const uid = scenario.create("a/jane", spec);
  await scenario.rest(60_000);
  const side = scenario.sideOf(GLOBEX);
  t.true(side.edit(`auth0|${uid}`, { blocked: true }));

  restore(scenario, spec);
  await scenario.rest(15 * 60_000);

  t.is(side.find(`auth0|${uid}`)?.["blocked"], true);
  t.is(conditionOf(scenario.find("a/jane") ?? {}, "DriftDetected").status, "True");
  scenario.edit("a/jane", { spec: { givenName: "Jane" } });
  await scenario.rest(60_000);
  t.is(side.find(`auth0|${uid}`)?.["given_name"], "Jane");
  t.is(side.find(`auth0|${uid}`)?.["blocked"], true);
});

test("a block that somebody set is not lowered because the status that reports it could not be written", async (t) => {
  const scenario = await aScenario(t);
  const uid = scenario.create("a/jane", { email: "jane@example.com", blocked: false });
  await scenario.rest(60_000);
  const side = scenario.sideOf(GLOBEX);
  t.true(side.edit(`auth0|${uid}`, { blocked: true }));

  scenario.edit("a/jane", { spec: { givenName: "Jane" } });
  const report = ({ what }: Call): boolean => what === "PATCH /namespaces/a/auth0users/jane/status";
  await scenario.rest(20_000, report);
  scenario.life.wire.lose(scenario.callTo("PATCH /namespaces/a/auth0users/jane/status"));
  await scenario.rest(15 * 60_000);

  t.like(side.find(`auth0|${uid}`), { given_name: "Jane", blocked: true });
  t.is(conditionOf(scenario.find("a/jane") ?? {}, "DriftDetected").status, "True");
});

test("what is only reported is not overwritten because a resource was restored", async (t) => {
  const scenario = await aScenario(t);
  const spec = { email: "jane@example.com", nickname: "jj", driftPolicy: "Detect" };
  const uid = scenario.create("a/jane", spec);
  await scenario.rest(60_000);
  const side = scenario.sideOf(GLOBEX);
  t.true(side.edit(`auth0|${uid}`, { nickname: "chosen by herself" }));

  restore(scenario, spec);
  await scenario.rest(15 * 60_000);

  t.is(side.find(`auth0|${uid}`)?.["nickname"], "chosen by herself");
  t.is(conditionOf(scenario.find("a/jane") ?? {}, "DriftDetected").status, "True");
  scenario.edit("a/jane", { spec: { nickname: "j" } });
  await scenario.rest(60_000);
  t.is(side.find(`auth0|${uid}`)?.["nickname"], "j", "an edit is brought about");
});

/** With its annotations, and another uid. */
function restore(scenario: Scenario, spec: JsonObject): void {
  const { annotations } = metadataOf(scenario.find("a/jane") ?? {});
  const kept = new Map(scenario.cluster.snapshot());
  kept.delete(`${usersIn("a")}/jane`);
  scenario.restart(() => {
    scenario.cluster.reset(kept);
    scenario.books.noteClusterLost();
    scenario.create("a/jane", spec, { annotations });
  });
}
