/** The controller kit against a real kube-apiserver: what the scripted servers of the unit tests take for granted. */
import test, { type ExecutionContext } from "ava";
import { Registry } from "prom-client";
import { systemClock } from "../../src/runtime/clock.ts";
import { isJsonObject, type JsonObject } from "../../src/runtime/json.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { isApiError } from "../../src/kubernetes/api-error.ts";
import { Controller, type ReconcileResult } from "../../src/kubernetes/controller.ts";
import { loadClusterAccess, type ClusterAccess } from "../../src/kubernetes/credentials.ts";
import { EventRecorder } from "../../src/kubernetes/events.ts";
import type { EventInput } from "../../src/kubernetes/event-series.ts";
import { KubernetesApi } from "../../src/kubernetes/kubernetes-api.ts";
import { LeaderElector, LeadershipLostError } from "../../src/kubernetes/leader-elector.ts";
import { KubernetesMetrics } from "../../src/kubernetes/metrics.ts";
import { objectKey, splitObjectKey, withoutManagedFields, type ObjectKey } from "../../src/kubernetes/object.ts";
import { Reflector } from "../../src/kubernetes/reflector.ts";
import { resourcePath, type Resource } from "../../src/kubernetes/resource.ts";
import { Store } from "../../src/kubernetes/store.ts";
import { Workqueue } from "../../src/kubernetes/workqueue.ts";
import { clusterTests, type TestCluster } from "../support/control-plane.ts";
import { eventually } from "../support/eventually.ts";
import { RecordedLog } from "../support/recorded-log.ts";

const never = new AbortController().signal;
const gadgets: Resource = { group: "kit.example.com", version: "v1", plural: "gadgets" };
const gadgetDefinition = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "gadgets.kit.example.com" },
  spec: {
    group: "kit.example.com",
    scope: "Namespaced",
    names: { plural: "gadgets", singular: "gadget", kind: "Gadget", listKind: "GadgetList" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      },
    ],
  },
};

interface Kit {
  readonly admin: KubernetesApi;
  readonly access: ClusterAccess;
  readonly controlPlane: TestCluster["controlPlane"];
}

const clusterTest = await clusterTests({ controllerManager: false });
/** Made by the first test, for all of them. */
let shared: Promise<Kit> | undefined;

/** Runs alone, since some of them end the API server. */
function kitTest(title: string, body: (t: ExecutionContext, kit: Kit) => Promise<void>): void {
  clusterTest.serial(title, async (t, { controlPlane }) => {
    shared ??= setUp(controlPlane);
    await body(t, await shared);
  });
}

async function setUp(controlPlane: Kit["controlPlane"]): Promise<Kit> {
  const access = await loadClusterAccess({ kubeconfig: controlPlane.kubeconfigFile, env: {} });
  const admin = makeApi(access);
  await admin.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", gadgetDefinition, never);
  await eventually(() => admin.get(resourcePath(gadgets), {}, never));
  return { admin, access, controlPlane };
}

test.after.always(async () => {
  (await shared)?.admin.close();
});

function makeApi(access: ClusterAccess): KubernetesApi {
  const metrics = new KubernetesMetrics(new Registry());
  return new KubernetesApi({ access, clock: systemClock, metrics, userAgent: "kit-test/1.0" });
}

/** A client that lives as long as the test. */
function aClient(t: ExecutionContext, access: ClusterAccess): KubernetesApi {
  const api = makeApi(access);
  t.teardown(() => {
    api.close();
  });
  return api;
}

/** Runs a part until the test ends. */
function runDuring(t: ExecutionContext, part: { run(signal: AbortSignal): Promise<void> }): void {
  const stop = new AbortController();
  const running = part.run(stop.signal);
  t.teardown(async () => {
    stop.abort();
    await running;
  });
}

interface Scene {
  readonly namespace: string;
  readonly store: Store<JsonObject>;
  /** `name cause` of what the listeners heard. */
  readonly told: string[];
  /** Of all Gadgets of the namespace, or of one of them. */
  readonly path: (name?: string) => string;
}

/** A namespace of its own, and a store of its Gadgets that is kept while the test runs. */
async function aScene({ admin }: Kit, namespace: string): Promise<Scene> {
  await admin.create("/api/v1/namespaces", { metadata: { name: namespace } }, never);
  const store = new Store({
    slim: withoutManagedFields,
    fingerprint: ({ metadata }) => {
      const { generation, finalizers, deletionTimestamp } = metadata as JsonObject;
      return JSON.stringify([generation, finalizers, deletionTimestamp]);
    },
    parse: (slim) => slim,
  });
  const told: string[] = [];
  store.onChange((key, cause) => told.push(`${splitObjectKey(key).name} ${cause}`));
  const path = (name?: string): string => resourcePath(gadgets, { namespace, ...(name !== undefined && { name }) });
  return { namespace, store, told, path };
}

