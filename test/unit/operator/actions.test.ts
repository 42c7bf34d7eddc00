/** Actions by annotation: each is done once, whatever happens to the calls, and what was not sent is done later. */
import test from "ava";
import { ACTIONS_ANNOTATION } from "../../../src/api/names.ts";
import type { JsonObject } from "../../../src/runtime/json.ts";
import { asObject } from "../../histories/cluster.ts";
import { GLOBEX, secretsIn } from "../../histories/names.ts";
import { aScenario, type Scenario } from "../../histories/scenario.ts";
import type { Call } from "../../histories/wire.ts";

const MAIL = `POST ${GLOBEX} /jobs/verification-email`;
const TOKEN = `POST ${GLOBEX} /oauth/token`;
const REVOKE = (uid: string): string => `POST ${GLOBEX} /users/auth0|${uid}/revoke-access`;
const isMail = ({ what }: Call): boolean => what === MAIL;

test("an action that the tenant's limit keeps back is done later, and those before it not again", async (t) => {
  const scenario = await aScenario(t);
  const uid = await aUser(scenario);
  ask(scenario, "revoke-access,verification-email,unblock");
  await scenario.rest(10_000, isMail);

  scenario.life.wire.advance(scenario.callTo(MAIL), { status: 429, isDone: false });
  scenario.life.wire.advance(scenario.callTo(MAIL));
  await scenario.turn();
  await scenario.rest(0, isMail);
  const { results, resumeTime } = actionsOf(scenario);
  t.like(results, [{ action: "revoke-access", result: "Done" }]);
  t.is(typeof resumeTime, "string");
  scenario.restart();
  await scenario.rest(5 * 60_000);

  const answered = actionsOf(scenario);
  t.deepEqual(resultsOf(answered), ["revoke-access Done", "verification-email Done", "unblock Done"]);
  t.is(answered["resumeTime"], undefined);
  t.is(timesServed(scenario, REVOKE(uid)), 1);
});

test("an action whose answer was lost is said to be unknown, and not done again", async (t) => {
  const scenario = await aScenario(t);
  await aUser(scenario);
  ask(scenario, "verification-email,unblock");
  await scenario.rest(10_000, isMail);

  scenario.advance(scenario.callTo(MAIL));
  scenario.life.wire.lose(scenario.callTo(MAIL));
  await scenario.rest(15 * 60_000);

  t.deepEqual(resultsOf(actionsOf(scenario)), ["verification-email Unknown", "unblock Done"]);
  t.is(timesServed(scenario, MAIL), 1);
});

test("an action for which there was no token was not done, and is done later", async (t) => {
  for (const status of [undefined, 429, 503]) {
    const scenario = await aScenario(t);
    await aUser(scenario);
    const isHeld = (call: Call): boolean => isMail(call) || call.what === TOKEN;
    ask(scenario, "verification-email");
    await scenario.rest(1_000, isHeld);

    scenario.life.wire.advance(scenario.callTo(MAIL), { status: 401, isDone: false });
    scenario.life.wire.advance(scenario.callTo(MAIL));
    await scenario.rest(1_000, isHeld);
    for (const call of scenario.life.wire.calls.filter(({ what }) => what === TOKEN)) {
      if (status === undefined) {
        scenario.life.wire.lose(call);
      } else {
        scenario.life.wire.advance(call, { status, isDone: false });
        scenario.life.wire.advance(call);
      }
    }
    await scenario.rest(5 * 60_000);

    t.deepEqual(resultsOf(actionsOf(scenario)), ["verification-email Done"]);
    t.is(timesServed(scenario, MAIL), 1);
  }
});

