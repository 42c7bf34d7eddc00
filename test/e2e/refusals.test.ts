/** Bad input, by whatever way it comes: refused by the API server, or a condition that says what to do; never a loop. */
import { readFileSync } from "node:fs";
import * as yaml from "js-yaml";
import { clusterTests } from "../support/control-plane.ts";
import { SPEC_CASES } from "../support/spec-cases.ts";
import { aWorld, manifest, type World, type WorldOptions } from "../support/world.ts";

const clusterTest = await clusterTests({ controllerManager: false });

const CONNECTION = "Username-Password-Authentication";
const VALID = { connection: CONNECTION, email: "jane@example.com", password: { secretRef: { name: "jane" } } };

clusterTest("the API server and our own validation agree on every case", async (t, cluster) => {
  const world = await aWorld(t, cluster, { isStarted: false });

  const cases = SPEC_CASES.map((one, index) => ({ ...one, name: `case-${String(index)}` }));
  for (const { title, name, spec, issues, passesApiServer } of cases) {
    const { exitCode, stderr } = await world.kubectl(["create", "-f", "-"], manifest(name, spec));
    t.is(exitCode === 0, issues.length === 0 || passesApiServer === true, `${title}: ${stderr}`);
  }
});

clusterTest("the API server refuses a change of connection or userId, and says why", async (t, cluster) => {
  const world = await aWorld(t, cluster, { isStarted: false });
  await world.apply("jane", { ...VALID, userId: "auth0|x" });

  for (const patch of [{ connection: "other" }, { userId: "auth0|y" }, { userId: null }]) {
    const { exitCode, stderr } = await world.kubectl([
      "patch",
      "a0u",
      "jane",
      "--type=merge",
      "--patch",
      JSON.stringify({ spec: patch }),
    ]);
    t.is(exitCode, 1);
    t.regex(stderr, /immutable/);
  }
});

interface Refusal {
  readonly title: string;
  readonly spec?: object;
  readonly options?: WorldOptions;
  readonly prepare?: (world: World) => Promise<unknown>;
  readonly reason: string;
  readonly message: RegExp;
  /** Calls to the Management API that it may cost. */
  readonly calls: number;
}

const refusals: Refusal[] = [
  {
    title: "an unknown connection",
    spec: { ...VALID, connection: "nowhere" },
    reason: "ConnectionNotFound",
    message: /connection does not exist/i,
    calls: 1,
  },
  {
    title: "a missing Secret",
    spec: { ...VALID, password: { secretRef: { name: "absent" } } },
    reason: "SecretNotFound",
    message: /Secret absent does not exist/,
    calls: 0,
  },
  {
    title: "a missing key",
    spec: { ...VALID, password: { secretRef: { name: "jane", key: "absent" } } },
    reason: "SecretKeyMissing",
    message: /no key "absent"/,
    calls: 0,
  },
  {
    title: "a Secret without the label",
    prepare: (world) => world.must(["label", "secret", "jane", "auth0-user-operator.dev/use-"]),
    reason: "SecretNotPermitted",
    message: /kubectl -n \S+ label secret jane auth0-user-operator\.dev\/use=password/,
    calls: 0,
  },
  {
    title: "a weak password",
    prepare: (world) => world.secret("jane", { password: "abcde" }),
    reason: "PasswordRejected",
    message: /too weak/,
    calls: 1,
  },
  {
    title: "wrong client credentials",
    options: { env: { AUTH0_CLIENT_SECRET: "not-the-secret" } },
    reason: "CredentialsInvalid",
    message: /check the domain, the client id and secret/,
    calls: 0,
  },
  {
    title: "an unreachable domain",
    options: { env: { AUTH0_DOMAIN: "http://127.0.0.1:1" } },
    reason: "Auth0Unavailable",
    message: /127\.0\.0\.1:1.*ECONNREFUSED/,
    calls: 0,
  },
  {
    title: "a wrong token",
    options: { env: { AUTH0_API_TOKEN: "no.token.atall" } },
    reason: "CredentialsInvalid",
    message: /refuses the access token/,
    calls: 1,
  },
  {
    title: "an address that somebody else holds",
    prepare: (world) => world.tenant.addUser({ connection: CONNECTION, email: "jane@example.com" }),
    reason: "UserConflict",
    message: /already holds this address.*spec\.userId/,
    calls: 3,
  },
  {
    title: "a metadata key that the API server can't see",
    spec: { ...VALID, appMetadata: { user_id: "x" } },
    reason: "ValidationFailed",
    message: /spec\.appMetadata\.user_id: Auth0 keeps this name to itself/,
    calls: 0,
  },
];

