/** The objects that declare tenants: watched, reconciled, and kept until no user names them. */
import { Controller } from "../kubernetes/controller.ts";
import type { EventRecorder } from "../kubernetes/events.ts";
import type { KubernetesCalls } from "../kubernetes/kubernetes-api.ts";
import type { KubernetesMetrics } from "../kubernetes/metrics.ts";
import { splitObjectKey, type ObjectKey } from "../kubernetes/object.ts";
import type { Resource } from "../kubernetes/resource.ts";
import { Store } from "../kubernetes/store.ts";
import { Workqueue } from "../kubernetes/workqueue.ts";
import type { TenantConnections } from "../reconcile/tenant-connections.ts";
import { abortable } from "../runtime/abort.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Random } from "../runtime/random.ts";
import type { Part } from "../runtime/run-group.ts";
import { TimeSlice } from "../runtime/time-slice.ts";
import type { Auth0UserResource } from "./auth0-user-resource.ts";
import { tenantNotes } from "./breaker-notes.ts";
import { Breaker } from "./breaker.ts";
import type { Namespaces } from "./namespaces.ts";
import { OptionalReflector } from "./optional-reflector.ts";
import type { PausedGauge } from "./paused-gauge.ts";
import type { ReadyReasons } from "./ready-reasons.ts";
import type { Secrets } from "./secrets.ts";
import { TenantReconciler } from "./tenant-reconciler.ts";
import {
  AUTH0_TENANTS,
  CLUSTER_AUTH0_TENANTS,
  parseTenantResource,
  secretKeyOf,
  slimTenant,
  tenantFingerprint,
  type TenantResource,
} from "./tenant-resource.ts";
import type { Tenant } from "./tenant.ts";
import type { Tenants } from "./tenants.ts";
import type { UserReconciler } from "./user-reconciler.ts";

export interface TenantControllerOptions {
  readonly api: KubernetesCalls;
  readonly secrets: Secrets;
  readonly users: Store<Auth0UserResource>;
  readonly tenants: Tenants;
  readonly namespaces: Namespaces;
  readonly reasons: ReadyReasons;
  readonly recorder: EventRecorder;
  readonly paused: PausedGauge;
  readonly reconcilerOf: (tenant: Tenant) => UserReconciler;
  readonly connections: TenantConnections;
  readonly hasOwnTenant: boolean;
  /** The namespaces that are served. */
  readonly scope: readonly string[] | "all";
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: KubernetesMetrics;
}

const NAME = "auth0tenant";
/** Tenants in hand at once: each is a call or two, now and then. */
const CONCURRENCY = 8;
const BACKOFF = { baseMs: 1_000, capMs: 60_000 };
/** A search over all users gives way to others after so long. */
const SLICE_MS = 5;

export class TenantController implements Part {
  readonly name = `controller ${NAME}`;
  readonly #options: TenantControllerOptions;
  readonly #stores = { namespaced: tenantStore(), ofCluster: tenantStore() };
  readonly #queue: Workqueue<ObjectKey>;
  readonly #reconciler: TenantReconciler;
  readonly #reflectors: readonly (readonly [OptionalReflector, Store<TenantResource>])[];

  constructor(options: TenantControllerOptions) {
    this.#options = options;
    const { clock, random, metrics, scope, reconcilerOf } = options;
    this.#queue = new Workqueue<ObjectKey>({ name: NAME, clock, random, metrics, backoff: BACKOFF });
    this.#reconciler = new TenantReconciler({
      ...options,
      storeOf: (key) => this.#storeOf(key),
      userReconciler: reconcilerOf,
      breakerOf: (key) =>
        new Breaker({
          notes: tenantNotes(key, this.#storeOf(key), options),
          countDeclared: () => options.tenants.usersOf(key).size,
          clock,
        }),
      isNamed: (key) => this.#isNamed(key),
    });
    const { namespaced, ofCluster } = this.#stores;
    const reflectorOf = (resource: Resource, store: Store<TenantResource>, namespaces: readonly string[] | "all") =>
      [new OptionalReflector({ ...options, resource, namespaces, store }), store] as const;
    this.#reflectors = [
      reflectorOf(AUTH0_TENANTS, namespaced, scope),
      ...(scope === "all" ? [reflectorOf(CLUSTER_AUTH0_TENANTS, ofCluster, scope)] : []),
    ];
    for (const store of Object.values(this.#stores)) {
      store.onChange((key) => {
        this.#queue.add(key, "high");
      });
    }
  }

  get reflectors(): readonly Part[] {
    return this.#reflectors.map(([reflector]) => reflector);
  }

  /** Resolves when all tenant objects are read, as far as their kinds are there. */
  async whenSynced(signal: AbortSignal): Promise<void> {
    for (const [reflector, store] of this.#reflectors) {
      if (await abortable(reflector.isThere, signal)) await store.whenSynced(signal);
    }
  }

  has(tenant: ObjectKey): boolean {
    return this.#storeOf(tenant).get(tenant) !== undefined;
  }

  /** The tenant refused its credentials: they are looked at anew, and proven. */
  doubt(tenant: ObjectKey): void {
    this.#reconciler.doubt(tenant);
    this.#queue.add(tenant, "high");
  }

  /** A Secret that consents to be read has changed: it may be the credentials of a tenant. */
  noticeSecret(secret: ObjectKey): void {
    for (const store of Object.values(this.#stores)) {
      for (const key of store.keys()) {
        const resource = store.get(key);
        if (resource !== undefined && secretKeyOf(resource) === secret) this.#queue.add(key, "high");
      }
    }
  }

  run(signal: AbortSignal): Promise<void> {
    const { clock, log, metrics } = this.#options;
    return new Controller({
      name: NAME,
      queue: this.#queue,
      clock,
      log,
      metrics,
      concurrency: CONCURRENCY,
      reconcile: (key, stop) => this.#reconciler.reconcile(key, stop),
    }).run(signal);
  }

  #storeOf(tenant: ObjectKey): Store<TenantResource> {
    const { namespaced, ofCluster } = this.#stores;
    return splitObjectKey(tenant).namespace === undefined ? ofCluster : namespaced;
  }

  /** Goes over all users, since some may not have had their pass yet. */
  async #isNamed(tenant: ObjectKey): Promise<boolean> {
    const { tenants, users, clock } = this.#options;
    if (tenants.usersOf(tenant).size > 0) return true;
    const slice = new TimeSlice(clock, SLICE_MS);
    for (const key of users.keys()) {
      const user = users.get(key);
      if (user !== undefined) tenants.standingFor(user);
      await slice.breathe();
    }
    return tenants.usersOf(tenant).size > 0;
  }
}

function tenantStore(): Store<TenantResource> {
  return new Store({ slim: slimTenant, fingerprint: tenantFingerprint, parse: parseTenantResource });
}
