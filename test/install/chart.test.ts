/** What the chart renders, for whom it renders at all, and what a real API server says of it. */
import { readFileSync } from "node:fs";
import test from "ava";
import * as yaml from "js-yaml";
import { readGrants } from "../../src/main/read-grants.ts";
import { isJsonObject } from "../../src/runtime/json.ts";
import { clusterTests, type TestCluster } from "../support/control-plane.ts";
import { must } from "../support/deployed.ts";
import { CHART, HELMS, helmOf } from "../support/helm.ts";
import { listOf } from "../support/objects.ts";
import { aTempFolder } from "../support/temp-folder.ts";

interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels: Record<string, string> };
  readonly rules?: readonly Rule[];
  readonly spec?: Record<string, unknown>;
  readonly data?: Readonly<Record<string, string>>;
}

interface Rule {
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const clusterTest = await clusterTests({ controllerManager: false });

/** What everybody has to choose. */
const CHOSEN = ["--set=defaultTenant.grants=all"];
/** Nothing is kept, and what a schema does not name is refused. */
const STRICTLY = ["--dry-run=server", "--server-side", "--validate=strict"];

/** Every switch thrown, every list filled. */
const EVERYTHING = `
commonLabels: { team: identity }
defaultTenant: { domain: acme.eu.auth0.com, grants: [{ namespaces: { from: Names, names: [team-a] }, roles: ["*"] }] }
allowedTenantDomains: ["*.example.com"]
namespaces: [team-a, team-b]
secrets: { watch: { namespaces: [team-a] } }
syncInterval: 2h
concurrency: 20
replicas: 2
image: { digest: "sha256:${"0".repeat(64)}", pullSecrets: [{ name: registry }] }
serviceAccount: { name: robot, annotations: { note: mine } }
rbac: { people: { aggregateToView: true } }
podAnnotations: { note: mine }
podLabels: { team: identity }
nodeSelector: { kubernetes.io/os: linux }
tolerations: [{ key: dedicated, operator: Exists }]
affinity: { nodeAffinity: {} }
topologySpreadConstraints: [{ maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway }]
priorityClassName: system-cluster-critical
extraArgs: [--log-level=debug]
extraEnv: [{ name: HTTPS_PROXY, value: http://proxy:3128 }]
extraVolumes: [{ name: ca, configMap: { name: ca } }]
extraVolumeMounts: [{ name: ca, mountPath: /ca }]
networkPolicy: { enabled: true }
metrics: { serviceMonitor: { enabled: true }, prometheusRule: { enabled: true }, dashboard: { enabled: true } }
`;

for (const name of HELMS) {
  test(`${name} finds nothing to object to`, async (t) => {
    const helm = await helmOf(name);

    t.regex(await helm(["lint", "--strict", CHART]), /0 chart\(s\) failed/);
  });

  for (const [what, flag, said] of [
    ["a value that there is none of", "--set=replicaCount=2", /'replicaCount' not allowed/],
    ["a value that there is none of, deeper", "--set=metrics.enabled=true", /at '\/metrics'.*'enabled' not allowed/],
    ["a value of another type", "--set=replicas=two", /at '\/replicas'/],
    ["a URL for a domain with a path", "--set=defaultTenant.domain=acme.auth0.com/x", /at '\/defaultTenant\/domain'/],
    ["a namespace that can't be one", "--set=namespaces={Team_A}", /at '\/namespaces\/0'/],
    ["a ServiceAccount of nobody's", "--set=serviceAccount.create=false", /serviceAccount\.name is needed/],
    ["a choice that was not made", "--set=defaultTenant.grants=null", /grants has to be chosen: all, or a list/],
    ["grants that are none", "--set=defaultTenant.grants=some", /at '\/defaultTenant\/grants'/],
    ["an old Kubernetes", "--kube-version=1.31.9", /requires kubeVersion: >=1\.32/],
  ] as const) {
    test(`${name} refuses ${what} and says where`, async (t) => {
      const helm = await helmOf(name);

      const refusal = await t.throwsAsync(helm(["template", "x", CHART, ...CHOSEN, flag]));

      t.regex(refusal?.message ?? "", said);
    });
  }

  clusterTest(
    `the API server takes all that ${name} renders, by default and with everything on`,
    async (t, cluster) => {
      const helm = await helmOf(name);
      await knowPrometheusOperator(cluster);
      for (const values of [
        "defaultTenant: { grants: all }",
        EVERYTHING,
        "simulator: { enabled: true }\nnetworkPolicy: { enabled: true }",
      ]) {
        const objects = render(await helm(["template", "x", CHART, ...asFlags(values)]));
        const namespaced = objects.map((object) => ({
          ...object,
          metadata: { ...object.metadata, ...(object.metadata.namespace !== undefined && { namespace: "default" }) },
        }));

        await must(cluster, ["apply", ...STRICTLY, "-f", "-"], listOf(namespaced));

        t.is(
          new Set(objects.map(({ kind, metadata }) => `${kind} ${metadata.name} ${metadata.namespace ?? ""}`)).size,
          objects.length,
        );
        for (const { kind, metadata } of objects) {
          t.is(metadata.labels["app.kubernetes.io/instance"], "x", `${kind} ${metadata.name}`);
        }
      }
    },
  );

  clusterTest(`${name} tells how to make the Secret that is missing`, async (t, { controlPlane }) => {
    const helm = await helmOf(name);

    const notes = await helm(["install", "x", CHART, ...CHOSEN, "--dry-run=server"], controlPlane.kubeconfigFile);

    t.regex(notes, /wait for the Secret auth0-credentials, which is not there yet:\n.*create secret generic/);
  });
}

clusterTest("the API server takes the manifests, and would say what is wrong with them", async (t, cluster) => {
  await knowPrometheusOperator(cluster);
  await must(cluster, ["create", "namespace", "auth0-user-operator"]);

  for (const folder of ["manifests/crds", "manifests/operator"]) {
    await must(cluster, ["apply", ...STRICTLY, "-k", folder]);
  }

  const monitor = {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "ServiceMonitor",
    metadata: { name: "misspelt" },
    spec: { selector: {}, endpoints: [{ port: "metrics", intervall: "30s" }] },
  };
  const { stderr } = await cluster.kubectl(["apply", ...STRICTLY, "-f", "-"], { input: JSON.stringify(monitor) });
  t.regex(stderr, /endpoints\[0\]\.intervall: field not declared in schema/);
});

test("every value has a place in the schema", (t) => {
  const schema: unknown = JSON.parse(readFileSync(`${CHART}/values.schema.json`, "utf8"));

  t.deepEqual(missingIn(schema, yaml.load(readFileSync(`${CHART}/values.yaml`, "utf8")), ""), []);
});

test("the CRDs of the chart say what the CRDs say, and are kept unless that is given up", async (t) => {
  const helm = await helmOf("helm4");
  const crds = async (...flags: string[]): Promise<Rendered[]> =>
    render(await helm(["template", "x", CHART, ...CHOSEN, ...flags])).filter(
      ({ kind }) => kind === "CustomResourceDefinition",
    );
  const annotationsOf = ({ metadata }: Rendered): unknown => ("annotations" in metadata ? metadata.annotations : {});

  const kept = await crds();

  for (const { metadata, spec } of kept) {
    const [plural = ""] = metadata.name.split(".");
    t.deepEqual(spec, (yaml.load(readFileSync(`crds/${plural}.yaml`, "utf8")) as Rendered).spec);
  }
  t.true(kept.length > 0);
  t.deepEqual(
    kept.map(annotationsOf),
    kept.map(() => ({ "helm.sh/resource-policy": "keep" })),
  );
  t.deepEqual(
    (await crds("--set=crds.keep=false")).map(annotationsOf),
    kept.map(() => ({})),
  );
  t.deepEqual(await crds("--set=crds.enabled=false"), []);
});

test("a list of grants is mounted as the operator reads it", async (t) => {
  const helm = await helmOf("helm4");
  const grants = [{ namespaces: { from: "All" }, connections: ["email"], roles: ["*"] }];

  const objects = render(
    await helm(["template", "x", CHART, `--set-json=defaultTenant.grants=${JSON.stringify(grants)}`]),
  );

  const [config] = objects.filter(({ kind }) => kind === "ConfigMap");
  const file = aTempFolder(t).write("grants.yaml", config?.data?.["grants.yaml"] ?? "");
  t.deepEqual(await readGrants(file), grants);
  const deployment = JSON.stringify(objects.find(({ kind }) => kind === "Deployment"));
  t.true(deployment.includes("--default-tenant-grants=/etc/auth0-user-operator/grants.yaml"));
});

test("a budget for disruptions is made only where there is more than one replica", async (t) => {
  const helm = await helmOf("helm4");
  const kinds = async (...flags: string[]): Promise<string[]> =>
    render(await helm(["template", "x", CHART, ...CHOSEN, ...flags])).map(({ kind }) => kind);

  t.false((await kinds()).includes("PodDisruptionBudget"));
  t.true((await kinds("--set=replicas=2")).includes("PodDisruptionBudget"));
});

test("with namespaces nothing is granted beyond them but a look at the CRD", async (t) => {
  const helm = await helmOf("helm4");

  const objects = render(await helm(["template", "x", CHART, "--namespace=own", ...asFlags(EVERYTHING)]));
  const roles = objects.filter(({ kind, metadata }) => /^(Cluster)?Role$/.test(kind) && !forPeople(metadata.name));

  t.deepEqual(roles.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ""}`).toSorted(), [
    "ClusterRole ",
    "Role own",
    "Role team-a",
    "Role team-a",
    "Role team-b",
  ]);
});

test("roles for people hold no wildcard, no status and no finalizers; who may view sees no users unless that is chosen", async (t) => {
  const helm = await helmOf("helm4");
  const people = async (...flags: string[]): Promise<Rendered[]> =>
    render(await helm(["template", "x", CHART, ...CHOSEN, ...flags])).filter(({ metadata }) =>
      forPeople(metadata.name),
    );

  const roles = await people();

  t.true(roles.length > 0);
  for (const { metadata, rules = [] } of roles) {
    for (const word of rules.flatMap(({ resources, verbs }) => [...resources, ...verbs])) {
      t.notRegex(word, /[*/]/, metadata.name);
    }
  }
  const addedTo = (name: string): (readonly string[])[] =>
    roles
      .filter(({ metadata }) => `rbac.authorization.k8s.io/aggregate-to-${name}` in metadata.labels)
      .map(({ rules = [] }) => rules.flatMap(({ resources }) => resources));
  t.deepEqual(addedTo("edit"), [["auth0users"]]);
  t.deepEqual(addedTo("admin"), [["auth0users"], ["auth0tenants", "clusterauth0tenants"]]);
  const toView = "rbac.authorization.k8s.io/aggregate-to-view";
  t.false(roles.some(({ metadata }) => toView in metadata.labels));
  t.true((await people("--set=rbac.people.aggregateToView=true")).some(({ metadata }) => toView in metadata.labels));
});

/** The kinds of the Prometheus Operator, which a bare API server does not know. */
async function knowPrometheusOperator(cluster: TestCluster): Promise<void> {
  await must(cluster, ["apply", "--server-side", "-f", "test/install/crds"]);
  await must(cluster, ["wait", "--for=condition=Established", "-f", "test/install/crds"]);
}

function forPeople(name: string): boolean {
  return /-(view|edit)$/.test(name);
}

/** `--values` reads no standard input in Helm 3, and JSON is YAML. */
function asFlags(values: string): string[] {
  const parsed: unknown = yaml.load(values === "" ? "{}" : values);
  return isJsonObject(parsed)
    ? Object.entries(parsed).map(([key, value]) => `--set-json=${key}=${JSON.stringify(value)}`)
    : [];
}

function render(text: string): Rendered[] {
  return (yaml.loadAll(text) as (Rendered | null)[]).filter((one) => one !== null);
}

/** Paths of values that the schema does not name; what it leaves open counts as named. */
function missingIn(schema: unknown, values: unknown, at: string): string[] {
  if (!isJsonObject(values) || !isJsonObject(schema) || !isJsonObject(schema["properties"])) return [];
  const { properties } = schema;
  return Object.entries(values).flatMap(([key, value]) =>
    key in properties ? missingIn(properties[key], value, `${at}/${key}`) : [`${at}/${key}`],
  );
}
