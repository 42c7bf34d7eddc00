/** What goes wrong in a cluster's life: killed processes, lost answers, lost keys, changed tenants. Nothing is lost or doubled. */
import { clusterTests } from "../support/control-plane.ts";
import { eventually } from "../support/eventually.ts";
import { startTestSimulator } from "../support/start-simulator.ts";
import { aWorld, manifest, type Shown, type World } from "../support/world.ts";

const clusterTest = await clusterTests({ controllerManager: false });

const SPEC = { connection: "email", email: "jane@example.com" };
const DATABASE = {
  connection: "Username-Password-Authentication",
  email: "jane@example.com",
  password: { secretRef: { name: "jane" } },
};

async function aDatabaseUser(world: World): Promise<string> {
  await world.secret("jane", { password: "Correct-Horse-7" });
  await world.apply("jane", DATABASE);
  return (await world.until("jane", "Created")).status?.userId ?? "";
}

for (const [kind, spec] of Object.entries({ database: DATABASE, passwordless: SPEC })) {
  clusterTest(`killed between POST and status: one ${kind} user, Ready after a restart`, async (t, cluster) => {
    const world = await aWorld(t, cluster);
    await world.secret("jane", { password: "Correct-Horse-7" });
    await world.tenant.faults({ rules: [{ kind: "latency", ms: 600_000, route: "POST /api/v2/users" }] });
    await world.apply("jane", spec);
    await eventually(async () => {
      if ((await world.tenant.users()).length === 0) throw new Error("no user yet");
    });

    await world.stop("SIGKILL");
    await world.tenant.faults({});
    t.is((await world.get("jane")).status, undefined);
    await world.start();
    const shown = await world.until("jane", "Created");

    const users = await world.tenant.users();
    t.deepEqual(
      users.map(({ user_id: id }) => id),
      [shown.status?.userId],
    );
    await world.must(["delete", "auth0user", "jane"]);
    t.is((await world.tenant.users()).length, 0);
  });
}

clusterTest("faults of every kind while twenty users are made: twenty users, no more", async (t, cluster) => {
  const world = await aWorld(t, cluster);
  await world.tenant.faults({
    seed: 7,
    rules: [
      { kind: "status", status: 429, route: "* /api/*", rate: 0.1, count: 12 },
      { kind: "status", status: 500, route: "* /api/*", rate: 0.1, count: 12 },
      { kind: "status", status: 503, workDone: true, route: "POST /api/v2/users", rate: 0.2, count: 8 },
      { kind: "reset-before", route: "* /api/*", rate: 0.1, count: 12 },
      { kind: "reset-after", route: "* /api/*", rate: 0.2, count: 16 },
      { kind: "truncate", route: "* /api/*", rate: 0.1, count: 12 },
    ],
  });
  const names = Array.from({ length: 20 }, (_, index) => `user-${String(index)}`);
  const documents = names.map((name) => ({
    apiVersion: "auth0-user-operator.dev/v1alpha1",
    kind: "Auth0User",
    metadata: { name },
    spec: { connection: "email", email: `${name}@example.com`, nickname: name },
  }));

  await world.must(["apply", "-f", "-"], documents.map((one) => JSON.stringify(one)).join("\n---\n"));
  await world.must(["wait", "--for=condition=Ready", "auth0users", "--all", "--timeout=120s"]);

  t.deepEqual(
    (await world.tenant.users()).map(({ email }) => String(email)).toSorted(),
    names.map((name) => `${name}@example.com`).toSorted(),
  );
});

clusterTest("a restart costs no call to Auth0 and no write to the cluster", async (t, cluster) => {
  const world = await aWorld(t, cluster);
  await aDatabaseUser(world);
  const before = await world.get("jane");
  await world.stop();
  await world.sent();

  await world.start();
  await world.apply("probe", { ...SPEC, email: "probe@example.com" });
  await world.until("probe", "Created");

  t.is((await world.get("jane")).metadata.resourceVersion, before.metadata.resourceVersion);
  t.deepEqual(
    (await world.sent()).map((call) => (Array.isArray(call) ? call[0] : call)),
    ["POST"],
  );
});

clusterTest("SIGTERM lets the user in hand be finished, and exits with 0", async (t, cluster) => {
  const world = await aWorld(t, cluster);
  await world.tenant.faults({ rules: [{ kind: "latency", ms: 1_500, route: "POST /api/v2/users" }] });
  await world.apply("jane", SPEC);
  await eventually(async () => {
    if ((await world.tenant.users()).length === 0) throw new Error("no user yet");
  });

  t.is(await world.stop("SIGTERM"), 0);

  t.is((await world.get("jane")).status?.conditions?.[0]?.reason, "Created");
});

clusterTest(
  "a user that was deleted at Auth0 comes back after recreateAfter, with its password",
  async (t, cluster) => {
    const world = await aWorld(t, cluster);
    const userId = await aDatabaseUser(world);
    await world.tenant.deleteUser(userId);

    await world.must(["annotate", "a0u", "jane", "auth0-user-operator.dev/reconcile-requested-at=now"]);
    const { status } = await world.until("jane", "RecreationScheduled");
    t.truthy(status?.missingSince);
    await world.stop("SIGKILL");
    await world.start();
    await world.sync("jane");
    t.is((await world.until("jane", "RecreationScheduled")).status?.missingSince, status?.missingSince);
    t.is(await world.tenant.user(userId), undefined);

    await world.edit("jane", { recreateAfter: "0s" });
    const recreated = await world.until("jane", "Recreated");
    t.is(recreated.status?.missingSince, undefined);

    t.true(await world.tenant.passwordMatches(userId, "Correct-Horse-7"));
  },
);

