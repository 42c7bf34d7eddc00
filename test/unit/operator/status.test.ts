import test from "ava";
import type { Auth0UserStatus } from "../../../src/api/auth0-user.ts";
import { desiredUserFrom } from "../../../src/api/desired-user.ts";
import { parseUserStatus, validateUserSpec } from "../../../src/api/validate.ts";
import { managedAttributes, removedAttributes } from "../../../src/core/plan.ts";
import type { JsonObject } from "../../../src/runtime/json.ts";
import { tenantDomain, userId } from "../../../src/core/ids.ts";
import {
  auth0UserFingerprint,
  parseAuth0UserResource,
  slimAuth0User,
} from "../../../src/operator/auth0-user-resource.ts";
import { SecretUsers } from "../../../src/operator/secret-users.ts";
import { mergePatchBetween } from "../../../src/operator/status-writer.ts";
import { statusAfter, statusSuspended, statusWith, type Declared } from "../../../src/operator/user-status.ts";
import { NO_MEMORY, type Outcome, type Verdict } from "../../../src/reconcile/outcome.ts";
import { objectKey } from "../../../src/kubernetes/object.ts";
import { DATABASE } from "../../support/builders.ts";

const AT = { generation: 3, nowMs: Date.UTC(2026, 0, 2) };
const EARLIER = "2026-01-01T00:00:00Z";
const NOW = "2026-01-02T00:00:00Z";

const declared: Declared = {
  connection: DATABASE,
  tenantDomain: tenantDomain("acme.auth0.com"),
  managed: ["email", "nickname"],
  removed: ["nickname"],
  password: { kind: "unmanaged" },
  reconcileRequestedAt: undefined,
  isRestored: false,
  actions: undefined,
};

function anOutcome(verdict: Verdict, rest: Partial<Outcome> = {}): Outcome {
  return {
    verdict,
    user: { userId: userId("auth0|x"), provenance: "created" },
    isCreationBegun: false,
    isCreated: false,
    changed: [],
    isDrift: false,
    reported: [],
    notWritable: [],
    pending: [],
    assigned: [],
    isPasswordSent: false,
    passwordFailure: undefined,
    review: undefined,
    memory: NO_MEMORY,
    ...rest,
  };
}

const ready = (reason?: "Created" | "Updated"): Verdict => ({ kind: "ready", reason, message: "as declared" });
const refused = (kind: "backoff" | "stall", isRestDone = false): Verdict => ({
  kind: "refused",
  reason: "AttributeNotWritable",
  message: "no",
  remedy: { kind },
  isRestDone,
});

function conditionsOf({ conditions = [] }: Auth0UserStatus): Record<string, string> {
  return Object.fromEntries(conditions.map(({ type, status, reason }) => [type, `${status} ${reason}`]));
}

const standing: Auth0UserStatus = statusAfter({}, anOutcome(ready("Created")), declared, {
  generation: 3,
  nowMs: Date.UTC(2026, 0, 1),
});

test("a creation says who, where, and what is looked after", (t) => {
  t.deepEqual(standing, {
    userId: "auth0|x",
    createdByOperator: true,
    connection: DATABASE,
    tenantDomain: "acme.auth0.com",
    observedGeneration: 3,
    syncedGeneration: 3,
    managedAttributes: ["email", "nickname"],
    removedAttributes: ["nickname"],
    conditions: ["Ready", "Synced"].map((type) => ({
      type,
      status: "True",
      reason: "Created",
      message: "as declared",
      observedGeneration: 3,
      lastTransitionTime: EARLIER,
    })),
  });
});

test("a pass that did nothing leaves everything as it is", (t) => {
  const next = statusAfter(standing, anOutcome(ready()), declared, AT);

  t.is(mergePatchBetween(standing, next), undefined);
});

test("a new reason does not move the time of transition, a new status does", (t) => {
  const updated = statusAfter(standing, anOutcome(ready("Updated")), declared, AT);
  const failed = statusAfter(standing, anOutcome(refused("stall")), declared, AT);

  t.is(updated.conditions?.[0]?.lastTransitionTime, EARLIER);
  t.is(failed.conditions?.[0]?.lastTransitionTime, NOW);
});

test("what only a person can mend is Stalled, what is tried again is Reconciling, never both", (t) => {
  const stalled = statusAfter(standing, anOutcome(refused("stall")), declared, AT);
  t.deepEqual(conditionsOf(stalled), {
    Ready: "False AttributeNotWritable",
    Synced: "False AttributeNotWritable",
    Stalled: "True AttributeNotWritable",
  });
  const trying = statusAfter(stalled, anOutcome(refused("backoff")), declared, AT);
  t.deepEqual(Object.keys(conditionsOf(trying)), ["Ready", "Synced", "Reconciling"]);
  t.deepEqual(Object.keys(conditionsOf(statusAfter(trying, anOutcome(ready("Updated")), declared, AT))), [
    "Ready",
    "Synced",
  ]);
});

