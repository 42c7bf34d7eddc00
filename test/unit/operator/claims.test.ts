/** Who holds a user when several want it, or the holder goes: situations that histories found, each told on its own. */
import test from "ava";
import { USER_ID_ANNOTATION } from "../../../src/operator/names.ts";
import { annotationsOf, metadataOf } from "../../histories/cluster.ts";
import { DATABASE, GLOBEX } from "../../histories/names.ts";
import { aScenario, type Scenario } from "../../histories/scenario.ts";
import type { Call } from "../../histories/wire.ts";

const JANE = { email: "jane@example.com", givenName: "Jane" };

test("a user is not deleted for a resource that another one came to wait for while its deletion was under way", async (t) => {
  const scenario = await aScenario(t);
  const uid = scenario.create("a/old", { ...JANE, deletionPolicy: "Delete" });
  await scenario.rest(1_000);

  // The limit on deletions is written down before each: there the deletion waits, and the successor comes.
  scenario.delete("a/old");
  await scenario.rest(1_000, ({ what }) => what.includes("configmaps"));
  scenario.create("a/new", { ...JANE, adoptionPolicy: "Adopt" });
  await scenario.rest(1_000, ({ what }) => what.includes("configmaps"));
  t.is(scenario.reasonOf("a/new"), "DuplicateClaim");
  await scenario.rest(60_000);

  t.is(scenario.find("a/old"), undefined);
  t.not(scenario.sideOf(GLOBEX).find(`auth0|${uid}`), undefined);
  t.is(scenario.reasonOf("a/new"), "Adopted");
  t.is(scenario.userIdOf("a/new"), `auth0|${uid}`);
});

test("a user is not deleted for a resource that another one came to wait for while the deletion waited for its turn", async (t) => {
  const scenario = await aScenario(t);
  const other = scenario.create("a/other", { email: "other@example.com", adoptionPolicy: "Review" });
  const uid = scenario.create("a/old", { ...JANE, deletionPolicy: "Delete" });
  await scenario.rest(1_000);

  // Of a kind of calls the first goes alone, since the tenant's limit is not known yet.
  const isFirst = ({ what }: Call): boolean => what === `DELETE ${GLOBEX} /users/auth0|${other}`;
  scenario.delete("a/other");
  await scenario.rest(1_000, isFirst);
  scenario.delete("a/old");
  await scenario.rest(1_000, isFirst);
  scenario.create("a/new", { ...JANE, adoptionPolicy: "Adopt" });
  await scenario.rest(1_000, isFirst);
  t.is(scenario.reasonOf("a/new"), "DuplicateClaim");
  await scenario.rest(60_000);

  t.is(scenario.find("a/old"), undefined);
  t.is(scenario.userIdOf("a/new"), `auth0|${uid}`);
  t.is(scenario.reasonOf("a/new"), "Adopted");
});

test("a user whose creation is under way is not taken over, though its claim was spoilt", async (t) => {
  const scenario = await aScenario(t);
  const uid = scenario.create("a/first", JANE);
  await scenario.rest(1_000, ({ what }) => what.includes("/status"));
  scenario.restart();
  const spoilt = `auth0|${uid};${GLOBEX};created;unsigned`;
  scenario.edit("a/first", { metadata: { annotations: { "auth0-user-operator.dev/user-id": spoilt } } });

  scenario.create("a/second", { ...JANE, adoptionPolicy: "Adopt" });
  await scenario.rest(60_000, ({ what }) => what.includes(`GET ${GLOBEX} /users/auth0|${uid}`));
  await scenario.rest(60_000);

  t.is(scenario.reasonOf("a/first"), "Created");
  t.is(scenario.reasonOf("a/second"), "DuplicateClaim");
});

