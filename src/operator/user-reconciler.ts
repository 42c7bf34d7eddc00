/**
 * One Auth0User of one tenant, once: hands the sequence of `reconcile/` what it needs, writes the status where it differs,
 * and says when to come back. Level-triggered: whatever woke the key, the pass looks at what is.
 */
import { validateUserSpec, type Issue } from "../api/validate.ts";
import type { DesiredUser } from "../core/desired-user.ts";
import type { Grants } from "../core/grants.ts";
import type { Ownership } from "../core/ownership.ts";
import { managedAttributes, removedAttributes } from "../core/plan.ts";
import { findCondition } from "../kubernetes/conditions.ts";
import type { ReconcileResult } from "../kubernetes/controller.ts";
import { NO_MEMORY, isBroughtAbout, isSettled, refused, type Outcome, type Refused } from "../reconcile/outcome.ts";
import type { PasswordDeclaration } from "../reconcile/password.ts";
import type { UserDirectory } from "../reconcile/ports.ts";
import { DirectoryError } from "../reconcile/errors.ts";
import { REASON_OF } from "../reconcile/reasons.ts";
import { reconcileUser } from "../reconcile/reconcile-user.ts";
import type { EpochMs } from "../runtime/clock.ts";
import { jittered } from "../runtime/random.ts";
import type { Auth0UserResource } from "./auth0-user-resource.ts";
import { PAUSED_AGAIN_MS } from "./breaker.ts";
import { askedBy, declarationFrom, declaredBy, type Declared } from "./declared-user.ts";
import { isHeldBack } from "./held-back.ts";
import { passwordSecretOf, readDeclaredPassword } from "./password-reader.ts";
import { ResourceClaims } from "./resource-claims.ts";
import { resultOf } from "./result.ts";
import type { SecretUsers } from "./secret-users.ts";
import { GuardedDirectory } from "./guarded-directory.ts";
import { findMissingGrants } from "./granted.ts";
import { refuseEarly, wasRefusedEarly } from "./early-refusal.ts";
import { writeStatus } from "./status-writer.ts";
import { answerActions, hasOpenActions, requestedActionsOf } from "./user-actions.ts";
import { finalizeUser } from "./user-finalizer.ts";
import { reportPass } from "./user-report.ts";
import type { KeyMemory } from "./user-memories.ts";
import { isRestored, ownershipOf } from "./user-ownership.ts";
import type { UserParts } from "./user-parts.ts";
import { statusAfter, withoutNews, type Declared as Told } from "./user-status.ts";

/** The share by which the moments of comparison vary, so that users that were made together drift apart. */
const SYNC_JITTER = 0.1;
/** Labels of namespaces decide over grants, and nobody tells us of them. */
const LOOK_AGAIN_MS = 5 * 60_000;
export class UserReconciler {
  readonly #parts: UserParts;
  readonly #defaultSyncIntervalMs: number;
  readonly #secretUsers: SecretUsers;

  constructor(
    parts: UserParts,
    options: {
      readonly defaultSyncIntervalMs: number;
      readonly secretUsers: SecretUsers;
    },
  ) {
    this.#parts = parts;
    this.#defaultSyncIntervalMs = options.defaultSyncIntervalMs;
    this.#secretUsers = options.secretUsers;
  }

