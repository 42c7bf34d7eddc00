/** What a tenant object declares counts at once, whatever becomes of its credentials. */
import test from "ava";
import { asObject } from "../../histories/cluster.ts";
import { grant, putCredentials } from "../../histories/furnish.ts";
import { ACME, CLUSTER_TENANTS, DATABASE, PASSWORDLESS } from "../../histories/names.ts";
import { keyOf, readyOf } from "../../histories/reading.ts";
import { aScenario } from "../../histories/scenario.ts";
import type { Call } from "../../histories/wire.ts";

const tenantRef = { kind: "ClusterAuth0Tenant", name: "acme" };

test("a grant that is taken back is gone while new credentials are refused, too", async (t) => {
  const scenario = await aScenario(t);
  const user = scenario.sideOf(ACME).enter({ connection: DATABASE, email: "jane@example.com", given_name: "Theirs" });
  putCredentials(scenario, { clientSecret: "wrong" });
  await scenario.rest(5 * 60_000);

  grant(scenario, ["b"]);
  await scenario.rest(60_000);
  scenario.create("a/jane", { tenantRef, email: "jane@example.com", givenName: "Jane", adoptionPolicy: "Adopt" });
  await scenario.rest(60_000);

  t.is(scenario.reasonOf("a/jane"), "NotGranted");
  t.is(scenario.sideOf(ACME).find(user?.user_id ?? "")?.["given_name"], "Theirs");
});

test("a lower limit on deletions counts while there are no credentials, too", async (t) => {
  const scenario = await aScenario(t, 5);
  const names = ["a/u1", "a/u2", "a/u3"];
  for (const name of names) scenario.create(name, { tenantRef, email: `${name.slice(2)}@example.com` });
  await scenario.rest(60_000);
  scenario.cluster.delete("/api/v1/namespaces/operator/secrets/acme", "person");
  await scenario.rest(5 * 60_000);

  const protection = { maxDeletesPerHour: 0 };
  scenario.cluster.mergePatch(`${CLUSTER_TENANTS}/acme`, { spec: { protection } }, "person");
  for (const name of names) scenario.delete(name);
  await scenario.rest(60_000);

  t.deepEqual(
    names.map((name) => scenario.reasonOf(name)),
    names.map(() => "DeletionPaused"),
  );
  t.is(scenario.sideOf(ACME).users().length, 3);
});

test("a tenant that gives tokens and takes none of them is not connected", async (t) => {
  const scenario = await aScenario(t);
  const isApi = ({ what }: Call): boolean => what.includes(` ${ACME} `) && !what.includes("/oauth/token");
  scenario.create("a/jane", { tenantRef, email: "jane@example.com" });
  for (let seconds = 0; seconds < 120; seconds++) {
    await scenario.rest(1_000, isApi);
    for (const call of scenario.life.wire.calls.filter(isApi)) {
      scenario.life.wire.advance(call, { status: 401, isDone: false });
      scenario.life.wire.advance(call);
    }
  }

  t.is(readyOf(scenario.cluster.get(`${CLUSTER_TENANTS}/acme`)).reason, "CredentialsInvalid");
  t.is(scenario.reasonOf("a/jane"), "TenantNotReady");
  await scenario.rest(5 * 60_000);
  t.is(scenario.reasonOf("a/jane"), "Created");
});

test("a tenant object says when the present token ends, not when the first one did", async (t) => {
  const scenario = await aScenario(t);
  scenario.create("a/jane", { tenantRef, email: "jane@example.com", syncInterval: "1h" });
  for (let hours = 0; hours < 30; hours++) await scenario.rest(3_600_000);

  t.is(scenario.reasonOf("a/jane"), "Created", "a token that is good was there all the time");
  const { tokenExpiresAt } = asObject(scenario.cluster.get(`${CLUSTER_TENANTS}/acme`)["status"]);
  t.true(Date.parse(String(tokenExpiresAt)) > scenario.time.nowMs, `it ended at ${String(tokenExpiresAt)}`);
});

