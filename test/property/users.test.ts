/**
 * Users of any shape, brought from one declaration to another: the second pass makes no write, what was asked is there,
 * and what nobody asked for survives. `FC_SEED` repeats a run, `USERS=5000` makes a long one.
 */
import { randomInt } from "node:crypto";
import process from "node:process";
import test from "ava";
import * as fc from "fast-check";
import type { DesiredUser, RootAttributes } from "../../src/core/desired-user.ts";
import { managedAttributes } from "../../src/core/plan.ts";
import type { JsonMap } from "../../src/core/json.ts";
import { forEachLimited } from "../../src/reconcile/for-each-limited.ts";
import { aDesiredUser } from "../support/builders.ts";
import { verdictOf } from "../support/side-world.ts";
import { Side, directoryOf } from "../support/side.ts";
import { startTestSimulator, type TestSimulator, type WireUser } from "../support/start-simulator.ts";

const seed = Number(process.env["FC_SEED"] ?? randomInt(2 ** 31));
const USERS = Number(process.env["USERS"] ?? 200);
/** As many calls at once as an operator makes. */
const CONCURRENCY = 32;
const ROLES = ["support", "billing", "admin"] as const;

const text = fc.string({ minLength: 1, maxLength: 20 });
const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
const managed = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null | undefined> =>
  fc.oneof(value, fc.constant(null), fc.constant(undefined));
const keys = fc.constantFrom("a", "b", "c", "odd key");
/** As JSON holds it, which knows no -0. */
const metadata = fc
  .dictionary(keys, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 })
  .map((map) => JSON.parse(JSON.stringify(map)) as JsonMap);
const PATHS = ["nickname", "givenName", "emailVerified", "userMetadata.a", "appMetadata.b", "roles"];

/** Two declarations of one user: what it is created with, and what it becomes. Who has a username keeps having one. */
const lives = fc
  .integer({ min: 0, max: 1 })
  .chain((hasUsername) => fc.tuple(declaration(hasUsername === 1), declaration(hasUsername === 1)));

function declaration(hasUsername: boolean): fc.Arbitrary<(n: number) => DesiredUser> {
  return fc
    .record({
      email: fc.constantFrom("a", "B", "c"),
      username: hasUsername ? fc.constantFrom("x", "Y") : fc.constant(undefined),
      attributes: fc.record({
        phoneNumber: managed(fc.integer({ min: 1, max: 9_999_999 }).map((number) => `+${String(number)}`)),
        emailVerified: optional(fc.boolean()),
        phoneVerified: optional(fc.boolean()),
        blocked: managed(fc.boolean()),
        givenName: managed(text),
        familyName: managed(text),
        name: managed(text),
        nickname: managed(text),
        picture: managed(fc.webUrl({ validSchemes: ["https"] })),
      }),
      userMetadata: metadata,
      appMetadata: metadata,
      verifyEmail: fc.boolean(),
      roles: optional(fc.record({ items: fc.subarray([...ROLES]), isExact: fc.boolean() })),
      upkeep: fc.record({
        initOnly: fc.subarray(PATHS, { maxLength: 2 }).map((paths) => new Set(paths)),
        ignored: fc.constant(new Set<string>()),
        enforced: fc.subarray(["blocked", "emailVerified"]).map((paths) => new Set(paths)),
        drift: fc.constantFrom("Enforce", "Detect"),
        unset: fc.constantFrom("Keep", "Remove"),
      }),
    })
    .map(({ email, username, attributes, roles, ...rest }) => (n) => {
      const identifiers: RootAttributes = {
        email: `${email}-${String(n)}@example.com`,
        username: username && `${username}-${String(n)}`,
      };
      const assignments = roles && { roles, permissions: undefined, organizations: undefined };
      return { ...aDesiredUser({}, { ...rest, assignments }), attributes: { ...attributes, ...identifiers } };
    });
}

for (const nullRootAttribute of ["removed", "regenerated"] as const) {
  test(`users converge in one pass, rest in the next, and keep what is theirs (${nullRootAttribute})`, async (t) => {
    t.timeout(3_600_000);
    t.log(`seed ${String(seed)}, ${String(USERS)} users`);
    const tenant = await startTestSimulator(t, { switches: { nullRootAttribute } });
    const { api, directory } = directoryOf(tenant);
    t.teardown(() => {
      api.close();
    });
    for (const name of ROLES) await tenant.api("POST", "/api/v2/roles", { name });
    const users = fc
      .sample(lives, { numRuns: USERS, seed })
      .map(([first, second], n) => ({ side: new Side(directory), first: first(n), second: second(n) }));

    await forEachLimited(users, CONCURRENCY, async ({ side, first, second }) => {
      t.regex(verdictOf(await side.pass(first)), /^ready/, JSON.stringify(first));
      await tenant.patchUser(`auth0|${side.uid}`, { user_metadata: { theirs: 1 }, app_metadata: { theirs: [null] } });
      t.regex(verdictOf(await side.pass(second)), /^ready/, JSON.stringify([first, second]));
    });
    await tenant.clearCalls();
    await forEachLimited(users, CONCURRENCY, async ({ side, first, second }) => {
      const outcome = await side.pass(second, { isSync: true });
      t.deepEqual([verdictOf(outcome).split(" ")[0], outcome.changed], ["ready", []], JSON.stringify([first, second]));
    });

    const writes = Object.keys((await tenant.calls()).byRoute).filter((route) => !route.startsWith("GET "));
    t.deepEqual(
      writes,
      ["POST /oauth/token"].filter((route) => writes.includes(route)),
    );
    await checkAll(users, tenant, (actual, expected, why) => {
      t.deepEqual(actual, expected, why);
    });
  });
}

interface Life {
  readonly side: Side;
  readonly first: DesiredUser;
  readonly second: DesiredUser;
}

/** Converged users equal what was asked, and unmanaged values are untouched. */
async function checkAll(
  users: readonly Life[],
  tenant: TestSimulator,
  check: (actual: unknown, expected: unknown, why: string) => void,
): Promise<void> {
  const found = new Map((await tenant.users()).map((user) => [user.user_id, user]));
  for (const { side, first, second } of users) {
    const user = found.get(`auth0|${side.uid}`);
    const shown = managedAttributes(second).map((path) => [path, user && shownAt(path, user)]);
    const asked = managedAttributes(second).map((path) => [path, askedAt(path, second, user)]);
    const why = JSON.stringify([first, second]);
    check(shown, asked, why);
    const theirs = [user?.["user_metadata"], user?.["app_metadata"]].map((one) => (one as JsonMap)["theirs"]);
    check(theirs, [1, [null]], why);
  }
}

const DERIVED = new Set(["name", "nickname", "picture"]);

function shownAt(path: string, user: WireUser): unknown {
  const [kind = "", ...rest] = path.split(".");
  const wire = kind.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const value = rest.length === 0 ? user[wire] : (user[wire] as JsonMap | undefined)?.[rest.join(".")];
  return value ?? null;
}

/** Null is absent, or what Auth0 derives; flags are false where they are absent; its own store lower-cases. */
function askedAt(path: string, desired: DesiredUser, user: WireUser | undefined): unknown {
  const [kind = "", ...rest] = path.split(".");
  if (kind === "userMetadata" || kind === "appMetadata") return desired[kind][rest.join(".")];
  const value = desired.attributes[kind as keyof RootAttributes];
  const shown = user && shownAt(path, user);
  if (value === null && DERIVED.has(kind)) return shown;
  if (value === false || (value === null && kind === "blocked")) return shown === null ? null : false;
  return kind === "email" || kind === "username" ? String(value).toLowerCase() : value;
}
