/** The end of a pass before Auth0, or even a tenant, was asked: said once, in status, Event and log. */
import { findCondition } from "../kubernetes/conditions.ts";
import type { Refused } from "../reconcile/outcome.ts";
import type { Reason } from "../reconcile/reasons.ts";
import type { Auth0UserResource } from "./auth0-user-resource.ts";
import { isNews, referenceTo, writeStatus } from "./status-writer.ts";
import type { SharedParts } from "./user-parts.ts";
import { statusSuspended, statusWith } from "./user-status.ts";

/** Reasons that say nothing of the user itself. */
const EARLY: readonly (string | undefined)[] = ["ValidationFailed", "NotGranted", "TenantNotReady"] satisfies Reason[];

/**
 * Whether the status is that of a pass that ended so: the next one has to say how the user stands, as far as it was seen
 * last. Ten thousand users that were in sync before their tenant was not ready need no look at Auth0 for that.
 */
export function wasRefusedEarly({ status }: Auth0UserResource): boolean {
  return EARLY.includes(findCondition(status.conditions ?? [], "Ready")?.reason);
}

/** @throws ApiError */
export async function refuseEarly(
  resource: Auth0UserResource,
  verdict: Refused,
  parts: SharedParts,
  signal: AbortSignal,
): Promise<void> {
  const { status, generation, key } = resource;
  const { reason, message } = verdict;
  const { recorder, log, clock } = parts;
  if (isNews(status, reason, message)) {
    // What the tenant suffers from is told once, of the tenant.
    if (reason !== "TenantNotReady") {
      recorder.event({ regarding: referenceTo(resource), type: "Warning", reason, action: "Validate", note: message });
    }
    log.warn("user not as declared", { key, reason, message });
  }
  const next = statusWith(status, verdict, { generation, nowMs: clock.now() });
  await writeStatus(resource, next, parts, signal);
}

/** @throws ApiError */
export async function suspend(resource: Auth0UserResource, parts: SharedParts, signal: AbortSignal): Promise<void> {
  const next = statusSuspended(resource.status, { generation: resource.generation, nowMs: parts.clock.now() });
  await writeStatus(resource, next, parts, signal);
}
