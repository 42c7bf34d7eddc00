/**
 * The operator's rights are enough and not too many: with all of them nothing is refused; with any one of their verbs
 * taken away something is, and the operator names it.
 */
import type { ExecutionContext } from "ava";
import * as yaml from "js-yaml";
import { loadClusterAccess } from "../../src/kubernetes/credentials.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { anApi } from "../support/api-client.ts";
import { clusterTests, type TestCluster } from "../support/control-plane.ts";
import { deployed, must, placeForRelease } from "../support/deployed.ts";
import { eventually } from "../support/eventually.ts";
import { CHART, helmOf } from "../support/helm.ts";
import { listOf } from "../support/objects.ts";
import { startTestSimulator } from "../support/start-simulator.ts";
import { aTempFolder } from "../support/temp-folder.ts";
import { aPlaceForAWorld, type World } from "../support/world.ts";

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules?: readonly Rule[];
}

/** One verb on one resource, of one rule of one role. */
interface Right {
  readonly role: string;
  readonly rule: Rule;
  readonly resource: string;
  readonly verb: string;
}

type Scope = "cluster" | "namespaces";

const DATABASE = "Username-Password-Authentication";
const NO_FINALIZERS = '{"metadata":{"finalizers":null}}';
const LOOK = "auth0-user-operator.dev/reconcile-requested-at";
const EDITS = 200;
const STATE_SECRET = "auth0-user-operator-state";

const rightsOf = {
  cluster: operatorRights(await render("cluster", "any")),
  namespaces: operatorRights(await render("namespaces", "any")),
};
const clusterTest = await clusterTests({ controllerManager: true });
const never = new AbortController().signal;
let releases = 0;
let crds: Promise<string> | undefined;

for (const scope of ["cluster", "namespaces"] as const) {
  // Operators of the cluster's scope all see the one tenant of that scope: one after the other.
  const declare: typeof clusterTest.serial = (title, body) => {
    if (scope === "cluster") clusterTest.serial(title, body);
    else clusterTest(title, body);
  };
  declare(`scope ${scope}: nothing is refused to the operator by its roles`, async (t, cluster) => {
    const world = await aRelease(t, cluster, scope, undefined);
    await world.start();

    await live(t, cluster, world, scope);
    await world.stop();

    // Tenants of the cluster's scope are not served in namespaces, and that is said.
    const isMeant = (line: string): boolean => scope === "namespaces" && line.includes('"clusterauth0tenants"');
    t.deepEqual(
      world.log.split("\n").filter((line) => /\[forbidden\]|may not/.test(line) && !isMeant(line)),
      [],
    );
  });

  for (const right of rightsOf[scope]) {
    declare(`scope ${scope}: ${textOf(right)} is needed, and missed by name`, async (t, cluster) => {
      const world = await aRelease(t, cluster, scope, right);
      const complaint = complaintOf(right);
      const complained = eventually(() => {
        if (!complaint.test(world.log)) throw new Error(`no word of what is missing in:\n${world.log}`);
      });
      // Without this right it may get no further than the complaint.
      const living = world.start().then(() => live(t, cluster, world, scope));

      await Promise.race([complained, living.catch(() => complained)]);
      await complained;

      // What the life still waits for may never come.
      await world.leave();
      await living.catch(() => {});
      t.pass();
    });
  }
}

/**
 * Lives of users in which every right is used: passwords, Events, the same Event again, edits that come between, tenants
 * that objects declare.
 */
