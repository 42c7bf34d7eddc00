/** In place of a tenant that there is no way to: whatever needs a call fails with the cause, what needs none goes on. */
import type { TenantDomain } from "../core/ids.ts";
import { DirectoryError } from "../reconcile/errors.ts";
import type { UserDirectory } from "../reconcile/ports.ts";

export function unreachableDirectory(tenantDomain: TenantDomain, cause: string): UserDirectory {
  const fail = (): Promise<never> => Promise.reject(new DirectoryError("tenant_not_ready", cause, { kind: "backoff" }));
  return {
    tenantDomain,
    connections: { find: () => undefined, read: fail, doubt: () => {} },
    assignments: {
      findRoles: fail,
      findOrganizations: fail,
      listRoles: fail,
      addRoles: fail,
      removeRoles: fail,
      listPermissions: fail,
      addPermissions: fail,
      removePermissions: fail,
      listOrganizations: fail,
      addMember: fail,
      removeMember: fail,
      listMemberRoles: fail,
      addMemberRoles: fail,
      removeMemberRoles: fail,
    },
    actions: { sendVerificationEmail: fail, createPasswordTicket: fail, revokeAccess: fail, unblock: fail },
    findUser: fail,
    findUsersByEmail: fail,
    searchUsersByUsername: fail,
    searchUsersByPhoneNumber: fail,
    searchUsersByIdentity: fail,
    createUser: fail,
    updateUser: fail,
    deleteUser: fail,
  };
}
