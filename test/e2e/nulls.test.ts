/**
 * "Remove this", in every spelling, by every client, whether there is something to remove or not: exactly the requests that
 * Auth0 sees. What a client loses on the way stands here, too.
 */
import type { ExecutionContext } from "ava";
import { forEachLimited } from "../../src/reconcile/for-each-limited.ts";
import { clusterTests, type TestCluster } from "../support/control-plane.ts";
import { HELMS, helmOf } from "../support/helm.ts";
import { aTempFolder, type TempFolder } from "../support/temp-folder.ts";
import { aWorld, type World } from "../support/world.ts";

const clusterTest = await clusterTests({ controllerManager: false });

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

const SPELLINGS = ["explicit null", "removeAttributes", "recovered null", "vanished field"] as const;
type Spelling = (typeof SPELLINGS)[number];
const CLIENTS = [
  "client-side apply",
  "server-side apply",
  "create",
  "replace",
  "patch",
  "kustomize",
  ...HELMS,
] as const;
type Client = (typeof CLIENTS)[number];
/** Cells at once: each waits for the operator most of the time. */
const CONCURRENCY = 6;

interface Manifest {
  readonly spec: Readonly<Record<string, unknown>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Cell {
  readonly spelling: Spelling;
  readonly client: Client;
  /** Whether Auth0 has a given name when it is taken away. */
  readonly hasValue: boolean;
  readonly name: string;
}

type Write = (name: string, before: Manifest | undefined, after: Manifest) => Promise<unknown>;

const CELLS: readonly Cell[] = SPELLINGS.flatMap((spelling) =>
  CLIENTS.flatMap((client) => [true, false].map((hasValue) => ({ spelling, client, hasValue }))),
).map((cell, index) => ({ ...cell, name: `cell-${String(index)}` }));

/** What the operator asks of Auth0: the removal where there is something to remove and the client lets it through. */
function expected({ spelling, client, hasValue }: Cell): unknown[] {
  const isLost =
    // Helm 3 sends a null as the deletion of its key: the field vanishes, and vanished fields are kept.
    (spelling === "explicit null" && client === "helm3") ||
    // kubectl makes the annotation say what it writes.
    (spelling === "recovered null" && ["server-side apply", "create", "replace"].includes(client)) ||
    // Nothing was set by a resource that is new.
    (spelling === "vanished field" && client === "create");
  return hasValue && !isLost ? [["PATCH", { given_name: null }]] : [];
}

for (const spelling of SPELLINGS) {
  clusterTest(`${spelling}: by every client, with and without a value at Auth0`, async (t, cluster) => {
    const world = await aWorld(t, cluster);
    const writes = await clientsOf(t, world, cluster);
    const cells = CELLS.filter((cell) => cell.spelling === spelling);

    await forEachLimited(cells, CONCURRENCY, async (cell) => {
      const userId = await begin(world, cell, writes[cell.client]);
      await writes[cell.client](cell.name, baseOf(cell, userId), declared(cell, userId));
      if (cell.client === "create") await world.until(cell.name, "Adopted");
      await world.sync(cell.name);
      await world.sync(cell.name);

      const title = `${spelling}, ${cell.client}, ${cell.hasValue ? "a value" : "absent"}`;
      t.deepEqual(await patchesOf(world, userId), expected(cell), title);
      const isGone = !cell.hasValue || expected(cell).length > 0;
      t.is((await world.tenant.user(userId))?.["given_name"], isGone ? undefined : "Jane", title);
    });
  });
}

/** The user and, but for `create`, the resource as they are before. */
async function begin(world: World, cell: Cell, write: Write): Promise<string> {
  const { name, hasValue, client } = cell;
  if (client === "create") {
    const value = hasValue ? { given_name: "Jane" } : {};
    return (await world.tenant.addUser({ connection: "email", email: `${name}@example.com`, ...value })).user_id;
  }
  await write(name, undefined, baseOf(cell, "") ?? { spec: {} });
  const { status } = await world.until(name, "Created");
  return status?.userId ?? "";
}

function specOf({ name, client, spelling }: Cell, userId: string): Readonly<Record<string, unknown>> {
  return {
    connection: "email",
    email: `${name}@example.com`,
    ...(client === "create" && { userId }),
    ...(spelling === "vanished field" && { unsetPolicy: "Remove" }),
  };
}

function baseOf(cell: Cell, userId: string): Manifest | undefined {
  if (cell.client === "create") return undefined;
  return { spec: { ...specOf(cell, userId), ...(cell.hasValue && { givenName: "Jane" }) } };
}

function declared(cell: Cell, userId: string): Manifest {
  const spec = specOf(cell, userId);
  switch (cell.spelling) {
    case "explicit null":
      return { spec: { ...spec, givenName: null } };
    case "removeAttributes":
      return { spec: { ...spec, removeAttributes: ["givenName"] } };
    case "vanished field":
      return { spec };
    case "recovered null": {
      const applied = { spec: { ...spec, givenName: null } };
      // kubectl drops the null and keeps it in the annotation; where somebody else writes, it has come along from there.
      if (cell.client === "client-side apply" || cell.client === "kustomize") return applied;
      return { spec, annotations: { [LAST_APPLIED]: JSON.stringify(applied) } };
    }
    default:
      return cell.spelling satisfies never;
  }
}

/** How each client brings a manifest to the API server. */
async function clientsOf(t: ExecutionContext, world: World, cluster: TestCluster): Promise<Record<Client, Write>> {
  const folder = aTempFolder(t);
  const helms = Object.fromEntries(
    await Promise.all(HELMS.map(async (helm) => [helm, await helmWrite(helm, folder, world, cluster)] as const)),
  ) as Record<(typeof HELMS)[number], Write>;
  const piped =
    (first: readonly string[], then: readonly string[]): Write =>
    (name, before, after) =>
      world.must([...(before === undefined ? first : then), "-f", "-"], documentOf(name, after));
  return {
    "client-side apply": piped(["apply"], ["apply"]),
    "server-side apply": piped(["apply", "--server-side"], ["apply", "--server-side"]),
    create: piped(["create"], ["create"]),
    replace: piped(["create"], ["replace"]),
    patch: (name, before, after) =>
      before === undefined
        ? world.must(["create", "-f", "-"], documentOf(name, after))
        : world.must(["patch", "auth0user", name, "--type=json", "--patch", JSON.stringify(patchOf(before, after))]),
    kustomize: (name, _, after) => {
      folder.write(`${name}/user.json`, documentOf(name, after));
      const file = folder.write(`${name}/kustomization.yaml`, "resources: [user.json]\n");
      return world.must(["apply", "-k", file.replace(/\/[^/]*$/, "")]);
    },
    ...helms,
  };
}

async function helmWrite(
  helm: (typeof HELMS)[number],
  folder: TempFolder,
  world: World,
  { controlPlane }: TestCluster,
): Promise<Write> {
  const run = await helmOf(helm);
  return (name, before, after) => {
    const chart = folder.write(`${name}/chart/Chart.yaml`, `apiVersion: v2\nname: users\nversion: 1.0.0\n`);
    folder.write(`${name}/chart/templates/user.yaml`, documentOf(name, after));
    const verb = before === undefined ? "install" : "upgrade";
    const args = [verb, name, chart.replace(/\/[^/]*$/, ""), `--namespace=${world.namespace}`];
    return run(args, controlPlane.kubeconfigFile);
  };
}

/** By JSON patch: what is to be null is set to null, what is to vanish is removed. */
function patchOf(before: Manifest, after: Manifest): object[] {
  const set = Object.entries(after.spec)
    .filter(([key, value]) => JSON.stringify(before.spec[key]) !== JSON.stringify(value))
    .map(([key, value]) => ({ op: "add", path: `/spec/${key}`, value }));
  const remove = Object.keys(before.spec)
    .filter((key) => !Object.hasOwn(after.spec, key))
    .map((key) => ({ op: "remove", path: `/spec/${key}` }));
  const annotations = Object.entries(after.annotations ?? {}).map(([key, value]) => ({
    op: "add",
    path: `/metadata/annotations/${key.replaceAll("/", "~1")}`,
    value,
  }));
  const operations = [...set, ...remove, ...annotations];
  return operations.length === 0 ? [{ op: "test", path: "/kind", value: "Auth0User" }] : operations;
}

function documentOf(name: string, { spec, annotations }: Manifest): string {
  return JSON.stringify({
    apiVersion: "auth0-user-operator.dev/v1alpha1",
    kind: "Auth0User",
    metadata: { name, ...(annotations && { annotations }) },
    spec,
  });
}

/** Every write to the user since it was there, the marker of a takeover left out. */
async function patchesOf(world: World, userId: string): Promise<unknown[]> {
  return (await world.tenant.requests())
    .filter(({ method, path }) => method !== "GET" && path.startsWith(`/api/v2/users/${encodeURIComponent(userId)}`))
    .map(({ method, body }) => [method, withoutMarker(body)] as const)
    .filter(([method, body]) => method !== "PATCH" || Object.keys(body).length > 0);
}

/** The marker of users that were taken over is all that is ever written to `app_metadata` here. */
function withoutMarker(body: unknown): object {
  return Object.fromEntries(Object.entries(Object(body)).filter(([attribute]) => attribute !== "app_metadata"));
}
