/** Laws of the plan, over users of any shape. `FC_SEED` repeats a run. */
import { randomInt } from "node:crypto";
import process from "node:process";
import test from "ava";
import * as fc from "fast-check";
import type { DesiredUser } from "../../src/core/desired-user.ts";
import type { JsonMap, JsonValue } from "../../src/core/json.ts";
import type { ObservedUser } from "../../src/core/observed-user.ts";
import { managedAttributes, planUpdate, type PlanHistory } from "../../src/core/plan.ts";
import type { UserPatch } from "../../src/core/writes.ts";
import { aDesiredUser, aHistory, anObservedUser } from "../support/builders.ts";

const seed = Number(process.env["FC_SEED"] ?? randomInt(2 ** 31));
fc.configureGlobal({ numRuns: 2_000, seed });
test.before((t) => {
  t.log(`seed ${String(seed)}`);
});

const text = fc.string({ minLength: 1, maxLength: 8 });
const managed = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null | undefined> =>
  fc.oneof(value, fc.constant(null), fc.constant(undefined));
const json = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<JsonValue>;
const keys = fc.constantFrom("a", "b", "c", "d");
const metadata = fc.dictionary(keys, json, { maxKeys: 4 }) as fc.Arbitrary<JsonMap>;
const withoutNulls = fc.dictionary(
  keys,
  json.filter((value) => value !== null),
  { maxKeys: 4 },
) as fc.Arbitrary<JsonMap>;
const address = fc.constantFrom("jane@example.com", "JANE@example.com", "joe@example.com");

const desiredUsers: fc.Arbitrary<DesiredUser> = fc
  .record({
    attributes: fc.record({
      email: fc.oneof(address, fc.constant(undefined)),
      phoneNumber: managed(fc.constantFrom("+44", "+49")),
      username: fc.oneof(fc.constantFrom("jane", "Jane", "joe"), fc.constant(undefined)),
      emailVerified: fc.oneof(fc.boolean(), fc.constant(undefined)),
      phoneVerified: fc.oneof(fc.boolean(), fc.constant(undefined)),
      blocked: managed(fc.boolean()),
      givenName: managed(text),
      familyName: managed(text),
      name: managed(text),
      nickname: managed(text),
      picture: managed(text),
    }),
    userMetadata: metadata,
    appMetadata: metadata,
    verifyEmail: fc.boolean(),
    upkeep: fc.record({
      initOnly: fc.subarray(["nickname", "email", "userMetadata.a", "appMetadata.b"]).map((paths) => new Set(paths)),
      ignored: fc.constant(new Set<string>()),
      enforced: fc.subarray(["blocked", "emailVerified"]).map((paths) => new Set(paths)),
      drift: fc.constantFrom("Enforce", "Detect"),
      unset: fc.constant("Keep"),
    }),
  })
  .map(({ attributes, ...rest }) => ({ ...aDesiredUser({}, rest), attributes }));

const observedUsers: fc.Arbitrary<ObservedUser> = fc
  .record({
    attributes: fc.record(
      {
        email: address,
        phoneNumber: fc.constantFrom("+44", "+49"),
        username: fc.constantFrom("jane", "joe"),
        givenName: text,
        familyName: text,
        name: text,
        nickname: text,
        picture: text,
      },
      { requiredKeys: [] },
    ),
    flags: fc.record({ emailVerified: fc.boolean(), phoneVerified: fc.boolean(), blocked: fc.boolean() }),
    userMetadata: withoutNulls,
    appMetadata: withoutNulls,
  })
  .map(({ attributes, flags, ...rest }) => ({ ...anObservedUser({}, rest), attributes: { ...attributes, ...flags } }));

const histories: fc.Arbitrary<PlanHistory> = fc
  .record({ isNewSpec: fc.boolean(), isInitial: fc.boolean() })
  .map((facts) => aHistory(facts));
const CONFIRMATIONS = [
  ["email", "emailVerified"],
  ["phoneNumber", "phoneVerified"],
] as const;
const passwords = fc.oneof(text, fc.constant(undefined));

test("what was applied needs no more: the plan after the plan is empty", (t) => {
  fc.assert(
    fc.property(desiredUsers, observedUsers, histories, passwords, (desired, observed, history, password) => {
      const { patches } = planUpdate(desired, observed, history, password);
      const after = patches.reduce(applied, observed);

      return planUpdate(desired, after, history).patches.length === 0;
    }),
  );
  t.pass();
});

