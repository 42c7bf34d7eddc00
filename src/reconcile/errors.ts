/**
 * The error model of the far side. A failure is born where the facts are (`auth0/`), carries what to do about it, and is
 * obeyed where the key is requeued; nothing between looks inside.
 */
import type { AttributePath } from "../core/plan.ts";
import type { Remedy } from "../runtime/remedy.ts";

export type DirectoryErrorCode =
  /** 429. */
  | "rate_limited"
  /** 5xx, no answer, an answer cut off. A write may or may not have been done. */
  | "unavailable"
  /** The tenant does not know the client, its secret or its token. */
  | "credentials_invalid"
  /** There is no way to the tenant: what the object that declares it says. */
  | "tenant_not_ready"
  /** More users would be deleted, or have the same attribute changed, within an hour than `protection` allows. */
  | "deletions_paused"
  | "changes_paused"
  /** Another resource waits for the user of one that is being deleted. */
  | "claim_moved"
  /** The token may not make this call. */
  | "insufficient_scope"
  /** 404 where the user must exist. */
  | "user_not_found"
  /** 404 where a role, a permission or an organization must exist. */
  | "related_not_found"
  /** Some user holds this id, address or username already. */
  | "already_exists"
  /** The tenant has several custom domains and wants to be told which one mails should name. */
  | "custom_domain_conflict"
  | "connection_not_found"
  /** No user can be created in such a connection, or none with this username. */
  | "connection_unsupported"
  /** Auth0 refuses to set or remove some attributes of such a user; `attributes` names them. */
  | "attribute_not_writable"
  | "password_rejected"
  /** Any other 4xx: what was sent is not what Auth0 takes. */
  | "rejected";

export class DirectoryError extends Error {
  override readonly name = "DirectoryError";
  readonly code: DirectoryErrorCode;
  readonly remedy: Remedy;
  /** What was refused, as far as the answer names it. */
  readonly attributes: readonly AttributePath[];
  /** Whether the call never left: nothing can have come of it. */
  readonly isUnsent: boolean;

  constructor(
    code: DirectoryErrorCode,
    message: string,
    remedy: Remedy,
    options: ErrorOptions & { readonly attributes?: readonly AttributePath[]; readonly isUnsent?: boolean } = {},
  ) {
    super(`[${code}] ${message}`, options);
    this.code = code;
    this.remedy = remedy;
    this.attributes = options.attributes ?? [];
    this.isUnsent = options.isUnsent ?? false;
  }
}
