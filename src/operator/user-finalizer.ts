/** The end of an Auth0User: its user is dealt with first, then the finalizer comes off. */
import { desiredUserFrom } from "../api/desired-user.ts";
import { parseDurationMs } from "../api/duration.ts";
import { CONFIRM_DELETION_ANNOTATION } from "../api/names.ts";
import { validateUserSpec } from "../api/validate.ts";
import type { Grant } from "../core/grants.ts";
import { connectionName, userId, type ConnectionName, type UserId } from "../core/ids.ts";
import type { ObjectKey } from "../kubernetes/object.ts";
import type { ReconcileResult } from "../kubernetes/controller.ts";
import { deleteUser, type DeletionOutcome, type DeletionPolicy, type Obstacle } from "../reconcile/delete-user.ts";
import { DirectoryError } from "../reconcile/errors.ts";
import { refused } from "../reconcile/outcome.ts";
import { REASON_OF, type Reason } from "../reconcile/reasons.ts";
import type { EpochMs } from "../runtime/clock.ts";
import { parseAuth0UserResource, type Auth0UserResource } from "./auth0-user-resource.ts";
import { findHeir, waitingFor } from "./awaited-by.ts";
import { PAUSED_AGAIN_MS } from "./breaker.ts";
import { findMissingGrants } from "./granted.ts";
import { GuardedDirectory } from "./guarded-directory.ts";
import { FINALIZER } from "./names.ts";
import { ResourceClaims } from "./resource-claims.ts";
import { resultOf } from "./result.ts";
import { isNews, referenceTo, writeStatus } from "./status-writer.ts";
import { auth0UserPath, type UserParts } from "./user-parts.ts";
import { derivedIdOf, markerOf, ownershipOf } from "./user-ownership.ts";
import { statusWith } from "./user-status.ts";

/** @throws ApiError */
export async function finalizeUser(
  resource: Auth0UserResource,
  parts: UserParts,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  if (!resource.finalizers.includes(FINALIZER)) return { kind: "done" };
  const { directory, tenant, audit, clock } = parts;
  const guards = {
    breaker: tenant.breaker,
    audit,
    findHeir: (id: UserId) => heirOf(resource, parts, id),
    isGone: () => parts.store.identify(resource.key)?.uid !== resource.uid,
  };
  const guarded = new GuardedDirectory(directory, resource, guards, () => clock.now());
  let outcome: DeletionOutcome | Released = await endOf(resource, { ...parts, directory: guarded }, signal);
  if (outcome.kind === "refused" && outcome.reason === "ClaimMoved") outcome = moved(outcome.message);
  if (outcome.kind === "refused") {
    const leftBehind = await leaveBehind(resource, outcome, parts, signal);
    if (leftBehind === undefined) return refuse(resource, outcome, parts, signal);
    outcome = leftBehind;
  }
  const { reason, message } = outcome;
  if (reason !== undefined && reason !== "Deleted" && reason !== "AlreadyAbsent") {
    guarded.retained(knownIdOf(resource, parts), `${reason}: ${message}`);
  }
  const finalizers = resource.finalizers.filter((finalizer) => finalizer !== FINALIZER);
  const { key, resourceVersion } = resource;
  const patch = { metadata: { resourceVersion, finalizers } };
  const send = () => parts.api.mergePatch(auth0UserPath(resource), patch, signal);
  const answer = await parts.store.write(key, resourceVersion, send);
  parts.memories.forget(resource.key);
  // The first gets the user, if it stays; the others are to wait for that one.
  for (const waiting of waitingFor(parseAuth0UserResource(answer))) {
    parts.memories.expire(waiting);
    parts.wake(waiting);
  }
  if (reason !== undefined)
    tellEnd(
      resource,
      { reason, message, namespaceUid: "namespaceUid" in outcome ? outcome.namespaceUid : undefined },
      parts,
    );
  return { kind: "done" };
}

interface End {
  readonly reason: Reason;
  readonly message: string;
  /** Of the namespace that went, where the user is left behind. */
  readonly namespaceUid: string | undefined;
}

