/**
 * One Auth0User of one tenant, once: hands the sequence of `reconcile/` what it needs, writes the status where it differs,
 * and says when to come back. Level-triggered: whatever woke the key, the pass looks at what is.
 */
import type { Auth0UserSpec, Auth0UserStatus } from "../api/auth0-user.ts";
import { desiredUserFrom } from "../api/desired-user.ts";
import { parseDurationMs } from "../api/duration.ts";
import { LAST_APPLIED_ANNOTATION, findRecoveredNulls } from "../api/last-applied.ts";
import type { Action } from "../api/actions.ts";
import { ACTIONS_ANNOTATION, APPROVE_PLAN_ANNOTATION, RECONCILE_ANNOTATION } from "../api/names.ts";
import { findUnset } from "../api/unset.ts";
import { validateUserSpec, type Issue } from "../api/validate.ts";
import { findNotGrantedOn, type Asked } from "../core/grants.ts";
import type { DesiredUser } from "../core/desired-user.ts";
import type { Ownership } from "../core/ownership.ts";
import { isAttributePath, managedAttributes, removedAttributes, type AttributePath } from "../core/plan.ts";
import { findCondition } from "../kubernetes/conditions.ts";
import type { ReconcileResult } from "../kubernetes/controller.ts";
import { NO_MEMORY, type Outcome, type Refused } from "../reconcile/outcome.ts";
import type { PasswordDeclaration } from "../reconcile/password.ts";
import type { UserDirectory } from "../reconcile/ports.ts";
import { DirectoryError } from "../reconcile/errors.ts";
import { REASON_OF, type Reason } from "../reconcile/reasons.ts";
import { reconcileUser } from "../reconcile/reconcile-user.ts";
import type { UserDeclaration } from "../reconcile/user-declaration.ts";
import { jittered } from "../runtime/random.ts";
import type { Auth0UserResource } from "./auth0-user-resource.ts";
import { passwordSecretOf, readDeclaredPassword } from "./password-reader.ts";
import type { ReadyReasons } from "./ready-reasons.ts";
import { ResourceClaims, type HeldUser } from "./resource-claims.ts";
import { resultOf } from "./result.ts";
import type { SecretUsers } from "./secret-users.ts";
import { GuardedDirectory } from "./guarded-directory.ts";
import { AWAITED_BY_ANNOTATION } from "./names.ts";
import { findMissingGrants } from "./granted.ts";
import { refuseEarly } from "./early-refusal.ts";
import { writeStatus } from "./status-writer.ts";
import { answerActions, hasOpenActions } from "./user-actions.ts";
import { finalizeUser } from "./user-finalizer.ts";
import { reportPass } from "./user-report.ts";
import type { KeyMemory } from "./user-memories.ts";
import { derivedIdOf, markerOf, ownershipOf } from "./user-ownership.ts";
import { auth0UserPath, type UserParts } from "./user-parts.ts";
import { statusAfter, statusSuspended } from "./user-status.ts";

/** The share by which the moments of comparison vary, so that users that were made together drift apart. */
const SYNC_JITTER = 0.1;
/** Failures of the tenant in a row that a user who was Ready is not bothered with. */
const FAILURES_HELD_BACK = 2;
/** Labels of namespaces decide over grants, and nobody tells us of them. */
const LOOK_AGAIN_MS = 5 * 60_000;
/** A wait shorter than this is not worth a write. */
const SHORT_WAIT_MS = 60_000;

/** What one pass works from. */
interface Declared {
  readonly spec: Auth0UserSpec;
  readonly desired: DesiredUser;
  readonly recovered: readonly string[];
  /** Attributes that left the spec and are removed once. */
  readonly unset: readonly string[];
  readonly isNewSpec: boolean;
  readonly requestedAt: string | undefined;
  readonly isRequested: boolean;
  readonly syncIntervalMs: number;
}

export class UserReconciler {
  readonly #parts: UserParts;
  readonly #defaultSyncIntervalMs: number;
  readonly #secretUsers: SecretUsers;
  readonly #reasons: ReadyReasons;
  readonly #onCredentialsRefused: () => void;

  constructor(
    parts: UserParts,
    options: {
      readonly defaultSyncIntervalMs: number;
      readonly secretUsers: SecretUsers;
      readonly reasons: ReadyReasons;
      /** Told when the tenant refuses the credentials. */
      readonly onCredentialsRefused: () => void;
    },
  ) {
    this.#onCredentialsRefused = options.onCredentialsRefused;
    this.#parts = parts;
    this.#defaultSyncIntervalMs = options.defaultSyncIntervalMs;
    this.#secretUsers = options.secretUsers;
    this.#reasons = options.reasons;
  }

