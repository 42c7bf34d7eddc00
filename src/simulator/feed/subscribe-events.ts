/** `GET /api/v2/events`: what happens in the tenant, as server-sent events (documents and OpenAPI document of 2026). */
import type { JsonObject } from "../../runtime/json.ts";
import type { ApiCall } from "../call.ts";
import { findHeader, type Answer } from "../http.ts";
import { badRequest, refusal } from "../refusal.ts";
import { checkQuery, type Schema } from "../schema.ts";
import type { Tenant } from "../tenant.ts";
import type { FeedEvent, Position } from "./event-log.ts";
import { EventStream } from "./event-stream.ts";
import { isEventType, type EventType } from "./event-types.ts";

const SCHEMA: Schema = {
  properties: {
    from: {
      type: "string",
      maxLength: 1024,
      description:
        "Opaque token representing position in the stream. If not provided, stream will start from the latest events.",
    },
    from_timestamp: {
      type: "string",
      maxLength: 20,
      pattern: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
      description:
        "RFC-3339 timestamp indicating where to start streaming events from. This should only be used on the initial query " +
        "when a cursor may not be available. Subsequent requests should use the cursor (from) as it will be more accurate.",
    },
  },
};

/** Texts from the OpenAPI document; that a cursor of a former tenant is expired, and a made-up one invalid, is modelled. */
export function subscribeEvents({ tenant, request, query, caller }: ApiCall): Answer {
  checkQuery(query, SCHEMA);
  const types = parseTypes(query);
  const position = findPosition(tenant, findHeader(request, "last-event-id"), query);
  if (position.kind === "invalid") throw badRequest("Invalid cursor format.");
  if (position.kind === "expired") throw refusal(410, "Cursor points to data no longer available in the stream.");
  const { feed, switches } = tenant;
  if (feed.followers.size >= tenant.quota.feedConnections) {
    throw refusal(403, "Maximum concurrent event stream connections reached. Please close existing connections.");
  }
  const domain = tenant.domainOf(request);
  return {
    status: 200,
    headers: { "content-type": "text/event-stream", "cache-control": "no-cache" },
    stream: (sink) =>
      new EventStream(
        {
          log: feed,
          clock: tenant.clock,
          next: position.next,
          types,
          heartbeatMs: switches.feedHeartbeatMs,
          lifetimeMs: Math.min(switches.feedLifetimeMs, caller.expiresAtMs - tenant.now()),
          envelope: (event) => cloudEvent(tenant, event, domain),
          breaksAt: (type) => tenant.faults.breaksFeedAt(type),
        },
        sink,
      ),
  };
}

/** Repeated, or several in one with commas between. */
function parseTypes(query: URLSearchParams): ReadonlySet<EventType> | undefined {
  const asked = query.getAll("event_type").flatMap((text) => text.split(","));
  const types = asked.filter(isEventType);
  if (types.length < asked.length) throw badRequest("Unsupported event type.", "invalid_query_string");
  return types.length === 0 ? undefined : new Set(types);
}

/** From now on unless told otherwise. `Last-Event-ID` outweighs the query (documented), as a reconnecting client needs. */
function findPosition({ feed }: Tenant, lastEventId: string | undefined, query: URLSearchParams): Position {
  const cursor = query.get("from");
  const timestamp = query.get("from_timestamp");
  if (cursor !== null && timestamp !== null) {
    throw badRequest("from and from_timestamp are mutually exclusive.", "invalid_query_string");
  }
  if (lastEventId !== undefined) return feed.positionOf(lastEventId);
  if (cursor !== null) return feed.positionOf(cursor);
  return timestamp === null ? { kind: "at", next: feed.end } : feed.positionAt(Date.parse(timestamp));
}

/**
 * The event as CloudEvents 1.0 has it. The optional `context` is left out: Auth0's two schemas disagree on what is in it.
 */
function cloudEvent(tenant: Tenant, { id, type, timeMs, object }: FeedEvent, domain: string): JsonObject {
  const host = domain.toLowerCase().replace(/:\d+$/, "");
  return {
    specversion: "1.0",
    type,
    source: `urn:auth0:${host}`,
    id,
    time: new Date(timeMs).toISOString(),
    data: { object: object() },
    a0tenant: /^[a-z0-9][-a-z0-9]{1,61}[a-z0-9](?=\.|$)/.exec(host)?.[0] ?? "simulator",
    a0stream: tenant.feedStreamId,
  };
}
