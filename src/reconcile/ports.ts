/** What the sequence needs from the world. `auth0/` fulfils the directory, each side its own claims. */
import type { Connection } from "../core/connection.ts";
import type { ConnectionName, TenantDomain, UserId } from "../core/ids.ts";
import type { ObservedUser } from "../core/observed-user.ts";
import type { Provenance } from "../core/ownership.ts";
import type { NewUser, UserPatch } from "../core/writes.ts";
import type { Begun } from "./claim.ts";

/** The connections of one tenant, as far as they are known. */
export interface ConnectionDirectory {
  /** What is known already. */
  find(name: ConnectionName): Connection | undefined;
  /**
   * Reads it, once in a while. `undefined`: there is none, or the operator may not read it.
   * @throws DirectoryError, or `signal.reason`
   */
  read(name: ConnectionName, signal: AbortSignal): Promise<Connection | undefined>;
  /** Auth0 refused what the connection as it is known would take: it may have been changed, and is read again when needed. */
  doubt(name: ConnectionName): void;
}

/**
 * What the users of one tenant are given. Everything goes by keys: ids of roles and organizations, permissions as
 * `permissionKey` writes them. To take away what is not there succeeds. Every method throws `DirectoryError`, or
 * `signal.reason` when it is cancelled.
 */
export interface AssignmentDirectory {
  /** The ids of all roles of this name: Auth0 lets several have the same. */
  findRoles(name: string, signal: AbortSignal): Promise<readonly string[]>;
  findOrganizations(name: string, signal: AbortSignal): Promise<readonly string[]>;
  listRoles(user: UserId, signal: AbortSignal): Promise<readonly string[]>;
  addRoles(user: UserId, roles: readonly string[], signal: AbortSignal): Promise<void>;
  removeRoles(user: UserId, roles: readonly string[], signal: AbortSignal): Promise<void>;
  /** The user's own, not those that come with a role. */
  listPermissions(user: UserId, signal: AbortSignal): Promise<readonly string[]>;
  addPermissions(user: UserId, keys: readonly string[], signal: AbortSignal): Promise<void>;
  removePermissions(user: UserId, keys: readonly string[], signal: AbortSignal): Promise<void>;
  listOrganizations(user: UserId, signal: AbortSignal): Promise<readonly string[]>;
  addMember(organization: string, user: UserId, signal: AbortSignal): Promise<void>;
  removeMember(organization: string, user: UserId, signal: AbortSignal): Promise<void>;
  listMemberRoles(organization: string, user: UserId, signal: AbortSignal): Promise<readonly string[]>;
  addMemberRoles(organization: string, user: UserId, roles: readonly string[], signal: AbortSignal): Promise<void>;
  removeMemberRoles(organization: string, user: UserId, roles: readonly string[], signal: AbortSignal): Promise<void>;
}

/** What can be done to a user besides writing it. Every method throws `DirectoryError`, or `signal.reason`. */
export interface ActionDirectory {
  sendVerificationEmail(user: UserId, signal: AbortSignal): Promise<void>;
  /** @returns a URL by which whoever has it sets the user's password: a secret */
  createPasswordTicket(user: UserId, signal: AbortSignal): Promise<string>;
  revokeAccess(user: UserId, signal: AbortSignal): Promise<void>;
  unblock(user: UserId, signal: AbortSignal): Promise<void>;
}

/**
 * Asked when the turn of a write has come, right before it leaves: the turn may have been long in coming.
 * @throws DirectoryError: what speaks against the write by now
 */
export type Precondition = () => void;

/** The users of one tenant. Every method throws `DirectoryError`, or `signal.reason` when it is cancelled. */
export interface UserDirectory {
  readonly tenantDomain: TenantDomain;
  readonly connections: ConnectionDirectory;
  readonly assignments: AssignmentDirectory;
  readonly actions: ActionDirectory;
  /** Strongly consistent. `undefined`: there is no such user. */
  findUser(id: UserId, signal: AbortSignal): Promise<ObservedUser | undefined>;
  /** Strongly consistent, exact, case-sensitive; over all connections. */
  findUsersByEmail(email: string, signal: AbortSignal): Promise<readonly ObservedUser[]>;
  /** By a search index that lags behind writes: what it finds was true a moment ago, what it does not find may exist. */
  searchUsersByUsername(username: string, signal: AbortSignal): Promise<readonly ObservedUser[]>;
  searchUsersByPhoneNumber(phoneNumber: string, signal: AbortSignal): Promise<readonly ObservedUser[]>;
  /** Users that have this id among their identities, the linked ones included. As lagging as any search. */
  searchUsersByIdentity(id: UserId, signal: AbortSignal): Promise<readonly ObservedUser[]>;
  /** Never repeated by itself: after `unavailable` the user may exist. */
  createUser(user: NewUser, signal: AbortSignal): Promise<ObservedUser>;
  updateUser(id: UserId, patch: UserPatch, signal: AbortSignal, precondition?: Precondition): Promise<ObservedUser>;
  /** Succeeds for a user that is not there, too. */
  deleteUser(id: UserId, signal: AbortSignal, precondition?: Precondition): Promise<void>;
}

/** Where a resource's claim on a user is kept, outliving this process and the resource's status. */
export interface ClaimStore {
  /**
   * Keeps the claim on a user that is about to be created. It fails where the resource is not as the pass read it any
   * more: a claim on another user may have been written since. When this resolves it is safe to create the user.
   * @param claimed the user's id, or what it is about to be created with where Auth0 chooses one
   * @param passwordVersion of the password that it is about to be created with
   */
  begin(claimed: UserId | Begun, passwordVersion: string | undefined, signal: AbortSignal): Promise<void>;
  /** Keeps the claim on a user that exists. */
  record(claimed: UserId, provenance: Provenance, signal: AbortSignal): Promise<void>;
  /** The name of another resource that holds the user, or is about to. */
  findHolder(userId: UserId): Promise<string | undefined>;
  /** As `findHolder`; where nobody does, nobody else comes through until this pass is over. */
  reserve(userId: UserId): Promise<string | undefined>;
  /** The name of another resource that the user was made for, by the marker that it bears; it may not know yet. */
  findMaker(user: ObservedUser): string | undefined;
}

/**
 * Whether the caller may choose the id of a new user. Passwordless connections (Auth0 fixes their names) make it up from
 * the address or number.
 */
export function canChooseId(connection: ConnectionName): boolean {
  return connection !== "email" && connection !== "sms";
}