  /** @throws ApiError */
  reconcile(resource: Auth0UserResource, signal: AbortSignal): Promise<ReconcileResult> {
    return resource.isDeleting ? finalizeUser(resource, this.#parts, signal) : this.#bringAbout(resource, signal);
  }

  async #bringAbout(resource: Auth0UserResource, signal: AbortSignal): Promise<ReconcileResult> {
    const { clock, memories } = this.#parts;
    const { key, uid, generation, status } = resource;
    this.#reasons.set(key, status);
    if (resource.spec["suspend"] === true) {
      await this.#write(resource, statusSuspended(status, { generation, nowMs: clock.now() }), signal);
      return { kind: "done" };
    }
    const validated = validateUserSpec(resource.spec);
    if (validated.kind === "invalid") return this.#refuse(resource, INVALID, textOf(validated.issues), signal);

    const declared = this.#declaredBy(resource, validated.value);
    this.#secretUsers.set(key, passwordSecretOf(declared.spec));
    const known = memories.find(key, uid) ?? this.#firstSight(resource, declared);
    const isEcho = resource.resourceVersion === known.writtenVersion;
    const isDue = (declared.isNewSpec && !isEcho) || declared.isRequested || hasOpenActions(resource);
    if (!isDue && clock.now() < known.nextSyncAtMs) {
      memories.keep(key, known);
      return { kind: "requeue", afterMs: known.nextSyncAtMs - clock.now() };
    }
    return this.#pass(resource, declared, known, signal);
  }

  async #pass(
    resource: Auth0UserResource,
    declared: Declared,
    known: KeyMemory,
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    const { desired } = declared;
    const grants = await this.#parts.tenant.grantsFor(resource.namespace, signal);
    const { assignments } = this.#parts.directory;
    const missing = await findMissingGrants(grants, askedBy(declared, resource), assignments, signal).catch(failureOf);
    if (missing instanceof DirectoryError) return this.#postpone(resource, known, missing, signal);
    if (missing.length > 0) {
      const message = `${this.#parts.tenant.title} does not grant namespace ${resource.namespace}: ${missing.join("; ")}`;
      return this.#refuse(resource, NOT_GRANTED, message, signal);
    }
    const claims = new ResourceClaims(resource, this.#parts);
    const ownership = this.#ownership(resource, desired, claims);
    const password = await readDeclaredPassword(declared.spec, resource, ownership, this.#parts, signal);
    const declaration: UserDeclaration = {
      ...this.#declaration(resource, declared, known, ownership, password),
      findObjection: (user) => findNotGrantedOn(grants, user),
    };
    const { tenant, audit, clock } = this.#parts;
    const guards = { breaker: tenant.breaker, audit };
    const directory = new GuardedDirectory(this.#parts.directory, resource, guards, () => clock.now());
    const outcome = await reconcileUser(declaration, { directory, claims, clock }, signal).finally(() => {
      claims.release();
    });
    const mayFollow = ownership.kind === "owned" || askedBy(declared, resource).adopts;
    if (claims.held !== undefined && mayFollow) await this.#await(resource, claims.held, signal);
    this.#remember(resource, declared, known, claims.writtenVersion, outcome);
    if (outcome.verdict.kind === "refused" && outcome.verdict.reason === "CredentialsInvalid") {
      this.#onCredentialsRefused();
      // The tenant's object says so for all of its users.
      if (this.#parts.tenant.key !== undefined) return { kind: "backoff" };
    }
    await this.#tell(resource, declared, known, outcome, password, signal);
    if (hasOpenActions(resource)) await this.#act(resource, outcome, password, directory, signal);
    return this.#resultOf(resource, outcome);
  }

  #declaredBy({ annotations, status, generation, spec: raw }: Auth0UserResource, spec: Auth0UserSpec): Declared {
    const recovered = findRecoveredNulls(raw, annotations[LAST_APPLIED_ANNOTATION]);
    const requestedAt = annotations[RECONCILE_ANNOTATION];
    const removed = status.removedAttributes ?? [];
    const unset = findUnset(spec, { managed: status.managedAttributes ?? [], removed: [...removed, ...recovered] });
    return {
      spec,
      desired: desiredUserFrom(spec, [...recovered, ...unset]),
      recovered,
      unset,
      isNewSpec: status.syncedGeneration !== generation || recovered.some((path) => !removed.includes(path)),
      requestedAt,
      isRequested: requestedAt !== undefined && requestedAt !== status.lastHandledReconcileAt,
      syncIntervalMs: parseDurationMs(spec.syncInterval ?? "") ?? this.#defaultSyncIntervalMs,
    };
  }

  /**
   * After a start nothing is remembered. Users that are Ready are compared some time within their interval, so that a
   * restart is no burst; the others have waited long enough.
   */
  #firstSight({ uid, status }: Auth0UserResource, { syncIntervalMs }: Declared): KeyMemory {
    const isReady = findCondition(status.conditions ?? [], "Ready")?.status === "True";
    const nextSyncAtMs = isReady ? this.#parts.clock.now() + this.#parts.random.next() * syncIntervalMs : 0;
    const goneSinceMs = status.missingSince === undefined ? undefined : Date.parse(status.missingSince);
    return { uid, memory: { ...NO_MEMORY, goneSinceMs }, nextSyncAtMs, failures: 0, writtenVersion: undefined };
  }

  #ownership(resource: Auth0UserResource, desired: DesiredUser, claims: ResourceClaims): Ownership {
    const ownership = ownershipOf(resource, desired.connection, desired.adoptedId, claims.parse(), this.#parts);
    // What has no finalizer could go without its user: it is claimed again.
    return ownership.kind === "owned" ? { ...ownership, isClaimed: ownership.isClaimed && claims.isHeld } : ownership;
  }

  #declaration(
    resource: Auth0UserResource,
    { spec, desired, isNewSpec, isRequested }: Declared,
    known: KeyMemory,
    ownership: Ownership,
    password: PasswordDeclaration,
  ): Omit<UserDeclaration, "findObjection"> {
    const { status } = resource;
    const { stateKeys, clock } = this.#parts;
    const { keyring } = stateKeys;
    return {
      desired,
      ownership,
      derivedId: derivedIdOf(resource, desired.connection),
      password,
      adoption: spec.adoptionPolicy ?? "Never",
      approval: { claimant: resource, keyring, given: resource.annotations[APPROVE_PLAN_ANNOTATION] },
      recreation: spec.recreatePolicy,
      recreateAfterMs: parseDurationMs(spec.recreateAfter ?? ""),
      history: {
        isNewSpec,
        isInitial: status.syncedGeneration === undefined && status.createdByOperator === true,
        reported: pathsIn(status.driftedAttributes),
        removed: pathsIn(status.removedAttributes),
        notWritable: isNewSpec ? new Set() : pathsIn(status.notWritableAttributes),
      },
      memory: known.memory,
      assigned: status.assigned ?? [],
      isSightingEnough: !isRequested && clock.now() < known.nextSyncAtMs,
      marker: markerOf(resource, desired.connection, this.#parts),
    };
  }

  /** Has the holder remember who waits for its user: when it goes, the user does not. */
  async #await({ key }: Auth0UserResource, held: HeldUser, signal: AbortSignal): Promise<void> {
    const { api, store } = this.#parts;
    const holder = store.get(held.holder);
    const awaited = `${key} ${held.userId}`;
    if (holder === undefined || holder.annotations[AWAITED_BY_ANNOTATION] === awaited) return;
    const patch = { metadata: { annotations: { [AWAITED_BY_ANNOTATION]: awaited } } };
    store.absorb(await api.mergePatch(auth0UserPath(holder), patch, signal));
  }

