/** Passwords whose Secret changes, or comes, while something fails: what `PasswordSynced` says is so. Found by histories. */
import test, { type ExecutionContext } from "ava";
import { SECRET_USE_LABEL, SECRET_USE_PASSWORD } from "../../../src/api/names.ts";
import { asObject, metadataOf } from "../../histories/cluster.ts";
import { DATABASE, GLOBEX, passwordOf, secretsIn, usersIn } from "../../histories/names.ts";
import { conditionOf } from "../../histories/reading.ts";
import { aScenario, type Scenario } from "../../histories/scenario.ts";
import type { Call } from "../../histories/wire.ts";

const JANE = {
  email: "jane@example.com",
  givenName: "Jane",
  password: { secretRef: { name: "password" }, policy: "OnChange" },
};
const STATUS = "PATCH /namespaces/a/auth0users/jane/status";
/** Longer than the interval of comparison, at which Secrets are read again. */
const INTERVAL_MS = 15 * 60_000;

for (const [title, isRestarted] of [
  ["a password that changed since a creation whose note was lost is sent", false],
  ["a password that changed since a creation whose note was lost is sent after a restart, too", true],
] as const) {
  test(title, async (t) => {
    const scenario = await aScenario(t);
    const uid = scenario.create("a/jane", JANE);
    await scenario.rest(1_000, ({ what }) => what === STATUS);
    scenario.life.wire.lose(scenario.callTo(STATUS));
    rotate(scenario, 1);
    if (isRestarted) scenario.restart();
    await scenario.rest(INTERVAL_MS);

    assertSent(t, scenario, `auth0|${uid}`, passwordOf("a", 1));
  });
}

test("a password that is the one of a creation whose note was lost is not sent again", async (t) => {
  const scenario = await aScenario(t);
  const uid = scenario.create("a/jane", JANE);
  await scenario.rest(1_000, ({ what }) => what === STATUS);
  scenario.restart();
  await scenario.rest(INTERVAL_MS);

  assertSent(t, scenario, `auth0|${uid}`, passwordOf("a"));
  t.false(scenario.trace.some((line) => line.includes(`arrives: PATCH ${GLOBEX}`)));
});

test("which of two passwords a user was created with is not guessed", async (t) => {
  const scenario = await aScenario(t);
  const isCreation = ({ what }: Call): boolean => what === `POST ${GLOBEX} /users`;
  const uid = scenario.create("a/jane", JANE);
  await scenario.rest(1_000, isCreation);
  rotate(scenario, 1);
  scenario.restart();
  await scenario.rest(1_000, isCreation);
  // The creation of the former life arrives after this one has looked for the user, and found nobody.
  scenario.sideOf(GLOBEX).enter({ connection: DATABASE, user_id: uid, email: JANE.email, password: passwordOf("a") });
  await scenario.rest(1_000, ({ what }) => what.startsWith(`PATCH ${GLOBEX}`));
  scenario.restart();
  await scenario.rest(INTERVAL_MS);

  assertSent(t, scenario, `auth0|${uid}`, passwordOf("a", 1));
});

test("a user that stands in for one that is gone is given the password, too", async (t) => {
  const scenario = await aScenario(t);
  const uid = scenario.create("a/jane", { ...JANE, adoptionPolicy: "Adopt", recreateAfter: "0s" });
  await scenario.rest(1_000);
  scenario.sideOf(GLOBEX).drop(`auth0|${uid}`);
  const other = enterJane(scenario);
  await scenario.rest(INTERVAL_MS);

  t.is(scenario.userIdOf("a/jane"), other);
  assertSent(t, scenario, other, passwordOf("a"));
});

test("a password whose Secret comes after its user was taken over is sent", async (t) => {
  const scenario = await aScenario(t);
  const id = enterJane(scenario);
  const password = { ...JANE.password, secretRef: { name: "late" } };
  scenario.create("a/jane", { ...JANE, userId: id, password });
  await scenario.rest(60_000);
  t.is(conditionOf(scenario.find("a/jane") ?? {}, "PasswordSynced").reason, "SecretNotFound");

  const metadata = { name: "late", labels: { [SECRET_USE_LABEL]: SECRET_USE_PASSWORD } };
  scenario.cluster.create(secretsIn("a"), { metadata, ...contentOf(1) }, "person");
  await scenario.rest(INTERVAL_MS);

  assertSent(t, scenario, id, passwordOf("a", 1));
});

test("a password that is made anew for a restored resource is sent", async (t) => {
  const scenario = await aScenario(t);
  const spec = { ...JANE, password: { generate: { secretName: "jane" }, policy: "OnChange" } };
  const uid = scenario.create("a/jane", spec);
  await scenario.rest(INTERVAL_MS);
  const { annotations } = metadataOf(scenario.find("a/jane") ?? {});
  const kept = new Map(scenario.cluster.snapshot());
  for (const path of [`${usersIn("a")}/jane`, `${secretsIn("a")}/jane`]) t.true(kept.delete(path));
  scenario.restart(() => {
    scenario.cluster.reset(kept);
    scenario.books.noteClusterLost();
    scenario.create("a/jane", spec, { annotations });
  });
  await scenario.rest(INTERVAL_MS);

  assertSent(t, scenario, `auth0|${uid}`, madePassword(scenario));
});