test("a spec counts as brought about when all is done that Auth0 takes, not before", (t) => {
  const fresh = { ...standing, syncedGeneration: 2 };

  t.is(statusAfter(fresh, anOutcome(refused("backoff")), declared, AT).syncedGeneration, 2);
  t.is(statusAfter(fresh, anOutcome(refused("stall", true)), declared, AT).syncedGeneration, 3);
});

test("of a user that is being made anew nothing counts as brought about before all of it is", (t) => {
  const begun = anOutcome(refused("backoff"), { isCreationBegun: true });
  t.is(statusAfter(standing, begun, declared, AT).syncedGeneration, undefined);
  t.is(statusAfter(standing, { ...begun, verdict: refused("stall", true) }, declared, AT).syncedGeneration, 3);
});

test("drift that is left alone is named, dated once, and goes with the drift", (t) => {
  const drifted = statusAfter(standing, anOutcome(ready(), { reported: ["blocked"] }), declared, AT);
  t.like(drifted, { driftedAttributes: ["blocked"], lastDriftTime: NOW });
  t.is(conditionsOf(drifted)["DriftDetected"], "True DriftDetected");

  const later = statusAfter(drifted, anOutcome(ready(), { reported: ["blocked"] }), declared, {
    ...AT,
    nowMs: AT.nowMs + 60_000,
  });
  t.is(later.lastDriftTime, NOW);
  const gone = statusAfter(later, anOutcome(ready()), declared, AT);
  t.is(gone.driftedAttributes, undefined);
  t.is(conditionsOf(gone)["DriftDetected"], undefined);
});

test("a plan to review stands there until it is approved, cut to a bound, without what is to stay secret", (t) => {
  const awaiting: Verdict = {
    kind: "refused",
    reason: "AwaitingApproval",
    message: "approve it",
    remedy: { kind: "wait", untilMs: 0 },
    isRestDone: false,
  };
  const nickname = { field: "nickname", change: "Set", from: undefined, to: "x".repeat(900), isShown: true } as const;
  const hidden = { field: "appMetadata.plan", change: "Set", from: "gold", to: "iron", isShown: false } as const;
  const changes = [hidden, ...Array.from({ length: 200 }, () => nickname)];
  const review = { userId: userId("auth0|jane"), hash: "k:1", changes };

  const next = statusAfter({}, anOutcome(awaiting, { user: undefined, review }), declared, AT);

  t.deepEqual(Object.keys(conditionsOf(next)), ["Ready", "Synced", "Reconciling"]);
  t.like(next.plannedChanges, { userId: "auth0|jane", hash: "k:1", total: 201 });
  t.is(next.plannedChanges?.changes?.length, 100);
  t.deepEqual(next.plannedChanges?.changes?.[0], { field: "appMetadata.plan", change: "Set" });
  t.is(next.plannedChanges?.changes?.[1]?.to?.length, 300);
  t.is(statusAfter(next, anOutcome(ready("Created")), declared, AT).plannedChanges, undefined);
});

const given = (how: "same" | "changed" | "unknown" | "left"): Partial<Declared> => ({
  password: { kind: "given", value: "never shown", standing: how, version: "k:new" },
});

const noted = statusAfter(
  standing,
  anOutcome(ready("Updated"), { isPasswordSent: true }),
  { ...declared, ...given("changed") },
  AT,
);

test("a password that was sent is noted by its version; one that is the same changes nothing", (t) => {
  t.is(noted.passwordVersion, "k:new");
  t.is(conditionsOf(noted)["PasswordSynced"], "True PasswordSet");

  const again = statusAfter(noted, anOutcome(ready()), { ...declared, ...given("same") }, AT);
  t.is(mergePatchBetween(noted, again), undefined);
  t.notRegex(JSON.stringify([noted, again]), /never shown/);
});

test("what was sent to a former user is not noted of the one that stands in for it", (t) => {
  const user = { userId: userId("auth0|other"), provenance: "adopted" } as const;
  const failed = statusAfter(noted, anOutcome(refused("backoff"), { user }), { ...declared, ...given("same") }, AT);

  t.is(failed.passwordVersion, undefined);
  t.is(conditionsOf(failed)["PasswordSynced"], "False PasswordNotVerified");
});

