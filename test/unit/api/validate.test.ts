import test from "ava";
import { desiredUserFrom } from "../../../src/api/desired-user.ts";
import { parseDurationMs } from "../../../src/api/duration.ts";
import { findRecoveredNulls } from "../../../src/api/last-applied.ts";
import { validateUserSpec } from "../../../src/api/validate.ts";
import { SPEC_CASES } from "../../support/spec-cases.ts";

for (const { title, spec, issues } of SPEC_CASES) {
  test(title, (t) => {
    const result = validateUserSpec(spec);

    t.deepEqual(result.kind === "valid" ? [] : result.issues.map(({ path, message }) => `${path}: ${message}`), issues);
  });
}

test("shows every problem at once", (t) => {
  const result = validateUserSpec({ connection: "", email: "no", nicknames: "x", blocked: "yes" });

  t.is(result.kind === "invalid" ? result.issues.length : 0, 5);
});

test("a connection and a userId once set do not change", (t) => {
  const old = { connection: "a", userId: "auth0|x" };
  const paths = (spec: object): string[] => {
    const result = validateUserSpec(spec, old);
    return result.kind === "valid" ? [] : result.issues.map((issue) => issue.path);
  };

  t.deepEqual(paths({ connection: "b", userId: "auth0|x" }), ["spec.connection"]);
  t.deepEqual(paths({ connection: "a", userId: "auth0|y" }), ["spec.userId"]);
  t.deepEqual(paths({ connection: "a", email: "jane@example.com" }), ["spec.userId"]);
  t.deepEqual(paths(old), []);
});

test("durations are read as Go writes them", (t) => {
  t.is(parseDurationMs("1h30m"), 5_400_000);
  t.is(parseDurationMs("1.5s"), 1_500);
  t.is(parseDurationMs("250ms"), 250);
  t.is(parseDurationMs("10"), undefined);
  t.is(parseDurationMs("1d"), undefined);
});

test("a value outweighs a null, an explicit null outweighs nothing else being said", (t) => {
  const desired = desiredUserFrom(
    {
      connection: "db",
      email: "jane@example.com",
      nickname: null,
      name: "Jane",
      removeAttributes: ["picture", "blocked", "userMetadata.old", "appMetadata.old"],
      userMetadata: { team: "a", gone: null },
    },
    ["givenName", "name", "userMetadata.team"],
  );

  t.like(desired.attributes, { nickname: null, name: "Jane", picture: null, blocked: null, givenName: null });
  t.is(desired.attributes.familyName, undefined);
  t.deepEqual(desired.userMetadata, { team: "a", gone: null, old: null });
  t.deepEqual(desired.appMetadata, { old: null });
});

const annotation = (spec: object): string => JSON.stringify({ apiVersion: "x", kind: "Auth0User", spec });

test("a null that kubectl apply dropped is found in its annotation", (t) => {
  const applied = {
    connection: "db",
    nickname: null,
    userMetadata: { a: 1, b: null, c: { d: null } },
    appMetadata: null,
  };
  const stored = { connection: "db", userMetadata: { a: 1, c: {} } };

  t.deepEqual(findRecoveredNulls(stored, annotation(applied)), ["nickname", "userMetadata.b"]);
});

test("an annotation that no longer agrees with the object is history", (t) => {
  const applied = annotation({ connection: "db", nickname: null, name: "Jane" });

  t.deepEqual(findRecoveredNulls({ connection: "db", name: "Somebody" }, applied), []);
  t.deepEqual(findRecoveredNulls({ connection: "db", name: "Jane", nickname: "kim" }, applied), []);
  t.deepEqual(findRecoveredNulls({ connection: "db", name: "Jane" }, applied), ["nickname"]);
});

test("an annotation without nulls, without sense or not there recovers nothing", (t) => {
  t.deepEqual(findRecoveredNulls({ connection: "db" }, undefined), []);
  t.deepEqual(findRecoveredNulls({ connection: "db" }, annotation({ connection: "db" })), []);
  t.deepEqual(findRecoveredNulls({ connection: "db" }, '{"spec":null}'), []);
  t.deepEqual(findRecoveredNulls({ connection: "db" }, '{"nickname":null'), []);
});

test("a number that JSON has no way to say, or that is rounded on its way, is refused", (t) => {
  const values = [NaN, Infinity, [{ deep: -Infinity }], 2 ** 53, -1e300];
  for (const [index, value] of values.entries()) {
    const spec = { connection: "db", email: "jane@example.com", userMetadata: { limit: value } };
    t.is(validateUserSpec(spec).kind, "invalid", `no. ${String(index)}`);
  }
});

test("a key that no program keeps can't be set, removed or recovered", (t) => {
  const spec = { connection: "db", email: "jane@example.com" };
  const named = JSON.parse('{ "__proto__": "x" }') as Record<string, string>;

  t.is(validateUserSpec({ ...spec, userMetadata: named }).kind, "invalid");
  t.is(validateUserSpec({ ...spec, removeAttributes: ["appMetadata.__proto__"] }).kind, "invalid");
  t.deepEqual(
    findRecoveredNulls(spec, `{"spec":${JSON.stringify(spec).slice(0, -1)},"userMetadata":{"__proto__":null}}}`),
    [],
  );
});