function tellEnd(resource: Auth0UserResource, { reason, message, namespaceUid }: End, parts: UserParts): void {
  parts.log.info("user let go", { key: resource.key, reason, message });
  if (namespaceUid === undefined) {
    parts.recorder.event({ regarding: referenceTo(resource), type: "Normal", reason, action: "Delete", note: message });
    return;
  }
  // No Event can be made in the namespace itself any more.
  const regarding = { apiVersion: "v1", kind: "Namespace", name: resource.namespace, uid: namespaceUid };
  parts.recorder.event({ regarding, type: "Warning", reason, action: "Delete", note: message });
  parts.leftBehind.count(resource.namespace);
}

type Released = Extract<DeletionOutcome, { kind: "released" }> & { readonly namespaceUid?: string };

async function endOf(resource: Auth0UserResource, parts: UserParts, signal: AbortSignal): Promise<DeletionOutcome> {
  const { spec, annotations, key, uid } = resource;
  if (spec["suspend"] === true) {
    return { kind: "released", reason: "Retained", message: "the user stays at Auth0: spec.suspend is true" };
  }
  if (await parts.kindDeletion.isUnderWay()) {
    const message =
      "the user stays at Auth0: the definition of Auth0User is being deleted, and nobody asked for the users";
    return { kind: "released", reason: "Retained", message };
  }
  const heir = heirOf(resource, parts);
  if (heir !== undefined) return moved(`Auth0User ${heir} takes it over`);
  const policy = POLICIES.find((one) => one === spec["deletionPolicy"]);
  const connection = connectionOf(resource);
  const claims = new ResourceClaims(resource, parts);
  const ownership = ownershipOf(resource, connection, undefined, claims.parse(), parts);
  const isRestored = ownership.kind === "owned" && !ownership.isNoted;
  const holder = isRestored ? await claims.findHolder(ownership.userId) : undefined;
  if (holder !== undefined) return moved(`Auth0User ${holder} holds it`);
  return deleteUser(
    {
      ownership,
      connection,
      policy,
      lastSeen: parts.memories.find(key, uid)?.memory.lastSeen,
      confirmedId: annotations[CONFIRM_DELETION_ANNOTATION],
      obstacle: await findObstacle(resource, parts, signal),
      deleteAtMs: deleteAtMsOf(resource),
      marker: markerOf(resource, connection, parts),
    },
    parts,
    signal,
  );
}

function moved(why: string): DeletionOutcome {
  return { kind: "released", reason: "ClaimMoved", message: `the user stays at Auth0: ${why}` };
}

/**
 * A resource that waits for this very user, and may take it over.
 * @param foundId the user that was found to be the resource's own
 */
function heirOf(resource: Auth0UserResource, parts: UserParts, foundId?: UserId): ObjectKey | undefined {
  // It may have come to be awaited since the pass began.
  const isLatest = parts.store.identify(resource.key)?.resourceVersion === resource.resourceVersion;
  const noted = isLatest ? resource : (parts.store.get(resource.key) ?? resource);
  if (waitingFor(noted).length === 0) return undefined;
  const userIds = [foundId, knownIdOf(resource, parts), derivedIdOf(resource, connectionOf(resource))];
  return findHeir(noted, userIds, parts.store);
}

const POLICIES: readonly DeletionPolicy[] = ["Delete", "Retain", "Disable"];

/** A grant that was taken back stops deletions, too; and so does the breaker. */
async function findObstacle(
  resource: Auth0UserResource,
  parts: UserParts,
  signal: AbortSignal,
): Promise<Obstacle | undefined> {
  const { tenant, clock } = parts;
  const grants = await tenant.grantsFor(resource.namespace, signal);
  const notGranted = grants === "all" ? undefined : await findNotGranted(resource, grants, parts, signal);
  if (notGranted !== undefined) return notGranted;
  const pause = await tenant.breaker?.findDeletionPause(signal);
  if (pause === undefined) return undefined;
  return {
    reason: "DeletionPaused",
    message: pause.message,
    remedy: { kind: "wait", untilMs: clock.now() + PAUSED_AGAIN_MS },
  };
}