async function live(t: ExecutionContext, cluster: TestCluster, world: World, scope: Scope): Promise<void> {
  await world.secret("jane", { password: "Correct-Horse-1" });
  await world.apply("jane", {
    connection: DATABASE,
    email: "jane@example.com",
    nickname: "jane",
    password: { secretRef: { name: "jane" } },
  });
  await world.apply("joe", {
    connection: DATABASE,
    email: "joe@example.com",
    password: { generate: { secretName: "joe" } },
  });
  await world.must(["wait", "--for=condition=Ready", "auth0user/jane", "auth0user/joe", "--timeout=30s"]);
  const { status } = await world.get("jane");
  for (const nickname of ["joan", "jean"]) {
    await world.tenant.patchUser(status?.userId ?? "", { nickname });
    await world.must(["annotate", "--overwrite", "auth0user/jane", `${LOOK}=${nickname}`]);
    const handled = `--for=jsonpath={.status.lastHandledReconcileAt}=${nickname}`;
    await world.must(["wait", handled, "auth0user/jane", "--timeout=30s"]);
  }
  await jostle(t, cluster, world);
  for (const kind of scope === "cluster" ? ["Auth0Tenant", "ClusterAuth0Tenant"] : ["Auth0Tenant"]) {
    await world.must(["apply", "-f", "-"], tenantManifests(world, kind));
    const user = kind.toLowerCase();
    await world.apply(user, {
      connection: "email",
      email: `${user}@example.com`,
      tenantRef: { kind, name: world.namespace },
    });
    await world.must(["wait", "--for=condition=Ready", `auth0user/${user}`, "--timeout=30s"]);
  }
  await end(world);
}

/** So many edits, one right after the other, that some come between the operator's reading and its writing. */
async function jostle(t: ExecutionContext, { controlPlane }: TestCluster, world: World): Promise<void> {
  const access = await loadClusterAccess({ kubeconfig: controlPlane.kubeconfigFile, env: {} });
  const admin = anApi(t, access.server, systemClock, { access });
  const path = `/apis/auth0-user-operator.dev/v1alpha1/namespaces/${world.namespace}/auth0users/joe`;
  for (let edits = 0; edits < EDITS; edits++) {
    await admin.mergePatch(path, { spec: { suspend: true, nickname: `joe-${String(edits)}` } }, never);
  }
  await world.edit("joe", { suspend: false });
  await world.until("joe", "Updated");
}

/** One deletion is allowed; the next one waits for a person, and it is asked whether the namespace goes as well. */
async function end(world: World): Promise<void> {
  await world.must(["delete", "auth0user", "jane", "--timeout=30s"]);
  await world.apply("june", { connection: "email", email: "june@example.com" });
  await world.must(["wait", "--for=condition=Ready", "auth0user/june", "--timeout=30s"]);
  await world.must(["delete", "auth0user", "june", "--wait=false"]);
  await world.until("june", "DeletionPaused");
}

function tenantManifests({ namespace, tenant }: World, kind: string): string {
  const labels = { "auth0-user-operator.dev/use": "credentials" };
  const { clientId, clientSecret, domain } = tenant;
  const from = { from: "Selector", selector: { matchLabels: { "kubernetes.io/metadata.name": namespace } } };
  const credentials = { secretRef: { name: "client", ...(kind === "ClusterAuth0Tenant" && { namespace }) } };
  return listOf([
    { apiVersion: "v1", kind: "Secret", metadata: { name: "client", labels }, stringData: { clientId, clientSecret } },
    {
      apiVersion: "auth0-user-operator.dev/v1alpha1",
      kind,
      metadata: { name: namespace },
      spec: { domain, credentials, ...(kind === "ClusterAuth0Tenant" && { grants: [{ namespaces: from }] }) },
    },
  ]);
}

