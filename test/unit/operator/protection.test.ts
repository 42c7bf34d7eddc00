/** Limits on deletions and what they wait for, while others edit what they depend on: found by histories. */
import test from "ava";
import { asObject } from "../../histories/cluster.ts";
import { grant } from "../../histories/furnish.ts";
import { ACME, CLUSTER_TENANTS, GLOBEX, NAMESPACES, PASSWORDLESS } from "../../histories/names.ts";
import { keyOf } from "../../histories/reading.ts";
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