test("a user that is about to be created is not taken over by a copy of its resource", async (t) => {
  const scenario = await aScenario(t);
  scenario.sideOf(GLOBEX).enter({ email: "other@example.com" });
  scenario.create("a/other", { email: "other@example.com", adoptionPolicy: "Adopt" });
  await scenario.rest(1_000);
  const claiming = "PATCH /namespaces/a/auth0users/first";
  const uid = scenario.create("a/first", { ...JANE, adoptionPolicy: "Adopt" });
  await scenario.rest(1_000, ({ what }) => what === claiming);
  const claim = scenario.callTo(claiming);
  scenario.areWatchesSilent = true;
  scenario.advance(claim);
  scenario.areWatchesSilent = false;
  const { annotations } = metadataOf(scenario.find("a/first") ?? {});
  scenario.create("b/copy", { ...JANE, adoptionPolicy: "Adopt" }, { annotations });
  const looking = `GET ${GLOBEX} /users/auth0|${uid}`;
  await scenario.rest(1_000, (call) => call === claim || call.what === looking);
  await scenario.rest(60_000, ({ what }) => what === looking);
  await scenario.rest(60_000);

  t.is(scenario.reasonOf("a/first"), "Created");
  t.is(scenario.reasonOf("b/copy"), "DuplicateClaim");
});

test("a resource that was restored from a backup does not take back a user that passed on to another since", async (t) => {
  const scenario = await aScenario(t);
  const uid = scenario.create("a/first", { ...JANE, deletionPolicy: "Retain" });
  await scenario.rest(1_000);
  const backup = scenario.find("a/first") ?? {};
  scenario.delete("a/first");
  scenario.create("a/second", { ...JANE, givenName: "Second", adoptionPolicy: "Adopt" });
  await scenario.rest(60_000);

  scenario.create("a/first", { ...JANE, deletionPolicy: "Delete" }, { annotations: annotationsOf(backup) });
  await scenario.rest(60_000);
  t.is(scenario.reasonOf("a/first"), "DuplicateClaim");
  t.is(scenario.sideOf(GLOBEX).find(`auth0|${uid}`)?.["given_name"], "Second");
  scenario.delete("a/first");
  await scenario.rest(60_000);

  t.is(scenario.find("a/first"), undefined);
  t.is(scenario.reasonOf("a/second"), "Adopted");
  t.not(scenario.sideOf(GLOBEX).find(`auth0|${uid}`), undefined);
});

test("a restored claim on a user of another connection than the one that is declared leads to nothing", async (t) => {
  const scenario = await aScenario(t);
  const spec = { connection: "email", password: undefined, email: "jane@example.com" };
  scenario.create("a/jane", { ...spec, deletionPolicy: "Retain" });
  await scenario.rest(1_000);
  const annotations = annotationsOf(scenario.find("a/jane") ?? {});
  const userId = scenario.userIdOf("a/jane");
  scenario.delete("a/jane");
  await scenario.rest(1_000);

  const before = scenario.sideOf(GLOBEX).find(userId);
  scenario.create("a/jane", { ...JANE, nickname: "jj" }, { annotations });
  await scenario.rest(60_000);

  t.is(scenario.reasonOf("a/jane"), "UserConflict");
  t.is(scenario.userIdOf("a/jane"), "undefined");
  t.deepEqual(scenario.sideOf(GLOBEX).find(userId), before);
});

test("a resource that was restored with its finalizer does not end a user that passed on to another since", async (t) => {
  const scenario = await aScenario(t);
  const uid = scenario.create("a/first", { ...JANE, deletionPolicy: "Retain" });
  await scenario.rest(1_000);
  const { annotations, finalizers } = metadataOf(scenario.find("a/first") ?? {});
  scenario.delete("a/first");
  scenario.create("a/second", { ...JANE, adoptionPolicy: "Adopt" });
  await scenario.rest(60_000);

  scenario.create("a/first", { ...JANE, deletionPolicy: "Delete" }, { annotations, finalizers });
  scenario.delete("a/first");
  await scenario.rest(60_000);

  t.is(scenario.find("a/first"), undefined);
  t.not(scenario.sideOf(GLOBEX).find(`auth0|${uid}`), undefined);
});