/** As from a backup or a copy: with its annotations, without its status and identity. */
async function createAgain(
  world: World,
  name: string,
  { metadata: { annotations }, spec }: Shown,
  changes: object,
): Promise<void> {
  const document = JSON.parse(manifest(name, { ...spec, ...changes })) as { readonly metadata: object };
  const metadata = { ...document.metadata, annotations };
  await world.must(["create", "-f", "-"], JSON.stringify({ ...document, metadata }));
}

clusterTest("a resource restored from a backup without its status finds its user by the claim", async (t, cluster) => {
  const world = await aWorld(t, cluster);
  const userId = await aDatabaseUser(world);
  const backup = await world.get("jane");
  await world.edit("jane", { deletionPolicy: "Retain" });
  await world.until("jane", "InSync");
  await world.must(["delete", "auth0user", "jane"]);
  await world.sent();

  await createAgain(world, "jane", backup, { nickname: "restored" });
  const restored = await world.until("jane", "DriftCorrected");

  t.is(restored.status?.userId, userId);
  t.deepEqual(await world.sent(), ["GET", ["PATCH", { nickname: "restored" }]], "no POST, and no password again");
  t.is(restored.status?.conditions?.find(({ type }) => type === "PasswordSynced")?.reason, "PasswordNotVerified");
});

clusterTest("a copied manifest claims nothing: no call, and the user is safe", async (t, cluster) => {
  const world = await aWorld(t, cluster);
  await aDatabaseUser(world);
  const original = await world.get("jane");
  await world.sent();

  await createAgain(world, "copy", original, { nickname: "mine" });
  const shown = await world.until("copy", "UserConflict");
  await world.must(["delete", "auth0user", "copy"]);

  t.regex(shown.status?.conditions?.[0]?.message ?? "", /nothing proves/);
  t.deepEqual(await world.sent(), []);
  t.is((await world.tenant.users()).length, 1);
});

clusterTest("another AUTH0_DOMAIN never leads to recreation, and only Retain lets go", async (t, cluster) => {
  const world = await aWorld(t, cluster);
  await aDatabaseUser(world);
  await world.stop();
  const elsewhere = await startTestSimulator(t);

  await world.start({ AUTH0_DOMAIN: elsewhere.url });
  await world.edit("jane", { nickname: "new" });
  await world.until("jane", "TenantChanged");
  await world.must(["delete", "auth0user", "jane", "--wait=false"]);
  await eventually(async () => {
    const { metadata, status } = await world.get("jane");
    if (metadata.deletionTimestamp === undefined || status?.conditions?.[0]?.reason !== "TenantChanged")
      throw new Error();
  });
  await world.edit("jane", { deletionPolicy: "Retain" });
  await world.must(["wait", "--for=delete", "auth0user/jane", "--timeout=30s"]);

  t.is((await elsewhere.calls()).total, 0);
  t.is((await world.tenant.users()).length, 1);
});

clusterTest(
  "without its keys the operator goes on with what is proven, and makes new ones only when told",
  async (t, cluster) => {
    const world = await aWorld(t, cluster);
    const userId = await aDatabaseUser(world);
    await world.stop();
    await world.must(["delete", "secret", "auth0-user-operator-state"]);
    await world.sent();

    await world.start();
    await world.edit("jane", { nickname: "new" });
    const shown = await world.until("jane", "Updated");
    t.regex(world.log, /claims can't be signed or verified/);
    t.is(shown.status?.userId, userId);
    t.deepEqual(await world.sent(), ["GET", ["PATCH", { nickname: "new" }]], "no password again");
    await world.apply("joe", { ...DATABASE, email: "joe@example.com" });
    await world.until("joe", "Created");
    const missing = await world.kubectl(["get", "secret", "auth0-user-operator-state"]);
    t.regex(missing.stderr, /not found/);

    await world.stop();
    await world.must(["create", "secret", "generic", "auth0-user-operator-state"]);
    await world.start();
    await eventually(async () => {
      const keys = await world.must(["get", "secret", "auth0-user-operator-state", "-o", "jsonpath={.data}"]);
      if (keys === "") throw new Error("no key yet");
    });
    const signed = await world.sync("jane");
    t.notRegex(signed.metadata.annotations?.["auth0-user-operator.dev/user-id"] ?? "", /unsigned/);
  },
);

clusterTest.serial("the API server is killed and comes back: the operator recovers by itself", async (t, cluster) => {
  const world = await aWorld(t, cluster);
  const userId = await aDatabaseUser(world);

  await cluster.controlPlane.apiServer.kill();
  const noticed = eventually(async () => {
    if (!/^reflector_failures_total\{.*\} [1-9]/m.test(await world.metrics())) throw new Error(world.log);
  });
  await noticed.catch(() => {});
  await cluster.controlPlane.apiServer.start(new AbortController().signal);
  await noticed;
  await world.edit("jane", { nickname: "after" });
  await world.until("jane", "Updated");

  t.like(await world.tenant.user(userId), { nickname: "after" });
  t.is((await world.tenant.users()).length, 1);
});

clusterTest("two replicas: one acts, the other takes over when it dies or goes", async (t, cluster) => {
  const world = await aWorld(t, cluster, { flags: ["--leader-elect"] });
  const other = world.replica();
  await other.start();
  await world.apply("jane", SPEC);
  await world.until("jane", "Created");
  t.notRegex(other.log, /user created/);

  await world.stop("SIGTERM");
  await world.edit("jane", { nickname: "one" });
  await world.until("jane", "Updated");
  t.regex(other.log, /became the leader/);

  await world.start();
  await other.stop("SIGKILL");
  await world.apply("joe", { ...SPEC, email: "joe@example.com" });
  await world.until("joe", "Created");
  t.is((await world.tenant.users()).length, 2);
});
