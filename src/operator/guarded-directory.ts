/**
 * A tenant's users as one resource's pass may write them: every write is counted by the breaker and put on record.
 * Reads go straight through.
 */
import { randomUUID } from "node:crypto";
import type { UserId } from "../core/ids.ts";
import type { ObservedUser } from "../core/observed-user.ts";
import type { NewUser, UserPatch } from "../core/writes.ts";
import type { ObjectKey } from "../kubernetes/object.ts";
import { DirectoryError, type DirectoryErrorCode } from "../reconcile/errors.ts";
import type { ActionDirectory, AssignmentDirectory, ConnectionDirectory, UserDirectory } from "../reconcile/ports.ts";
import type { AuditLog, AuditOperation } from "./audit-log.ts";
import type { Auth0UserResource } from "./auth0-user-resource.ts";
import { PAUSED_AGAIN_MS, type Breaker, type Pause } from "./breaker.ts";

export interface Guards {
  readonly breaker: Breaker | undefined;
  readonly audit: AuditLog | undefined;
  /** At the end of a resource: another one that takes the user over, as is known at the last moment. */
  readonly findHeir?: (id: UserId) => ObjectKey | undefined;
  /** Likewise, whether somebody took the resource away meanwhile, so that its user may be another's by now. */
  readonly isGone?: () => boolean;
}

export class GuardedDirectory implements UserDirectory {
  readonly tenantDomain: UserDirectory["tenantDomain"];
  readonly connections: ConnectionDirectory;
  readonly assignments: AssignmentDirectory;
  readonly actions: ActionDirectory;
  readonly #inner: UserDirectory;
  readonly #resource: Auth0UserResource;
  readonly #guards: Guards;
  readonly #nowMs: () => number;

  constructor(inner: UserDirectory, resource: Auth0UserResource, guards: Guards, nowMs: () => number) {
    this.#inner = inner;
    this.#resource = resource;
    this.#guards = guards;
    this.#nowMs = nowMs;
    this.tenantDomain = inner.tenantDomain;
    this.connections = inner.connections;
    this.actions = guards.audit === undefined ? inner.actions : this.#auditedActions(inner.actions);
    this.assignments = guards.audit === undefined ? inner.assignments : this.#auditedAssignments(inner.assignments);
  }

  findUser(id: UserId, signal: AbortSignal): Promise<ObservedUser | undefined> {
    return this.#inner.findUser(id, signal);
  }

  findUsersByEmail(email: string, signal: AbortSignal): Promise<readonly ObservedUser[]> {
    return this.#inner.findUsersByEmail(email, signal);
  }

  searchUsersByUsername(username: string, signal: AbortSignal): Promise<readonly ObservedUser[]> {
    return this.#inner.searchUsersByUsername(username, signal);
  }

  searchUsersByPhoneNumber(phoneNumber: string, signal: AbortSignal): Promise<readonly ObservedUser[]> {
    return this.#inner.searchUsersByPhoneNumber(phoneNumber, signal);
  }

  searchUsersByIdentity(id: UserId, signal: AbortSignal): Promise<readonly ObservedUser[]> {
    return this.#inner.searchUsersByIdentity(id, signal);
  }

  createUser(user: NewUser, signal: AbortSignal): Promise<ObservedUser> {
    const { attributes, userMetadata, appMetadata, password } = user;
    const fields = () => fieldsOf({ attributes, userMetadata, appMetadata, password });
    return this.#record("create", undefined, fields, () => this.#inner.createUser(user, signal));
  }