test("a user is not kept for a resource that waited for another user, or can't have this one", async (t) => {
  const scenario = await aScenario(t);
  const mail = { connection: "email", password: undefined, email: "jane@example.com", recreateAfter: "0s" };
  scenario.create("a/holder", { ...mail, deletionPolicy: "Delete" });
  await scenario.rest(1_000);
  const [first] = scenario.sideOf(GLOBEX).users();
  scenario.create("a/waiting", { email: "other@example.com", userId: first?.user_id });
  await scenario.rest(1_000);
  t.is(scenario.reasonOf("a/waiting"), "DuplicateClaim");
  scenario.sideOf(GLOBEX).drop(first?.user_id ?? "");
  await scenario.rest(15 * 60_000);
  t.is(scenario.reasonOf("a/holder"), "Recreated");

  scenario.delete("a/holder");
  await scenario.rest(60_000);

  t.is(scenario.find("a/holder"), undefined);
  t.deepEqual(scenario.sideOf(GLOBEX).users(), []);
});

test("a claim whose answer was lost holds as any other", async (t) => {
  const scenario = await aScenario(t);
  const { user_id: userId = "" } = scenario.sideOf(GLOBEX).enter({ email: "jane@example.com" }) ?? {};
  scenario.create("a/first", { email: "jane@example.com", userId });
  const claiming = "PATCH /namespaces/a/auth0users/first";
  await scenario.rest(1_000, ({ what }) => what === claiming);
  const claim = scenario.callTo(claiming);
  scenario.advance(claim);
  scenario.life.wire.lose(claim);
  await scenario.rest(60_000);
  t.is(scenario.userIdOf("a/first"), userId);

  scenario.create("a/second", { email: "jane@example.com", userId });
  await scenario.rest(60_000);

  t.is(scenario.reasonOf("a/second"), "DuplicateClaim");
});

test("a takeover whose answer was lost is not followed by a creation, though the address was edited since", async (t) => {
  const scenario = await aScenario(t);
  const { user_id: userId = "" } = scenario.sideOf(GLOBEX).enter({ email: "jane@example.com" }) ?? {};
  const uid = scenario.create("a/jane", { ...JANE, adoptionPolicy: "Adopt" });
  const claiming = "PATCH /namespaces/a/auth0users/jane";
  const claim = (): string => annotationsOf(scenario.find("a/jane") ?? {})[USER_ID_ANNOTATION] ?? "";
  await scenario.rest(1_000, ({ what }) => what === claiming && claim().includes(uid));
  const takeover = scenario.callTo(claiming);

  scenario.edit("a/jane", { spec: { email: "other@example.com" } });
  await scenario.rest(1_000, (call) => call === takeover);
  scenario.areWatchesSilent = true;
  scenario.advance(takeover);
  scenario.life.wire.lose(takeover);
  await scenario.rest(10_000);
  t.true(claim().startsWith(userId));
  scenario.areWatchesSilent = false;
  await scenario.rest(60_000);

  t.is(scenario.userIdOf("a/jane"), userId);
  t.is(scenario.sideOf(GLOBEX).find(userId)?.["email"], "other@example.com");
  t.is(scenario.sideOf(GLOBEX).find(`auth0|${uid}`), undefined);
});

test("a resource that was let go by force in the middle of its deletion deletes nobody", async (t) => {
  const scenario = await aScenario(t);
  const uid = scenario.create("a/old", { ...JANE, deletionPolicy: "Delete" });
  await scenario.rest(1_000);
  const isLimit = ({ what }: Call): boolean => what.includes("configmaps");

  scenario.delete("a/old");
  await scenario.rest(1_000, isLimit);
  scenario.edit("a/old", { metadata: { finalizers: null } });
  scenario.create("a/new", { ...JANE, adoptionPolicy: "Adopt" });
  await scenario.rest(1_000, isLimit);
  t.is(scenario.reasonOf("a/new"), "Adopted");
  await scenario.rest(60_000);

  t.not(scenario.sideOf(GLOBEX).find(`auth0|${uid}`), undefined);
});

