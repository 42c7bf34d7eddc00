/** How users end, and how they don't: bursts, namespaces, the kind itself, grace before deletion. */
import { readFileSync } from "node:fs";
import { verifyChain } from "../../src/runtime/audit-chain.ts";
import { clusterTests, type TestCluster } from "../support/control-plane.ts";
import { eventually } from "../support/eventually.ts";
import { aWorld, manifest, type World } from "../support/world.ts";

const clusterTest = await clusterTests({ controllerManager: true });

/** Passwordless: no Secret is needed, and many are made quickly. */
const user = (index: number) => ({ connection: "email", email: `user-${String(index)}@example.com` });

async function many(world: World, count: number, spec: object = {}, flags: readonly string[] = []): Promise<void> {
  const manifests = Array.from({ length: count }, (_, index) =>
    manifest(`user-${String(index)}`, { ...user(index), ...spec }),
  );
  await world.must(["create", ...flags, "-f", "-"], manifests.join("\n---\n"));
  await eventually(async () => {
    const { length } = await world.tenant.users();
    if (length < count) throw new Error(`${String(length)} of ${String(count)} users\n${world.log.slice(-2_000)}`);
  });
}

/** Waits until so many users are left at Auth0 and nothing goes on. */
async function settled(world: World, left: number): Promise<void> {
  await eventually(async () => {
    const { length } = await world.tenant.users();
    if (length !== left) throw new Error(`${String(length)} users are left, not ${String(left)}`);
  });
}

clusterTest(
  "a bad merge is stopped after the allowed number, and goes on after a person's word",
  async (t, cluster) => {
    const world = await aWorld(t, cluster);
    await many(world, 500);

    await world.must(["delete", "auth0users", "--all", "--wait=false"]);
    await settled(world, 400);
    const paused = await eventually(async () => {
      const { items } = JSON.parse(await world.must(["get", "auth0users", "-o", "json"])) as {
        items: { status?: { conditions?: { type: string; reason: string; message: string }[] } }[];
      };
      const messages = items.flatMap(({ status }) =>
        (status?.conditions ?? []).filter(({ type, reason }) => type === "Ready" && reason === "DeletionPaused"),
      );
      if (messages.length !== 400) throw new Error(`${String(messages.length)} are paused`);
      return messages[0]?.message ?? "";
    });
    await world.apply("another", user(1_000));
    await world.until("another", "Created");
    t.is((await world.tenant.users()).length, 401, "creations go on");
    t.true(
      (await world.events("auth0-user-operator-default-tenant")).some(({ reason }) => reason === "DeletionPaused"),
    );

    t.regex(await world.metrics(), new RegExp(`operator_paused{tenant="${world.tenant.domain}",what="deletions"} 1`));

    await world.stop("SIGKILL");
    await world.start();
    const command = /kubectl (.*confirm-deletions=\S+)/.exec(paused)?.[1]?.split(" ") ?? [];
    await world.must(command);

    await settled(world, 1);
    t.regex(await world.metrics(), /operator_paused\{[^}]*what="deletions"\} 0/);
  },
);

clusterTest("a user is blocked first and deleted later, and can still be kept", async (t, cluster) => {
  const world = await aWorld(t, cluster);
  await world.apply("jane", { ...user(1), deleteAfter: "720h" });
  const { status } = await world.until("jane", "Created");

  await world.must(["delete", "auth0user", "jane", "--wait=false"]);
  const scheduled = await world.until("jane", "DeletionScheduled");
  t.regex(scheduled.status?.conditions?.[0]?.message ?? "", /is blocked, and is deleted after \d{4}-/);
  t.is((await world.tenant.user(status?.userId ?? ""))?.["blocked"], true);
  await world.edit("jane", { deletionPolicy: "Retain" });

  await eventually(async () => {
    const { exitCode } = await world.kubectl(["get", "auth0user", "jane"]);
    if (exitCode === 0) throw new Error(`still there\n${world.log.slice(-1_000)}`);
  });
  t.is((await world.tenant.users()).length, 1);
});