test("a password of which nothing is known is stamped anew and said to be so until it changes", (t) => {
  const unknown = statusAfter(standing, anOutcome(ready()), { ...declared, ...given("unknown") }, AT);
  t.like(
    { version: unknown.passwordVersion, condition: conditionsOf(unknown)["PasswordSynced"] },
    {
      version: "k:new",
      condition: "Unknown PasswordNotVerified",
    },
  );

  const next = statusAfter(unknown, anOutcome(ready()), { ...declared, ...given("same") }, AT);
  t.is(conditionsOf(next)["PasswordSynced"], "Unknown PasswordNotVerified");
});

test("a password that is left to the person is said to be, and its version stays", (t) => {
  const sent = statusAfter(
    standing,
    anOutcome(ready(), { isPasswordSent: true }),
    { ...declared, ...given("changed") },
    AT,
  );

  const left = statusAfter(sent, anOutcome(ready()), { ...declared, ...given("left") }, AT);
  const gone = statusAfter(
    left,
    anOutcome(ready()),
    { ...declared, password: { kind: "unneeded", reason: "SecretNotFound", message: "gone", renew: undefined } },
    AT,
  );

  t.is(conditionsOf(left)["PasswordSynced"], "True PasswordLeft");
  t.is(mergePatchBetween(left, gone), undefined);
  t.is(gone.passwordVersion, "k:new");
});

test("a password that was refused keeps the user Ready to be read and says why", (t) => {
  const passwordFailure = { reason: "PasswordRejected", message: "it is shorter than 8 characters" } as const;

  const failed = statusAfter(
    standing,
    anOutcome(refused("stall", true), { passwordFailure }),
    { ...declared, ...given("changed") },
    AT,
  );

  t.is(conditionsOf(failed)["PasswordSynced"], "False PasswordRejected");
  t.is(failed.passwordVersion, undefined);
});

test("a spec without a password says nothing of passwords any more", (t) => {
  const sent = statusAfter(
    standing,
    anOutcome(ready(), { isPasswordSent: true }),
    { ...declared, ...given("changed") },
    AT,
  );

  const without = statusAfter(sent, anOutcome(ready()), declared, AT);

  t.is(without.passwordVersion, undefined);
  t.is(conditionsOf(without)["PasswordSynced"], undefined);
});

test("a pause keeps Ready as it stands, and its end gives the reason back", (t) => {
  const paused = statusSuspended(standing, AT);
  t.deepEqual(conditionsOf(paused), { Ready: "True Suspended", Synced: "True Created" });

  t.is(conditionsOf(statusAfter(paused, anOutcome(ready()), declared, AT))["Ready"], "True InSync");
  t.is(conditionsOf(statusSuspended({}, AT))["Ready"], "Unknown Suspended");
});

test("an invalid spec keeps what is known of the user", (t) => {
  const invalid = statusWith(standing, { ...refused("stall"), reason: "ValidationFailed" } as never, {
    ...AT,
    generation: 4,
  });

  t.like(invalid, { userId: "auth0|x", observedGeneration: 4, syncedGeneration: 3 });
  t.is(conditionsOf(invalid)["Ready"], "False ValidationFailed");
});

test("a status patch names what differs, and nulls what is gone", (t) => {
  t.deepEqual(mergePatchBetween({ a: 1, b: [1], c: { d: 1 } }, { a: 1, b: [1, 2], e: true }), {
    b: [1, 2],
    c: null,
    e: true,
  });
  t.deepEqual(mergePatchBetween({ actions: { request: "a", results: [1] } }, { actions: { request: "b" } }), {
    actions: { request: "b", results: null },
  });
});

const object = {
  apiVersion: "auth0-user-operator.dev/v1alpha1",
  kind: "Auth0User",
  metadata: {
    name: "jane",
    namespace: "a",
    uid: "u",
    resourceVersion: "5",
    generation: 2,
    finalizers: ["auth0-user-operator.dev/user"],
    labels: { team: "x" },
    annotations: {
      "auth0-user-operator.dev/user-id": "auth0|x",
      "example.com/touched": "yes",
      "kubectl.kubernetes.io/last-applied-configuration": '{"spec":{"nickname":null}}',
    },
    managedFields: [{ manager: "kubectl" }],
  },
  spec: { connection: "db" },
  status: { userId: "auth0|x", conditions: "not a list" },
};

test("the store keeps what matters, and a status that is not in its form says nothing", (t) => {
  const slim = slimAuth0User(object);
  const resource = parseAuth0UserResource(slim);

  t.notRegex(JSON.stringify(slim), /managedFields|touched|team/);
  t.like(resource, { key: "a/jane", uid: "u", generation: 2, isDeleting: false, status: {} });
  t.deepEqual(Object.keys(resource.annotations).length, 2);
});

