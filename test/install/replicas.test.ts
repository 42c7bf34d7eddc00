/**
 * Two replicas as the Deployment describes them: one acts, the other stands by and takes over, and no probe asks for a
 * restart that would mend nothing.
 */
import process from "node:process";
import type { ExecutionContext } from "ava";
import * as yaml from "js-yaml";
import { runCommand, type CommandResult } from "../../src/control-plane/run-command.ts";
import { clusterTests, type TestCluster } from "../support/control-plane.ts";
import { deployed, must, placeForRelease } from "../support/deployed.ts";
import { eventually } from "../support/eventually.ts";
import { CHART, helmOf } from "../support/helm.ts";
import { listOf } from "../support/objects.ts";
import { startTestSimulator } from "../support/start-simulator.ts";
import { anAuth0User, type World } from "../support/world.ts";

interface LeaseSpec {
  readonly holderIdentity: string;
  readonly leaseDurationSeconds: number;
  readonly acquireTime: string;
  readonly renewTime: string;
}

interface TestPod {
  readonly spec: { readonly containers: readonly { readonly command: string[]; readonly args: string[] }[] };
}

const GRANTS = "--set=defaultTenant.grants=all";
const never = new AbortController().signal;
const clusterTest = await clusterTests({ controllerManager: true });

const NAMES = Array.from({ length: 30 }, (_, index) => `user-${String(index)}`);

clusterTest.serial(
  "a leader that is killed at work is followed after its lease; nobody is made twice",
  async (t, cluster) => {
    const [leader, standby] = await twoReplicas(t, cluster, "killed");
    const { tenant } = leader;
    t.deepEqual(await Promise.all([leader, standby].map(leads)), [true, false]);
    t.is((await standby.probe("readyz"))[0], 200, "a standby is ready");
    await leader.apply("first", aUser("first"));
    await leader.until("first", "Created");
    // About every second answer never comes: half of the users are made and nobody knows of it.
    await tenant.faults({ seed: 7, rules: [{ kind: "latency", ms: 600_000, route: "POST /api/v2/users", rate: 0.5 }] });
    await apply(leader, NAMES.slice(0, 20));
    await eventually(async () => {
      if ((await tenant.users()).length < 21) throw new Error(leader.log.slice(-2_000));
    });

    await leader.stop("SIGKILL");
    const left = await leaseOf(cluster, "killed");
    await tenant.faults({});
    await leader.sent();
    await apply(leader, NAMES.slice(20));
    await leadership(standby, 2 * left.leaseDurationSeconds);
    const taken = await leaseOf(cluster, "killed");
    await standby.must(["wait", "--for=condition=Ready", "auth0users", "--all", "--timeout=120s"]);

    t.not(taken.holderIdentity, left.holderIdentity);
    t.true(
      secondsBetween(left.renewTime, taken.acquireTime) >= left.leaseDurationSeconds,
      "not before the lease was over",
    );
    const writes = (await standby.sent()).filter((call) => call !== "GET").map(methodOf);
    t.deepEqual(
      writes,
      Array.from({ length: 10 }, () => "POST"),
      "those of the new users: the others are found",
    );
    const users = await tenant.users();
    t.deepEqual(users.map(({ email }) => String(email)).toSorted(), ["first", ...NAMES].map(emailOf).toSorted());
  },
);