const MAIL = { connection: "email", password: undefined, email: "jane@example.com", recreateAfter: "0s" };
const CREATION = `POST ${GLOBEX} /users`;

/** Auth0 creates the user, whose id it chooses, and its answer is lost. */
async function loseCreation(scenario: Scenario): Promise<void> {
  await scenario.rest(60_000, ({ what }) => what === CREATION);
  const creation = scenario.callTo(CREATION);
  scenario.advance(creation);
  scenario.life.wire.lose(creation);
}

test("a user whose id Auth0 chose is not taken over before its resource has learnt of it", async (t) => {
  const scenario = await aScenario(t);
  scenario.create("a/other", { email: "other@example.com" });
  await scenario.rest(1_000);
  scenario.create("a/first", MAIL);
  await scenario.rest(1_000, ({ what }) => what === CREATION);
  const creation = scenario.callTo(CREATION);
  scenario.advance(creation);

  scenario.create("a/second", { ...MAIL, adoptionPolicy: "Adopt" });
  await scenario.rest(1_000, (call) => call === creation);
  t.is(scenario.reasonOf("a/second"), "DuplicateClaim");
  await scenario.rest(60_000);

  t.is(scenario.reasonOf("a/first"), "Created");
  t.is(scenario.reasonOf("a/second"), "DuplicateClaim");
});

test("a user whose creation's answer was lost is found though its address was edited since", async (t) => {
  const scenario = await aScenario(t);
  scenario.create("a/jane", MAIL);
  await loseCreation(scenario);
  scenario.edit("a/jane", { spec: { email: "other@example.com" } });
  await scenario.rest(60_000);

  t.is(scenario.reasonOf("a/jane"), "AttributeNotWritable");
  t.deepEqual(
    scenario
      .sideOf(GLOBEX)
      .users()
      .map(({ email }) => email),
    ["jane@example.com"],
  );
});

test("a user whose creation's answer was lost is deleted though its address was edited since", async (t) => {
  const scenario = await aScenario(t);
  scenario.create("a/jane", MAIL);
  await loseCreation(scenario);
  scenario.edit("a/jane", { spec: { email: "other@example.com" } });
  scenario.delete("a/jane");
  await scenario.rest(60_000);

  t.is(scenario.find("a/jane"), undefined);
  t.deepEqual(scenario.sideOf(GLOBEX).users(), []);
});

test("a user whose recreation's answer was lost is found, and deleted, though its address was edited since", async (t) => {
  for (const isDeleted of [false, true]) {
    const scenario = await aScenario(t);
    scenario.create("a/jane", MAIL);
    await scenario.rest(1_000);
    scenario.sideOf(GLOBEX).drop(scenario.userIdOf("a/jane"));
    scenario.edit("a/jane", { spec: { givenName: "Jane" } });
    await loseCreation(scenario);
    scenario.edit("a/jane", { spec: { email: "other@example.com" } });
    if (isDeleted) scenario.delete("a/jane");
    await scenario.rest(60_000);

    t.is(scenario.find("a/jane") === undefined, isDeleted);
    t.is(scenario.sideOf(GLOBEX).users().length, isDeleted ? 0 : 1);
  }
});

const FORGED = `auth0|somebody;${GLOBEX};created;unsigned`;

/** Its user is created, the status that would name it is lost, and somebody forges the annotation. */
async function spoilClaim(scenario: Scenario, key: string): Promise<void> {
  await scenario.rest(1_000, ({ what }) => what.includes("/status"));
  scenario.restart();
  scenario.edit(key, { metadata: { annotations: { "auth0-user-operator.dev/user-id": FORGED } } });
}

test("a forged annotation does not part a resource from the user that it created", async (t) => {
  const scenario = await aScenario(t);
  const uid = scenario.create("a/jane", { ...JANE, adoptionPolicy: "Adopt" });
  await spoilClaim(scenario, "a/jane");
  await scenario.rest(60_000);

  t.is(scenario.reasonOf("a/jane"), "Created");
  t.is(scenario.userIdOf("a/jane"), `auth0|${uid}`);
});