test("an action is not done again because its request comes back after another one", async (t) => {
  const scenario = await aScenario(t);
  const uid = await aUser(scenario);
  for (const request of ["verification-email@1", "revoke-access@2", "verification-email@1"]) {
    ask(scenario, request);
    await scenario.rest(60_000);
  }

  t.deepEqual(resultsOf(actionsOf(scenario)), ["verification-email Failed"]);
  t.deepEqual([timesServed(scenario, MAIL), timesServed(scenario, REVOKE(uid))], [1, 1]);
  ask(scenario, "verification-email@3");
  await scenario.rest(60_000);
  t.deepEqual(resultsOf(actionsOf(scenario)), ["verification-email Done"]);
  t.is(timesServed(scenario, MAIL), 2);
});

test("what a resource asks for is not done to the user of one that had its name before", async (t) => {
  const scenario = await aScenario(t);
  const isCreation = ({ what }: Call): boolean => what === `POST ${GLOBEX} /users`;
  const former = scenario.create("a/jane", { email: "jane@example.com" }, asking("unblock"));
  await scenario.rest(1_000, isCreation);
  scenario.advance(scenario.callTo(`POST ${GLOBEX} /users`));
  scenario.edit("a/jane", { metadata: { finalizers: null } });
  scenario.delete("a/jane");
  const uid = scenario.create("a/jane", { email: "joan@example.com" }, asking("revoke-access"));

  await scenario.rest(15 * 60_000);

  t.is(timesServed(scenario, REVOKE(former)), 0);
  t.is(timesServed(scenario, REVOKE(uid)), 1);
});

async function aUser(scenario: Scenario): Promise<string> {
  const uid = scenario.create("a/jane", { email: "jane@example.com" });
  await scenario.rest(60_000);
  return uid;
}

function asking(request: string): JsonObject {
  return { annotations: { [ACTIONS_ANNOTATION]: request } };
}

function ask(scenario: Scenario, request: string): void {
  scenario.edit("a/jane", { metadata: asking(request) });
}

function actionsOf(scenario: Scenario): JsonObject {
  return asObject(asObject(scenario.find("a/jane")?.["status"])["actions"]);
}

function resultsOf({ results }: JsonObject): string[] {
  return (Array.isArray(results) ? results : [])
    .map(asObject)
    .map((one) => `${String(one["action"])} ${String(one["result"])}`);
}

function timesServed(scenario: Scenario, what: string): number {
  return scenario.trace.filter((line) => line.endsWith(`arrives: ${what}`)).length;
}

test("an action is done also while the Secret with the password is missing", async (t) => {
  const scenario = await aScenario(t);
  scenario.create("a/jane", { email: "jane@example.com", password: { secretRef: { name: "password" } } });
  await scenario.rest(60_000);
  scenario.cluster.delete(`${secretsIn("a")}/password`, "person");
  await scenario.rest(15 * 60_000);
  t.is(scenario.reasonOf("a/jane"), "SecretNotFound");

  scenario.edit("a/jane", { metadata: { annotations: { [ACTIONS_ANNOTATION]: "revoke-access@incident-7" } } });
  await scenario.rest(30 * 60_000);

  const { results } = asObject(asObject(scenario.find("a/jane")?.["status"])["actions"]);
  t.like(results, [{ action: "revoke-access", result: "Done" }]);
});

test("a user whose Secret is missing is not compared with Auth0 oftener than others", async (t) => {
  const scenario = await aScenario(t);
  scenario.create("a/jane", {
    email: "jane@example.com",
    password: { secretRef: { name: "password" } },
    syncInterval: "1h",
  });
  await scenario.rest(60_000);
  scenario.cluster.delete(`${secretsIn("a")}/password`, "person");
  await scenario.rest(2 * 3_600_000);
  t.is(scenario.reasonOf("a/jane"), "SecretNotFound");
  const from = scenario.trace.length;

  await scenario.rest(2 * 3_600_000);

  const reads = scenario.trace.slice(from).filter((line) => line.includes(`: GET ${GLOBEX} /users/`)).length;
  t.true(reads <= 3, `${String(reads)} reads in two hours, where once an hour is declared`);
});
