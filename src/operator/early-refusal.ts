/** The end of a pass before Auth0, or even a tenant, was asked: said once, in status, Event and log. */
import type { Refused } from "../reconcile/outcome.ts";
import type { Auth0UserResource } from "./auth0-user-resource.ts";
import { isNews, referenceTo, writeStatus } from "./status-writer.ts";
import type { SharedParts } from "./user-parts.ts";
import { statusSuspended, statusWith } from "./user-status.ts";

/** @throws ApiError */
export async function refuseEarly(
  resource: Auth0UserResource,
  verdict: Refused,
  parts: SharedParts,
  signal: AbortSignal,
): Promise<void> {
  const { status, generation, key } = resource;
  const { reason, message } = verdict;
  const { recorder, log, memories, clock } = parts;
  if (isNews(status, reason, message)) {
    // What the tenant suffers from is told once, of the tenant.
    if (reason !== "TenantNotReady") {
      recorder.event({ regarding: referenceTo(resource), type: "Warning", reason, action: "Validate", note: message });
    }
    log.warn("user not as declared", { key, reason, message });
  }
  memories.expire(key);
  const next = statusWith(status, verdict, { generation, nowMs: clock.now() });
  await writeStatus(resource, next, parts, signal);
}

/** @throws ApiError */
export async function suspend(resource: Auth0UserResource, parts: SharedParts, signal: AbortSignal): Promise<void> {
  const next = statusSuspended(resource.status, { generation: resource.generation, nowMs: parts.clock.now() });
  await writeStatus(resource, next, parts, signal);
}