/** A release of its own with one verb taken from its roles. */
async function aRelease(
  t: ExecutionContext,
  cluster: TestCluster,
  scope: Scope,
  without: Right | undefined,
): Promise<World> {
  await aPlaceForAWorld(t);
  const namespace = `rights-${String(++releases)}`;
  const users = `${namespace}-users`;
  const tenant = await startTestSimulator(t);
  await placeForRelease(cluster, namespace, tenant);
  // An empty one asks for keys to be put in; so does none at all, by another right.
  if (without?.rule.resourceNames?.includes(STATE_SECRET) === true && without.verb === "patch") {
    await must(cluster, ["create", "secret", "generic", STATE_SECRET, `--namespace=${namespace}`]);
  }
  const from = { from: "Selector", selector: { matchLabels: { "kubernetes.io/metadata.name": users } } };
  const grantsFile = aTempFolder(t).write("grants.json", JSON.stringify({ grants: [{ namespaces: from }] }));
  crds ??= must(cluster, ["apply", "-f", "crds"]);
  await crds;
  t.teardown(async () => {
    await cluster.kubectl(["patch", "clusterauth0tenant", users, "--type=merge", "--patch", NO_FINALIZERS]);
    await cluster.kubectl(["delete", "clusterauth0tenant", users, "--ignore-not-found", "--wait=false"]);
  });
  const documents = (await render(scope, namespace, grantsFile)).map((document) => ({
    ...document,
    ...(document.rules && { rules: document.rules.flatMap((rule) => taken(document, rule, namespace, without)) }),
  }));
  await must(cluster, ["apply", "-f", "-"], listOf(documents));
  return deployed(t, cluster, { namespace, name: `${namespace}-auth0-user-operator`, tenant, users });
}

function taken({ metadata }: Manifest, rule: Rule, namespace: string, without: Right | undefined): Rule[] {
  const isIt =
    without !== undefined &&
    metadata.name === without.role.replaceAll(/\bany\b/g, namespace) &&
    JSON.stringify(rule) === JSON.stringify(without.rule);
  if (!isIt) return [rule];
  const others = rule.resources.filter((resource) => resource !== without.resource);
  const verbs = rule.verbs.filter((verb) => verb !== without.verb);
  return [
    { ...rule, resources: others },
    { ...rule, resources: [without.resource], verbs },
  ].filter(({ resources, verbs: left }) => resources.length > 0 && left.length > 0);
}

/** The chart for a release of this name, in a namespace of this name. */
async function render(scope: Scope, name: string, grantsFile = ""): Promise<readonly Manifest[]> {
  const helm = await helmOf("helm4");
  const text = await helm([
    "template",
    name,
    CHART,
    `--namespace=${name}`,
    "--skip-tests",
    "--set=crds.enabled=false,defaultTenant.grants=all",
    `--set=extraArgs={--log-level=debug,--max-deletes-per-hour=1,--release-after=0s,--allowed-tenant-domains=http://127.0.0.1:*,--default-tenant-grants=${grantsFile}}`,
    `--set=secrets.watch.namespaces={${name}-users}`,
    ...(scope === "namespaces" ? [`--set=namespaces={${name}-users}`] : []),
  ]);
  return (yaml.loadAll(text) as (Manifest | null)[]).filter((one) => one !== null);
}

function operatorRights(documents: readonly Manifest[]): readonly Right[] {
  return documents
    .filter(({ kind, metadata }) => /^(Cluster)?Role$/.test(kind) && !/-(view|edit|admin)$/.test(metadata.name))
    .flatMap(({ metadata: { name: role }, rules = [] }) =>
      rules.flatMap((rule) =>
        rule.resources.flatMap((resource) => rule.verbs.map((verb): Right => ({ role, rule, resource, verb }))),
      ),
    );
}

/** How the operator says that it lacks this. */
function complaintOf({ resource, verb }: Right): RegExp {
  const [plural = ""] = resource.split("/");
  if (resource === "namespaces") return /"reason":"NotGranted"/;
  if (resource === "secrets") return /may not (read|create) Secrets|\[forbidden\] [a-z]+ [^"]*\/secrets/;
  if (resource.endsWith("tenants") && verb === "list")
    return new RegExp(`"resource":"${resource}","why":"the operator may not list it"`);
  return new RegExp(`\\[forbidden\\] [a-z]+ [^"]*/${plural}`);
}

function textOf({ role, rule, resource, verb }: Right): string {
  return `${verb} ${resource} ${(rule.resourceNames ?? []).join()} of ${role.replaceAll("any-", "")}`;
}