  /** @throws ApiError */
  reconcile(resource: Auth0UserResource, signal: AbortSignal): Promise<ReconcileResult> {
    return resource.isDeleting ? finalizeUser(resource, this.#parts, signal) : this.#bringAbout(resource, signal);
  }

  async #bringAbout(resource: Auth0UserResource, signal: AbortSignal): Promise<ReconcileResult> {
    const { clock, memories, reasons } = this.#parts;
    const { key, uid, generation, status } = resource;
    reasons.set(key, status);
    const validated = validateUserSpec(resource.spec);
    if (validated.kind === "invalid")
      return this.#refuse(resource, refused("ValidationFailed", textOf(validated.issues)), signal);

    const declared = declaredBy(resource, validated.value, this.#defaultSyncIntervalMs);
    this.#secretUsers.set(key, passwordSecretOf(declared.spec));
    const remembered = memories.find(key, uid) ?? this.#firstSight(resource, declared);
    const isExpired = memories.takeExpiry(key);
    const known = isExpired ? { ...remembered, nextSyncAtMs: 0 } : remembered;
    // Until a pass has come to its end, however often that takes.
    if (isExpired) memories.keep(key, known);
    const isEcho = resource.resourceVersion === known.writtenVersion && generation === known.passedGeneration;
    const isAsked = declared.isRequested || hasOpenActions(resource);
    const isDue = (declared.isNewSpec && !isEcho) || isAsked || wasRefusedEarly(resource);
    if (!isDue && clock.now() < known.nextSyncAtMs) {
      memories.keep(key, known);
      if (!known.awaitsPassword) return { kind: "requeue", afterMs: known.nextSyncAtMs - clock.now() };
      if (await this.#isPasswordMissing(resource, declared, signal)) return { kind: "backoff" };
    }
    if (!declared.isRequested && (await this.#isPaused(resource, signal))) {
      return { kind: "requeue", afterMs: PAUSED_AGAIN_MS };
    }
    return this.#pass(resource, declared, known, signal);
  }

  async #isPasswordMissing(resource: Auth0UserResource, declared: Declared, signal: AbortSignal): Promise<boolean> {
    const ownership = this.#ownership(resource, declared.desired, new ResourceClaims(resource, this.#parts));
    const password = await readDeclaredPassword(declared.spec, resource, ownership, this.#parts, signal);
    return password.kind === "missing";
  }

  /** Whether this very spec waits for a person's word still: nothing is read at Auth0 to find that out. */
  async #isPaused({ status, generation }: Auth0UserResource, signal: AbortSignal): Promise<boolean> {
    const ready = findCondition(status.conditions ?? [], "Ready");
    if (ready?.reason !== "ChangesPaused" || ready.observedGeneration !== generation) return false;
    const pauses = await this.#parts.tenant.breaker?.findPauses(signal);
    return pauses?.some((pause) => ready.message.endsWith(pause)) === true;
  }

  async #pass(
    resource: Auth0UserResource,
    declared: Declared,
    known: KeyMemory,
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    const grants = await this.#parts.tenant.grantsFor(resource.namespace, signal);
    const { assignments } = this.#parts.directory;
    const missing = await findMissingGrants(grants, askedBy(declared, resource), assignments, signal).catch(failureOf);
    if (missing instanceof DirectoryError) return this.#postpone(resource, known, missing, signal);
    if (missing.length > 0) {
      const message = `${this.#parts.tenant.title} does not grant namespace ${resource.namespace}: ${missing.join("; ")}`;
      return this.#refuse(resource, refused("NotGranted", message), signal);
    }
    const claims = new ResourceClaims(resource, this.#parts);
    // What was reserved is free once the status tells whose it is: an unsigned claim proves nothing.
    return this.#passClaiming(claims, resource, declared, known, grants, signal).finally(() => {
      claims.release();
    });
  }

