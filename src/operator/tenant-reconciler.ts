/**
 * One tenant object, once: domain → Secret → credentials proven → its users may go on. Whatever is wrong is said once, on
 * the tenant; its users wait for it, and nobody else's do.
 */
import {
  CLUSTER_TENANT_KIND,
  DEFAULT_TENANT,
  TENANT_KIND,
  type Auth0TenantSpec,
  type ClusterAuth0TenantSpec,
} from "../api/auth0-tenant.ts";
import { MIN_SYNC_INTERVAL_MS, parseDurationMs } from "../api/duration.ts";
import type { EventRecorder } from "../kubernetes/events.ts";
import { findCondition } from "../kubernetes/conditions.ts";
import type { ReconcileResult } from "../kubernetes/controller.ts";
import type { ObjectKey } from "../kubernetes/object.ts";
import type { KubernetesCalls } from "../kubernetes/kubernetes-api.ts";
import type { Store } from "../kubernetes/store.ts";
import { isSameJson, isJsonMap } from "../core/json.ts";
import { DirectoryError } from "../reconcile/errors.ts";
import { REASON_OF, type Reason } from "../reconcile/reasons.ts";
import type { Access, Credentials, TenantConnection, TenantConnections } from "../reconcile/tenant-connections.ts";
import type { Clock, EpochMs } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { TENANT_FINALIZER } from "./names.ts";
import type { Breaker } from "./breaker.ts";
import type { Namespaces } from "./namespaces.ts";
import type { PausedGauge } from "./paused-gauge.ts";
import type { ReadyReasons } from "./ready-reasons.ts";
import type { Secrets } from "./secrets.ts";
import { mergePatchBetween } from "./status-writer.ts";
import { readCredentials } from "./tenant-credentials.ts";
import { secretKeyOf, tenantPath, tenantReference, validateTenant, type TenantResource } from "./tenant-resource.ts";
import { LEAST_SCOPE, tenantStatusAfter, type TenantFinding } from "./tenant-status.ts";
import { Tenant, grantsOf } from "./tenant.ts";
import type { Tenants } from "./tenants.ts";
import type { UserReconciler } from "./user-reconciler.ts";

export interface TenantReconcilerOptions {
  readonly api: KubernetesCalls;
  readonly secrets: Secrets;
  readonly storeOf: (tenant: ObjectKey) => Store<TenantResource>;
  readonly tenants: Tenants;
  readonly connections: TenantConnections;
  readonly namespaces: Namespaces;
  readonly reasons: ReadyReasons;
  readonly recorder: EventRecorder;
  readonly paused: PausedGauge;
  /** Whether the process was given a tenant of its own, whose name no object may take. */
  readonly hasOwnTenant: boolean;
  readonly userReconciler: (tenant: Tenant) => UserReconciler;
  readonly breakerOf: (tenant: ObjectKey) => Breaker;
  /** Whether any Auth0User names the tenant, be it one that had no pass yet. */
  readonly isNamed: (tenant: ObjectKey) => Promise<boolean>;
  readonly clock: Clock;
  readonly log: Log;
}

/** What is known of a tenant between passes. */
interface Known {
  readonly uid: string;
  readonly connection: TenantConnection;
  readonly credentials: Credentials;
  access: Access | undefined;
  /** For the spec of this generation. */
  reconciler: UserReconciler | undefined;
  generation: number;
  /** Of the object, whatever its spec: passes that began with a former one go by the same counts. */
  breaker: Breaker | undefined;
  isUsable: boolean;
  /** The end of the token that the status was told of. */
  toldExpiresAtMs: EpochMs | undefined;
}

/** How often a Secret is read again, and the counts in the status are written: once a minute where they differ. */
const LOOK_AGAIN_MS = 60_000;

type Spec = Auth0TenantSpec | ClusterAuth0TenantSpec;

