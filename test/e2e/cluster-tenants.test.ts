/** ClusterAuth0Tenants, by operators that serve all namespaces: whom they serve, and that two leaders do not quarrel. */
import type { ExecutionContext } from "ava";
import { clusterTests, type TestCluster } from "../support/control-plane.ts";
import { eventually } from "../support/eventually.ts";
import { aWorld, type World } from "../support/world.ts";

const clusterTest = await clusterTests({ controllerManager: false });

const TENANT = "company";
const jane = {
  tenantRef: { kind: "ClusterAuth0Tenant", name: TENANT },
  connection: "email",
  email: "jane@example.com",
};

/** With an operator of all namespaces: one at a time. */
function aWideWorld(t: ExecutionContext, cluster: TestCluster): Promise<World> {
  const operator = ["--operator-namespace=auth0-user-operator", "--log-level=debug", "--log-format=json"];
  const args = ["run", ...operator, "--allowed-tenant-domains=http://127.0.0.1:*"];
  return aWorld(t, cluster, { args, env: { AUTH0_DOMAIN: "", AUTH0_CLIENT_ID: "", AUTH0_CLIENT_SECRET: "" } });
}

async function declareTenant(world: World, namespaces: object): Promise<void> {
  const { clientId, clientSecret, domain } = world.tenant;
  const name = TENANT;
  const labels = { "auth0-user-operator.dev/use": "credentials" };
  const secretRef = { name, namespace: world.namespace };
  const objects = [
    { apiVersion: "v1", kind: "Secret", metadata: { name, labels }, stringData: { clientId, clientSecret } },
    {
      apiVersion: "auth0-user-operator.dev/v1alpha1",
      kind: "ClusterAuth0Tenant",
      metadata: { name },
      spec: { domain, credentials: { secretRef }, grants: [{ namespaces }] },
    },
  ];
  await world.must(["apply", "-f", "-"], objects.map((object) => JSON.stringify(object)).join("\n---\n"));
}

interface TenantShown {
  readonly metadata: { readonly finalizers?: readonly string[] };
  readonly status?: { readonly users?: { readonly ready: string }; readonly conditions?: readonly object[] };
}

async function tenantOf(world: World): Promise<TenantShown> {
  return JSON.parse(await world.must(["get", "clusterauth0tenant", TENANT, "-o", "json"])) as TenantShown;
}

/** Nobody names it any more. */
async function end(world: World): Promise<void> {
  await world.must(["delete", "auth0users", "--all"]);
  await world.must(["delete", "clusterauth0tenant", TENANT, "--timeout=30s"]);
}

clusterTest.serial(
  "a ClusterAuth0Tenant serves the namespaces that its grants name, and no other",
  async (t, cluster) => {
    const world = await aWideWorld(t, cluster);
    await declareTenant(world, { from: "Names", names: ["somebody-else"] });

    await world.apply("jane", jane);
    const refused = await world.until("jane", "NotGranted");
    await declareTenant(world, { from: "Selector", selector: { matchLabels: { team: "sales" } } });
    await world.must(["label", "namespace", world.namespace, "team=sales"]);
    await world.stop();
    await world.start();
    await world.until("jane", "Created");

    t.regex(
      refused.status?.conditions?.[0]?.message ?? "",
      new RegExp(`ClusterAuth0Tenant ${TENANT} does not grant namespace ${world.namespace}: anything at all`),
    );
    await end(world);
  },
);

async function count(world: World, pattern: RegExp): Promise<number> {
  const lines = (await world.metrics()).split("\n").filter((line) => pattern.test(line));
  return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

clusterTest.serial(
  "two operators that both lead do not quarrel over a tenant's status, nor lose its finalizer",
  async (t, cluster) => {
    const world = await aWideWorld(t, cluster);
    await declareTenant(world, { from: "All" });
    await world.apply("jane", jane);
    await world.apply("joe", { ...jane, email: "joe@example.com" });
    for (const name of ["jane", "joe"]) await world.until(name, "Created");
    const other = world.replica();
    await other.start();
    const both = [world, other];
    const poke = async (): Promise<void> => {
      const passes = /reconcile_total\{[^}]*controller="auth0tenant"/;
      const before = await Promise.all(both.map((one) => count(one, passes)));
      const at = `auth0-user-operator.dev/reconcile-requested-at=test-${String(performance.now())}`;
      await world.must(["annotate", "--overwrite", "clusterauth0tenant", TENANT, at]);
      await eventually(async () => {
        for (const [index, one] of both.entries()) {
          if ((await count(one, passes)) <= (before[index] ?? 0)) throw new Error("the tenant was not looked at");
        }
      });
    };
    await eventually(async () => {
      await poke();
      const { status } = await tenantOf(world);
      if (status?.users?.ready !== "2/2") throw new Error(JSON.stringify(status));
    });
    const patches = () => Promise.all(both.map((one) => count(one, /^rest_client_requests_total\{[^}]*PATCH/)));
    const [standing, written] = [await tenantOf(world), await patches()];

    for (let times = 0; times < 3; times++) await poke();

    t.deepEqual((await tenantOf(world)).status, standing.status);
    t.deepEqual(await patches(), written, "neither writes what the other has written");
    t.deepEqual((await tenantOf(world)).status, standing.status);
    await world.must(["delete", "clusterauth0tenant", TENANT, "--wait=false"]);
    await eventually(async () => {
      if (!/False\s+Deleting/.test(await world.must(["get", "clusterauth0tenant", TENANT, "--no-headers"]))) {
        throw new Error(world.log.slice(-2_000));
      }
    });
    t.true((await tenantOf(world)).metadata.finalizers?.includes("auth0-user-operator.dev/tenant"));
    await end(world);
    t.is((await world.tenant.users()).length, 0);
  },
);