test("a password that is set at creation only is made anew where its Secret is gone and the user is created again", async (t) => {
  const scenario = await aScenario(t);
  const password = { generate: { secretName: "jane" }, policy: "OnCreate" };
  const uid = scenario.create("a/jane", { ...JANE, password, recreateAfter: "0s" });
  await scenario.rest(1_000);
  scenario.cluster.delete(`${secretsIn("a")}/jane`, "person");
  await scenario.rest(INTERVAL_MS);
  t.is(scenario.cluster.find(`${secretsIn("a")}/jane`), undefined, "not before it is needed");
  scenario.sideOf(GLOBEX).drop(`auth0|${uid}`);
  await scenario.rest(INTERVAL_MS);

  assertSent(t, scenario, `auth0|${uid}`, madePassword(scenario));
});

function madePassword(scenario: Scenario): string {
  const { password } = asObject(scenario.cluster.get(`${secretsIn("a")}/jane`)["data"]);
  return Buffer.from(String(password), "base64").toString();
}

function assertSent(t: ExecutionContext, scenario: Scenario, userId: string, password: string): void {
  t.is(conditionOf(scenario.find("a/jane") ?? {}, "PasswordSynced").status, "True");
  t.true(scenario.sideOf(GLOBEX).hasPassword(userId, password));
}

function rotate(scenario: Scenario, rotation: number): void {
  scenario.cluster.mergePatch(`${secretsIn("a")}/password`, contentOf(rotation), "person");
}

function contentOf(rotation: number): { readonly data: Readonly<Record<string, string>> } {
  return { data: { password: Buffer.from(passwordOf("a", rotation)).toString("base64") } };
}

/** Somebody signed up with her address. */
function enterJane(scenario: Scenario): string {
  const user = { connection: DATABASE, email: JANE.email, password: "Correct-Horse-x-0" };
  return String(scenario.sideOf(GLOBEX).enter(user)?.user_id);
}

test("a password that was sent is not sent again because something after it failed for a moment", async (t) => {
  const scenario = await aScenario(t);
  scenario.sideOf(GLOBEX).assignments.furnish();
  const uid = scenario.create("a/jane", { ...JANE, roles: ["reader"] });
  await scenario.rest(60_000);
  t.is(scenario.reasonOf("a/jane"), "Created");
  rotate(scenario, 1);
  const isRoles = ({ what }: Call): boolean => what.startsWith(`GET ${GLOBEX} /users/auth0|${uid}/roles`);
  const updates = (): number =>
    scenario.trace.filter((line) => line.includes(`arrives: PATCH ${GLOBEX} /users/`)).length;
  for (let minutes = 0; updates() === 0 && minutes < 30; minutes++) await scenario.rest(60_000, isRoles);
  t.is(updates(), 1);
  for (let losses = 0; losses < 3; losses++) {
    for (const call of scenario.life.wire.calls.filter(isRoles)) scenario.life.wire.lose(call);
    await scenario.rest(1_000, isRoles);
  }
  await scenario.rest(INTERVAL_MS);

  t.true(scenario.sideOf(GLOBEX).hasPassword(`auth0|${uid}`, passwordOf("a", 1)));
  t.is(updates(), 1, scenario.trace.slice(-60).join("\n"));
});

test("a password is sent once, however often the tenant's limit keeps waiting what comes after it", async (t) => {
  const scenario = await aScenario(t);
  scenario.sideOf(GLOBEX).assignments.furnish();
  const uid = scenario.create("a/jane", JANE);
  await scenario.rest(60_000);
  rotate(scenario, 1);
  scenario.edit("a/jane", { spec: { roles: ["reader"] } });
  const isRoles = ({ what }: Call): boolean => what.startsWith(`GET ${GLOBEX} /users/auth0|${uid}/roles`);
  for (let refusals = 0; refusals < 5; refusals++) {
    await scenario.rest(20_000, isRoles);
    for (const call of scenario.life.wire.calls.filter(isRoles)) {
      scenario.life.wire.advance(call, { status: 429, isDone: false });
      scenario.life.wire.advance(call);
    }
  }
  await scenario.rest(INTERVAL_MS);

  t.true(scenario.sideOf(GLOBEX).hasPassword(`auth0|${uid}`, passwordOf("a", 1)));
  t.is(scenario.trace.filter((line) => line.includes(`arrives: PATCH ${GLOBEX} /users/`)).length, 1);
});

test("a Secret whose label was taken off is not read any more, though its password was made by the operator", async (t) => {
  const scenario = await aScenario(t);
  const password = { generate: { secretName: "made" }, policy: "OnChange" };
  const uid = scenario.create("a/jane", { email: JANE.email, password });
  await scenario.rest(5_000);
  const path = `${secretsIn("a")}/made`;
  scenario.cluster.mergePatch(
    path,
    {
      metadata: { labels: { [SECRET_USE_LABEL]: null } },
      data: { password: Buffer.from(passwordOf("a", 1)).toString("base64") },
    },
    "person",
  );
  await scenario.rest(2 * INTERVAL_MS);

  t.is(asObject(metadataOf(scenario.cluster.find(path) ?? {})["labels"])[SECRET_USE_LABEL], undefined);
  t.false(
    scenario.trace.some((line) => line.includes(`arrives: PATCH ${GLOBEX} /users/auth0|${uid}`)),
    "its password was read and sent",
  );
});
