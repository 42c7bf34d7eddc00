/** Brings the user into view as its ownership says: read, created, taken over, or refused before anything is asked. */
import type { Owned, Unproven } from "../core/ownership.ts";
import { adoptUser } from "./adopt-user.ts";
import { createUser, resumeCreation } from "./create-user.ts";
import { duplicateClaim, findForeignClaim } from "./duplicate-claim.ts";
import { recogniseOwn } from "./find-taken.ts";
import { findOtherConnection } from "./other-connection.ts";
import { refused } from "./outcome.ts";
import type { Found, Pass } from "./pass.ts";
import { replaceVanished } from "./replace-vanished.ts";

/** @throws DirectoryError, or `signal.reason` */
export async function observeUser(pass: Pass): Promise<Found> {
  const { ownership, desired } = pass.declaration;
  switch (ownership.kind) {
    case "none":
      return createUser(pass, "Created");
    case "creating":
      return resumeCreation(pass, ownership);
    case "adopting":
      return adoptUser(pass, ownership.userId);
    case "owned":
      return readOwned(pass, ownership);
    case "unproven":
      return (await findDerived(pass, ownership)) ?? refuseUnproven(pass, ownership);
    case "contradicted":
      return refused(
        "UserConflict",
        `spec.userId names ${ownership.adoptedId}, but this resource owns ${ownership.userId}: take spec.userId back, or declare the other user in a resource of its own`,
      );
    case "elsewhere":
      return refused(
        "TenantChanged",
        `the user lives in tenant ${ownership.tenantDomain}, the operator is connected to ${pass.ports.directory.tenantDomain}: nothing was read or written`,
      );
    case "moved":
      return refused(
        "ValidationFailed",
        `spec.connection is immutable: the user lives in ${ownership.connection}, the spec names ${desired.connection}`,
      );
    default:
      return ownership satisfies never;
  }
}

/** The user whose id only this resource can have chosen: it is its own whatever the annotation says. */
async function findDerived(pass: Pass, { derivedId }: Unproven): Promise<Found | undefined> {
  const user = derivedId && (await pass.find(derivedId));
  return user && recogniseOwn(pass, user);
}

async function refuseUnproven(pass: Pass, { userId }: Unproven): Promise<Found> {
  if (userId !== undefined && pass.declaration.adoption !== "Never") return adoptUser(pass, userId);
  return refused(
    "UserConflict",
    `nothing proves that ${userId ?? "the user that the annotation claims"} is this resource's own: name it in spec.userId to take it over, or restore the key that its claim was signed with`,
  );
}

async function readOwned(pass: Pass, { userId, provenance, isClaimed, isNoted, begun }: Owned): Promise<Found> {
  const { memory, isSightingEnough } = pass.declaration;
  const holder = isNoted ? undefined : await pass.ports.claims.reserve(userId);
  if (holder !== undefined) {
    pass.user = undefined;
    return duplicateClaim(userId, holder);
  }
  if (!isClaimed && begun === undefined) await pass.ports.claims.record(userId, provenance, pass.signal);
  // Others look after a user that was taken over, too: what was seen of it a while ago may be old.
  const last = memory.lastSeen?.user;
  const seen = isSightingEnough && provenance === "created" && last?.userId === userId ? last : undefined;
  const user = seen ?? (await pass.find(userId));
  if (user === undefined) return replaceVanished(pass, userId, provenance);
  const elsewhere = isNoted ? undefined : findOtherConnection(user, pass.declaration.desired.connection);
  if (elsewhere !== undefined) {
    pass.user = undefined;
    return elsewhere;
  }
  if (begun !== undefined) await pass.ports.claims.record(userId, provenance, pass.signal);
  const objection = provenance === "adopted" ? pass.declaration.findObjection(user) : undefined;
  if (objection !== undefined) return refused("NotGranted", objection);
  return findForeignClaim(user, pass.declaration.marker) ?? { user, entry: "seen" };
}
