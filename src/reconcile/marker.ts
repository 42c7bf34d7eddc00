/**
 * The marker in `app_metadata`: proof that this program created the user for one resource, where the id can't tell because
 * Auth0 chose it, or because a file has no uid. Only the tenant's administrators may write `app_metadata`.
 */
import type { TenantDomain } from "../core/ids.ts";
import type { ObservedUser } from "../core/observed-user.ts";
import type { Claimant } from "./claim.ts";
import type { Keyring } from "./keyring.ts";

/** The key in `app_metadata`; the schema keeps it from manifests. */
export const MARKER_KEY = "auth0_user_operator";

/** Whom a marker speaks for. `uid` is the resource's own; a file has none. */
export interface Marked extends Claimant {
  readonly tenantDomain: TenantDomain;
  readonly uid: string | undefined;
}

export function markerFor(marked: Marked, keyring: Keyring): string | undefined {
  return keyring.sign("marker", partsOf(marked));
}

export function bearsMarkerOf(user: ObservedUser, marked: Marked, keyring: Keyring): boolean {
  const marker = user.appMetadata[MARKER_KEY];
  return typeof marker === "string" && keyring.verify("marker", partsOf(marked), marker) === "valid";
}

function partsOf({ tenantDomain, namespace, name, uid }: Marked): string[] {
  return [tenantDomain, namespace, name, uid ?? ""];
}
