/**
 * The operator's rights are enough and not too many: with all of them nothing is refused; with any one of their verbs
 * taken away something is, and the operator names it.
 */
import type { ExecutionContext } from "ava";
import * as yaml from "js-yaml";
import { clusterTests, type TestCluster } from "../support/control-plane.ts";
import { deployed, must } from "../support/deployed.ts";
import { eventually } from "../support/eventually.ts";
import { CHART, helmOf } from "../support/helm.ts";
import { startTestSimulator } from "../support/start-simulator.ts";
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

/** One verb of one rule of one role. */
interface Right {
  readonly role: string;
  readonly rule: Rule;
  readonly verb: string;
}

type Scope = "cluster" | "namespaces";

/** How the operator says that it may not do something. */
const COMPLAINT = /\[forbidden\]|may not read Secrets/;
const LOOK = "auth0-user-operator.dev/reconcile-requested-at";
const STATE_SECRET = "auth0-user-operator-state";

const rightsOf = {
  cluster: operatorRights(await render("cluster", "any")),
  namespaces: operatorRights(await render("namespaces", "any")),
};
const clusterTest = await clusterTests({ controllerManager: true });
let releases = 0;
let crds: Promise<string> | undefined;

for (const scope of ["cluster", "namespaces"] as const) {
  clusterTest(`scope ${scope}: nothing is refused to the operator by its roles`, async (t, cluster) => {
    const world = await aRelease(t, cluster, scope, undefined);
    await world.start();

    await live(world);
    await world.stop();

    t.notRegex(world.log, COMPLAINT);
  });

  for (const right of rightsOf[scope]) {
    clusterTest(`scope ${scope}: ${textOf(right)} is needed, and missed by name`, async (t, cluster) => {
      const world = await aRelease(t, cluster, scope, right);
      const [resource = ""] = right.rule.resources[0]?.split("/") ?? [];
      const complained = eventually(() => {
        const lines = world.log
          .split("\n")
          .filter((line) => COMPLAINT.test(line) && line.toLowerCase().includes(resource));
        if (lines.length === 0) throw new Error(`no word of what is missing in:\n${world.log}`);
      });
      // Without this right it may get no further than the complaint.
      const living = world.start().then(() => live(world));

      await Promise.race([complained, living.catch(() => complained)]);
      await complained;

      await world.stop("SIGKILL");
      t.pass();
    });
  }
}

/** A user's life, in which every right is used: a password, an Event, the same Event again. */
async function live(world: World): Promise<void> {
  await world.secret("jane", { password: "Correct-Horse-1" });
  await world.apply("jane", {
    connection: "Username-Password-Authentication",
    email: "jane@example.com",
    nickname: "jane",
    password: { secretRef: { name: "jane" } },
  });
  await world.must(["wait", "--for=condition=Ready", "auth0user/jane", "--timeout=30s"]);
  const { status } = await world.get("jane");
  for (const nickname of ["joan", "jean"]) {
    await world.tenant.patchUser(status?.userId ?? "", { nickname });
    await world.must(["annotate", "--overwrite", "auth0user/jane", `${LOOK}=${nickname}`]);
    const handled = `--for=jsonpath={.status.lastHandledReconcileAt}=${nickname}`;
    await world.must(["wait", handled, "auth0user/jane", "--timeout=30s"]);
  }
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
  for (const one of [namespace, users]) await must(cluster, ["create", "namespace", one]);
  await must(cluster, [
    "create",
    "secret",
    "generic",
    "auth0-credentials",
    `--namespace=${namespace}`,
    `--from-literal=AUTH0_DOMAIN=${tenant.url}`,
    `--from-literal=AUTH0_CLIENT_ID=${tenant.clientId}`,
    `--from-literal=AUTH0_CLIENT_SECRET=${tenant.clientSecret}`,
  ]);
  // An empty one asks for keys to be put in; so does none at all, by another right.
  if (without?.rule.resourceNames?.includes(STATE_SECRET) === true && without.verb === "patch") {
    await must(cluster, ["create", "secret", "generic", STATE_SECRET, `--namespace=${namespace}`]);
  }
  crds ??= must(cluster, ["apply", "-f", "crds"]);
  await crds;
  const documents = (await render(scope, namespace)).map((document) => ({
    ...document,
    ...(document.rules && { rules: document.rules.flatMap((rule) => taken(document, rule, namespace, without)) }),
  }));
  await must(cluster, ["apply", "-f", "-"], documents.map((one) => JSON.stringify(one)).join("\n---\n"));
  return deployed(t, cluster, { namespace, name: `${namespace}-auth0-user-operator`, tenant, users });
}

function taken({ metadata }: Manifest, rule: Rule, namespace: string, without: Right | undefined): Rule[] {
  const isIt =
    without !== undefined &&
    metadata.name === without.role.replace(/^any/, namespace) &&
    JSON.stringify(rule) === JSON.stringify(without.rule);
  const verbs = isIt ? rule.verbs.filter((verb) => verb !== without.verb) : rule.verbs;
  return verbs.length === 0 ? [] : [{ ...rule, verbs }];
}

/** The chart for a release of this name, in a namespace of this name. */
async function render(scope: Scope, name: string): Promise<readonly Manifest[]> {
  const helm = await helmOf("helm4");
  const text = await helm([
    "template",
    name,
    CHART,
    `--namespace=${name}`,
    "--skip-tests",
    "--set=crds.enabled=false",
    // Releases of one cluster's scope must not see each other's users.
    `--set=extraArgs={--log-level=debug,--namespace=${name}-users}`,
    `--set=secrets.watch.namespaces={${name}-users}`,
    ...(scope === "namespaces" ? [`--set=namespaces={${name}-users}`] : []),
  ]);
  return (yaml.loadAll(text) as (Manifest | null)[]).filter((one) => one !== null);
}

function operatorRights(documents: readonly Manifest[]): readonly Right[] {
  return documents
    .filter(({ kind, metadata }) => /^(Cluster)?Role$/.test(kind) && !/-(view|edit|admin)$/.test(metadata.name))
    .flatMap(({ metadata: { name: role }, rules = [] }) =>
      rules.flatMap((rule) => rule.verbs.map((verb): Right => ({ role, rule, verb }))),
    );
}

function textOf({ role, rule, verb }: Right): string {
  return `${verb} ${rule.resources.join()} ${(rule.resourceNames ?? []).join()} of ${role.replace("any-", "")}`;
}
