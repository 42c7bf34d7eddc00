/** The operator as one part: what it is made of, and in which order it starts and stops. */
import { once } from "node:events";
import type { Registry } from "prom-client";
import { CLUSTER_TENANT_KIND, DEFAULT_TENANT } from "../api/auth0-tenant.ts";
import { SECRET_USE_CREDENTIALS, SECRET_USE_LABEL, SECRET_USE_PASSWORD } from "../api/names.ts";
import { Controller } from "../kubernetes/controller.ts";
import { EventRecorder } from "../kubernetes/events.ts";
import type { KubernetesCalls } from "../kubernetes/kubernetes-api.ts";
import { LeaderElector } from "../kubernetes/leader-elector.ts";
import { KubernetesMetrics } from "../kubernetes/metrics.ts";
import { parseObjectIdentity, type ObjectKey } from "../kubernetes/object.ts";
import { Reflector } from "../kubernetes/reflector.ts";
import { Store } from "../kubernetes/store.ts";
import { Workqueue } from "../kubernetes/workqueue.ts";
import type { UserDirectory } from "../reconcile/ports.ts";
import type { TenantConnections } from "../reconcile/tenant-connections.ts";
import type { Limit } from "../core/limit.ts";
import type { Clock } from "../runtime/clock.ts";
import { isJsonObject } from "../runtime/json.ts";
import type { Log } from "../runtime/log.ts";
import { giveBackMemory } from "../runtime/memory.ts";
import type { Random } from "../runtime/random.ts";
import { runGroup, type Part } from "../runtime/run-group.ts";
import {
  auth0UserFingerprint,
  parseAuth0UserResource,
  slimAuth0User,
  slimWithDeclarer,
} from "./auth0-user-resource.ts";
import { DriftCounts } from "./drift-counts.ts";
import { USER_ID_ANNOTATION } from "./names.ts";
import { healthServer, metricsServer, type Address } from "./observability.ts";
import { PausedGauge } from "./paused-gauge.ts";
import { ReadyReasons } from "./ready-reasons.ts";
import { SecretUsers } from "./secret-users.ts";
import { SECRETS, Secrets } from "./secrets.ts";
import { StateKeys } from "./state-keys.ts";
import type { AuditLog } from "./audit-log.ts";
import { AwaitedBy } from "./awaited-by.ts";
import { configMapNotes } from "./breaker-notes.ts";
import { Breaker } from "./breaker.ts";

import { KindDeletion } from "./kind-deletion.ts";
import { LeftBehind } from "./left-behind.ts";
import { Namespaces } from "./namespaces.ts";
import { TenantController } from "./tenant-controller.ts";
import { Tenant, type TenantOptions } from "./tenant.ts";
import { Tenants } from "./tenants.ts";
import { UserHolders } from "./user-holders.ts";
import { UserMemories } from "./user-memories.ts";
import { AUTH0_USERS, type SharedParts } from "./user-parts.ts";
import { UserReconciler } from "./user-reconciler.ts";
import { UserRouter } from "./user-router.ts";

export interface OperatorOptions {
  /** The way to the API server; closed when the operator ends. */
  readonly openApi: (metrics: KubernetesMetrics) => KubernetesCalls;
  /** The users of the tenant that the process was given, if it was. */
  readonly directory: UserDirectory | undefined;
  /** What that tenant grants to which namespace. */
  readonly grants: TenantOptions["grants"];
  /** For that tenant, as in `spec.protection` of others. */
  readonly maxDeletesPerHour: Limit | undefined;
  readonly maxChangesPerHour: Limit | undefined;
  /** For that tenant, as `spec.userMarkers` of others. */
  readonly userMarkers: "as-needed" | "all";
  /** Where each write to Auth0 is put on record. */
  readonly audit: AuditLog | undefined;
  /** How long a namespace that is being deleted waits for a user that can't be. */
  readonly releaseAfterMs: number;
  /** The way to tenants that objects declare. */
  readonly connections: TenantConnections;
  readonly namespaces: readonly string[] | "all";
  readonly watchSecrets: readonly string[] | "all";
  readonly leaderElect: boolean;
  readonly operatorNamespace: string;
  readonly concurrency: number;
  readonly syncIntervalMs: number;
  readonly healthAddress: Address | undefined;
  readonly metricsAddress: Address | undefined;
  /** Who this process is, among replicas: the Pod's name. */
  readonly identity: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Registry;
}