export class TenantReconciler {
  readonly #options: TenantReconcilerOptions;
  readonly #known = new Map<ObjectKey, Known>();
  readonly #doubted = new Set<ObjectKey>();

  constructor(options: TenantReconcilerOptions) {
    this.#options = options;
    options.paused.watch(() =>
      this.#known.values().map(({ connection, breaker }) => [connection.directory.tenantDomain, breaker]),
    );
  }

  /** A call was refused for its credentials: they are proven anew at the next pass. */
  doubt(key: ObjectKey): void {
    this.#doubted.add(key);
  }

  async reconcile(key: ObjectKey, signal: AbortSignal): Promise<ReconcileResult> {
    const { storeOf, tenants } = this.#options;
    const resource = storeOf(key).get(key);
    const known = this.#known.get(key);
    if (resource === undefined || (known !== undefined && known.uid !== resource.uid)) {
      known?.connection.close();
      this.#known.delete(key);
      this.#doubted.delete(key);
      tenants.remove(key);
    }
    if (resource === undefined) return { kind: "done" };
    if (resource.isDeleting) return this.#finalize(resource, signal);
    const finding = await this.#find(resource, signal);
    await this.#tell(resource, finding, signal);
    return finding.isReady || !finding.isTransient ? { kind: "requeue", afterMs: LOOK_AGAIN_MS } : { kind: "backoff" };
  }

