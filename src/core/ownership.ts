/**
 * Whose user is it? An annotation is anybody's to write, so it claims and does not prove. Proofs are: the id that derives
 * from this resource's own uid; the status, which only the operator may write, while tenant and connection are the same;
 * a signature that verifies. What is claimed and not proven never leads to a call that writes.
 */
import type { ConnectionName, TenantDomain, UserId } from "./ids.ts";

/** How a user came under a resource's care. Deleting and recreating are for users that were `created`. */
export type Provenance = "created" | "adopted";

/** What the resource carries about itself, written before the user is created. */
export interface Claim {
  /** Absent while Auth0 has yet to choose the id. */
  readonly userId: UserId | undefined;
  /** While it has: the address or number that the user is created with, by which it is found whatever the spec says since. */
  readonly begunWith: string | undefined;
  readonly tenantDomain: TenantDomain;
  readonly provenance: Provenance;
  /** Whether its signature, over all of this and the resource's name, verifies. */
  readonly isSigned: boolean;
}

/** What the operator itself noted when it last had the user in hand. */
export interface OwnershipRecord {
  readonly userId: UserId | undefined;
  readonly tenantDomain: TenantDomain | undefined;
  readonly connection: ConnectionName | undefined;
  readonly provenance: Provenance;
}

export interface OwnershipFacts {
  /** The tenant that calls would go to. */
  readonly tenantDomain: TenantDomain;
  readonly connection: ConnectionName;
  /** The id that derives from the resource's uid; absent where the connection does not let the caller choose one. */
  readonly derivedId: UserId | undefined;
  readonly adoptedId: UserId | undefined;
  readonly claim: Claim | "unreadable" | undefined;
  /** Whether the resource bears the finalizer, without which nothing is created for it. */
  readonly isHeld: boolean;
  readonly record: OwnershipRecord;
}

/** A creation was begun and its end is not known. `userId` is absent where Auth0 chooses it, `begunWith` where we do. */
export interface Creating {
  readonly kind: "creating";
  readonly userId: UserId | undefined;
  readonly begunWith: string | undefined;
}

/** Proven ours. */
export interface Owned {
  readonly kind: "owned";
  readonly userId: UserId;
  readonly provenance: Provenance;
  /** Whether the resource carries a signed claim of it, which outlives the status. */
  readonly isClaimed: boolean;
  /** Whether the operator noted it in the status. Else it was restored, and another resource may hold the user by now. */
  readonly isNoted: boolean;
  /** A creation in its stead. */
  readonly begun: Creating | undefined;
}

/** Claimed, and nothing proves it. */
export interface Unproven {
  readonly kind: "unproven";
  readonly userId: UserId | undefined;
  /** The user that this resource alone can have created, if it did before its claim was spoilt. */
  readonly derivedId: UserId | undefined;
}

export type Ownership =
  /** No user is known: one may be created. */
  | { readonly kind: "none" }
  /** Exactly this user is to be taken over. */
  | { readonly kind: "adopting"; readonly userId: UserId }
  | Creating
  | Owned
  | Unproven
  /** `spec.userId` names another user than the one that is ours. */
  | { readonly kind: "contradicted"; readonly userId: UserId; readonly adoptedId: UserId }
  /** The user lives in another tenant: whatever is done here would be done to somebody else. */
  | { readonly kind: "elsewhere"; readonly tenantDomain: TenantDomain }
  /** The user lives in another connection than the spec now names. */
  | { readonly kind: "moved"; readonly connection: ConnectionName };

export function decideOwnership(facts: OwnershipFacts): Ownership {
  const { claim, record, tenantDomain, connection, adoptedId } = facts;
  if (record.tenantDomain !== undefined && record.tenantDomain !== tenantDomain) {
    return { kind: "elsewhere", tenantDomain: record.tenantDomain };
  }
  const isTrusted = typeof claim === "object" && (claim.isSigned || record.userId === undefined);
  if (isTrusted && claim.tenantDomain !== tenantDomain) {
    return { kind: "elsewhere", tenantDomain: claim.tenantDomain };
  }
  if (record.userId !== undefined && record.connection !== undefined && record.connection !== connection) {
    return { kind: "moved", connection: record.connection };
  }
  const known = knownUser(facts);
  if (known?.userId !== undefined && adoptedId !== undefined && adoptedId !== known.userId) {
    return { kind: "contradicted", userId: known.userId, adoptedId };
  }
  if (known !== undefined) return known;
  if (adoptedId !== undefined && (typeof claim !== "object" || claim.userId === adoptedId)) {
    return { kind: "adopting", userId: adoptedId };
  }
  if (claim === undefined) return { kind: "none" };
  const derivedId = facts.isHeld ? facts.derivedId : undefined;
  return { kind: "unproven", userId: claim === "unreadable" ? undefined : claim.userId, derivedId };
}

/** Whether the user is in the stead of the one that is noted: what that one was given says nothing of this one. */
export function isStandIn(ownership: Ownership, userId: UserId): boolean {
  return ownership.kind === "owned" && ownership.userId !== userId;
}

/** The user that is proven ours, or that we began to create. The operator's own note outweighs any annotation. */
function knownUser({ claim, record, derivedId }: OwnershipFacts): Owned | Creating | undefined {
  const readable = typeof claim === "object" ? claim : undefined;
  const begun = readable && creationBegun(readable, derivedId);
  if (record.userId !== undefined) {
    const { userId, provenance } = record;
    const isClaimed = readable?.isSigned === true && readable.userId === userId;
    const successor = begun ?? (readable && successorIn(readable, derivedId));
    const isOther = successor !== undefined && successor.userId !== userId;
    return { kind: "owned", userId, provenance, isClaimed, isNoted: true, begun: isOther ? successor : undefined };
  }
  if (begun !== undefined) return begun;
  if (readable?.userId === undefined || !readable.isSigned) return undefined;
  const { userId, provenance } = readable;
  return { kind: "owned", userId, provenance, isClaimed: true, isNoted: false, begun: undefined };
}

/** By the id that is this resource's alone, or by a signature. */
function creationBegun({ userId, isSigned, begunWith }: Claim, derivedId: UserId | undefined): Creating | undefined {
  if (userId === undefined) return isSigned ? { kind: "creating", userId, begunWith } : undefined;
  return userId === derivedId ? { kind: "creating", userId, begunWith: undefined } : undefined;
}

/** Of a user whose id Auth0 chose the claim may tell before the note does. */
function successorIn({ userId, isSigned, provenance }: Claim, derivedId: UserId | undefined): Creating | undefined {
  const isCreated = isSigned && derivedId === undefined && provenance === "created";
  return isCreated ? { kind: "creating", userId, begunWith: undefined } : undefined;
}
