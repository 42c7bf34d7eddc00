/** Failures that a user's status keeps quiet about for a while: they come from the tenant, not from the user. */
import { findCondition } from "../kubernetes/conditions.ts";
import type { Verdict } from "../reconcile/outcome.ts";
import type { Reason } from "../reconcile/reasons.ts";
import type { EpochMs } from "../runtime/clock.ts";
import type { Auth0UserResource } from "./auth0-user-resource.ts";
import type { KeyMemory } from "./user-memories.ts";

/** Failures of the tenant in a row that a user who was Ready is not bothered with. */
const FAILURES_HELD_BACK = 2;
/** A wait shorter than this is not worth a write. */
const SHORT_WAIT_MS = 60_000;

const OF_THE_TENANT: ReadonlySet<Reason> = new Set<Reason>([
  "RateLimited",
  "Auth0Unavailable",
  "CredentialsInvalid",
  "InsufficientScope",
]);

/** Whether the status is left as it is: of a user who was Ready for a few tries, of any for a short wait. */
export function isHeldBack(
  { status, generation }: Auth0UserResource,
  verdict: Verdict,
  { failures }: KeyMemory,
  nowMs: EpochMs,
): boolean {
  if (verdict.kind !== "refused" || !OF_THE_TENANT.has(verdict.reason)) return false;
  const { remedy } = verdict;
  if (remedy.kind === "wait" && remedy.untilMs - nowMs < SHORT_WAIT_MS) return true;
  const ready = findCondition(status.conditions ?? [], "Ready");
  const isReady = ready?.status === "True" && ready.observedGeneration === generation;
  return isReady && failures < FAILURES_HELD_BACK;
}