const CONTROLLER_NAME = "auth0user";
const LEASE_NAME = "auth0-user-operator";
/** Tries of a user that failed: soon at first, since most faults are short, then rarely, since each try costs a call. */
const BACKOFF = { baseMs: 500, capMs: 5 * 60_000 };
/** In so long, ten thousand users that are in sync have been gone over. */
const RUSH_MS = 4_000;

/** Runs until `signal` is aborted or something fatal happens. */
export async function runOperator(options: OperatorOptions, signal: AbortSignal): Promise<void> {
  const { clock, random, log, operatorNamespace } = options;
  const metrics = new KubernetesMetrics(options.metrics);
  const api = options.openApi(metrics);
  const store = new Store({
    slim: options.audit === undefined ? slimAuth0User : slimWithDeclarer,
    fingerprint: auth0UserFingerprint,
    parse: parseAuth0UserResource,
  });
  const queue = new Workqueue<ObjectKey>({ name: CONTROLLER_NAME, clock, random, metrics, backoff: BACKOFF });
  const stateKeys = new StateKeys({ api, namespace: operatorNamespace, clock, random, log });
  const recorder = new EventRecorder({
    api,
    clock,
    random,
    log,
    metrics,
    reportingController: "auth0-user-operator.dev/controller",
    reportingInstance: options.identity,
  });
  const namespaces = new Namespaces(api, clock, log);
  const secrets = new Secrets(api);
  const parts: SharedParts = {
    api,
    secrets,
    store,
    stateKeys,
    recorder,
    clock,
    random,
    log,
    memories: new UserMemories(),
    drift: new DriftCounts(options.metrics),
    reasons: new ReadyReasons(options.metrics),
    namespaces,
    kindDeletion: new KindDeletion(api, clock),
    audit: options.audit,
    leftBehind: new LeftBehind(options.metrics),
    holders: new UserHolders({ store, stateKeys, clock }),
    awaitedBy: new AwaitedBy(api, store),
    wake: (key) => {
      queue.add(key, "high");
    },
    releaseAfterMs: options.releaseAfterMs,
  };
  const secretUsers = new SecretUsers();
  const reconcilerOf = (tenant: Tenant): UserReconciler =>
    new UserReconciler(
      {
        ...parts,
        tenant,
        directory: tenant.directory,
        doubtCredentials: () => {
          if (tenant.key !== undefined) tenantController.doubt(tenant.key);
        },
      },
      { defaultSyncIntervalMs: tenant.syncIntervalMs ?? options.syncIntervalMs, secretUsers },
    );
  const ownBreaker: Breaker = new Breaker({
    notes: configMapNotes(operatorNamespace, { api, recorder, log }),
    countDeclared: () => store.size - tenants.countOfObjectsUsers,
    clock,
  });
  ownBreaker.limit(options);
  const paused = new PausedGauge(options.metrics);
  paused.watch(() => (options.directory === undefined ? [] : [[options.directory.tenantDomain, ownBreaker]]));
  const tenants: Tenants = new Tenants({
    own:
      options.directory &&
      reconcilerOf(
        new Tenant({
          key: undefined,
          title: `${CLUSTER_TENANT_KIND} ${DEFAULT_TENANT}`,
          directory: options.directory,
          grants: options.grants,
          namespaces,
          marksAllUsers: options.userMarkers === "all",
          syncIntervalMs: undefined,
          breaker: ownBreaker,
        }),
      ),
    servesAllNamespaces: options.namespaces === "all",
    hasObject: (key) => tenantController.has(key),
    wake: (key) => {
      queue.add(key, "normal");
    },
  });
  const shared = { api, clock, random, log, metrics };
  const tenantController = new TenantController({
    ...shared,
    secrets,
    users: store,
    tenants,
    namespaces,
    reasons: parts.reasons,
    recorder,
    paused,
    reconcilerOf,
    connections: options.connections,
    hasOwnTenant: options.directory !== undefined,
    scope: options.namespaces,
  });
  const router = new UserRouter({ parts, tenants, secretUsers });

  // A person waits for an edit; nobody waits for what a start finds.
  store.onChange((key, cause) => {
    queue.add(key, !store.hasSynced ? "low" : cause === "changed" ? "high" : "normal");
  });
  const controller = new Controller({
    name: CONTROLLER_NAME,
    queue,
    clock,
    log,
    metrics,
    concurrency: options.concurrency,
    reconcile: (key, stop) => router.reconcile(key, stop),
  });
  const acting = actingPart(store, stateKeys, tenantController, controller);
  const elector = new LeaderElector({
    ...shared,
    namespace: operatorNamespace,
    name: LEASE_NAME,
    identity: options.identity,
  });
  try {
    await runGroup(
      [
        ...(options.metricsAddress === undefined ? [] : [metricsServer(options.metricsAddress, options.metrics, log)]),
        ...(options.healthAddress === undefined
          ? []
          : [healthServer(options.healthAddress, () => store.hasSynced, log)]),
        new Reflector({ ...shared, resource: AUTH0_USERS, namespaces: options.namespaces, store }),
        ...tenantController.reflectors,
        ...secretReflector(options, shared, (secret) => {
          tenantController.noticeSecret(secret);
          for (const user of secretUsers.usersOf(secret)) {
            parts.memories.expire(user);
            queue.add(user, "high");
          }
        }),
        recorder,
        tidyAfterStart(store, clock),
        options.leaderElect ? elector.leading(acting) : acting,
      ],
      signal,
    );
  } finally {
    api.close();
  }
}

