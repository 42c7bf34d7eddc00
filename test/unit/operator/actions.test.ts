/** Actions that were answered once, and what becomes of their answers. */
import test from "ava";
import { ACTIONS_ANNOTATION } from "../../../src/api/names.ts";
import { asObject, metadataOf } from "../../histories/cluster.ts";
import { GLOBEX, usersIn } from "../../histories/names.ts";
import { aScenario } from "../../histories/scenario.ts";

test("an action that was answered before a resource was restored is not done again", async (t) => {
  const scenario = await aScenario(t);
  const spec = { email: "jane@example.com" };
  scenario.create("a/jane", spec, { annotations: { [ACTIONS_ANNOTATION]: "verification-email" } });
  await scenario.rest(60_000);
  const mails = () => scenario.trace.filter((line) => line.includes(`arrives: POST ${GLOBEX} /jobs/`)).length;
  t.is(mails(), 1);

  const { annotations } = metadataOf(scenario.find("a/jane") ?? {});
  const kept = new Map(scenario.cluster.snapshot());
  t.true(kept.delete(`${usersIn("a")}/jane`));
  scenario.restart(() => {
    scenario.cluster.reset(kept);
    scenario.books.noteClusterLost();
    scenario.create("a/jane", spec, { annotations });
  });
  await scenario.rest(60_000);

  t.is(mails(), 1);
  const { results } = asObject(asObject(scenario.find("a/jane")?.["status"])["actions"]);
  t.like(results, [{ action: "verification-email", result: "Unknown" }]);
});