  async updateUser(id: UserId, patch: UserPatch, signal: AbortSignal): Promise<ObservedUser> {
    const { breaker } = this.#guards;
    if (breaker?.hasChangeLimit === true) {
      // Metadata as a whole, since its keys are without number, and the room for the counts is not.
      for (const field of new Set(fieldsOf(patch).map((name) => name.split(".", 1)[0] ?? name))) {
        this.#stop("changes_paused", await breaker.admitChange(field, id, signal));
      }
    }
    return this.#record(
      "update",
      id,
      () => fieldsOf(patch),
      () => this.#inner.updateUser(id, patch, signal, () => this.#giveWay(id)),
    );
  }

  async deleteUser(id: UserId, signal: AbortSignal): Promise<void> {
    this.#stop("deletions_paused", await this.#guards.breaker?.admitDeletion(id, this.#resource.deletedAtMs, signal));
    return this.#record(
      "delete",
      id,
      () => [],
      () => this.#inner.deleteUser(id, signal, () => this.#giveWay(id)),
    );
  }

  /** The resource goes and its user stays. */
  retained(id: UserId | undefined, why: string): void {
    this.#write("retain", id, [], why);
  }

  /** Whoever came to wait for the user meanwhile shall have it. */
  #giveWay(id: UserId): void {
    if (this.#guards.isGone?.() === true) {
      throw new DirectoryError("claim_moved", `${id} stays: its resource was let go by force`, { kind: "backoff" });
    }
    const heir = this.#guards.findHeir?.(id);
    if (heir === undefined) return;
    throw new DirectoryError("claim_moved", `Auth0User ${heir} takes ${id} over`, { kind: "backoff" });
  }

  #stop(code: DirectoryErrorCode, pause: Pause | undefined): void {
    if (pause === undefined) return;
    throw new DirectoryError(code, pause.message, { kind: "wait", untilMs: this.#nowMs() + PAUSED_AGAIN_MS });
  }

  async #record<T>(
    operation: AuditOperation,
    id: UserId | undefined,
    fields: () => readonly string[],
    call: () => Promise<T>,
  ): Promise<T> {
    if (this.#guards.audit === undefined) return call();
    try {
      const answer = await call();
      this.#write(operation, id ?? userIdIn(answer), fields(), "done");
      return answer;
    } catch (error) {
      this.#write(operation, id, fields(), error instanceof DirectoryError ? error.code : "cut off");
      throw error;
    }
  }

  #write(operation: AuditOperation, userId: UserId | undefined, fields: readonly string[], result: string): void {
    const { key, uid, generation, declaredBy } = this.#resource;
    this.#guards.audit?.write({
      call: randomUUID(),
      operation,
      tenant: this.tenantDomain,
      resource: key,
      uid,
      generation,
      declaredBy,
      userId,
      fields,
      result,
    });
  }

  #auditedActions(inner: ActionDirectory): ActionDirectory {
    const record = <T>(operation: AuditOperation, user: UserId, call: () => Promise<T>): Promise<T> =>
      this.#record(operation, user, () => [], call);
    return {
      sendVerificationEmail: (user, signal) =>
        record("send-verification-email", user, () => inner.sendVerificationEmail(user, signal)),
      createPasswordTicket: (user, signal) =>
        record("create-password-ticket", user, () => inner.createPasswordTicket(user, signal)),
      revokeAccess: (user, signal) => record("revoke-access", user, () => inner.revokeAccess(user, signal)),
      unblock: (user, signal) => record("unblock", user, () => inner.unblock(user, signal)),
    };
  }

  #auditedAssignments(inner: AssignmentDirectory): AssignmentDirectory {
    const record = (
      operation: "assign" | "unassign",
      user: UserId,
      kind: string,
      keys: readonly string[],
      call: () => Promise<void>,
    ) => this.#record(operation, user, () => keys.map((key) => `${kind} ${key}`), call);
    return {
      findRoles: (name, signal) => inner.findRoles(name, signal),
      findOrganizations: (name, signal) => inner.findOrganizations(name, signal),
      listRoles: (user, signal) => inner.listRoles(user, signal),
      listPermissions: (user, signal) => inner.listPermissions(user, signal),
      listOrganizations: (user, signal) => inner.listOrganizations(user, signal),
      listMemberRoles: (organization, user, signal) => inner.listMemberRoles(organization, user, signal),
      addRoles: (user, roles, signal) =>
        record("assign", user, "role", roles, () => inner.addRoles(user, roles, signal)),
      removeRoles: (user, roles, signal) =>
        record("unassign", user, "role", roles, () => inner.removeRoles(user, roles, signal)),
      addPermissions: (user, keys, signal) =>
        record("assign", user, "permission", keys, () => inner.addPermissions(user, keys, signal)),
      removePermissions: (user, keys, signal) =>
        record("unassign", user, "permission", keys, () => inner.removePermissions(user, keys, signal)),
      addMember: (organization, user, signal) =>
        record("assign", user, "organization", [organization], () => inner.addMember(organization, user, signal)),
      removeMember: (organization, user, signal) =>
        record("unassign", user, "organization", [organization], () => inner.removeMember(organization, user, signal)),
      addMemberRoles: (organization, user, roles, signal) =>
        record("assign", user, `organization ${organization} role`, roles, () =>
          inner.addMemberRoles(organization, user, roles, signal),
        ),
      removeMemberRoles: (organization, user, roles, signal) =>
        record("unassign", user, `organization ${organization} role`, roles, () =>
          inner.removeMemberRoles(organization, user, roles, signal),
        ),
    };
  }
}

/** Names of what is written: attributes, metadata by key, the password. */
function fieldsOf({
  attributes,
  userMetadata,
  appMetadata,
  password,
}: Pick<UserPatch, "attributes" | "userMetadata" | "appMetadata" | "password">): string[] {
  return [
    ...Object.keys(attributes),
    ...Object.keys(userMetadata).map((key) => `userMetadata.${key}`),
    ...Object.keys(appMetadata).map((key) => `appMetadata.${key}`),
    ...(password === undefined ? [] : ["password"]),
  ];
}

function userIdIn(answer: unknown): UserId | undefined {
  return isObservedUser(answer) ? answer.userId : undefined;
}

function isObservedUser(answer: unknown): answer is ObservedUser {
  return typeof answer === "object" && answer !== null && "userId" in answer;
}
