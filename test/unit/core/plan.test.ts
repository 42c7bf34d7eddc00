import test from "ava";
import type { RootAttributes } from "../../../src/core/desired-user.ts";
import type { ObservedAttributes } from "../../../src/core/observed-user.ts";
import {
  managedAttributes,
  planUpdate,
  removedAttributes,
  unmetChanges,
  type PlanHistory,
} from "../../../src/core/plan.ts";
import { newUserFrom } from "../../../src/core/writes.ts";
import { DATABASE, aDesiredUser, aHistory, anObservedUser } from "../../support/builders.ts";

interface Case {
  desired?: RootAttributes;
  observed?: Partial<ObservedAttributes>;
  history?: Partial<PlanHistory>;
  /** What the single patch holds; `undefined`: nothing is sent. */
  sent: object | undefined;
  reported?: string[];
}

const cases: Record<string, Case> = {
  "leaves a user alone that is as declared": {
    desired: { nickname: "kim" },
    observed: { nickname: "kim" },
    sent: undefined,
  },
  "never compares what the spec does not mention": {
    observed: { nickname: "kim", name: "Kim", blocked: true, picture: "https://example.com/x.png" },
    sent: undefined,
  },
  "sends the drifted attributes only": {
    desired: { nickname: "kim", name: "Kim", givenName: "Kim" },
    observed: { nickname: "kim", name: "Somebody", givenName: "Kim" },
    sent: { name: "Kim" },
  },
  "clears a nickname that the spec says is null": {
    desired: { nickname: null },
    observed: { nickname: "kim" },
    sent: { nickname: null },
  },
  "has nothing to clear where nothing is": { desired: { nickname: null, givenName: null }, sent: undefined },
  "clears what Auth0 derived by itself when it is first asked to": {
    desired: { nickname: null },
    observed: { nickname: "jane" },
    sent: { nickname: null },
  },
  "accepts what Auth0 derives after a removal": {
    desired: { nickname: null, name: null, picture: null },
    observed: { nickname: "jane", name: "jane@example.com", picture: "https://s.gravatar.com/avatar/9e2?s=480" },
    history: { removed: new Set(["nickname", "name", "picture"]) },
    sent: undefined,
  },
  "clears again what somebody set after a removal": {
    desired: { nickname: null },
    observed: { nickname: "by hand" },
    history: { removed: new Set(["nickname"]) },
    sent: { nickname: null },
  },
  "leaves what Auth0 showed when it was asked the same before": {
    desired: { nickname: null, name: "Kim " },
    observed: { nickname: "odd", name: "Kim" },
    history: {
      settled: new Map([
        ["nickname", { asked: null, shown: "odd" }],
        ["name", { asked: "Kim ", shown: "Kim" }],
      ]),
    },
    sent: undefined,
  },
  "asks again when what was settled has changed since": {
    desired: { nickname: null },
    observed: { nickname: "other" },
    history: { settled: new Map([["nickname", { asked: null, shown: "odd" }]]) },
    sent: { nickname: null },
  },
  "does not try again what Auth0 refused under this spec": {
    desired: { nickname: null, name: "Kim" },
    observed: { nickname: "kim", name: "Somebody" },
    history: { notWritable: new Set(["nickname"]) },
    sent: { name: "Kim" },
  },
  "compares addresses and usernames as Auth0's own store keeps them": {
    desired: { email: "Jane@Example.com", username: "JANE" },
    observed: { username: "jane" },
    sent: undefined,
  },
  "sends a new address with what is declared of it, and no mail": {
    desired: { email: "new@example.com", emailVerified: true },
    observed: { emailVerified: true },
    sent: { email: "new@example.com", emailVerified: true, verifyEmail: false },
  },
  "sends a confirmation alone when only that differs": {
    desired: { emailVerified: true },
    sent: { emailVerified: true },
  },
  "blocks a user": { desired: { blocked: true }, sent: { blocked: true } },
  "lifts a block when the spec is new": {
    desired: { blocked: false },
    observed: { blocked: true },
    history: { isNewSpec: true },
    sent: { blocked: false },
  },
  "reports a block that somebody set, and does not lift it": {
    desired: { blocked: false, nickname: "kim" },
    observed: { blocked: true },
    sent: { nickname: "kim" },
    reported: ["blocked"],
  },
  "does not lift a reported block because something else was edited": {
    desired: { blocked: false, nickname: "kim" },
    observed: { blocked: true },
    history: { isNewSpec: true, reported: new Set(["blocked"]) },
    sent: { nickname: "kim" },
    reported: ["blocked"],
  },
  "reports a confirmation that came later, and does not undo it": {
    desired: { emailVerified: false },
    observed: { emailVerified: true },
    sent: undefined,
    reported: ["emailVerified"],
  },
  "sets a removed block to false": {
    desired: { blocked: null },
    observed: { blocked: true },
    history: { isNewSpec: true },
    sent: { blocked: false },
  },
};