function reflect(t: ExecutionContext, { admin }: Kit, { namespace, store }: Scene): Promise<void> {
  runDuring(
    t,
    new Reflector({
      api: admin,
      resource: gadgets,
      namespaces: [namespace],
      store,
      clock: systemClock,
      random: systemRandom,
      log: new RecordedLog(),
      metrics: new KubernetesMetrics(new Registry()),
    }),
  );
  return store.whenSynced(never);
}

function aGadget(name: string): JsonObject {
  return { apiVersion: "kit.example.com/v1", kind: "Gadget", metadata: { name }, spec: { size: 1 } };
}

function versionOf({ metadata }: JsonObject): string {
  return String((metadata as JsonObject)["resourceVersion"]);
}

/** For `eventually`, which asks again until nothing is thrown. */
function assertThat(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

kitTest("objects are created, read, patched under a precondition, deleted", async (t, { admin }) => {
  const all = resourcePath({ group: "", version: "v1", plural: "configmaps" }, { namespace: "default" });
  const one = `${all}/one`;
  const codeOf = async (call: Promise<unknown>): Promise<unknown> => {
    const error = await t.throwsAsync(call);
    return error !== undefined && "code" in error ? error.code : error;
  };

  const created = await admin.create(all, { metadata: { name: "one" }, data: { a: "1" } }, never);
  const precondition = { resourceVersion: versionOf(created) };
  const patched = await admin.mergePatch(one, { metadata: precondition, data: { a: null, b: "2" } }, never);
  const { metadata } = await admin.get(one, {}, never);

  t.deepEqual(patched["data"], { b: "2" });
  t.is((metadata as { readonly managedFields: readonly JsonObject[] }).managedFields[0]?.["manager"], "kit-test");
  t.is(await codeOf(admin.create(all, { metadata: { name: "one" } }, never)), "already_exists");
  t.is(await codeOf(admin.mergePatch(one, { metadata: precondition }, never)), "conflict");
  t.is(await codeOf(admin.delete(one, { uid: "another" }, never)), "conflict");
  t.is(await codeOf(admin.create(all, { metadata: { name: "Not A Name" } }, never)), "invalid");
  await admin.delete(one, { propagationPolicy: "Background" }, never);
  await admin.delete(one, {}, never);
  t.is(await codeOf(admin.get(one, {}, never)), "not_found");
});

kitTest("what a Secret holds is in no error about it", async (t, { admin }) => {
  const path = resourcePath({ group: "", version: "v1", plural: "secrets" }, { namespace: "default" });
  const encoded = "aHVudGVyMg==";

  for (const data of [{ "not a key": encoded }, { password: "hunter2" }, "hunter2"]) {
    const error = await t.throwsAsync(admin.create(path, { metadata: { name: "s" }, data }, never));
    t.notRegex(error?.message ?? "", /hunter2|aHVudGVyMg/);
    t.regex(error?.message ?? "", /^\[(invalid|bad_request)\] post \/api\/v1\/namespaces\/default\/secrets: \w+/);
  }
});

kitTest(
  "who has no rights is forbidden; a wrong token is unauthorized until the kubeconfig has another",
  async (t, kit) => {
    const { controlPlane } = kit;
    const write = (token: string): Promise<string> => controlPlane.writeKubeconfig({ name: "changing", token });
    const kubeconfig = await write(controlPlane.operatorToken);
    const operator = aClient(t, await loadClusterAccess({ kubeconfig, env: {} }));
    t.true(isApiError(await t.throwsAsync(operator.get(resourcePath(gadgets), {}, never)), "forbidden"));

    await write("revoked");
    const revoked = aClient(t, await loadClusterAccess({ kubeconfig, env: {} }));
    t.true(isApiError(await t.throwsAsync(revoked.get(resourcePath(gadgets), {}, never)), "unauthorized"));
    await write(controlPlane.adminToken);

    await t.notThrowsAsync(revoked.get(resourcePath(gadgets), {}, never));
  },
);

kitTest("a server that our authority does not vouch for is not spoken to", async (t, { access }) => {
  const headers = { authorization: "Bearer secret" };
  const api = aClient(t, { ...access, authorize: () => Promise.resolve({ headers, tls: {} }) });

  const error = await t.throwsAsync(api.get(resourcePath(gadgets), {}, never));

  t.true(isApiError(error, "unavailable"));
  t.regex(error?.message ?? "", /certificate/);
});

kitTest("a reflector has all pages of a large list, and then every change", async (t, kit) => {
  const { admin } = kit;
  const scene = await aScene(kit, "many");
  const { store, told, path } = scene;
  await Promise.all(
    Array.from({ length: 1_203 }, (_, index) => admin.create(path(), aGadget(`g-${String(index)}`), never)),
  );

  await reflect(t, kit, scene);
  t.is(store.size, 1_203);
  told.length = 0;
  await admin.mergePatch(path("g-7"), { spec: { text: "\u2028ä😀" } }, never);
  await admin.mergePatch(path("g-7"), { metadata: { labels: { foreign: "yes" } } }, never);
  await admin.delete(path("g-8"), {}, never);
  await admin.create(path(), aGadget("new"), never);

  await eventually(() => assertThat(told.includes("new added"), told.join()));
  t.deepEqual(told, ["g-7 changed", "g-8 deleted", "new added"]);
  t.deepEqual(store.get(objectKey("many", "g-7"))?.["spec"], { size: 1, text: "\u2028ä😀" });
});

kitTest("the API server killed and started again: the reflector goes on, and misses nothing", async (t, kit) => {
  const { admin, controlPlane } = kit;
  const scene = await aScene(kit, "restart");
  const { told, path } = scene;
  await admin.create(path(), aGadget("before"), never);
  await admin.create(path(), aGadget("doomed"), never);
  await reflect(t, kit, scene);

  await controlPlane.apiServer.kill();
  t.true(isApiError(await t.throwsAsync(admin.get(path(), {}, never)), "unavailable"));
  await controlPlane.apiServer.start(never);
  await admin.create(path(), aGadget("after"), never);
  await admin.delete(path("doomed"), {}, never);
  await admin.mergePatch(path("before"), { spec: { size: 2 } }, never);

  await eventually(() => assertThat(told.length === 5, told.join()), { timeoutMs: 60_000 });
  t.deepEqual(told.slice(2).toSorted(), ["after added", "before changed", "doomed deleted"]);
});

kitTest("a version from before the server began to keep count is gone", async (t, { admin }) => {
  const watching = async (): Promise<unknown> => {
    for await (const line of admin.watch(resourcePath(gadgets), { resourceVersion: 1 }, never)) {
      const { type, object } = JSON.parse(line.toString()) as { readonly type: string; readonly object: JsonObject };
      return `${type} ${String(object["code"])}`;
    }
    return "closed";
  };

  t.is(await watching(), "ERROR 410");
});

kitTest(
  "own writes cost no second pass, and the last finalizer is the end: a controller's whole round",
  async (t, kit) => {
    const { admin } = kit;
    const scene = await aScene(kit, "round");
    const { store, told, path } = scene;
    const metrics = new KubernetesMetrics(new Registry());
    const queue = new Workqueue<ObjectKey>({ name: "gadgets", clock: systemClock, random: systemRandom, metrics });
    store.onChange((key, cause) => {
      if (cause !== "deleted") queue.add(key);
    });
    const passes: string[] = [];
    const reconcile = async (key: ObjectKey, signal: AbortSignal): Promise<ReconcileResult> => {
      const gadget = store.get(key);
      if (gadget === undefined) return { kind: "done" };
      const { name } = splitObjectKey(key);
      const { deletionTimestamp, finalizers, generation, resourceVersion } = gadget["metadata"] as {
        readonly deletionTimestamp?: string;
        readonly finalizers?: readonly string[];
        readonly generation: number;
        readonly resourceVersion: string;
      };
      passes.push(`${name} ${String(generation)}`);
      const setFinalizers = (held: readonly string[]): Promise<JsonObject> =>
        store.write(key, resourceVersion, () =>
          admin.mergePatch(path(name), { metadata: { resourceVersion, finalizers: held } }, signal),
        );
      if (deletionTimestamp !== undefined) {
        await setFinalizers([]);
        return { kind: "done" };
      }
      if (finalizers === undefined) await setFinalizers(["kit.example.com/hold"]);
      const status = { observedGeneration: generation };
      store.absorb(await admin.mergePatch(`${path(name)}/status`, { status }, signal));
      return { kind: "done" };
    };
    const log = new RecordedLog();
    runDuring(t, new Controller({ name: "gadgets", queue, reconcile, clock: systemClock, log, metrics }));
    await reflect(t, kit, scene);
    const observed = async (generation: number): Promise<void> => {
      const { status } = await admin.get(path("g"), {}, never);
      assertThat(isJsonObject(status) && status["observedGeneration"] === generation, "not observed yet");
    };

    await admin.create(path(), aGadget("g"), never);
    await eventually(() => observed(1));
    await admin.mergePatch(path("g"), { spec: { size: 2 } }, never);
    await eventually(() => observed(2));
    await admin.mergePatch(path("g"), { metadata: { annotations: { foreign: "yes" } } }, never);
    await admin.delete(path("g"), {}, never);
    await eventually(() => assertThat(told.includes("g deleted"), told.join()));
    // Once a later object has come, no event of the first is on its way any more.
    await admin.create(path(), aGadget("h"), never);
    await eventually(() => assertThat(passes.includes("h 1"), passes.join()));

    t.deepEqual(log.lines, []);
    t.deepEqual(passes, ["g 1", "g 2", "g 3", "h 1"]);
    t.deepEqual(told, ["g added", "g changed", "g changed", "g deleted", "h added"]);
    t.is(store.size, 1);
  },
);

kitTest("a Lease goes to the next after a release, and after its holder was cut off", async (t, { admin, access }) => {
  let isCutOff = false;
  const cut = aClient(t, {
    ...access,
    authorize: (options) => (isCutOff ? Promise.reject(new Error("cut off")) : access.authorize(options)),
  });
  const anElector = (api: KubernetesApi, identity: string): LeaderElector =>
    new LeaderElector({
      api,
      namespace: "default",
      name: "election",
      identity,
      leaseDurationMs: 3_000,
      renewDeadlineMs: 2_000,
      retryPeriodMs: 200,
      clock: systemClock,
      random: systemRandom,
      log: new RecordedLog(),
      metrics: new KubernetesMetrics(new Registry()),
    });
  const [first, second, third] = [anElector(admin, "first"), anElector(cut, "second"), anElector(admin, "third")];
  const work = {
    name: "work",
    run: (signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        signal.addEventListener("abort", () => {
          resolve();
        });
      }),
  };
  const stopFirst = new AbortController();
  const firstEnds = first.leading(work).run(stopFirst.signal);
  await eventually(() => assertThat(first.isLeading, "first does not lead"));
  const secondEnds = second.leading(work).run(never);

  stopFirst.abort();
  await firstEnds;
  await eventually(() => assertThat(second.isLeading, "second does not lead"));
  runDuring(t, third.leading(work));
  isCutOff = true;
  cut.close();

  const error = await t.throwsAsync(secondEnds, { instanceOf: LeadershipLostError });
  t.regex(error.message, /not renewed for 2000 ms/);
  t.false(third.isLeading, "a second later at the earliest");
  await eventually(() => assertThat(third.isLeading, "third does not lead"));
  const { spec } = await admin.get("/apis/coordination.k8s.io/v1/namespaces/default/leases/election", {}, never);
  t.like(spec, { holderIdentity: "third", leaseTransitions: 3 });
});