test("a user that is suspended stays Ready though its tenant was not for a while", async (t) => {
  const scenario = await aScenario(t);
  scenario.create("a/jane", { tenantRef, email: "jane@example.com" });
  await scenario.rest(60_000);
  scenario.edit("a/jane", { spec: { suspend: true } });
  await scenario.rest(60_000);
  t.like(readyOf(scenario.find("a/jane") ?? {}), { status: "True", reason: "Suspended" });

  scenario.cluster.delete("/api/v1/namespaces/operator/secrets/acme", "person");
  await scenario.rest(5 * 60_000);
  putCredentials(scenario);
  await scenario.rest(10 * 60_000);

  t.like(readyOf(scenario.find("a/jane") ?? {}), { status: "True", reason: "Suspended" });
});

test("a deletion that waits for a person does not look at Auth0 oftener because its tenant object is being deleted, too", async (t) => {
  const scenario = await aScenario(t);
  const side = scenario.sideOf(ACME);
  const uid = scenario.create("a/jane", { tenantRef, email: "jane@example.com" });
  await scenario.rest(60_000);
  const linked = side.enter({ connection: PASSWORDLESS, email: "jane@example.com" });
  t.true(side.link(`auth0|${uid}`, String(linked?.user_id)));
  scenario.books.noteLink(keyOf(ACME, `auth0|${uid}`), scenario.time.nowMs);
  scenario.restart();
  scenario.delete("a/jane");
  await scenario.rest(60_000);
  t.is(scenario.reasonOf("a/jane"), "DeletionNeedsConfirmation");
  const reads = () => scenario.trace.filter((line) => line.includes(`arrives: GET ${ACME} /users/`)).length;
  const before = reads();

  scenario.cluster.delete(`${CLUSTER_TENANTS}/acme`, "person");
  await scenario.rest(10 * 60_000);

  t.true(reads() - before <= 3, `looked ${String(reads() - before)} times in ten minutes, not every five minutes`);
});

test("a tenant that refuses its credentials says so, also where nothing but a deletion asked it", async (t) => {
  const scenario = await aScenario(t);
  const isApi = ({ what }: Call): boolean => what.includes(` ${ACME} `);
  scenario.create("a/jane", { tenantRef, email: "jane@example.com" });
  await scenario.rest(15 * 60_000);
  scenario.delete("a/jane");
  for (let seconds = 0; seconds < 240; seconds++) {
    await scenario.rest(1_000, isApi);
    for (const call of scenario.life.wire.calls.filter(isApi)) {
      scenario.life.wire.advance(call, { status: 401, isDone: false });
      scenario.life.wire.advance(call);
    }
  }

  t.is(scenario.reasonOf("a/jane"), "CredentialsInvalid");
  t.is(readyOf(scenario.cluster.get(`${CLUSTER_TENANTS}/acme`)).reason, "CredentialsInvalid");
});

test("a tenant that was not ready for a while costs no call for users that were in sync", async (t) => {
  const scenario = await aScenario(t);
  scenario.create("a/jane", { tenantRef, email: "jane@example.com" });
  await scenario.rest(60_000);
  const reads = (): number => scenario.trace.filter((line) => line.includes(`arrives: GET ${ACME} /users`)).length;
  const before = reads();

  scenario.cluster.delete("/api/v1/namespaces/operator/secrets/acme", "person");
  await scenario.rest(5 * 60_000);
  t.is(scenario.reasonOf("a/jane"), "TenantNotReady");
  putCredentials(scenario);
  await scenario.rest(2 * 60_000);

  t.like(readyOf(scenario.find("a/jane") ?? {}), { status: "True", reason: "InSync" });
  t.is(reads() - before, 0);
});

test("an edit that was made while the tenant was not ready is brought about by one call", async (t) => {
  const scenario = await aScenario(t);
  const uid = scenario.create("a/jane", { tenantRef, email: "jane@example.com" });
  await scenario.rest(60_000);
  scenario.cluster.delete("/api/v1/namespaces/operator/secrets/acme", "person");
  await scenario.rest(5 * 60_000);
  scenario.edit("a/jane", { spec: { nickname: "jd" } });
  await scenario.rest(60_000);
  const calls = (): string[] => scenario.trace.filter((line) => line.includes(` ${ACME} /users`));
  const before = calls().length;

  putCredentials(scenario);
  await scenario.rest(2 * 60_000);

  t.is(scenario.reasonOf("a/jane"), "Updated");
  t.deepEqual(
    calls()
      .slice(before)
      .map((line) => line.slice(line.indexOf("arrives"))),
    [`arrives: PATCH ${ACME} /users/auth0|${uid}`],
  );
});
