/**
 * The end of one user: decides whether it may be deleted at Auth0, deletes it, and says what may become of the resource.
 * Only a user that is proven ours is ever deleted; 204 proves nothing, since Auth0 answers it for an absent id, too.
 */
import type { ConnectionName, UserId } from "../core/ids.ts";
import { ownConnection, type ObservedUser } from "../core/observed-user.ts";
import type { Creating, Owned, Ownership } from "../core/ownership.ts";
import type { UserPatch } from "../core/writes.ts";
import { LATEST_MS, type Clock, type EpochMs } from "../runtime/clock.ts";
import type { Remedy } from "../runtime/remedy.ts";
import { findCreated } from "./conflict.ts";
import { DirectoryError } from "./errors.ts";
import { MARKER_KEY, type Marker } from "./marker.ts";
import type { Sighting } from "./outcome.ts";
import { canChooseId, type UserDirectory } from "./ports.ts";
import { REASON_OF, type Reason } from "./reasons.ts";

export type DeletionPolicy = "Delete" | "Retain" | "Disable";

export interface DeletionDeclaration {
  readonly ownership: Ownership;
  /** The connection that the user was in when it was last in hand. */
  readonly connection: ConnectionName;
  /** `undefined`: Delete for users that we created, Retain for adopted ones. */
  readonly policy: DeletionPolicy | undefined;
  readonly lastSeen: Sighting | undefined;
  /** The id whose deletion, linked identities included, a person confirmed. */
  readonly confirmedId: string | undefined;
  readonly marker: Marker;
  /** What forbids any write now; asked before anything is read. */
  readonly obstacle: Obstacle | undefined;
  /** With Delete: from when on the user may be deleted; until then it is blocked. `undefined`: at once. */
  readonly deleteAtMs: EpochMs | undefined;
}

export interface Obstacle {
  readonly reason: Reason;
  readonly message: string;
  readonly remedy: Remedy;
}

export type DeletionOutcome =
  /** The resource may go. Without a reason there never was a user. */
  | { readonly kind: "released"; readonly reason: Reason | undefined; readonly message: string }
  | { readonly kind: "refused"; readonly reason: Reason; readonly message: string; readonly remedy: Remedy };

const NO_CHANGE: UserPatch = {
  attributes: {},
  userMetadata: {},
  appMetadata: {},
  verifyEmail: undefined,
  password: undefined,
};

/** A user seen so recently is not read again before it is deleted. */
const FRESH_MS = 10 * 60_000;

/** @throws only `signal.reason` and bugs */
export async function deleteUser(
  declaration: DeletionDeclaration,
  { directory, clock }: { readonly directory: UserDirectory; readonly clock: Clock },
  signal: AbortSignal,
): Promise<DeletionOutcome> {
  const { ownership, policy, obstacle } = declaration;
  try {
    switch (ownership.kind) {
      case "none":
      case "adopting":
        return { kind: "released", reason: undefined, message: "no user was created" };
      case "unproven": {
        const { userId, derivedId } = ownership;
        const unproven = `nothing proves that ${userId ?? "the user claimed"} is ours`;
        if (derivedId === undefined || policy === "Retain") return retained(unproven);
        if (obstacle !== undefined) return { kind: "refused", ...obstacle };
        const own = await directory.findUser(derivedId, signal);
        if (own === undefined) return retained(unproven);
        return await endFound(own, policy ?? "Delete", declaration, { directory, clock }, signal);
      }
      case "elsewhere":
        if (policy === "Retain") return retained(`the user lives in tenant ${ownership.tenantDomain}`);
        return refused(
          "TenantChanged",
          `the user lives in tenant ${ownership.tenantDomain}, the operator is connected to ${directory.tenantDomain}: connect it to that tenant again, or set deletionPolicy: Retain to let go of the resource`,
        );
      case "creating":
        if (policy === "Retain") return retained("deletionPolicy is Retain");
        if (obstacle !== undefined) return { kind: "refused", ...obstacle };
        return await endFound(
          await findOwnCreated(ownership, declaration, directory, signal),
          policy ?? "Delete",
          declaration,
          { directory, clock },
          signal,
        );
      case "owned": {
        const effective = policy ?? (ownership.provenance === "created" ? "Delete" : "Retain");
        if (effective === "Retain") {
          const why =
            policy === undefined
              ? "adopted users are retained unless deletionPolicy is Delete"
              : "deletionPolicy is Retain";
          return await retainUnmarked(ownership, why, declaration, { directory, clock }, signal);
        }
        if (obstacle !== undefined) return { kind: "refused", ...obstacle };
        const { begun } = ownership;
        const user =
          (await lookAt(ownership, declaration, { directory, clock }, signal)) ??
          (begun && (await findOwnCreated(begun, declaration, directory, signal)));
        return await endFound(user, effective, declaration, { directory, clock }, signal);
      }
      case "contradicted":
      case "moved":
        throw new Error(`a deletion is decided without spec.userId and spec.connection, but is "${ownership.kind}"`);
      default:
        return ownership satisfies never;
    }
  } catch (error) {
    if (!(error instanceof DirectoryError)) throw error;
    return { kind: "refused", reason: REASON_OF[error.code], message: error.message, remedy: error.remedy };
  }
}