test("a plan names nothing that the spec does not manage", (t) => {
  fc.assert(
    fc.property(desiredUsers, observedUsers, histories, (desired, observed, history) => {
      const { changes, reported } = planUpdate(desired, observed, history);
      const names = namesOf(desired);

      return [...changes.map(({ path }) => path), ...reported].every((path) => names.has(path));
    }),
  );
  t.pass();
});

test("what is not managed survives untouched, but for the confirmation of an address that is replaced", (t) => {
  fc.assert(
    fc.property(desiredUsers, observedUsers, histories, (desired, observed, history) => {
      const after = planUpdate(desired, observed, history).patches.reduce(applied, observed);
      const names = namesOf(desired);
      for (const [contact, flag] of CONFIRMATIONS) {
        const [was, is] = [observed, after].map(({ attributes }) => attributes[contact]);
        if (names.has(flag) || was === undefined || is === undefined || was === is) continue;
        if (after.attributes[flag]) return false;
        names.add(flag);
      }
      const foreign = (user: ObservedUser): string =>
        JSON.stringify([
          Object.entries(user.attributes).filter(([name]) => !names.has(name)),
          Object.entries(user.userMetadata).filter(([key]) => !names.has(`userMetadata.${key}`)),
          Object.entries(user.appMetadata).filter(([key]) => !names.has(`appMetadata.${key}`)),
        ]);

      return foreign(after) === foreign(observed);
    }),
  );
  t.pass();
});

test("no call carries what Auth0 refuses together, and all calls carry every change once", (t) => {
  fc.assert(
    fc.property(desiredUsers, observedUsers, histories, passwords, (desired, observed, history, password) => {
      const { changes, patches } = planUpdate(desired, observed, history, password);
      const groups = patches.map(({ attributes, password: sent }) => [
        attributes.username !== undefined,
        attributes.email !== undefined || attributes.emailVerified !== undefined,
        sent !== undefined,
      ]);
      const carried = patches.flatMap(({ attributes, userMetadata, appMetadata }) => [
        ...Object.keys(attributes),
        ...Object.keys(userMetadata).map((key) => `userMetadata.${key}`),
        ...Object.keys(appMetadata).map((key) => `appMetadata.${key}`),
      ]);

      return (
        groups.every((group) => group.filter(Boolean).length <= 1) &&
        patches.length <= 3 &&
        carried.length === new Set(carried).size &&
        changes.every(({ path }) => carried.includes(path))
      );
    }),
  );
  t.pass();
});

test("the order of keys changes nothing", (t) => {
  const reversed = (map: JsonMap): JsonMap => Object.fromEntries(Object.entries(map).toReversed());
  fc.assert(
    fc.property(desiredUsers, observedUsers, histories, (desired, observed, history) => {
      const paths = (user: DesiredUser): string[] =>
        planUpdate(user, observed, history)
          .changes.map(({ path }) => path)
          .toSorted((a, b) => a.localeCompare(b));

      const turned = {
        ...desired,
        userMetadata: reversed(desired.userMetadata),
        appMetadata: reversed(desired.appMetadata),
      };
      return JSON.stringify(paths(desired)) === JSON.stringify(paths(turned));
    }),
  );
  t.pass();
});

/** Everything that the spec mentions, be it looked after or left to people. */
function namesOf(desired: DesiredUser): Set<string> {
  return new Set([...managedAttributes(desired), ...desired.upkeep.initOnly]);
}

/** Auth0, as far as a PATCH is concerned: null removes, metadata merges at the first level, its own store lower-cases. */
function applied(user: ObservedUser, { attributes, userMetadata, appMetadata }: UserPatch): ObservedUser {
  const next: Record<string, unknown> = { ...user.attributes };
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null) delete next[name];
    else next[name] = name === "email" || name === "username" ? String(value).toLowerCase() : value;
  }
  return {
    ...user,
    attributes: next as unknown as ObservedUser["attributes"],
    userMetadata: merged(user.userMetadata, userMetadata),
    appMetadata: merged(user.appMetadata, appMetadata),
  };
}

function merged(before: JsonMap, changes: JsonMap): JsonMap {
  return Object.fromEntries(Object.entries({ ...before, ...changes }).filter(([, value]) => value !== null));
}
