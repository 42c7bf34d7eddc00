/** Limits on deletions and what they wait for, while others edit what they depend on: found by histories. */
import test from "ava";
import { CONFIRM_DELETION_ANNOTATION } from "../../../src/api/names.ts";
import { asObject } from "../../histories/cluster.ts";
import { grant } from "../../histories/furnish.ts";
import { ACME, CLUSTER_TENANTS, GLOBEX, NAMESPACES, PASSWORDLESS } from "../../histories/names.ts";
import { conditionOf, keyOf, pauseIn } from "../../histories/reading.ts";
import { aScenario, type Scenario } from "../../histories/scenario.ts";
import type { Call } from "../../histories/wire.ts";

const LIMIT = 2;
const TENANT_REF = { kind: "ClusterAuth0Tenant", name: "acme" };

async function createAll(scenario: Scenario, keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    scenario.create(key, { email: `${key.replace("/", "")}@example.com`, tenantRef: TENANT_REF });
  }
  await scenario.rest(1_000);
}

test("an edit of the tenant in the middle of a burst of deletions does not give the limit anew", async (t) => {
  const scenario = await aScenario(t, LIMIT);
  const keys = ["a/1", "a/2", "a/3", "a/4", "a/5", "a/6"];
  await createAll(scenario, keys);
  t.is(scenario.sideOf(ACME).users().length, keys.length);

  // Each is read before it is deleted, and whether deletions are paused is asked before that.
  scenario.restart();
  await scenario.rest(1_000);
  const isRead = ({ what }: Call): boolean => what.startsWith(`GET ${ACME} /users/`);
  for (const key of keys.slice(0, 3)) scenario.delete(key);
  await scenario.rest(1_000, isRead);
  grant(scenario, NAMESPACES);
  await scenario.rest(1_000, isRead);
  for (const key of keys.slice(3)) scenario.delete(key);
  await scenario.rest(1_000, isRead);
  await scenario.rest(60_000);

  t.is(scenario.sideOf(ACME).users().length, keys.length - LIMIT);
});

test("what another leader counted meanwhile counts", async (t) => {
  const scenario = await aScenario(t, LIMIT);
  await createAll(scenario, ["a/1", "a/2", "a/3"]);
  scenario.delete("a/1");
  await scenario.rest(1_000);
  t.is(scenario.sideOf(ACME).users().length, 2);

  const path = `${CLUSTER_TENANTS}/acme`;
  const notes = String(asObject(scenario.cluster.get(path)["status"])["protection"]);
  t.regex(notes, /,1\]/);
  const protection = notes.replace(/,1\]/, ",2]");
  scenario.cluster.mergePatch(`${path}/status`, { status: { protection } }, "person");
  await scenario.rest(1_000);
  scenario.delete("a/2");
  await scenario.rest(60_000);

  t.is(scenario.sideOf(ACME).users().length, 2);
  t.is(scenario.reasonOf("a/2"), "DeletionPaused");
});

test("a deletion that waits because of a linked account goes on once that is unlinked", async (t) => {
  const scenario = await aScenario(t);
  const uid = scenario.create("a/1", { email: "a1@example.com" });
  await scenario.rest(1_000);
  const side = scenario.sideOf(GLOBEX);
  const linked = side.enter({ connection: PASSWORDLESS, email: "a1@example.com" });
  t.true(side.link(`auth0|${uid}`, String(linked?.user_id)));
  scenario.books.noteLink(keyOf(GLOBEX, `auth0|${uid}`), scenario.time.nowMs);
  scenario.restart();
  scenario.delete("a/1");
  await scenario.rest(60_000);
  t.is(scenario.reasonOf("a/1"), "DeletionNeedsConfirmation");

  const identity = side.find(`auth0|${uid}`)?.identities[1];
  t.true(identity !== undefined && side.unlink(`auth0|${uid}`, identity));
  await scenario.rest(10 * 60_000);

  t.is(scenario.find("a/1"), undefined);
  t.is(side.find(`auth0|${uid}`), undefined);
  t.not(side.find(String(linked?.user_id)), undefined);
});

