/** The life of a release, by Helm 3 and by Helm 4, on a real API server: nothing that Helm does touches a user. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { ExecutionContext } from "ava";
import { clusterTests, type TestCluster } from "../support/control-plane.ts";
import { deployed, must, placeForRelease, podOf } from "../support/deployed.ts";
import { CHART, HELMS, helmOf, type Helm, type HelmName } from "../support/helm.ts";
import { startTestSimulator, type TestSimulator } from "../support/start-simulator.ts";
import { aTempFolder } from "../support/temp-folder.ts";
import type { World } from "../support/world.ts";

const clusterTest = await clusterTests({ controllerManager: true });

const GRANTS = "--set=defaultTenant.grants=all";
const USERS = ["ann", "ben"];
/** What the operator is started with by a later chart whose default is another. */
const NEXT_DEFAULT = "--sync-interval=2h";

/** Both use the one cluster, so the second takes over the CRDs that the first has left. */
for (const name of HELMS) {
  clusterTest.serial(
    `${name} installs, upgrades, rolls back, uninstalls and installs again; no user is touched`,
    async (t, cluster) => {
      const { helm, tenant, namespace } = await aPlace(t, cluster, name);
      const release = (verb: string, chart: string, ...more: string[]): Promise<string> =>
        helm([verb, "first", chart, `--namespace=${namespace}`, "--take-ownership", GRANTS, ...more]);
      const operator = (named: string): Promise<World> =>
        deployed(t, cluster, {
          namespace,
          name: `${named}-auth0-user-operator`,
          tenant,
          users: `${namespace}-users`,
        });

      const argsOf = async (named: string): Promise<readonly string[]> =>
        (await podOf(cluster, namespace, `${named}-auth0-user-operator`)).args;

      const notes = await release("install", CHART);
      t.regex(notes, /serves all namespaces/);
      t.notRegex(notes, /not there yet/);
      const first = await operator("first");
      await first.start();
      for (const user of USERS) {
        await first.secret(user, { password: "Correct-Horse-1" });
        await first.apply(user, aUser(user));
        await first.until(user, "Created");
      }
      await first.stop();
      await first.sent();

      await release("upgrade", aNextChart(t), "--set=replicas=2");
      t.true((await columns(cluster)).includes("Next"), "an upgrade upgrades the CRDs");
      t.true((await argsOf("first")).includes(NEXT_DEFAULT), "and brings its defaults");
      await passOver(t, await operator("first"));

      await helm(["rollback", "first", "1", `--namespace=${namespace}`]);
      t.false((await columns(cluster)).includes("Next"), "a rollback takes the CRDs back");
      t.false((await argsOf("first")).includes(NEXT_DEFAULT), "and the defaults");
      await passOver(t, await operator("first"));

      await helm(["uninstall", "first", `--namespace=${namespace}`]);
      const left = await must(cluster, [
        "get",
        "all,serviceaccounts,roles,secrets",
        `--namespace=${namespace}`,
        "-o=name",
      ]);
      t.deepEqual(left.trim().split("\n").toSorted(), [
        "secret/auth0-credentials",
        "secret/auth0-user-operator-state",
        "serviceaccount/default",
      ]);
      t.is((await tenant.users()).length, 2);

      await helm(["install", "second", CHART, `--namespace=${namespace}`, "--take-ownership", GRANTS]);
      const second = await operator("second");
      await passOver(t, second);

      await second.start();
      await second.must(["delete", "auth0users", "--all"]);
      t.deepEqual(await tenant.users(), []);
      await helm(["uninstall", "second", `--namespace=${namespace}`]);
    },
  );
}

/** A namespace for a release with its credentials, and one for users. */
async function aPlace(
  t: ExecutionContext,
  cluster: TestCluster,
  name: HelmName,
): Promise<{ helm: Helm; tenant: TestSimulator; namespace: string }> {
  t.timeout(600_000);
  const run = await helmOf(name);
  const tenant = await startTestSimulator(t);
  const namespace = `release-${name}`;
  await placeForRelease(cluster, namespace, tenant);
  const { kubeconfigFile } = cluster.controlPlane;
  return { helm: (args) => run(args, kubeconfigFile), tenant, namespace };
}

function aUser(name: string): object {
  return {
    connection: "Username-Password-Authentication",
    email: `${name}@example.com`,
    password: { secretRef: { name } },
  };
}

/** The chart of a version to come: another default, another column in the CRD. */
function aNextChart(t: ExecutionContext): string {
  const folder = path.join(aTempFolder(t).path, "chart");
  cpSync(CHART, folder, { recursive: true });
  edit(path.join(folder, "Chart.yaml"), "version: 0.1.0", "version: 0.2.0");
  edit(path.join(folder, "values.yaml"), 'syncInterval: ""', "syncInterval: 2h");
  edit(path.join(folder, "files/crds/auth0users.yaml"), "- name: Ready\n", "- name: Next\n");
  return folder;
}

function edit(file: string, from: string, to: string): void {
  const text = readFileSync(file, "utf8");
  if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
  writeFileSync(file, text.replace(from, to));
}

async function columns(cluster: TestCluster): Promise<readonly string[]> {
  const crd = JSON.parse(await must(cluster, ["get", "crd", "auth0users.auth0-user-operator.dev", "-o=json"])) as {
    spec: { versions: { additionalPrinterColumns: { name: string }[] }[] };
  };
  return crd.spec.versions.flatMap(({ additionalPrinterColumns }) => additionalPrinterColumns.map(({ name }) => name));
}

/** Starts the operator, lets it look at all users, and sees that it only looked. */
async function passOver(t: ExecutionContext, operator: World): Promise<void> {
  await operator.start();
  for (const user of USERS) {
    const { status } = await operator.sync(user);
    t.true(status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True"));
  }
  await operator.stop();
  const calls = await operator.sent();
  t.deepEqual(
    calls.filter((call) => call !== "GET"),
    [],
  );
}
