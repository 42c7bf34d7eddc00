/**
 * docs/troubleshooting.md quotes what Helm, kubectl and the operator print when something is wrong. Each fault is made
 * here, and what is printed is compared with the quotation.
 */
import { readFileSync } from "node:fs";
import test, { type ExecutionContext } from "ava";
import { clusterTests, type TestCluster } from "../support/control-plane.ts";
import { deployed, must, placeForRelease } from "../support/deployed.ts";
import { eventually } from "../support/eventually.ts";
import { CHART, helmOf } from "../support/helm.ts";
import { startTestSimulator } from "../support/start-simulator.ts";
import { manifest, type World } from "../support/world.ts";

/** A place for a release, in a cluster where users can't be declared yet. */
interface Scene {
  readonly cluster: TestCluster;
  readonly namespace: string;
  /** Gives what Helm prints, whether it succeeds or not. */
  readonly install: (...flags: string[]) => Promise<string>;
  /** The operator as that release describes it; not started. */
  readonly operator: () => Promise<World>;
}

/** Makes a fault; gives all that is printed, once `said` finds in it what it looks for. */
type Fault = (scene: Scene, said: (text: string) => void) => Promise<string>;

const GRANTS = "--set=defaultTenant.grants=all";
const clusterTest = await clusterTests({ controllerManager: false });

const quotations = new Map(
  [...readFileSync("docs/troubleshooting.md", "utf8").matchAll(/^### (.+)\n\n```text\n([\s\S]*?)\n```/gm)].map(
    ([, title = "", text = ""]) => [title, text.split("\n")],
  ),
);

const FAULTS: Readonly<Record<string, Fault>> = {
  "Helm refuses a value": ({ install }) => install(GRANTS, "--set=replicaCount=2"),
  "Helm wants grants to be chosen": ({ install }) => install(),
  "Helm finds Kubernetes too old": async () => {
    const helm = await helmOf("helm4");
    return helm(["template", "x", CHART, GRANTS, "--kube-version=1.31.9"]).catch(String);
  },
  "Helm can't find a namespace": ({ install }) => install(GRANTS, "--set=namespaces={nowhere}"),
  "Helm finds that the CRDs belong to another release": async ({ cluster, install }) => {
    await must(cluster, ["create", "-f", "crds/auth0tenants.yaml"]);
    return install(GRANTS);
  },
  "kubectl or Helm does not know Auth0User": async ({ cluster }) => {
    const input = manifest("jane", { connection: "email", email: "jane@example.com" });
    return (await cluster.kubectl(["apply", "-f", "-"], { input })).stderr;
  },
  "The Pods do not start": async ({ cluster, namespace, install }) => {
    await must(cluster, ["delete", "secret", "auth0-credentials", `--namespace=${namespace}`]);
    return install(GRANTS);
  },
  "The Pods start and end at once: nobody said which tenant": (scene) => ending(scene, { AUTH0_DOMAIN: "" }),
  "The Pods start and end at once: the domain is none": (scene) =>
    ending(scene, { AUTH0_DOMAIN: "https://acme.eu.auth0.com/api/v2" }),
  "The Pods are not ready: the CRD is missing": async (scene, said) => {
    await scene.install(GRANTS, "--set=crds.enabled=false");
    return saying(await scene.operator(), said);
  },
  "The Pods are not ready: rights are missing": async (scene, said) => {
    await scene.install(GRANTS);
    await must(scene.cluster, ["delete", "clusterrole", `${scene.namespace}-auth0-user-operator`]);
    return saying(await scene.operator(), said);
  },
  "The Pods are ready, and none of them acts": async (scene, said) => {
    await scene.install(GRANTS);
    const role = `${scene.namespace}-auth0-user-operator-own`;
    await must(scene.cluster, ["delete", "role", role, `--namespace=${scene.namespace}`]);
    return saying(await scene.operator(), said);
  },
  "Every user waits: the domain leads nowhere": async (scene) => {
    await scene.install(GRANTS);
    return statusOf(await scene.operator(), { AUTH0_DOMAIN: "nowhere.invalid" });
  },
  "Every user is stalled: the client is refused": async (scene) => {
    await scene.install(GRANTS);
    return statusOf(await scene.operator(), { AUTH0_CLIENT_SECRET: "wrong" });
  },
};

test("every fault that is quoted is made here, and no other", (t) => {
  t.deepEqual([...quotations.keys()], Object.keys(FAULTS));
});

for (const [index, [title, fault]] of Object.entries(FAULTS).entries()) {
  clusterTest.serial(`${title}: it is said in these words`, async (t, cluster) => {
    const quoted = (quotations.get(title) ?? []).map(pattern);
    const scene = await aScene(t, cluster, `fault-${String(index)}`);

    const printed = await fault(scene, (text) => {
      for (const line of quoted) if (!line.test(text)) throw new Error(`${String(line)} is not said in:\n${text}`);
    });

    t.true(quoted.length > 0);
    for (const line of quoted) t.regex(printed, line);
  });
}

/** A line of the document, in which `…` stands for anything in one line. */
function pattern(quotation: string): RegExp {
  const literal = quotation.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(literal.replaceAll(/\s*…\s*/g, ".*"));
}

async function aScene(t: ExecutionContext, cluster: TestCluster, namespace: string): Promise<Scene> {
  t.timeout(120_000);
  const helm = await helmOf("helm4");
  const tenant = await startTestSimulator(t);
  await placeForRelease(cluster, namespace, tenant);
  const { kubeconfigFile } = cluster.controlPlane;
  const inNamespace = `--namespace=${namespace}`;
  t.teardown(async () => {
    await helm(["uninstall", namespace, inNamespace, "--ignore-not-found"], kubeconfigFile);
    await must(cluster, ["delete", "--ignore-not-found", "-f", "crds"]);
  });
  return {
    cluster,
    namespace,
    install: (...flags) => helm(["install", namespace, CHART, inNamespace, ...flags], kubeconfigFile).catch(String),
    operator: () => {
      const name = `${namespace}-auth0-user-operator`;
      return deployed(t, cluster, { namespace, name, tenant, users: `${namespace}-users` });
    },
  };
}

/** What an operator says that ends by itself. */
async function ending(scene: Scene, env: Readonly<Record<string, string>>): Promise<string> {
  await scene.install(GRANTS);
  const operator = await scene.operator();
  await operator.launch(env).catch(() => {});
  await operator.ended();
  return operator.log;
}

/** What an operator says that goes on. */
async function saying(operator: World, said: (text: string) => void): Promise<string> {
  await operator.launch();
  return eventually(() => {
    said(operator.log);
    return operator.log;
  });
}

/** What a user's status says, reason and message. */
async function statusOf(operator: World, env: Readonly<Record<string, string>>): Promise<string> {
  await operator.start(env);
  await operator.apply("jane", { connection: "email", email: "jane@example.com" });
  return eventually(async () => {
    const { status } = await operator.get("jane");
    const ready = status?.conditions?.find(({ type }) => type === "Ready");
    if (ready === undefined) throw new Error(operator.log);
    return `${ready.reason} ${ready.message}`;
  });
}