/** Reads the user unless it was just seen; one that was taken over always, since others look after it, too. */
async function lookAt(
  { userId, provenance }: Owned,
  { lastSeen }: DeletionDeclaration,
  { directory, clock }: { readonly directory: UserDirectory; readonly clock: Clock },
  signal: AbortSignal,
): Promise<ObservedUser | undefined> {
  return provenance === "created" && lastSeen !== undefined && isFreshAndSingle(lastSeen, userId, clock.now())
    ? lastSeen.user
    : directory.findUser(userId, signal);
}

/**
 * Takes the marker off, so that somebody else may take the user over. What hinders that does not keep the resource, but for
 * the rate limit, which is over soon.
 */
async function retainUnmarked(
  owned: Owned,
  why: string,
  declaration: DeletionDeclaration,
  ports: { readonly directory: UserDirectory; readonly clock: Clock },
  signal: AbortSignal,
): Promise<DeletionOutcome> {
  const { marker, obstacle } = declaration;
  if (!marker.isDue(owned.provenance) || obstacle !== undefined) return retained(why);
  try {
    const user = await lookAt(owned, declaration, ports, signal);
    if (user !== undefined && marker.isOn(user)) {
      await ports.directory.updateUser(user.userId, { ...NO_CHANGE, appMetadata: { [MARKER_KEY]: null } }, signal);
    }
    return retained(why);
  } catch (error) {
    if (!(error instanceof DirectoryError) || error.code === "rate_limited") throw error;
    return retained(`${why}; the marker ${MARKER_KEY} may be left in its app_metadata (${error.message})`);
  }
}

function isFreshAndSingle({ user, atMs }: Sighting, id: UserId, nowMs: EpochMs): boolean {
  return user.userId === id && user.identities.length === 1 && nowMs - atMs < FRESH_MS;
}

/** The user of a creation whose answer was lost, unless it was taken over by now. */
async function findOwnCreated(
  creating: Creating,
  { connection, marker }: DeletionDeclaration,
  directory: UserDirectory,
  signal: AbortSignal,
): Promise<ObservedUser | undefined> {
  const user = await findCreated(creating, connection, marker, directory, signal);
  const reading = user && marker.read(user);
  return canChooseId(connection) || (reading?.kind === "own" && reading.provenance === "created") ? user : undefined;
}

async function endFound(
  user: ObservedUser | undefined,
  policy: Exclude<DeletionPolicy, "Retain">,
  declaration: DeletionDeclaration,
  { directory, clock }: { readonly directory: UserDirectory; readonly clock: Clock },
  signal: AbortSignal,
): Promise<DeletionOutcome> {
  const { connection, confirmedId, deleteAtMs, marker } = declaration;
  if (user === undefined) return ABSENT;
  const foreignClaim = marker.findForeignClaim(user);
  if (foreignClaim !== undefined) {
    return { kind: "released", reason: "ClaimMoved", message: `the user stays at Auth0: ${foreignClaim}` };
  }
  const isConfirmed = confirmedId === user.userId;
  const identities = user.identities.map(({ provider, id }) => `${provider}|${id}`).join(", ");
  if (policy === "Disable") {
    if (ownConnection(user) !== connection && !isConfirmed) return needsConfirmation("block", user.userId, identities);
    // It may have been unblocked since it was seen, and nobody looks after it from now on.
    if (!(await block(user.userId, directory, signal))) return ABSENT;
    return { kind: "released", reason: "Disabled", message: `${user.userId} stays at Auth0, blocked` };
  }
  if ((user.identities.length !== 1 || ownConnection(user) !== connection) && !isConfirmed) {
    return needsConfirmation("delete", user.userId, identities);
  }
  if (deleteAtMs !== undefined && clock.now() < deleteAtMs) {
    if (!user.attributes.blocked && !(await block(user.userId, directory, signal))) return ABSENT;
    const untilMs = Math.min(deleteAtMs, LATEST_MS);
    const message = `${user.userId} is blocked, and is deleted after ${new Date(untilMs).toISOString()}; to keep it, set deletionPolicy: Retain`;
    return { kind: "refused", reason: "DeletionScheduled", message, remedy: { kind: "wait", untilMs } };
  }
  await directory.deleteUser(user.userId, signal);
  return { kind: "released", reason: "Deleted", message: `Auth0 accepted the deletion of ${user.userId}` };
}

const ABSENT: DeletionOutcome = {
  kind: "released",
  reason: "AlreadyAbsent",
  message: "the user was already absent from Auth0",
};

/** @returns whether there still is such a user */
async function block(userId: UserId, directory: UserDirectory, signal: AbortSignal): Promise<boolean> {
  try {
    await directory.updateUser(userId, { ...NO_CHANGE, attributes: { blocked: true } }, signal);
    return true;
  } catch (error) {
    if (error instanceof DirectoryError && error.code === "user_not_found") return false;
    throw error;
  }
}

function needsConfirmation(verb: string, userId: string, identities: string): DeletionOutcome {
  return refused(
    "DeletionNeedsConfirmation",
    `to ${verb} ${userId} would ${verb} these identities: ${identities}; unlink the others, set deletionPolicy: Retain, or confirm with the annotation auth0-user-operator.dev/confirm-deletions: "${userId}"`,
  );
}

function retained(why: string): DeletionOutcome {
  return { kind: "released", reason: "Retained", message: `the user stays at Auth0: ${why}` };
}

function refused(reason: Reason, message: string): DeletionOutcome {
  return { kind: "refused", reason, message, remedy: { kind: "stall" } };
}
