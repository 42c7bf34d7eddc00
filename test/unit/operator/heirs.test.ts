/** Who gets a user when its holder goes, and what must not get lost between two writes: situations that histories found. */
import test from "ava";
import { annotationsOf, asObject, metadataOf } from "../../histories/cluster.ts";
import { DATABASE, GLOBEX, passwordOf, secretsIn } from "../../histories/names.ts";
import { aScenario } from "../../histories/scenario.ts";

const JANE = { email: "jane@example.com", givenName: "Jane" };
const MAIL = { connection: "email", password: undefined, email: "jane@example.com", recreateAfter: "0s" };

test("of two that come to wait for a user at the same moment none is forgotten", async (t) => {
  const scenario = await aScenario(t);
  scenario.create("a/holder", JANE);
  await scenario.rest(1_000);

  scenario.create("a/second", { ...JANE, adoptionPolicy: "Adopt" });
  scenario.create("a/third", { ...JANE, adoptionPolicy: "Adopt" });
  await scenario.rest(1_000);

  const waiting = annotationsOf(scenario.find("a/holder") ?? {})["auth0-user-operator.dev/awaited-by"] ?? "";
  t.regex(waiting, /^a\/second /m);
  t.regex(waiting, /^a\/third /m);
});

test("whoever waits for a user waits for its next holder, too", async (t) => {
  const scenario = await aScenario(t);
  const uid = scenario.create("a/first", JANE);
  await scenario.rest(1_000);
  scenario.create("a/second", { ...JANE, adoptionPolicy: "Adopt", deletionPolicy: "Delete" });
  await scenario.rest(1_000);
  scenario.create("a/third", { ...JANE, adoptionPolicy: "Adopt" });
  await scenario.rest(1_000);

  scenario.delete("a/first");
  await scenario.rest(60_000);
  scenario.delete("a/second");
  await scenario.rest(60_000);

  t.is(scenario.userIdOf("a/third"), `auth0|${uid}`);
  t.is(scenario.reasonOf("a/third"), "Adopted");
});

test("a user passes on though its holder has not learnt its id", async (t) => {
  const scenario = await aScenario(t);
  scenario.create("a/other", { email: "other@example.com", adoptionPolicy: "Review" });
  await scenario.rest(1_000);
  scenario.create("a/holder", MAIL);
  await scenario.rest(1_000, ({ what }) => what === `POST ${GLOBEX} /users`);
  const creation = scenario.callTo(`POST ${GLOBEX} /users`);
  scenario.advance(creation);
  scenario.create("a/heir", { ...MAIL, adoptionPolicy: "Adopt" });
  await scenario.rest(1_000, (call) => call === creation);
  t.is(scenario.reasonOf("a/heir"), "DuplicateClaim");
  const [user] = scenario
    .sideOf(GLOBEX)
    .users()
    .filter(({ email }) => email === MAIL.email);

  scenario.delete("a/holder");
  scenario.life.wire.lose(creation);
  await scenario.rest(15 * 60_000);

  t.is(scenario.find("a/holder"), undefined);
  t.is(scenario.userIdOf("a/heir"), user?.user_id ?? "");
});

test("a Secret that changes in the middle of a pass is not overlooked until the next comparison", async (t) => {
  const scenario = await aScenario(t);
  scenario.watchSecrets = ["a"];
  scenario.restart();
  await scenario.rest(1_000);
  const uid = scenario.create("a/jane", { ...JANE, password: { secretRef: { name: "password" } } });
  await scenario.rest(1_000, ({ what }) => what === `POST ${GLOBEX} /users`);

  const data = { password: Buffer.from(passwordOf("a", 1)).toString("base64") };
  scenario.cluster.mergePatch(`${secretsIn("a")}/password`, { data }, "person");
  await scenario.rest(1_000, ({ what }) => what === `POST ${GLOBEX} /users`);
  await scenario.rest(10_000);

  t.true(scenario.trace.some((line) => line.endsWith(`arrives: PATCH ${GLOBEX} /users/auth0|${uid}`)));
});

test("an edit that comes with the answer to a status is not taken for an echo of it", async (t) => {
  const scenario = await aScenario(t);
  const uid = scenario.create("a/jane", JANE);
  const status = "PATCH /namespaces/a/auth0users/jane/status";
  await scenario.rest(1_000, ({ what }) => what === status);

  scenario.edit("a/jane", { spec: { givenName: "Janet" } });
  for (const what of [status, "GET /namespaces/a/auth0users/jane", status]) {
    const call = scenario.callTo(what);
    scenario.advance(call);
    scenario.life.wire.advance(call);
    await scenario.turn();
  }
  await scenario.rest(1_000);

  t.is(scenario.sideOf(GLOBEX).find(`auth0|${uid}`)?.["given_name"], "Janet");
});

test("a status does not reach another resource that took the name of the one it is about", async (t) => {
  const scenario = await aScenario(t);
  scenario.create("a/jane", JANE);
  const status = "PATCH /namespaces/a/auth0users/jane/status";
  await scenario.rest(1_000, ({ what }) => what === status);

  scenario.edit("a/jane", { metadata: { finalizers: null } });
  scenario.delete("a/jane");
  const uid = scenario.create("a/jane", { email: "another@example.com", suspend: true });
  await scenario.rest(60_000);

  const found = scenario.find("a/jane") ?? {};
  t.is(metadataOf(found)["uid"], uid);
  t.is(asObject(found["status"])["userId"], undefined);
  t.is(scenario.reasonOf("a/jane"), "Suspended");
});

test("who names a user's id at another tenant is no heir of it", async (t) => {
  const scenario = await aScenario(t);
  const tenantRef = { kind: "ClusterAuth0Tenant", name: "acme" };
  // Somebody takes users over, so that who holds whom is written down from now on.
  scenario.sideOf(GLOBEX).enter({ connection: DATABASE, email: "other@example.com" });
  scenario.create("a/other", { email: "other@example.com", adoptionPolicy: "Adopt" });
  await scenario.rest(1_000);
  const uid = scenario.create("b/holder", JANE);
  await scenario.rest(60_000);
  t.is(scenario.reasonOf("b/holder"), "Created");

  scenario.create("a/elsewhere", { ...JANE, tenantRef, userId: `auth0|${uid}` });
  await scenario.rest(60_000);
  scenario.delete("b/holder");
  await scenario.rest(15 * 60_000);

  t.is(scenario.find("b/holder"), undefined);
  t.is(scenario.sideOf(GLOBEX).find(`auth0|${uid}`), undefined, "nobody else can have it, so it is deleted");
});