for (const { title, spec = VALID, options = {}, prepare, reason, message, calls } of refusals) {
  clusterTest(`${title} is ${reason}, said once, without a loop`, async (t, cluster) => {
    const world = await aWorld(t, cluster, options);
    await world.secret("jane", { password: "Correct-Horse-7" });
    await prepare?.(world);

    await world.apply("jane", spec);
    const shown = await world.until("jane", reason);

    const ready = shown.status?.conditions?.find(({ type }) => type === "Ready");
    t.is(ready?.status, "False");
    t.regex(ready?.message ?? "", message);
    t.true(shown.status?.conditions?.some(({ type }) => type === "Stalled" || type === "Reconciling"));
    t.true((await world.tenant.calls()).total - tokens(await world.tenant.calls()) <= calls);
    t.true((await world.events("jane")).length <= 1);
    t.true(passes(await world.metrics()) < 12, "a pass or two, not a loop");
    t.notRegex(`${world.log}${JSON.stringify(shown)}`, /Correct-Horse-7|not-the-secret|no\.token\.atall/);
  });
}

clusterTest("what stands in the way goes away: the user is created without further ado", async (t, cluster) => {
  const world = await aWorld(t, cluster);
  await world.apply("jane", VALID);
  await world.until("jane", "SecretNotFound");

  await world.secret("jane", { password: "Correct-Horse-7" });
  await world.until("jane", "Created");

  t.is((await world.tenant.users()).length, 1);
});

clusterTest(
  "an object stored under an older CRD is refused by the operator, every problem at once",
  async (t, cluster) => {
    const world = await aWorld(t, cluster, { isStarted: false });
    const lenient = withoutRules(readFileSync("crds/auth0users.yaml", "utf8"));
    await world.must(["apply", "--server-side", "--force-conflicts", "-f", "-"], lenient);
    const bad = { ...VALID, email: "Jane <jane@example.com>", nickname: "", syncInterval: "1d" };
    await world.must(["create", "--validate=false", "-f", "-"], manifest("jane", bad));
    await world.must(["apply", "--server-side", "--force-conflicts", "-f", "crds/"]);

    await world.start();
    const shown = await world.until("jane", "ValidationFailed");

    const message = shown.status?.conditions?.[0]?.message ?? "";
    t.regex(message, /spec\.email: must be a bare address/);
    t.regex(message, /spec\.nickname: /);
    t.regex(message, /spec\.syncInterval: must be a duration/);
    t.deepEqual(await world.sent(), []);
    await world.must(["delete", "auth0user", "jane", "--timeout=20s"]);
  },
);

clusterTest.serial("a connection that was changed past the API server stops everything", async (t, cluster) => {
  const world = await aWorld(t, cluster);
  await world.secret("jane", { password: "Correct-Horse-7" });
  await world.apply("jane", VALID);
  await world.until("jane", "Created");
  await world.stop();
  const lenient = withoutRules(readFileSync("crds/auth0users.yaml", "utf8"));
  await world.must(["apply", "--server-side", "--force-conflicts", "-f", "-"], lenient);
  await world.edit("jane", { connection: "elsewhere" });
  await world.must(["apply", "--server-side", "--force-conflicts", "-f", "crds/"]);
  await world.sent();

  await world.start();
  const shown = await world.until("jane", "ValidationFailed");

  t.regex(shown.status?.conditions?.[0]?.message ?? "", /immutable/);
  t.deepEqual(await world.sent(), []);
});

/** The CRD as somebody's older version may have been: no CEL, anything goes. */
function withoutRules(crd: string): string {
  const document = yaml.load(crd) as {
    spec: { versions: { schema: { openAPIV3Schema: { properties: { spec: object } } } }[] };
  };
  for (const { schema } of document.spec.versions) {
    schema.openAPIV3Schema.properties.spec = {
      type: "object",
      "x-kubernetes-preserve-unknown-fields": true,
      // Selectable fields have to be there.
      properties: {
        connection: { type: "string" },
        tenantRef: { type: "object", properties: { name: { type: "string" } } },
      },
    };
  }
  return JSON.stringify(document);
}

function tokens({ byRoute }: { readonly byRoute: Readonly<Record<string, number>> }): number {
  return byRoute["POST /oauth/token"] ?? 0;
}

function passes(metrics: string): number {
  return [...metrics.matchAll(/^controller_runtime_reconcile_total\{[^}]*\} (\d+)$/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
}