for (const [title, { desired, observed, history, sent, reported = [] }] of Object.entries(cases)) {
  test(title, (t) => {
    const plan = planUpdate(aDesiredUser(desired), anObservedUser(observed), aHistory(history));

    t.deepEqual(plan.patches.map(flat), sent === undefined ? [] : [sent]);
    t.deepEqual(plan.reported, reported);
  });
}

test("keeps the case of an address outside Auth0's own store", (t) => {
  const custom = anObservedUser({}, { identities: [{ connection: DATABASE, provider: "email", id: "jane" }] });

  const plan = planUpdate(aDesiredUser({ email: "Jane@example.com" }), custom, aHistory());

  t.is(plan.changes[0]?.path, "email");
});

test("owns metadata key by key, compares it as JSON and deletes by null", (t) => {
  const desired = aDesiredUser(
    {},
    { userMetadata: { team: "b", same: { a: [1, { b: 2 }], c: null }, gone: null }, appMetadata: { gone: null } },
  );
  const observed = anObservedUser(
    {},
    { userMetadata: { team: "a", same: { c: null, a: [1, { b: 2 }] }, gone: 1, foreign: true }, appMetadata: {} },
  );

  const plan = planUpdate(desired, observed, aHistory());

  t.deepEqual(plan.patches.map(flat), [{ userMetadata: { team: "b", gone: null } }]);
});

test("treats declared metadata without keys as no keys of ours", (t) => {
  const plan = planUpdate(aDesiredUser(), anObservedUser({}, { userMetadata: { theirs: 1 } }), aHistory());

  t.deepEqual(plan.patches, []);
});

test("splits what Auth0 refuses to take together: username, address, password, the rest with the first", (t) => {
  const desired = aDesiredUser(
    { username: "new", email: "new@example.com", emailVerified: true, nickname: "kim" },
    { userMetadata: { team: "a" } },
  );

  const plan = planUpdate(desired, anObservedUser({ username: "old" }), aHistory(), "hunter2");

  t.deepEqual(plan.patches.map(flat), [
    { username: "new", nickname: "kim", userMetadata: { team: "a" } },
    { email: "new@example.com", emailVerified: true, verifyEmail: false },
    { password: "hunter2" },
  ]);
});

test("sends a password with whatever may go with it", (t) => {
  const plan = planUpdate(aDesiredUser({ nickname: "kim", blocked: true }), anObservedUser(), aHistory(), "hunter2");

  t.deepEqual(plan.patches.map(flat), [{ nickname: "kim", blocked: true, password: "hunter2" }]);
});

test("creates with everything in one call, leaves out what is to be absent, and asks for no mail", (t) => {
  const desired = aDesiredUser(
    { nickname: null, blocked: false, givenName: "Jane" },
    { userMetadata: { team: "a", gone: null }, appMetadata: { gone: null } },
  );

  t.deepEqual(newUserFrom(desired, "uid-1", "hunter2"), {
    connection: desired.connection,
    bareId: "uid-1",
    attributes: { email: "jane@example.com", blocked: false, givenName: "Jane" },
    userMetadata: { team: "a" },
    appMetadata: {},
    verifyEmail: false,
    password: "hunter2",
  });
});

test("names what is managed and what is removed", (t) => {
  const desired = aDesiredUser({ nickname: null, name: "Kim" }, { userMetadata: { a: 1 }, appMetadata: { b: null } });

  t.deepEqual(managedAttributes(desired), ["email", "name", "nickname", "userMetadata.a", "appMetadata.b"]);
  t.deepEqual(removedAttributes(desired), ["nickname", "appMetadata.b"]);
});

test("notices where an answer shows something else than was asked", (t) => {
  const { changes, patches } = planUpdate(
    aDesiredUser({ nickname: null, name: "Kim", email: "NEW@example.com" }),
    anObservedUser({ nickname: "kim", name: "Somebody" }),
    aHistory(),
  );
  const answer = anObservedUser({ nickname: "jane", name: "Kim", email: "new@example.com" });

  const unmet = patches.flatMap((patch) => [...unmetChanges(changes, patch, answer)]);

  t.deepEqual(unmet, [["nickname", { asked: null, shown: "jane" }]]);
});

test("judges a change by the answer to its own patch, since somebody may have changed it again before the next", (t) => {
  const { changes, patches } = planUpdate(
    aDesiredUser({ username: "kim", email: "new@example.com" }),
    anObservedUser({ username: "jane" }),
    aHistory(),
  );
  const patch = patches.find(({ attributes }) => attributes.email === undefined);
  if (patch === undefined) throw new Error("the address is not changed apart");

  t.deepEqual(
    unmetChanges(changes, patch, anObservedUser({ username: "kim", email: "another@example.com" })),
    new Map(),
  );
});

/** A patch without its empty parts. */
function flat({
  attributes,
  userMetadata,
  appMetadata,
  verifyEmail,
  password,
}: ReturnType<typeof planUpdate>["patches"][number]): object {
  return {
    ...attributes,
    ...(Object.keys(userMetadata).length > 0 && { userMetadata }),
    ...(Object.keys(appMetadata).length > 0 && { appMetadata }),
    ...(verifyEmail !== undefined && { verifyEmail }),
    ...(password !== undefined && { password }),
  };
}