  #remember(
    { key, uid }: Auth0UserResource,
    { syncIntervalMs }: Declared,
    known: KeyMemory,
    writtenVersion: string | undefined,
    outcome: Outcome,
  ): void {
    const { clock, random, memories } = this.#parts;
    const { verdict, memory } = outcome;
    const isSettled = verdict.kind === "ready" || (verdict.kind === "refused" && verdict.remedy.kind === "stall");
    memories.keep(key, {
      uid,
      memory,
      nextSyncAtMs: isSettled ? clock.now() + jittered(syncIntervalMs, SYNC_JITTER, random) : 0,
      failures: isSettled ? 0 : known.failures + 1,
      writtenVersion: writtenVersion ?? known.writtenVersion,
    });
  }

  async #tell(
    resource: Auth0UserResource,
    declared: Declared,
    known: KeyMemory,
    outcome: Outcome,
    password: PasswordDeclaration,
    signal: AbortSignal,
  ): Promise<void> {
    const { status, generation } = resource;
    if (outcome.verdict.kind === "refused" && this.#isHeldBack(resource, outcome.verdict, known)) return;
    const managed = managedAttributes(declared.desired);
    const isLeft = (path: string): boolean => !declared.unset.includes(path);
    reportPass(
      resource,
      {
        outcome,
        released: (status.managedAttributes ?? []).filter((path) => !managed.some((name) => name === path)),
        recovered: declared.recovered.filter((path) => !(status.removedAttributes ?? []).includes(path)),
      },
      this.#parts,
    );
    const next = statusAfter(
      status,
      outcome,
      {
        connection: declared.desired.connection,
        tenantDomain: this.#parts.directory.tenantDomain,
        managed: managed.filter(isLeft),
        removed: removedAttributes(declared.desired).filter(isLeft),
        password,
        reconcileRequestedAt: declared.requestedAt,
      },
      { generation, nowMs: this.#parts.clock.now() },
    );
    await this.#write(resource, next, signal);
  }

  /** Once the user is as declared, as far as that is possible. */
  async #act(
    { key }: Auth0UserResource,
    { verdict, user }: Outcome,
    password: PasswordDeclaration,
    directory: UserDirectory,
    signal: AbortSignal,
  ): Promise<void> {
    const isSettled = verdict.kind === "ready" || (verdict.kind === "refused" && verdict.remedy.kind === "stall");
    const resource = this.#parts.store.get(key);
    if (!isSettled || user === undefined || resource === undefined) return;
    await answerActions(resource, user.userId, password, { ...this.#parts, directory }, signal);
  }

  /** What says more of the tenant than of the user: one who was Ready is left so for a few tries or a short wait. */
  #isHeldBack(
    { status, generation }: Auth0UserResource,
    { reason, remedy }: Refused,
    { failures }: KeyMemory,
  ): boolean {
    if (!OF_THE_TENANT.has(reason)) return false;
    if (remedy.kind === "wait" && remedy.untilMs - this.#parts.clock.now() < SHORT_WAIT_MS) return true;
    const ready = findCondition(status.conditions ?? [], "Ready");
    const isReady = ready?.status === "True" && ready.observedGeneration === generation;
    return isReady && failures < FAILURES_HELD_BACK;
  }

  /** Before Auth0 was asked. Nothing is retried: a new spec, or another tenant object, wakes the resource. */
  async #refuse(
    resource: Auth0UserResource,
    verdict: EarlyVerdict,
    message: string,
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    await refuseEarly(resource, { ...verdict, message }, this.#parts, this.#reasons, signal);
    return { kind: "requeue", afterMs: LOOK_AGAIN_MS };
  }

  /** What is granted could not be found out. */
  async #postpone(
    resource: Auth0UserResource,
    known: KeyMemory,
    { code, message, remedy }: DirectoryError,
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    const { memories, clock } = this.#parts;
    const verdict: Refused = { kind: "refused", reason: REASON_OF[code], message, remedy, isRestDone: false };
    if (!this.#isHeldBack(resource, verdict, known)) {
      await refuseEarly(resource, verdict, this.#parts, this.#reasons, signal);
    }
    memories.keep(resource.key, { ...known, nextSyncAtMs: 0, failures: known.failures + 1 });
    return resultOf(remedy, clock.now());
  }

  async #write(resource: Auth0UserResource, next: Auth0UserStatus, signal: AbortSignal): Promise<void> {
    this.#reasons.set(resource.key, next);
    await writeStatus(resource, next, this.#parts, signal);
  }

  #resultOf({ key, uid }: Auth0UserResource, { verdict }: Outcome): ReconcileResult {
    const nowMs = this.#parts.clock.now();
    if (verdict.kind === "undecided") return { kind: "requeue", afterMs: verdict.untilMs - nowMs };
    const isSettled = verdict.kind === "ready" || verdict.remedy.kind === "stall";
    if (!isSettled) return resultOf(verdict.remedy, nowMs);
    // What only a person can mend is looked at again at the pace of everything else: they may have mended it at Auth0.
    return { kind: "requeue", afterMs: (this.#parts.memories.find(key, uid)?.nextSyncAtMs ?? nowMs) - nowMs };
  }
}

const OF_THE_TENANT: ReadonlySet<Reason> = new Set<Reason>([
  "RateLimited",
  "Auth0Unavailable",
  "CredentialsInvalid",
  "InsufficientScope",
]);

function failureOf(error: unknown): DirectoryError {
  if (error instanceof DirectoryError) return error;
  throw error;
}

type EarlyVerdict = Omit<Refused, "message">;

const INVALID: EarlyVerdict = {
  kind: "refused",
  reason: "ValidationFailed",
  remedy: { kind: "stall" },
  isRestDone: false,
};
const NOT_GRANTED: EarlyVerdict = { ...INVALID, reason: "NotGranted" };

const PASSWORD_TICKET: Action = "password-change-ticket";

/** A link by which whoever has it sets the password is as good as the password. */
function askedBy({ spec, desired }: Declared, { status, annotations }: Auth0UserResource): Asked {
  const isAdopted = status.userId !== undefined && status.createdByOperator !== true;
  const asksForTicket = annotations[ACTIONS_ANNOTATION]?.includes(PASSWORD_TICKET) ?? false;
  return {
    desired,
    adopts: spec.userId !== undefined || (spec.adoptionPolicy ?? "Never") !== "Never" || isAdopted,
    setsPassword: spec.password !== undefined || asksForTicket,
  };
}

function textOf(issues: readonly Issue[]): string {
  return issues.map((issue) => `${issue.path}: ${issue.message}`).join("; ");
}

function pathsIn(names: readonly string[] | undefined): Set<AttributePath> {
  return new Set((names ?? []).filter(isAttributePath));
}
