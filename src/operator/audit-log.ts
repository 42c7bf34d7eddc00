/**
 * The port of the audit stream: one record for each write to Auth0, for each action, and for each user that is let go without
 * either.
 */
import type { UserId } from "../core/ids.ts";

export type AuditOperation =
  | "create"
  | "update"
  | "delete"
  /** The resource went, the user stays: nothing was written. */
  | "retain"
  | "assign"
  | "unassign"
  | "send-verification-email"
  | "create-password-ticket"
  | "revoke-access"
  | "unblock";

export interface AuditRecord {
  /** Our own id of the attempt. */
  readonly call: string;
  readonly operation: AuditOperation;
  readonly tenant: string;
  /** `namespace/name` of the Auth0User. */
  readonly resource: string;
  readonly uid: string;
  readonly generation: number;
  /** Who last wrote the spec, as far as managedFields tell. */
  readonly declaredBy: string | undefined;
  readonly userId: UserId | undefined;
  /** Names of what was written, never values. */
  readonly fields: readonly string[];
  /** `done`, the code of the failure, or why a user was retained. */
  readonly result: string;
}

export interface AuditLog {
  write(record: AuditRecord): void;
}