/** What only one replica may do: everything that writes. It begins once all resources are read. */
function actingPart(
  store: SharedParts["store"],
  stateKeys: StateKeys,
  tenantController: TenantController,
  controller: Controller<ObjectKey>,
): Part {
  return {
    name: controller.name,
    async run(signal) {
      await store.whenSynced(signal);
      await tenantController.whenSynced(signal);
      const areClaimsKept = store.keys().some((key) => store.get(key)?.annotations[USER_ID_ANNOTATION] !== undefined);
      await stateKeys.load(areClaimsKept, signal);
      const keys: Part = { name: "state keys", run: (stop) => stateKeys.run(stop) };
      await runGroup([keys, tenantController, controller], signal);
    },
  };
}

/** The texts and trees of all objects, read at the start, are of no use once the first rush is over. */
function tidyAfterStart(store: SharedParts["store"], clock: Clock): Part {
  return {
    name: "memory",
    async run(signal) {
      await store.whenSynced(signal);
      await clock.sleep(RUSH_MS, signal);
      giveBackMemory();
      await once(signal, "abort");
    },
  };
}

/** Watches the Secrets that consent to be read; of their contents nothing is kept. */
function secretReflector(
  { watchSecrets }: OperatorOptions,
  parts: Omit<ConstructorParameters<typeof Reflector>[0], "resource" | "namespaces" | "store">,
  onChange: (secret: ObjectKey) => void,
): Part[] {
  if (watchSecrets !== "all" && watchSecrets.length === 0) return [];
  const store = new Store({
    slim: ({ metadata }) => {
      const { name, namespace, uid, resourceVersion } = isJsonObject(metadata) ? metadata : {};
      return { metadata: { name, namespace, uid, resourceVersion } };
    },
    fingerprint: (secret) => parseObjectIdentity(secret).resourceVersion,
    parse: parseObjectIdentity,
  });
  store.onChange(onChange);
  const labelSelector = `${SECRET_USE_LABEL} in (${SECRET_USE_PASSWORD},${SECRET_USE_CREDENTIALS})`;
  return [new Reflector({ ...parts, resource: SECRETS, namespaces: watchSecrets, labelSelector, store })];
}
