/** What the operator asks of the API server in situations that a real cluster seldom brings about: its own roles allow it. */
import test from "ava";
import { ACTIONS_ANNOTATION } from "../../../src/api/names.ts";
import { asObject } from "../../histories/cluster.ts";
import { GLOBEX } from "../../histories/names.ts";
import { aScenario } from "../../histories/scenario.ts";
import type { Call } from "../../histories/wire.ts";

/** An edit that calls for nothing, but makes a new version of the resource. */
const TRACKED = { metadata: { annotations: { "argocd.argoproj.io/tracking-id": "x" } } };

test("a status that meets somebody else's edit is written with the rights that the operator has", async (t) => {
  const scenario = await aScenario(t);
  scenario.create("a/jane", { email: "jane@example.com" });
  const isStatus = ({ what }: Call): boolean => what === "PATCH /namespaces/a/auth0users/jane/status";
  await scenario.rest(1_000, isStatus);
  scenario.edit("a/jane", TRACKED);
  scenario.areWatchesSilent = true;
  await scenario.rest(5_000);

  t.is(scenario.reasonOf("a/jane"), "Created");
});

test("an action that was done is not said to be unknown because its resource was edited meanwhile", async (t) => {
  const scenario = await aScenario(t);
  scenario.create("a/jane", { email: "jane@example.com" });
  await scenario.rest(60_000);
  const isMail = ({ what }: Call): boolean => what.startsWith(`POST ${GLOBEX} /jobs/`);
  scenario.edit("a/jane", { metadata: { annotations: { [ACTIONS_ANNOTATION]: "verification-email" } } });
  await scenario.rest(1_000, isMail);
  t.true(scenario.life.wire.calls.some(isMail));
  scenario.edit("a/jane", TRACKED);
  scenario.areWatchesSilent = true;
  await scenario.rest(5_000);
  scenario.areWatchesSilent = false;
  await scenario.rest(60_000);

  const { results } = asObject(asObject(scenario.find("a/jane")?.["status"])["actions"]);
  t.like(results, [{ action: "verification-email", result: "Done" }]);
});
