/** What a resource's password stands at: the Secret as it is now, against what was sent last. */
import type { Auth0UserSpec, Auth0UserStatus } from "../api/auth0-user.ts";
import { DEFAULT_PASSWORD_KEY } from "../api/names.ts";
import type { Ownership } from "../core/ownership.ts";
import { findCondition } from "../kubernetes/conditions.ts";
import { comparePassword, passwordVersion, type PasswordDeclaration } from "../reconcile/password.ts";
import type { Auth0UserResource } from "./auth0-user-resource.ts";
import { readPassword } from "./password-secret.ts";
import type { UserParts } from "./user-parts.ts";

export interface PasswordReading {
  readonly declaration: PasswordDeclaration;
  /** To be noted when the password is sent. */
  readonly version: string | undefined;
}

/** @throws ApiError */
export async function readDeclaredPassword(
  spec: Auth0UserSpec,
  { namespace, uid, status }: Auth0UserResource,
  ownership: Ownership,
  { api, stateKeys }: UserParts,
  signal: AbortSignal,
): Promise<PasswordReading> {
  if (spec.password === undefined) return { declaration: { kind: "unmanaged" }, version: undefined };
  const { name, key = DEFAULT_PASSWORD_KEY } = spec.password.secretRef;
  const value = await readPassword({ namespace, name, key }, api, signal);
  if (typeof value !== "string") return { declaration: value, version: undefined };
  const { keyring } = stateKeys;
  const standing = comparePassword(value, uid, status.passwordVersion, isNewlyDeclared(status, ownership), keyring);
  return { declaration: { kind: "given", value, standing }, version: passwordVersion(value, uid, keyring) };
}

/**
 * A password that was never noted is new, unless the resource was restored from a backup: then the user is proven by
 * its claim alone, and the note was lost with the status.
 */
function isNewlyDeclared(status: Auth0UserStatus, ownership: Ownership): boolean {
  const isRestored = ownership.kind === "owned" && status.userId === undefined;
  return !isRestored && findCondition(status.conditions ?? [], "PasswordSynced") === undefined;
}
