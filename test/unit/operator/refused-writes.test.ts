/** The API server refuses a write for a while, as an admission policy (422) or a proxy (400) does. */
import test from "ava";
import { GLOBEX } from "../../histories/names.ts";
import { aScenario, type Scenario } from "../../histories/scenario.ts";
import type { Call } from "../../histories/wire.ts";

const isPatch = ({ what }: Call): boolean => what.startsWith("PATCH") && what.endsWith("/auth0users/jane");

test("a user whose claim was refused for a while is created", async (t) => {
  for (const status of [422, 400]) {
    const scenario = await aScenario(t);
    scenario.create("a/jane", { email: "jane@example.com" });

    await refuseOnce(scenario, status);

    t.is(scenario.reasonOf("a/jane"), "Created", String(status));
    t.is(scenario.sideOf(GLOBEX).users().length, 1);
  }
});

test("a deleted resource whose finalizer could not be taken for a while goes", async (t) => {
  for (const status of [422, 400]) {
    const scenario = await aScenario(t);
    scenario.create("a/jane", { email: "jane@example.com" });
    await scenario.rest(60_000);
    scenario.delete("a/jane");

    await refuseOnce(scenario, status);

    t.is(scenario.find("a/jane"), undefined, String(status));
    t.is(scenario.sideOf(GLOBEX).users().length, 0);
  }
});

async function refuseOnce(scenario: Scenario, status: number): Promise<void> {
  await scenario.rest(1_000, isPatch);
  const [call] = scenario.life.wire.calls.filter(isPatch);
  if (call === undefined) throw new Error("nothing is written");
  scenario.life.wire.advance(call, { status, isDone: false });
  scenario.life.wire.advance(call);
  await scenario.rest(6 * 60_000);
}

test("a status that could not be written once is written soon, also after a creation", async (t) => {
  const scenario = await aScenario(t);
  scenario.create("a/jane", { email: "jane@example.com" });
  const isStatus = ({ what }: Call): boolean => what.startsWith("PATCH") && what.endsWith("/auth0users/jane/status");
  await scenario.rest(1_000, isStatus);
  const [call] = scenario.life.wire.calls.filter(isStatus);
  if (call === undefined) throw new Error("nothing is written");
  t.is(scenario.sideOf(GLOBEX).users().length, 1);

  scenario.life.wire.advance(call, { status: 503, isDone: false });
  scenario.life.wire.advance(call);
  await scenario.rest(5 * 60_000);

  t.is(scenario.reasonOf("a/jane"), "Created");
});
