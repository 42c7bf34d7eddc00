/**
 * The claim on a user as text: `USER_ID;TENANT_DOMAIN;PROVENANCE;SIGNATURE`, kept in an annotation that is written before
 * the user is created. It survives a backup and restore, which status does not. The signature binds it to the resource's
 * namespace and name, so that a copied manifest claims nothing; where there is no key it is `unsigned`. While Auth0 has yet
 * to choose the id, `USER_ID` is `?` and the address or number that the user is created with.
 */
import { tenantDomain, userId, type TenantDomain, type UserId } from "../core/ids.ts";
import type { Claim, Provenance } from "../core/ownership.ts";
import type { Keyring } from "./keyring.ts";

/** The resource that claims. */
export interface Claimant {
  readonly namespace: string;
  readonly name: string;
}

/** What a user whose id Auth0 chooses is created with: its address or number. */
export interface Begun {
  readonly begunWith: string;
}

const UNSIGNED = "unsigned";

export function formatClaim(
  claimed: UserId | Begun,
  domain: TenantDomain,
  provenance: Provenance,
  claimant: Claimant,
  keyring: Keyring,
): string {
  const id = typeof claimed === "string" ? claimed : `?${claimed.begunWith}`;
  const parts = [id, domain, provenance];
  const signature = keyring.sign("claim", [...parts, claimant.namespace, claimant.name]);
  return [...parts, signature ?? UNSIGNED].join(";");
}

/** `unreadable`: not in this form. An id may hold `;`, so the text is read from its end. */
export function parseClaim(text: string, claimant: Claimant, keyring: Keyring): Claim | "unreadable" {
  const fields = /^(\S+);([^;\s]+);(created|adopted);([^;\s]+)$/.exec(text);
  if (fields === null) return "unreadable";
  const [, id = "", domain = "", provenance = "", signature = ""] = fields;
  const verification = keyring.verify("claim", [id, domain, provenance, claimant.namespace, claimant.name], signature);
  return {
    ...(id.startsWith("?")
      ? { userId: undefined, begunWith: id.slice(1) }
      : { userId: userId(id), begunWith: undefined }),
    tenantDomain: tenantDomain(domain),
    provenance: provenance === "created" ? "created" : "adopted",
    isSigned: verification === "valid",
  };
}