/** Of a spec that is not valid any more only the least is asked. */
async function findNotGranted(
  { namespace, spec }: Auth0UserResource,
  grants: readonly Grant[],
  { tenant, directory }: UserParts,
  signal: AbortSignal,
): Promise<Obstacle | undefined> {
  const validated = validateUserSpec(spec);
  const adopts = spec["userId"] !== undefined;
  try {
    const missing =
      validated.kind === "valid"
        ? await findMissingGrants(
            grants,
            { adopts, setsPassword: false, desired: desiredUserFrom(validated.value, []) },
            directory.assignments,
            signal,
          )
        : grants.length === 0
          ? ["anything at all (grants)"]
          : [];
    if (missing.length === 0) return undefined;
    const message = `${tenant.title} does not grant namespace ${namespace}: ${missing.join("; ")}; to let go of the resource set deletionPolicy: Retain`;
    return { reason: "NotGranted", message, remedy: { kind: "backoff" } };
  } catch (error) {
    if (!(error instanceof DirectoryError)) throw error;
    return { reason: REASON_OF[error.code], message: error.message, remedy: error.remedy };
  }
}

/** How often a deletion that waits for a person looks at the user again. */
const STALLED_AGAIN_MS = 5 * 60_000;

/** In a namespace that is being deleted nobody is left to mend anything: what can't be done in time is left behind. */
async function leaveBehind(
  resource: Auth0UserResource,
  { reason, message }: Extract<DeletionOutcome, { kind: "refused" }>,
  parts: UserParts,
  signal: AbortSignal,
): Promise<Released | undefined> {
  const { clock, namespaces, releaseAfterMs } = parts;
  const { namespace: name, deletedAtMs, key } = resource;
  if (deletedAtMs === undefined || clock.now() - deletedAtMs < releaseAfterMs) return undefined;
  const namespace = await namespaces.find(name, signal);
  if (namespace?.isTerminating !== true) return undefined;
  const note = `${key}: the namespace is being deleted, and the user ${knownIdOf(resource, parts) ?? "that it may have"} could not be deleted (${reason}: ${message}): it stays at Auth0`;
  return { kind: "released", reason: "LeftBehind", message: note, namespaceUid: namespace.uid };
}

function knownIdOf(resource: Auth0UserResource, parts: UserParts): UserId | undefined {
  const { userId: id } = resource.status;
  if (id !== undefined) return userId(id);
  const claim = new ResourceClaims(resource, parts).parse();
  return typeof claim === "object" ? claim.userId : undefined;
}

/** `deleteAfter` from the moment the resource was deleted. */
function deleteAtMsOf({ spec, deletedAtMs }: Auth0UserResource): EpochMs | undefined {
  const afterMs = parseDurationMs(typeof spec["deleteAfter"] === "string" ? spec["deleteAfter"] : "");
  return afterMs === undefined || deletedAtMs === undefined ? undefined : deletedAtMs + afterMs;
}

/** Where the user is, whatever the spec says by now. */
function connectionOf({ spec, status }: Auth0UserResource): ConnectionName {
  return connectionName(status.connection ?? String(spec["connection"]));
}

async function refuse(
  resource: Auth0UserResource,
  { reason, message, remedy }: Extract<DeletionOutcome, { kind: "refused" }>,
  parts: UserParts,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { generation, status, key } = resource;
  const verdict = refused(reason, message, remedy);
  if (reason === "CredentialsInvalid") parts.doubtCredentials();
  if (isNews(status, reason, message)) {
    parts.recorder.event({
      regarding: referenceTo(resource),
      type: "Warning",
      reason,
      action: "Delete",
      note: message,
    });
    parts.log.warn("user not deleted", { key, reason, message });
  }
  await writeStatus(resource, statusWith(status, verdict, { generation, nowMs: parts.clock.now() }), parts, signal);
  // What is in the way may be cleared at Auth0, of which nobody is told.
  return remedy.kind === "stall" ? { kind: "requeue", afterMs: STALLED_AGAIN_MS } : resultOf(remedy, parts.clock.now());
}
