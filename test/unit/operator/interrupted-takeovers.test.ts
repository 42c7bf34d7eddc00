/** A takeover in whose midst the operator ends: it is no resource that was restored from a backup, and is brought about. */
import test from "ava";
import { LAST_APPLIED_ANNOTATION } from "../../../src/api/last-applied.ts";
import { asObject } from "../../histories/cluster.ts";
import { DATABASE, GLOBEX, passwordOf } from "../../histories/names.ts";
import { conditionOf } from "../../histories/reading.ts";
import { aScenario, type Scenario } from "../../histories/scenario.ts";
import type { Call } from "../../histories/wire.ts";

const isUpdate = ({ what }: Call): boolean => what.startsWith(`PATCH ${GLOBEX} /users/`);
const isStatus = ({ what }: Call): boolean => what === "PATCH /namespaces/a/auth0users/jane/status";

function enterJane(scenario: Scenario): string {
  const user = { connection: DATABASE, email: "jane@example.com", nickname: "old", blocked: true };
  return String(scenario.sideOf(GLOBEX).enter(user)?.user_id);
}

test("a takeover under Detect that a restart interrupted is brought about", async (t) => {
  const scenario = await aScenario(t);
  const id = enterJane(scenario);
  scenario.create("a/jane", { userId: id, nickname: "jj", blocked: false, driftPolicy: "Detect" });
  await scenario.rest(1_000, isUpdate);
  t.true(scenario.life.wire.calls.some(isUpdate));
  scenario.restart();
  await scenario.rest(15 * 60_000);

  t.like(scenario.sideOf(GLOBEX).find(id), { nickname: "jj" });
  t.not(scenario.sideOf(GLOBEX).find(id)?.["blocked"], true);
});

test("a takeover whose status was lost by a restart sends its password", async (t) => {
  const scenario = await aScenario(t);
  const id = enterJane(scenario);
  const password = { secretRef: { name: "password" }, policy: "OnChange" };
  scenario.create("a/jane", { userId: id, password });
  await scenario.rest(1_000, isUpdate);
  t.true(scenario.life.wire.calls.some(isUpdate));
  scenario.restart();
  await scenario.rest(15 * 60_000);

  t.true(scenario.sideOf(GLOBEX).hasPassword(id, passwordOf("a")));
  t.is(conditionOf(scenario.find("a/jane") ?? {}, "PasswordSynced").status, "True");
});

test("a user whose id Auth0 chose is given its roles under Detect, though the operator ended right after its creation", async (t) => {
  const scenario = await aScenario(t);
  const side = scenario.sideOf(GLOBEX);
  side.assignments.furnish();
  const spec = { connection: "email", email: "jane@example.com", password: undefined, roles: ["reader"] };
  scenario.create("a/jane", { ...spec, driftPolicy: "Detect" });
  const isGiving = ({ what }: Call): boolean => what.startsWith(`POST ${GLOBEX} /users/email|`);
  await scenario.rest(1_000, (call) => isGiving(call) || isStatus(call));
  t.true(scenario.life.wire.calls.some(isGiving));
  scenario.restart();
  await scenario.rest(15 * 60_000);

  t.deepEqual(side.assignments.of(scenario.userIdOf("a/jane"), "roles"), ["reader"]);
});

test("a takeover that the tenant's limit kept waiting for a moment is brought about, its password too", async (t) => {
  const scenario = await aScenario(t);
  const side = scenario.sideOf(GLOBEX);
  const id = enterJane(scenario);
  const password = { secretRef: { name: "password" }, policy: "OnChange" };
  scenario.create("a/jane", { userId: id, nickname: "jj", blocked: false, driftPolicy: "Detect", password });
  await scenario.rest(1_000, isUpdate);
  const [call] = scenario.life.wire.calls.filter(isUpdate);
  if (call === undefined) throw new Error("nothing is sent");
  scenario.life.wire.advance(call, { status: 429, isDone: false });
  scenario.life.wire.advance(call);
  await scenario.rest(15 * 60_000);

  t.like(side.find(id), { nickname: "jj" });
  t.not(side.find(id)?.["blocked"], true);
  t.true(side.hasPassword(id, passwordOf("a")));
});

test("a deletion that is put off for ever is put off, and says so", async (t) => {
  const scenario = await aScenario(t);
  const uid = scenario.create("a/jane", { email: "jane@example.com", deleteAfter: "9999999999h" });
  await scenario.rest(60_000);
  scenario.delete("a/jane");
  await scenario.rest(60_000);

  t.is(scenario.reasonOf("a/jane"), "DeletionScheduled");
  t.true(scenario.sideOf(GLOBEX).find(`auth0|${uid}`)?.["blocked"]);
});

test("a recovered null of an attribute that is ignored does not make a new spec of an old one", async (t) => {
  const scenario = await aScenario(t);
  const fieldPolicies = { nickname: "Ignore" };
  const uid = scenario.create("a/jane", { email: "jane@example.com", blocked: false, fieldPolicies });
  const applied = { spec: { ...asObject(scenario.find("a/jane")?.["spec"]), nickname: null } };
  scenario.edit("a/jane", { metadata: { annotations: { [LAST_APPLIED_ANNOTATION]: JSON.stringify(applied) } } });
  await scenario.rest(15 * 60_000);

  const side = scenario.sideOf(GLOBEX);
  scenario.restart(() => {
    t.true(side.edit(`auth0|${uid}`, { blocked: true }));
  });
  await scenario.rest(30 * 60_000);

  t.is(side.find(`auth0|${uid}`)?.["blocked"], true);
  t.is(conditionOf(scenario.find("a/jane") ?? {}, "DriftDetected").status, "True");
});

test("what the first of two patches set is looked after though the second failed, and taken back with the spec", async (t) => {
  const scenario = await aScenario(t);
  const side = scenario.sideOf(GLOBEX);
  const uid = scenario.create("a/jane", { email: "jane@example.com", username: "jane", unsetPolicy: "Remove" });
  await scenario.rest(60_000);
  scenario.edit("a/jane", {
    spec: { email: "new@example.com", username: "janet", picture: "https://example.com/j.png" },
  });
  await scenario.rest(1_000, isUpdate);
  const [first] = scenario.life.wire.calls.filter(isUpdate);
  if (first === undefined) throw new Error("nothing is sent");
  scenario.advance(first);
  scenario.advance(first);
  t.is(side.find(`auth0|${uid}`)?.["picture"], "https://example.com/j.png");
  await scenario.rest(100, isUpdate);
  const [second] = scenario.life.wire.calls.filter(isUpdate);
  if (second === undefined) throw new Error("nothing more is sent");
  scenario.life.wire.lose(second);
  await scenario.rest(1, isUpdate);
  scenario.edit("a/jane", { spec: { picture: null } });
  await scenario.rest(15 * 60_000);

  t.is(side.find(`auth0|${uid}`)?.["email"], "new@example.com");
  t.not(side.find(`auth0|${uid}`)?.["picture"], "https://example.com/j.png");
});