test("a forged annotation does not leave the user behind that its resource created", async (t) => {
  const scenario = await aScenario(t);
  scenario.create("a/jane", JANE);
  await spoilClaim(scenario, "a/jane");
  scenario.delete("a/jane");
  await scenario.rest(60_000);

  t.is(scenario.find("a/jane"), undefined);
  t.deepEqual(scenario.sideOf(GLOBEX).users(), []);
});

test("a user whose resource's claim was spoilt is not taken over, and passes on when its resource goes", async (t) => {
  const scenario = await aScenario(t);
  const uid = scenario.create("a/jane", { ...JANE, deletionPolicy: "Delete" });
  await spoilClaim(scenario, "a/jane");
  scenario.edit("a/jane", { spec: { suspend: true } });
  scenario.create("a/heir", { ...JANE, adoptionPolicy: "Adopt" });
  await scenario.rest(60_000);
  t.is(scenario.reasonOf("a/heir"), "DuplicateClaim");

  scenario.edit("a/jane", { spec: { suspend: null } });
  scenario.delete("a/jane");
  await scenario.rest(60_000);

  t.is(scenario.find("a/jane"), undefined);
  t.is(scenario.reasonOf("a/heir"), "Adopted");
  t.not(scenario.sideOf(GLOBEX).find(`auth0|${uid}`), undefined);
});

test("a user that was created in the stead of one that was taken over is not left behind, though its answer was lost", async (t) => {
  const scenario = await aScenario(t);
  const { user_id: userId = "" } = scenario.sideOf(GLOBEX).enter({ email: "jane@example.com" }) ?? {};
  const policies = {
    adoptionPolicy: "Adopt",
    deletionPolicy: "Delete",
    recreatePolicy: "Recreate",
    recreateAfter: "0s",
  };
  scenario.create("a/jane", { ...JANE, ...policies });
  await scenario.rest(60_000);
  t.is(scenario.userIdOf("a/jane"), userId);
  scenario.sideOf(GLOBEX).drop(userId);
  scenario.edit("a/jane", { spec: { givenName: "Janet" } });
  await loseCreation(scenario);
  scenario.delete("a/jane");
  await scenario.rest(60_000);

  t.is(scenario.find("a/jane"), undefined);
  t.deepEqual(scenario.sideOf(GLOBEX).users(), []);
});

test("of several that wait for a user the first that may have it gets it, whoever came last", async (t) => {
  const scenario = await aScenario(t);
  const uid = scenario.create("a/old", { ...JANE, deletionPolicy: "Delete" });
  await scenario.rest(1_000);
  scenario.create("a/first", { ...JANE, adoptionPolicy: "Adopt" });
  await scenario.rest(1_000);
  scenario.create("a/second", { ...JANE, adoptionPolicy: "Adopt" });
  await scenario.rest(1_000);
  scenario.create("a/other", { ...MAIL, userId: `auth0|${uid}` });
  await scenario.rest(1_000);
  t.is(scenario.reasonOf("a/other"), "DuplicateClaim");

  scenario.delete("a/first");
  scenario.delete("a/old");
  await scenario.rest(60_000);

  t.is(scenario.find("a/old"), undefined);
  t.is(scenario.reasonOf("a/second"), "Adopted");
  t.not(scenario.sideOf(GLOBEX).find(`auth0|${uid}`), undefined);
});

test("a user whose creation's answer was lost, and that was linked into another one since, is known to be linked", async (t) => {
  const scenario = await aScenario(t);
  const status = "PATCH /namespaces/a/auth0users/jane/status";
  const uid = scenario.create("a/jane", JANE);
  await scenario.rest(1_000, ({ what }) => what === status);
  scenario.restart();
  const side = scenario.sideOf(GLOBEX);
  const john = String(side.enter({ connection: DATABASE, email: "john@example.com" })?.user_id);
  t.true(side.link(john, `auth0|${uid}`));
  await scenario.rest(5 * 60_000);

  t.is(scenario.reasonOf("a/jane"), "UserLinked");
});
