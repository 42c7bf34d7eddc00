/** The policies in examples/policies, asked of a real API server. */
import { clusterTests, type TestCluster } from "../support/control-plane.ts";
import { must } from "../support/deployed.ts";
import { eventually } from "../support/eventually.ts";
import { manifest } from "../support/world.ts";

const clusterTest = await clusterTests({ controllerManager: false });

const DATABASE = "Username-Password-Authentication";
const LIMITS = {
  connections: `${DATABASE},email`,
  emailDomains: "example.com,Example.org",
  appMetadataKeys: "plan,costCenter",
};

clusterTest("what users of a namespace may be is limited by its ConfigMap", async (t, cluster) => {
  await install(cluster, "limits");
  await aNamespace(cluster, "limited", LIMITS);
  await aNamespace(cluster, "open", {});
  await must(cluster, ["create", "namespace", "forgotten"]);
  const valid = { connection: DATABASE, email: "jane@example.com", appMetadata: { plan: "gold" } };
  await eventually(async () => {
    const { stderr } = await apply(cluster, "forgotten", valid);
    if (!stderr.includes("no params found")) throw new Error(`the policy is not in force: ${stderr}`);
  });

  for (const [what, namespace, spec, said] of [
    ["what is within the limits", "limited", valid, undefined],
    ["an address of another case", "limited", { ...valid, email: "Jane@EXAMPLE.org" }, undefined],
    ["a user without an address", "limited", { connection: DATABASE, username: "jane" }, undefined],
    [
      "another connection",
      "limited",
      { ...valid, connection: "github" },
      /spec\.connection: users of namespace limited may/,
    ],
    ["a domain that ends alike", "limited", { ...valid, email: "jane@evil-example.com" }, /spec\.email: addresses in/],
    [
      "a key of metadata",
      "limited",
      { ...valid, appMetadata: { plan: "gold", admin: true } },
      /spec\.appMetadata: users of/,
    ],
    [
      "the removal of a key",
      "limited",
      { ...valid, removeAttributes: ["appMetadata.admin"] },
      /spec\.appMetadata: users of/,
    ],
    ["anything, where nothing is limited", "open", { ...valid, connection: "github", email: "a@b.example" }, undefined],
    ["anything, where nobody said what is allowed", "forgotten", valid, /no params found for policy binding/],
  ] as const) {
    const { exitCode, stderr } = await apply(cluster, namespace, spec);

    if (said === undefined) t.is(exitCode, 0, `${what}: ${stderr}`);
    else t.regex(stderr, said, what);
  }
});

clusterTest("a user is not deleted without a word beforehand", async (t, cluster) => {
  await install(cluster, "deletions");
  await aNamespace(cluster, "kept", {});
  const spec = { connection: DATABASE, email: "jane@example.com" };
  const remove = (name: string) =>
    cluster.kubectl(["delete", "auth0user", name, "--namespace=kept", "--ignore-not-found"]);
  const create = (name: string, more: object = {}) =>
    must(cluster, ["apply", "--namespace=kept", "-f", "-"], manifest(name, { ...spec, ...more }));
  await create("jane");
  await eventually(async () => {
    const { stderr } = await remove("jane");
    if (stderr === "") await create("jane");
    if (!/deleting this would delete a user at Auth0.*label namespace kept/.test(stderr))
      throw new Error(`deleted: ${stderr}`);
  });

  await create("joe", { deletionPolicy: "Retain" });
  t.is((await remove("joe")).exitCode, 0);
  await create("jim", { deletionPolicy: "Disable" });
  const blocked = await remove("jim");
  t.is(blocked.exitCode, 0, `its user would stay, blocked: ${blocked.stderr}`);
  await must(cluster, ["label", "namespace", "kept", "auth0-user-operator.dev/deletions=allowed"]);
  await eventually(async () => {
    const { exitCode, stderr } = await remove("jane");
    if (exitCode !== 0) throw new Error(stderr);
  });
});

async function install(cluster: TestCluster, policy: string): Promise<void> {
  await must(cluster, ["apply", "--server-side", "-f", "crds"]);
  await must(cluster, ["wait", "--for=condition=Established", "crd/auth0users.auth0-user-operator.dev"]);
  await must(cluster, ["apply", "-f", `examples/policies/${policy}.yaml`]);
}

async function aNamespace(cluster: TestCluster, name: string, limits: Readonly<Record<string, string>>): Promise<void> {
  await must(cluster, ["create", "namespace", name]);
  const literals = Object.entries(limits).map(([key, value]) => `--from-literal=${key}=${value}`);
  await must(cluster, ["create", "configmap", "auth0-users-policy", `--namespace=${name}`, ...literals]);
}

function apply(cluster: TestCluster, namespace: string, spec: object): ReturnType<TestCluster["kubectl"]> {
  const args = ["create", `--namespace=${namespace}`, "--dry-run=server", "-f", "-"];
  return cluster.kubectl(args, { input: manifest("jane", spec) });
}
