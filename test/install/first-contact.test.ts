/** What whoever installs the chart as the documents say must not stumble over: no cluster is needed to see it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { connect, createServer, type AddressInfo, type Server } from "node:net";
import process from "node:process";
import test, { type ExecutionContext } from "ava";
import * as yaml from "js-yaml";
import { isJsonObject, type JsonObject } from "../../src/runtime/json.ts";
import { CHART, helmOf } from "../support/helm.ts";
import { aTempFolder } from "../support/temp-folder.ts";

interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules?: readonly { readonly resources: readonly string[]; readonly resourceNames?: readonly string[] }[];
  readonly spec?: JsonObject;
}

async function rendered(args: readonly string[]): Promise<readonly Rendered[]> {
  const helm = await helmOf("helm4");
  const text = await helm(["template", ...args, "--skip-tests", "--set=crds.enabled=false"]);
  return (yaml.loadAll(text) as (Rendered | null)[]).filter((one) => one !== null);
}

const at = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((inner, name) => (isJsonObject(inner) ? inner[name] : undefined), value);

for (const [file, kind, ...path] of [
  ["examples/gitops/flux/operator.yaml", "HelmRelease", "spec", "values"],
  ["examples/gitops/argocd/applications.yaml", "Application", "spec", "source", "helm", "valuesObject"],
] as const) {
  test(`the chart takes the values of ${file}`, async (t) => {
    const release = (yaml.loadAll(readFileSync(file, "utf8")) as Rendered[]).find((one) => one.kind === kind);
    const values = aTempFolder(t).write("values.yaml", yaml.dump(at(release, ...path) ?? {}));

    await t.notThrowsAsync(rendered(["auth0-user-operator", CHART, `--values=${values}`]));
  });
}

test("helm test finds the leader among replicas, though the first connection leads to a standby", async (t) => {
  const replicas = [await aReplica(t, 0), await aReplica(t, 1)];
  const service = await aService(t, replicas);
  const script = readFileSync(`${CHART}/files/test.js`, "utf8");
  const args = ["--input-type=module", "--eval", script, `http://127.0.0.1:${String(service)}/metrics`, "8"];

  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const [code] = (await once(child, "exit")) as [number];

  t.is(code, 0, said);
});

test("releases of one name, each for the namespace it stands in, do not claim one another's objects", async (t) => {
  const [one = [], other = []] = await Promise.all(
    ["team-a", "team-b"].map(async (team) => {
      const flags = [`--namespace=${team}`, `--set=defaultTenant.grants=all,namespaces={${team}}`];
      const objects = await rendered(["auth0-user-operator", CHART, ...flags]);
      return objects.map(({ kind, metadata: { name, namespace = "" } }) => [kind, namespace, name].join(" "));
    }),
  );

  t.deepEqual(
    one.filter((id) => other.includes(id)),
    [],
  );
});

test("a release without any tenant is refused, since its Pods would end at once", async (t) => {
  await t.throwsAsync(rendered(["auth0-user-operator", CHART, "--set=defaultTenant.enabled=false"]));
});

for (const [what, flag] of [
  ["labels of every object", "--set-string=commonLabels.app\\.kubernetes\\.io/component=identity"],
  [
    "labels by which a Prometheus finds it",
    "--set-string=metrics.serviceMonitor.labels.app\\.kubernetes\\.io/part-of=monitoring",
  ],
  ["annotations of Pods", "--set-string=podAnnotations.kubectl\\.kubernetes\\.io/default-container=operator"],
] as const) {
  test(`no key stands twice in one object, whatever ${what} are`, async (t) => {
    const enabled = "--set=metrics.serviceMonitor.enabled=true,defaultTenant.grants=all";

    await t.notThrowsAsync(rendered(["auth0-user-operator", CHART, enabled, flag]));
  });
}

for (const [what, flags] of [
  ["the CRDs are not of this release", "crds.enabled=false,crds.keep=false"],
  ["no user is deleted while the CRD is", "crds.keep=false"],
] as const) {
  test(`the notes do not say that users will be deleted at Auth0, where ${what}`, async (t) => {
    const helm = await helmOf("helm4");

    const notes = await helm(["install", "x", CHART, "--dry-run=client", `--set=defaultTenant.grants=all,${flags}`]);

    t.notRegex(notes, /will delete every Auth0User, and with it its user at Auth0/);
  });
}

test("an interval that the operator refuses is refused by the chart, not by Pods that end at once", async (t) => {
  await t.throwsAsync(rendered(["auth0-user-operator", CHART, "--set=defaultTenant.grants=all,syncInterval=1s"]));
});

test("no alert tells for days of users that wait as their own specs say", (t) => {
  const { groups } = yaml.load(readFileSync(`${CHART}/files/alerts.yaml`, "utf8")) as {
    readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
  };
  const rule = groups.flatMap(({ rules }) => rules).find(({ alert }) => alert === "Auth0UserOperatorUsersNotReady");
  const known = /reason!~"([^"]*)"/.exec(rule?.expr ?? "")?.[1]?.split("|") ?? [];

  // deleteAfter: 720h, recreateAfter: 1h, and adoptionPolicy: Review over a weekend.
  t.deepEqual(
    ["DeletionScheduled", "RecreationScheduled", "AwaitingApproval"].filter((reason) => !known.includes(reason)),
    [],
  );
});

/** The metrics of a replica that leads, or does not. */
async function aReplica(t: ExecutionContext, leads: number): Promise<number> {
  const server = createHttpServer((_request, response) => {
    response.end(`leader_election_master_status{name="auth0-user-operator"} ${String(leads)}\n`);
  });
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return listen(server);
}

/** As a Service does it: each connection leads to one replica, and stays there. */
async function aService(t: ExecutionContext, ports: readonly number[]): Promise<number> {
  let connections = 0;
  const server = createServer((socket) => {
    const replica = connect(ports[connections++ % ports.length] ?? 0, "127.0.0.1");
    for (const end of [socket, replica]) end.on("error", () => {});
    socket.pipe(replica).pipe(socket);
    t.teardown(() => socket.destroy());
  });
  t.teardown(() => server.close());
  return listen(server);
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}
