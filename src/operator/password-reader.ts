/** What a resource's password stands at: the Secret as it is now, against what was sent last. */
import type { Auth0UserSpec } from "../api/auth0-user.ts";
import { DEFAULT_PASSWORD_KEY } from "../api/names.ts";
import type { Ownership } from "../core/ownership.ts";
import { findCondition } from "../kubernetes/conditions.ts";
import { comparePassword, passwordVersion, type PasswordDeclaration } from "../reconcile/password.ts";
import type { Reason } from "../reconcile/reasons.ts";
import type { Auth0UserResource } from "./auth0-user-resource.ts";
import { ensureGeneratedPassword } from "./generated-password.ts";
import { readPassword, type Missing } from "./password-secret.ts";
import { isRestored } from "./user-ownership.ts";
import type { UserParts } from "./user-parts.ts";

/** @throws ApiError */
export async function readDeclaredPassword(
  spec: Auth0UserSpec,
  resource: Auth0UserResource,
  ownership: Ownership,
  parts: UserParts,
  signal: AbortSignal,
): Promise<PasswordDeclaration> {
  if (spec.password === undefined) return { kind: "unmanaged" };
  const exists = ownership.kind === "owned" || ownership.kind === "adopting";
  const isLeft = exists && spec.password.policy === "OnCreate";
  const mayMake = !isLeft && (exists || ownership.kind === "none" || ownership.kind === "creating");
  const value = await readValue(spec, resource, mayMake, parts, signal);
  const { uid, status } = resource;
  const { keyring } = parts.stateKeys;
  if (typeof value !== "string") {
    if (!isLeft) return value;
    const renew = async (): Promise<PasswordDeclaration> => {
      const made = await readValue(spec, resource, true, parts, signal);
      if (typeof made !== "string") return made;
      return { kind: "given", value: made, standing: "left", version: passwordVersion(made, uid, keyring) };
    };
    return { ...value, kind: "unneeded", renew: spec.password.generate === undefined ? undefined : renew };
  }
  const standing = isLeft
    ? "left"
    : comparePassword(value, uid, status.passwordVersion, isNewlyDeclared(spec, resource, ownership), keyring);
  return { kind: "given", value, standing, version: passwordVersion(value, uid, keyring) };
}

/** The name of the Secret that the password is in; `undefined` where there is no password. */
export function passwordSecretOf({ password }: Auth0UserSpec): string | undefined {
  return password?.secretRef?.name ?? password?.generate?.secretName;
}

async function readValue(
  { connection, password }: Auth0UserSpec,
  resource: Auth0UserResource,
  mayMake: boolean,
  parts: UserParts,
  signal: AbortSignal,
): Promise<string | Missing> {
  if (password?.generate !== undefined) {
    return ensureGeneratedPassword({ ...password.generate, connection, mayMake }, resource, parts, signal);
  }
  const { name = "", key = DEFAULT_PASSWORD_KEY } = password?.secretRef ?? {};
  return readPassword({ namespace: resource.namespace, name, key }, parts.secrets, signal);
}

const LEFT: Reason = "PasswordLeft";

/**
 * A password that was never noted is new: it was not declared before, its Secret was missing, or it could not be sent. Unless
 * the resource was restored from a backup: then the user is proven by its claim alone, and the note was lost with the status.
 * But a Secret that was made for a resource is no older than that, and what a user had before it was restored is not in it.
 */
function isNewlyDeclared({ password }: Auth0UserSpec, resource: Auth0UserResource, ownership: Ownership): boolean {
  const isLeft = ownership.kind === "owned" && isRestored(resource, ownership) && password?.generate === undefined;
  const standing = findCondition(resource.status.conditions ?? [], "PasswordSynced");
  return !isLeft && (standing === undefined || standing.status === "False" || standing.reason === LEFT);
}
