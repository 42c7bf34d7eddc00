/**
 * A takeover as a person reviews it: what would be written to a user that is not ours yet, and the hash by which exactly
 * that is approved. The hash is keyed, so that it tells nothing of the contents that a plan does not show.
 */
import type { TenantDomain, UserId } from "../core/ids.ts";
import type { JsonValue } from "../core/json.ts";
import type { AttributePath, Change } from "../core/plan.ts";
import type { Claimant } from "./claim.ts";
import type { Keyring } from "./keyring.ts";
import { MARKER_PATH } from "./marker.ts";

/** One write that a takeover would make. Passwords and contents of metadata count for the hash and are not shown. */
export interface PlannedChange {
  readonly field: AttributePath | "password";
  readonly change: "Set" | "Remove" | "Add";
  /** What Auth0 has; `undefined`: nothing. */
  readonly from: JsonValue | undefined;
  readonly to: JsonValue | undefined;
  readonly isShown: boolean;
}

export interface ReviewedPlan {
  readonly userId: UserId;
  /** `undefined`: there is no key to make one with, so that nothing can be approved. */
  readonly hash: string | undefined;
  readonly changes: readonly PlannedChange[];
}

/** What a side knows of a person's approval. */
export interface Approval {
  readonly claimant: Claimant;
  readonly keyring: Keyring;
  /** What the annotation `approve-plan` says. */
  readonly given: string | undefined;
}

export function plannedChangeFrom({ kind, path, from, to }: Change): PlannedChange {
  return { field: path, change: to === null ? "Remove" : "Set", from, to: to ?? undefined, isShown: kind === "root" };
}

/**
 * The plan that is yet to be approved; `undefined`: it is. An approval given under a former key still counts: the marker,
 * which is made with the present one, is no part of what the hash stands for.
 */
export function findUnapproved(
  userId: UserId,
  tenantDomain: TenantDomain,
  changes: readonly PlannedChange[],
  { claimant: { namespace, name }, keyring, given }: Approval,
): ReviewedPlan | undefined {
  const parts = [tenantDomain, namespace, name, userId, JSON.stringify(changes.filter(isOfUser))];
  if (given !== undefined && keyring.verify("plan", parts, given) === "valid") return undefined;
  return { userId, hash: keyring.sign("plan", parts), changes };
}

function isOfUser({ field }: PlannedChange): boolean {
  return field !== MARKER_PATH;
}