clusterTest.serial("helm test passes where a replica leads, and fails where none does", async (t, cluster) => {
  const [leader, standby] = await twoReplicas(t, cluster, "tested");
  const helm = await helmOf("helm4");
  const [pod] = yaml.loadAll(
    await helm(["template", "tested", CHART, GRANTS, "--show-only=templates/tests/metrics.yaml"]),
  ) as TestPod[];
  const { command, args } = pod?.spec.containers[0] ?? { command: [], args: [] };
  // Its address names a Service, which leads to Pods: here to a process.
  const run = (replica: World, seconds: string): Promise<CommandResult> => {
    const url = `http://${replica.metricsAddress}/metrics`;
    return runCommand(process.execPath, [...args.slice(0, -2), url, seconds], { env: {} }, never);
  };

  t.deepEqual(command, ["/nodejs/bin/node"]);
  t.like(await run(leader, "60"), { exitCode: 0, stdout: "a replica leads\n" });
  const refused = await run(standby, "0");
  t.not(refused.exitCode, 0);
  t.regex(refused.stderr, /no leader at http.*: # HELP/);
});

clusterTest.serial(
  "a leader that is told to stop hands over before its lease ends; nothing is done again",
  async (t, cluster) => {
    const [leader, standby] = await twoReplicas(t, cluster, "stopped");
    const [name = ""] = NAMES;
    await leader.apply(name, aUser(name));
    await leader.until(name, "Created");
    await leader.sent();

    t.is(await leader.stop("SIGTERM"), 0);
    const left = await leaseOf(cluster, "stopped");
    await leadership(standby);
    const taken = await leaseOf(cluster, "stopped");
    await standby.apply("probe", aUser("probe"));
    await standby.until("probe", "Created");

    t.true(secondsBetween(left.renewTime, taken.acquireTime) < taken.leaseDurationSeconds);
    t.deepEqual((await standby.sent()).map(methodOf), ["POST"], "the probe's");
  },
);

clusterTest.serial("neither Auth0 nor the API server can make a probe ask for a restart", async (t, cluster) => {
  const [leader, standby] = await twoReplicas(t, cluster, "probed");
  const { apiServer } = cluster.controlPlane;

  await leader.tenant.faults({ rules: [{ kind: "status", status: 503, route: "* /*" }] });
  await leader.apply("jane", aUser("jane"));
  await leader.until("jane", "Auth0Unavailable");
  t.deepEqual(await probes(leader), [200, 200], "without Auth0");
  await leader.tenant.faults({});

  await apiServer.kill();
  t.not(await leader.ended(), 0, "who can't renew the lease must not go on");
  t.regex(leader.log, /lost the lease/);
  t.deepEqual(await probes(standby), [200, 200], "a standby without the API server");
  await leader.launch();
  t.deepEqual(await probes(leader), [200, 503], "alive, and not ready before it has read anything");

  await apiServer.start(never);
  await leader.apply("joe", aUser("joe"));
  await leader.must(["wait", "--for=condition=Ready", "auth0user/joe", "--timeout=120s"]);
});

/** A release with two replicas; the first of them leads. */
async function twoReplicas(
  t: ExecutionContext,
  cluster: TestCluster,
  namespace: string,
): Promise<readonly [leader: World, standby: World]> {
  t.timeout(600_000);
  const helm = await helmOf("helm4");
  const tenant = await startTestSimulator(t);
  await placeForRelease(cluster, namespace, tenant);
  const { kubeconfigFile } = cluster.controlPlane;
  await helm(
    ["install", namespace, CHART, `--namespace=${namespace}`, "--take-ownership", GRANTS, "--set=replicas=2"],
    kubeconfigFile,
  );
  const name = `${namespace}-auth0-user-operator`;
  const leader = await deployed(t, cluster, { namespace, name, tenant, users: `${namespace}-users` });
  const standby = leader.replica();
  await leader.start();
  await leadership(leader);
  await standby.start();
  return [leader, standby];
}

async function leads(replica: World): Promise<boolean> {
  return /^leader_election_master_status\{.*\} 1$/m.test(await replica.metrics());
}

async function leadership(replica: World, withinSeconds = 30): Promise<void> {
  const toLead = async (): Promise<void> => {
    if (!(await leads(replica))) throw new Error(`it does not lead:\n${replica.log.slice(-2_000)}`);
  };
  await eventually(toLead, { timeoutMs: withinSeconds * 1_000 });
}

async function leaseOf(cluster: TestCluster, namespace: string): Promise<LeaseSpec> {
  const args = ["get", "lease", "auth0-user-operator", `--namespace=${namespace}`, "-o=json"];
  return (JSON.parse(await must(cluster, args)) as { spec: LeaseSpec }).spec;
}

function secondsBetween(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / 1_000;
}

async function apply(world: World, names: readonly string[]): Promise<void> {
  await world.must(["apply", "-f", "-"], listOf(names.map((name) => anAuth0User(name, aUser(name)))));
}

function aUser(name: string): object {
  return { connection: "email", email: emailOf(name) };
}

function emailOf(name: string): string {
  return `${name}@example.com`;
}

function methodOf(call: unknown): unknown {
  return Array.isArray(call) ? call[0] : call;
}

async function probes(replica: World): Promise<readonly number[]> {
  return [(await replica.probe("healthz"))[0], (await replica.probe("readyz"))[0]];
}