  async #passClaiming(
    claims: ResourceClaims,
    resource: Auth0UserResource,
    spec: Declared,
    known: KeyMemory,
    grants: Grants,
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    const ownership = this.#ownership(resource, spec.desired, claims);
    const wasRestored = isRestored(resource, ownership);
    // It was brought about in a former life: what people have changed at Auth0 since is no news of the spec's.
    const declared = wasRestored ? { ...spec, isNewSpec: false } : spec;
    const password = await readDeclaredPassword(declared.spec, resource, ownership, this.#parts, signal);
    const declaration = declarationFrom(resource, declared, { known, ownership, password, grants }, this.#parts);
    const { tenant, audit, clock } = this.#parts;
    const guards = { breaker: tenant.breaker, audit };
    const directory = new GuardedDirectory(this.#parts.directory, resource, guards, () => clock.now());
    const outcome = await reconcileUser(declaration, { directory, claims, clock }, signal);
    const mayFollow = ownership.kind === "owned" || askedBy(declared, resource).adopts;
    if (claims.held !== undefined && mayFollow) await this.#parts.awaitedBy.note(resource, claims.held, signal);
    this.#remember(resource, declared, known, claims.writtenVersion, outcome);
    const areCredentialsRefused = outcome.verdict.kind === "refused" && outcome.verdict.reason === "CredentialsInvalid";
    if (areCredentialsRefused) this.#parts.doubtCredentials();
    // The tenant's object says so for all of its users.
    const isSaidElsewhere = areCredentialsRefused && this.#parts.tenant.key !== undefined;
    const isQuiet = isSaidElsewhere || isHeldBack(resource, outcome.verdict, known, clock.now());
    await this.#tell(resource, declared, outcome, { password, isRestored: wasRestored }, isQuiet, signal);
    if (isSaidElsewhere) return { kind: "backoff" };
    const resumeAtMs = hasOpenActions(resource)
      ? await this.#act(resource, outcome, password, directory, signal)
      : undefined;
    return this.#resultOf(resource, outcome, resumeAtMs);
  }

  /**
   * After a start nothing is remembered. Users that are Ready are compared some time within their interval, so that a
   * restart is no burst; the others have waited long enough.
   */
  #firstSight({ uid, status }: Auth0UserResource, { syncIntervalMs }: Declared): KeyMemory {
    const isReady = findCondition(status.conditions ?? [], "Ready")?.status === "True";
    const nextSyncAtMs = isReady ? this.#parts.clock.now() + this.#parts.random.next() * syncIntervalMs : 0;
    const goneSinceMs = status.missingSince === undefined ? undefined : Date.parse(status.missingSince);
    return {
      uid,
      memory: { ...NO_MEMORY, goneSinceMs },
      nextSyncAtMs,
      awaitsPassword: false,
      failures: 0,
      writtenVersion: undefined,
      passedGeneration: undefined,
    };
  }

  #ownership(resource: Auth0UserResource, desired: DesiredUser, claims: ResourceClaims): Ownership {
    const ownership = ownershipOf(resource, desired.connection, desired.adoptedId, claims.parse(), this.#parts);
    // What has no finalizer could go without its user: it is claimed again.
    return ownership.kind === "owned" ? { ...ownership, isClaimed: ownership.isClaimed && claims.isHeld } : ownership;
  }

  #remember(
    { key, uid, generation }: Auth0UserResource,
    { syncIntervalMs }: Declared,
    known: KeyMemory,
    writtenVersion: string | undefined,
    outcome: Outcome,
  ): void {
    const { clock, random, memories } = this.#parts;
    const { verdict, memory } = outcome;
    const isOver = isSettled(verdict) || isBroughtAbout(verdict);
    memories.keep(key, {
      uid,
      memory,
      nextSyncAtMs: isOver ? clock.now() + jittered(syncIntervalMs, SYNC_JITTER, random) : 0,
      awaitsPassword: isOver && !isSettled(verdict),
      failures: isOver ? 0 : known.failures + 1,
      writtenVersion: writtenVersion ?? known.writtenVersion,
      passedGeneration: generation,
    });
  }