kitTest(
  "Events are taken: one, its repetition, one about the cluster; a namespace that ends refuses them",
  async (t, kit) => {
    const { admin } = kit;
    await aScene(kit, "ending");
    const registry = new Registry();
    const recorder = new EventRecorder({
      api: admin,
      reportingController: "kit.example.com/test",
      reportingInstance: "one",
      clock: systemClock,
      random: systemRandom,
      log: new RecordedLog(),
      metrics: new KubernetesMetrics(registry),
    });
    runDuring(t, recorder);
    const event: EventInput = {
      regarding: { apiVersion: "v1", kind: "ConfigMap", namespace: "ending", name: "x", uid: "u" },
      type: "Warning",
      reason: "Tried",
      action: "Try",
      note: `€${"x".repeat(2_000)}`,
    };
    const list = async (namespace: string): Promise<readonly JsonObject[]> => {
      const { items } = await admin.get(`/apis/events.k8s.io/v1/namespaces/${namespace}/events`, {}, never);
      return (items as readonly JsonObject[]).filter(({ reason }) => reason === "Tried");
    };

    recorder.event(event);
    recorder.event({ ...event, regarding: { apiVersion: "v1", kind: "Namespace", name: "ending", uid: "n" } });
    await eventually(async () => assertThat((await list("default")).length === 1, "no Event about the cluster"));
    recorder.event(event);
    await eventually(async () => assertThat(isJsonObject((await list("ending"))[0]?.["series"]), "not counted"));
    t.like((await list("ending"))[0], { series: { count: 2 }, type: "Warning" });
    await admin.delete("/api/v1/namespaces/ending", {}, never);
    recorder.event({ ...event, note: "too late" });

    await eventually(async () => assertThat((await registry.metrics()).includes('result="failed"} 1'), "not refused"));
    t.is((await list("ending")).length, 1);
  },
);