clusterTest("deletionPolicy Disable blocks the user and lets it stay; the record says so", async (t, cluster) => {
  const world = await aWorld(t, cluster, { flags: ["--audit-chain"] });
  await world.apply("jane", { ...user(1), deletionPolicy: "Disable", userMetadata: { city: "a-secret-city" } });
  const { status } = await world.until("jane", "Created");

  await world.must(["delete", "auth0user", "jane"]);

  t.is((await world.tenant.user(status?.userId ?? ""))?.["blocked"], true);
  const records = world.log
    .split("\n")
    .filter((line) => line.includes('"stream":"audit"'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  t.deepEqual(
    records.map(({ operation, result }) => [operation, String(result).split(":")[0]]),
    [
      ["create", "done"],
      ["update", "done"],
      ["retain", "Disabled"],
    ],
  );
  t.like(records[0], {
    resource: `${world.namespace}/jane`,
    userId: status?.userId,
    declaredBy: "kubectl-client-side-apply",
  });
  t.true(JSON.stringify(records[0]?.["fields"]).includes("userMetadata.city"));
  t.false(JSON.stringify(records).includes("a-secret-city"));
  await world.stop();
  const { faults, ends } = verifyChain(world.log);
  t.deepEqual(faults, []);
  t.deepEqual(
    ends.map(({ isClosed }) => isClosed),
    [true],
    "an orderly stop ends the chain",
  );
});

clusterTest("a namespace with a hundred users goes, and its users with it", async (t, cluster) => {
  await cluster.kubectl(["create", "namespace", "team-gone"]);
  const world = await aWorld(t, cluster, { flags: ["--namespace=team-gone"] });
  await many(world, 100, {}, ["--namespace=team-gone"]);

  const { exitCode, stderr } = await cluster.kubectl(["delete", "namespace", "team-gone", "--timeout=120s"]);

  t.is(exitCode, 0, stderr);
  t.is((await world.tenant.users()).length, 0);
});

clusterTest("a namespace whose tenant is out of reach goes, too; what is left behind is said", async (t, cluster) => {
  const flags = ["--allowed-tenant-domains=http://127.0.0.1:*", "--release-after=1s"];
  const env = { AUTH0_DOMAIN: "", AUTH0_CLIENT_ID: "", AUTH0_CLIENT_SECRET: "" };
  const world = await aWorld(t, cluster, { flags, env });
  const labels = { "auth0-user-operator.dev/use": "credentials" };
  const { clientId, clientSecret, domain } = world.tenant;
  const objects = [
    { apiVersion: "v1", kind: "Secret", metadata: { name: "acme", labels }, stringData: { clientId, clientSecret } },
    {
      apiVersion: "auth0-user-operator.dev/v1alpha1",
      kind: "Auth0Tenant",
      metadata: { name: "acme" },
      spec: { domain, credentials: { secretRef: { name: "acme" } } },
    },
  ];
  await world.must(["apply", "-f", "-"], objects.map((object) => JSON.stringify(object)).join("\n---\n"));
  await many(world, 5, { tenantRef: { kind: "Auth0Tenant", name: "acme" } });
  await world.until("user-4", "Created");
  await world.stop();
  await world.must(["delete", "secret", "acme"]);
  await world.start();

  await world.must(["delete", "namespace", world.namespace, "--timeout=120s"]);

  t.is((await world.tenant.users()).length, 5, "nothing is deleted without a way to the tenant");
  t.true((await world.metrics()).includes(`users_left_behind_total{namespace="${world.namespace}"} 5`));
  const records = world.log.split("\n").filter((line) => line.includes('"operation":"retain"'));
  t.is(new Set(records.map((line) => /"userId":"[^"]+"/.exec(line)?.[0])).size, 5);
  const events = await cluster.kubectl(["get", "events.events.k8s.io", "-n", "default", "-o", "json"]);
  t.true(events.stdout.includes("LeftBehind"));
});

clusterTest.serial(
  "a user stored under an older definition that the present one refuses can be deleted",
  async (t, cluster) => {
    const world = await aWorld(t, cluster, { isStarted: false });
    const crd = readFileSync("crds/auth0users.yaml", "utf8");
    const older = crd.replace(
      /^( +)email:\n\1  type: string\n\1  maxLength: 254\n\1  pattern: .*\n(\1    .*\n)?/m,
      "$1email:\n$1  type: string\n",
    );
    t.not(older, crd);
    await replaceDefinition(cluster, older);
    const email = `${"x".repeat(250)}@example.com`;
    const created = await world.kubectl(["create", "-f", "-"], manifest("old", { connection: "email", email }));
    t.is(created.exitCode, 0, created.stderr);
    await replaceDefinition(cluster, crd);
    await world.start();
    await world.until("old", "ValidationFailed");

    await world.must(["delete", "auth0user", "old", "--timeout=30s"]);

    t.is((await world.tenant.users()).length, 0);
  },
);

clusterTest.serial("while the definition is deleted no user is", async (t, cluster: TestCluster) => {
  const world = await aWorld(t, cluster);
  await many(world, 20);
  await world.tenant.clearCalls();

  const { exitCode } = await cluster.kubectl(["delete", "crd", "auth0users.auth0-user-operator.dev", "--timeout=60s"]);

  t.is(exitCode, 0);
  t.is((await world.tenant.calls()).byRoute["DELETE /api/v2/users/{id}"] ?? 0, 0);
  t.is((await world.tenant.users()).length, 20);
  await cluster.kubectl(["apply", "-f", "crds/auth0users.yaml"]);
});

async function replaceDefinition({ kubectl }: TestCluster, text: string): Promise<void> {
  const { exitCode, stderr } = await kubectl(["replace", "-f", "-"], { input: text });
  if (exitCode !== 0) throw new Error(stderr);
}