  async #find(resource: TenantResource, signal: AbortSignal): Promise<TenantFinding> {
    const { connections, hasOwnTenant, secrets } = this.#options;
    const { key, namespace, name } = resource;
    const validated = validateTenant(resource);
    if (validated.kind === "invalid") {
      const problems = validated.issues.map((issue) => `${issue.path}: ${issue.message}`);
      return this.#unusable(key, "ValidationFailed", problems.join("; "));
    }
    if (hasOwnTenant && namespace === undefined && name === DEFAULT_TENANT) {
      const message = "the name default is that of the tenant that the operator itself was given: choose another";
      return this.#unusable(key, "ValidationFailed", message);
    }
    const spec = validated.value;
    const admission = connections.admit(spec.domain);
    if (admission.kind === "refused") return this.#unusable(key, "DomainNotAllowed", admission.message);
    const known = this.#known.get(key);
    if (known?.reconciler !== undefined) this.#follow(resource, spec, known);
    await this.#hold(resource, signal);
    const reading = await readCredentials(secretKeyOf(resource), secrets, signal);
    if (reading.kind === "missing") return this.#unusable(key, reading.reason, reading.message);
    const { credentials } = reading;
    const connection = known?.connection ?? admission.connect(credentials);
    if (known === undefined) settle(connection, spec);
    const isChanged = known !== undefined && !isSameCredentials(known.credentials, credentials);
    try {
      const isProven = known?.access !== undefined && known.isUsable && !isChanged && !this.#doubted.has(key);
      const standing = this.#doubted.has(key) ? "in doubt" : "in use";
      const access = isProven
        ? (connection.access ?? known.access)
        : await connection.prove(isChanged ? credentials : standing, signal);
      this.#doubted.delete(key);
      const next: Known = {
        uid: resource.uid,
        connection,
        credentials,
        access,
        reconciler: known?.reconciler,
        generation: known?.generation ?? 0,
        breaker: known?.breaker,
        isUsable: known?.isUsable ?? false,
        toldExpiresAtMs: known?.toldExpiresAtMs,
      };
      this.#known.set(key, next);
      return this.#use(resource, spec, next);
    } catch (error) {
      if (!(error instanceof DirectoryError)) throw error;
      if (isChanged && known.isUsable && !this.#doubted.has(key)) {
        const message = `the new credentials in the Secret are not taken, the former ones stay in use: ${error.message}`;
        return { isReady: true, reason: REASON_OF[error.code], message, isTransient: true, access: known.access };
      }
      if (known === undefined) connection.close();
      return this.#unusable(key, REASON_OF[error.code], error.message, error.remedy.kind !== "stall");
    }
  }

  /** The credentials are good: whether they are good enough, and the users go on. */
  #use(resource: TenantResource, spec: Spec, known: Known): TenantFinding {
    const scopes = known.access?.scopes;
    if (scopes !== undefined && !scopes.includes(LEAST_SCOPE)) {
      const message = `the operator's client lacks the scope ${LEAST_SCOPE}: grant it to the client`;
      return { ...this.#unusable(resource.key, "InsufficientScope", message, true), access: known.access };
    }
    const reconciler = this.#follow(resource, spec, known);
    if (!known.isUsable) {
      known.isUsable = true;
      this.#options.tenants.set(resource.key, { kind: "usable", reconciler });
    }
    const { kind } = known.credentials;
    const message = `the tenant takes the operator's ${kind === "token" ? "access token" : kind}`;
    return { isReady: true, reason: "Connected", message, isTransient: false, access: known.access };
  }

  /** What the object declares of its users counts at once, whether or not its credentials are still good. */
  #follow({ key, namespace, name, generation }: TenantResource, spec: Spec, known: Known): UserReconciler {
    if (known.reconciler !== undefined && known.generation === generation) return known.reconciler;
    const { tenants, namespaces, userReconciler, breakerOf } = this.#options;
    settle(known.connection, spec);
    known.breaker ??= breakerOf(key);
    known.breaker.limit(spec.protection ?? {});
    const reconciler = userReconciler(
      new Tenant({
        key,
        title: `${namespace === undefined ? CLUSTER_TENANT_KIND : TENANT_KIND} ${name}`,
        directory: known.connection.directory,
        grants: grantsOf(spec, namespace === undefined),
        namespaces,
        breaker: known.breaker,
        marksAllUsers: spec.userMarkers === "All",
        syncIntervalMs: syncIntervalMsOf(spec),
      }),
    );
    known.reconciler = reconciler;
    known.generation = generation;
    if (known.isUsable) tenants.set(key, { kind: "usable", reconciler });
    return reconciler;
  }

  /** Its users wait, with one cause. What worked last is kept, for users that are being deleted. */
  #unusable(key: ObjectKey, reason: Reason, message: string, isTransient = false): TenantFinding {
    const { tenants } = this.#options;
    const known = this.#known.get(key);
    if (known !== undefined) known.isUsable = false;
    const title = key.includes("/")
      ? `${TENANT_KIND} ${key.slice(key.indexOf("/") + 1)}`
      : `${CLUSTER_TENANT_KIND} ${key}`;
    const cause = `${title} is not ready: ${reason}: ${message}`;
    tenants.set(key, { kind: "not ready", message: cause, reconciler: known?.reconciler });
    return { isReady: false, reason, message, isTransient, access: undefined };
  }

  /** Nobody's users lose their tenant: the object stays while any names it. */
  async #hold({ finalizers, resourceVersion, key, ...resource }: TenantResource, signal: AbortSignal): Promise<void> {
    if (finalizers.includes(TENANT_FINALIZER)) return;
    const { api, storeOf } = this.#options;
    const patch = { metadata: { resourceVersion, finalizers: [...finalizers, TENANT_FINALIZER] } };
    const path = tenantPath({ ...resource, key, resourceVersion });
    await storeOf(key).write(key, resourceVersion, () => api.mergePatch(path, patch, signal));
  }

  async #finalize(resource: TenantResource, signal: AbortSignal): Promise<ReconcileResult> {
    const { tenants, api, storeOf, isNamed } = this.#options;
    const { key, finalizers, resourceVersion } = resource;
    if (!finalizers.includes(TENANT_FINALIZER)) return { kind: "done" };
    if (await isNamed(key)) {
      const known = this.#known.get(key);
      const example = tenants.usersOf(key).values().next().value ?? "";
      const validated = validateTenant(resource);
      if (known?.reconciler !== undefined && validated.kind === "valid") this.#follow(resource, validated.value, known);
      const cause = "the object is being deleted, and goes once no Auth0User names it";
      const message = example === "" ? cause : `${cause}, such as ${example}`;
      tenants.set(key, { kind: "not ready", message: cause, reconciler: known?.reconciler });
      await this.#tell(
        resource,
        { isReady: false, reason: "Deleting", message, isTransient: true, access: known?.access },
        signal,
      );
      return { kind: "requeue", afterMs: DRAIN_LOOK_AGAIN_MS };
    }
    const rest = finalizers.filter((finalizer) => finalizer !== TENANT_FINALIZER);
    const patch = { metadata: { resourceVersion, finalizers: rest } };
    await storeOf(key).write(key, resourceVersion, () => api.mergePatch(tenantPath(resource), patch, signal));
    return { kind: "done" };
  }

  async #tell(resource: TenantResource, finding: TenantFinding, signal: AbortSignal): Promise<void> {
    const { tenants, reasons, clock, recorder, log, api, storeOf } = this.#options;
    const { key, status, generation } = resource;
    const standing = findCondition(status.conditions ?? [], "Ready");
    const { reason, message } = finding;
    if (standing?.reason !== reason || standing.message !== message) {
      const type = finding.isReady && reason === "Connected" ? "Normal" : "Warning";
      recorder.event({ regarding: tenantReference(resource), type, reason, action: "Connect", note: message });
      if (type === "Normal") log.info("tenant connected", { key, scopes: finding.access?.scopes });
      else log.warn("tenant not usable as declared", { key, reason, message });
    }
    const users = reasons.countsOf(tenants.usersOf(key));
    const pauses = (await this.#known.get(key)?.breaker?.findPauses(signal)) ?? [];
    const access = this.#newsOf(finding.access, resource);
    const next = tenantStatusAfter(status, { ...finding, access, pauses }, users, { generation, nowMs: clock.now() });
    const patch = mergePatchBetween(status, next);
    if (patch !== undefined)
      storeOf(key).absorb(await api.mergePatch(tenantPath(resource, "status"), { status: patch }, signal));
  }

  /** The end of a token is told once: two operators that both lead for a moment, each with its own, do not take turns. */
  #newsOf(access: Access | undefined, { key, status }: TenantResource): Access | undefined {
    const known = this.#known.get(key);
    if (access === undefined || known === undefined) return access;
    const { tokenExpiresAt } = status;
    const isTold = tokenExpiresAt !== undefined && known.toldExpiresAtMs === access.expiresAtMs;
    known.toldExpiresAtMs = access.expiresAtMs;
    return isTold && access.expiresAtMs !== undefined ? { ...access, expiresAtMs: Date.parse(tokenExpiresAt) } : access;
  }
}

/** How the tenant is to be called. */
function settle(connection: TenantConnection, { customDomain, quota }: Spec): void {
  connection.nameDomain(customDomain);
  connection.limit({ plan: quota?.plan, share: shareFrom(quota?.share) });
}

/** `50%` → 0.5 */
function shareFrom(percentage: string | undefined): number | undefined {
  return percentage === undefined ? undefined : Number.parseInt(percentage, 10) / 100;
}

/** An object that slipped past the API server costs its tenant no more than one that did not. */
function syncIntervalMsOf({ drift }: Spec): number | undefined {
  const ms = parseDurationMs(drift?.fullScanInterval ?? "");
  return ms === undefined ? undefined : Math.max(ms, MIN_SYNC_INTERVAL_MS);
}

/** While an object waits for its users to go. */
const DRAIN_LOOK_AGAIN_MS = 2_000;

function isSameCredentials(a: Credentials, b: Credentials): boolean {
  const [one, other]: [unknown, unknown] = [a, b];
  return isJsonMap(one) && isJsonMap(other) && isSameJson(one, other);
}