test("the tenant object says of users whose deletion is paused that it is", async (t) => {
  const scenario = await aScenario(t, LIMIT);
  const keys = ["a/1", "a/2", "a/3", "a/4", "a/5"];
  await createAll(scenario, keys);
  for (const key of keys) scenario.delete(key);
  await scenario.rest(5 * 60_000);
  const paused = keys.filter((key) => scenario.find(key) !== undefined);
  t.deepEqual(
    paused.map((key) => scenario.reasonOf(key)),
    ["DeletionPaused", "DeletionPaused", "DeletionPaused"],
  );

  const { users } = asObject(scenario.cluster.get(`${CLUSTER_TENANTS}/acme`)["status"]);

  t.deepEqual(asObject(users), { total: 3, ready: "0/3", reasons: [{ reason: "DeletionPaused", count: 3 }] });
});

test("a pause that was confirmed is over in the tenant's status also where nothing waits for it any more", async (t) => {
  const scenario = await aScenario(t, LIMIT);
  const keys = ["a/1", "a/2", "a/3"];
  await createAll(scenario, keys);
  for (const key of keys) scenario.delete(key);
  await scenario.rest(60_000);
  const path = `${CLUSTER_TENANTS}/acme`;
  const [waiting = ""] = keys.filter((key) => scenario.find(key) !== undefined);
  const word = pauseIn(scenario.find(waiting) ?? {})?.word ?? "";
  scenario.edit(waiting, { spec: { deletionPolicy: "Retain" } });
  await scenario.rest(60_000);
  t.is(scenario.find(waiting), undefined);

  scenario.cluster.mergePatch(path, { metadata: { annotations: { [CONFIRM_DELETION_ANNOTATION]: word } } }, "person");
  await scenario.rest(10 * 60_000);

  t.is(conditionOf(scenario.cluster.get(path), "DeletionPaused").message, "");
});

test("a change that waits for a person's word does not read the user at Auth0 every five seconds", async (t) => {
  const scenario = await aScenario(t);
  const keys = ["a/1", "a/2", "a/3"];
  await createAll(scenario, keys);
  const protection = { maxChangesPerHour: 1 };
  scenario.cluster.mergePatch(`${CLUSTER_TENANTS}/acme`, { spec: { protection } }, "person");
  await scenario.rest(1_000);
  const calls = () => scenario.trace.filter((line) => line.includes(`: GET ${ACME} /users/`)).length;
  const before = calls();

  for (const key of keys) scenario.edit(key, { spec: { nickname: "jj" } });
  await scenario.rest(5 * 60_000);

  t.is(keys.filter((key) => scenario.reasonOf(key) === "ChangesPaused").length, 2);
  t.true(calls() - before <= 10, `${String(calls() - before)} calls in five minutes for two users that wait`);
});

test("what is noted of changes fits into the tenant's status, however many keys of metadata were changed over weeks", async (t) => {
  const scenario = await aScenario(t);
  const protection = { maxChangesPerHour: 1_000 };
  scenario.cluster.mergePatch(`${CLUSTER_TENANTS}/acme`, { spec: { protection } }, "person");
  await createAll(scenario, ["a/1"]);
  for (let week = 1; week <= 6; week++) {
    const keysOf = (one: number) => Array.from({ length: 60 }, (_, index) => `week-${String(one)}-${String(index)}`);
    const userMetadata = Object.fromEntries([
      ...keysOf(week - 1).map((key) => [key, null] as const), // taken out of the spec
      ...keysOf(week).map((key) => [key, "on"] as const),
    ]);
    scenario.edit("a/1", { spec: { userMetadata } });
    await scenario.rest(2 * 3_600_000);
  }

  t.is(scenario.reasonOf("a/1"), "Updated");
  const { protection: notes } = asObject(scenario.cluster.get(`${CLUSTER_TENANTS}/acme`)["status"]);
  t.true(String(notes).length <= 16_384, `${String(String(notes).length)} characters`);
});