const changes: [title: string, change: object, wakes: boolean][] = [
  ["a new generation", { generation: 3 }, true],
  ["a deletion", { deletionTimestamp: "2026-01-01T00:00:00Z" }, true],
  ["a finalizer gone", { finalizers: [] }, true],
  [
    "our annotation",
    { annotations: { ...object.metadata.annotations, "auth0-user-operator.dev/reconcile-requested-at": "1" } },
    true,
  ],
  [
    "a null in the last applied configuration",
    {
      annotations: {
        ...object.metadata.annotations,
        "kubectl.kubernetes.io/last-applied-configuration": '{"spec":{"name":null}}',
      },
    },
    true,
  ],
  ["a foreign annotation", { annotations: { ...object.metadata.annotations, "example.com/touched": "no" } }, false],
  ["a label", { labels: {} }, false],
  ["managed fields", { managedFields: [] }, false],
  ["a resource version", { resourceVersion: "6" }, false],
];
for (const [title, change, wakes] of changes) {
  test(`${title} ${wakes ? "wakes" : "does not wake"} a resource`, (t) => {
    const changed = { ...object, metadata: { ...object.metadata, ...change } };

    t.is(fingerprintOf(changed) !== fingerprintOf(object), wakes);
  });
}

test("our own status does not wake a resource", (t) => {
  t.is(fingerprintOf({ ...object, status: { userId: "other" } }), fingerprintOf(object));
});

test("a Secret finds the users that take their password from it, and no others", (t) => {
  const users = new SecretUsers();
  const [jane, joe, other] = [objectKey("a", "jane"), objectKey("a", "joe"), objectKey("b", "jane")];
  users.set(jane, "login");
  users.set(joe, "login");
  users.set(other, "login");
  users.set(joe, "another");

  t.deepEqual(users.usersOf(objectKey("a", "login")), [jane]);
  users.set(jane, undefined);
  t.deepEqual(users.usersOf(objectKey("a", "login")), []);
  users.forget(joe);
  t.deepEqual(users.usersOf(objectKey("a", "another")), []);
});

test("roles that were given before something else failed are no attribute that the spec mentions no more", (t) => {
  const half = statusAfter({}, anOutcome(refused("backoff"), { changed: ["nickname", "roles"] }), declared, AT);

  const released = (half.managedAttributes ?? []).filter((path) => !["email", "nickname"].includes(path));

  t.deepEqual(released, [], "what is here and not managed any more is told as an Event AttributeReleased");
});

function fingerprintOf(resource: JsonObject): string {
  return auth0UserFingerprint(slimAuth0User(resource));
}

const MANY_KEYS = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`k${String(index)}`, index]));
const WIDE_SPECS = {
  "a long key": { connection: "db", email: "jane@example.com", userMetadata: { ["k".repeat(295)]: "x" } },
  "many keys": {
    connection: "db",
    email: "jane@example.com",
    userMetadata: MANY_KEYS,
    appMetadata: MANY_KEYS,
    removeAttributes: Array.from({ length: 100 }, (_, index) => `userMetadata.old${String(index)}`),
  },
};
for (const [title, spec] of Object.entries(WIDE_SPECS)) {
  test(`the status of a valid spec is one that the API server takes: ${title}`, (t) => {
    t.is(validateUserSpec(spec).kind, "valid");
    const desired = desiredUserFrom(spec, []);
    const facts = { ...declared, managed: managedAttributes(desired), removed: removedAttributes(desired) };

    const status = statusAfter({}, anOutcome(ready("Created")), facts, AT);

    t.is(parseUserStatus(status).userId, "auth0|x");
  });
}

test("whatever is wrong with a spec, the status that says so is one that the API server takes", (t) => {
  const keys = Array.from({ length: 100 }, (_, index) => `${"long.key.".repeat(15)}${String(index)}`);
  const metadata = Object.fromEntries(keys.map((key) => [key, 1]));
  const validated = validateUserSpec({
    connection: "db",
    email: "jane@example.com",
    userMetadata: metadata,
    appMetadata: metadata,
  });
  const issues = validated.kind === "invalid" ? validated.issues : [];
  const message = issues.map((issue) => `${issue.path}: ${issue.message}`).join("; ");
  t.true(issues.length > 100);

  const verdict = {
    kind: "refused",
    reason: "ValidationFailed",
    message,
    remedy: { kind: "stall" },
    isRestDone: false,
  } as const;
  const status = statusWith({}, verdict, AT);

  t.is(conditionsOf(parseUserStatus(status))["Ready"], "False ValidationFailed");
});