  /** @param isQuiet what was found and done is noted all the same: what was sent once is not to be sent again */
  async #tell(
    resource: Auth0UserResource,
    declared: Declared,
    outcome: Outcome,
    facts: Pick<Told, "password" | "isRestored">,
    isQuiet: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const { status, generation, key } = resource;
    const { memories, clock } = this.#parts;
    const managed = managedAttributes(declared.desired);
    const isLeft = (path: string): boolean => !declared.unset.includes(path);
    const news = {
      outcome,
      released: (status.managedAttributes ?? []).filter((path) => !managed.some((name) => name === path)),
      recovered: declared.recovered.filter((path) => !(status.removedAttributes ?? []).includes(path)),
    };
    if (!isQuiet) reportPass(resource, news, this.#parts);
    const next = statusAfter(
      status,
      outcome,
      {
        connection: declared.desired.connection,
        tenantDomain: this.#parts.directory.tenantDomain,
        managed: managed.filter(isLeft),
        removed: removedAttributes(declared.desired).filter(isLeft),
        ...facts,
        actions: requestedActionsOf(resource),
        reconcileRequestedAt: declared.requestedAt,
      },
      { generation, nowMs: clock.now() },
    );
    try {
      await writeStatus(resource, isQuiet ? withoutNews(next, status) : next, this.#parts, signal);
    } catch (error) {
      // The next pass has to come to this again, though nothing else wants it.
      memories.expire(key);
      throw error;
    }
  }

  /**
   * Once the user is as declared, as far as that is possible. What was edited meanwhile, or is another resource by now, has
   * a pass of its own.
   * @returns when to go on
   */
  async #act(
    { key, uid, generation }: Auth0UserResource,
    { verdict, user }: Outcome,
    password: PasswordDeclaration,
    directory: UserDirectory,
    signal: AbortSignal,
  ): Promise<EpochMs | undefined> {
    const resource = this.#parts.store.get(key);
    const isSame = resource?.uid === uid && resource.generation === generation;
    const isOver = isSettled(verdict) || isBroughtAbout(verdict);
    if (!isOver || user === undefined || !isSame) return undefined;
    return answerActions(resource, user.userId, password, { ...this.#parts, directory }, signal);
  }

  /** Before Auth0 was asked. Nothing is retried: a new spec, or another tenant object, wakes the resource. */
  async #refuse(resource: Auth0UserResource, verdict: Refused, signal: AbortSignal): Promise<ReconcileResult> {
    await refuseEarly(resource, verdict, this.#parts, signal);
    return { kind: "requeue", afterMs: LOOK_AGAIN_MS };
  }

  /** What is granted could not be found out. */
  async #postpone(
    resource: Auth0UserResource,
    known: KeyMemory,
    { code, message, remedy }: DirectoryError,
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    const { memories, clock, doubtCredentials } = this.#parts;
    const verdict = refused(REASON_OF[code], message, remedy);
    if (code === "credentials_invalid") doubtCredentials();
    if (!isHeldBack(resource, verdict, known, this.#parts.clock.now())) {
      await refuseEarly(resource, verdict, this.#parts, signal);
    }
    memories.keep(resource.key, { ...known, nextSyncAtMs: 0, failures: known.failures + 1 });
    return resultOf(remedy, clock.now());
  }

  #resultOf({ key, uid }: Auth0UserResource, { verdict }: Outcome, resumeAtMs = Infinity): ReconcileResult {
    const nowMs = this.#parts.clock.now();
    if (verdict.kind === "undecided") return { kind: "requeue", afterMs: verdict.untilMs - nowMs };
    if (verdict.kind === "refused" && !isSettled(verdict)) return resultOf(verdict.remedy, nowMs);
    // What only a person can mend is looked at again at the pace of everything else: they may have mended it at Auth0.
    const nextSyncAtMs = this.#parts.memories.find(key, uid)?.nextSyncAtMs ?? nowMs;
    return { kind: "requeue", afterMs: Math.min(nextSyncAtMs, resumeAtMs) - nowMs };
  }
}

function failureOf(error: unknown): DirectoryError {
  if (error instanceof DirectoryError) return error;
  throw error;
}

function textOf(issues: readonly Issue[]): string {
  return issues.map((issue) => `${issue.path}: ${issue.message}`).join("; ");
}
