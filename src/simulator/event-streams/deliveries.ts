/** Tests of an event stream, and the deliveries that come of them: `/api/v2/event-streams/{id}/deliveries`. */
import { isJsonObject, type JsonObject } from "../../runtime/json.ts";
import { api, type ApiCall, type ApiEndpoint } from "../call.ts";
import { parseBody, type Answer } from "../http.ts";
import { tenantName } from "../logs/note-writes.ts";
import { newId } from "../made-up.ts";
import { checkpointAnswer } from "../paging.ts";
import { refusal } from "../refusal.ts";
import { checkBody } from "../schema.ts";
import { deliveriesOf, ID_LENGTH, STREAM_PATH, streamId, streamOf } from "./event-streams.ts";
import { KEPT_SAMPLE_USER, SAMPLE_USER } from "./sample-user.ts";

export const DELIVERY_ENDPOINTS: readonly ApiEndpoint[] = [
  api("POST", `${STREAM_PATH}/test`, ["update:event_streams"], testStream),
  api("GET", `${STREAM_PATH}/deliveries`, ["read:event_deliveries"], listDeliveries),
  api("GET", `${STREAM_PATH}/deliveries/{event_id}`, ["read:event_deliveries"], getDelivery),
  api("POST", `${STREAM_PATH}/redeliver`, ["update:event_deliveries"], redeliver),
  api("POST", `${STREAM_PATH}/redeliver/{event_id}`, ["update:event_deliveries"], redeliverOne),
];

/** Of all streams together. */
const MAX_DELIVERIES = 1000;

/** A delivery of a sample event, the same for each type of user event (recorded). */
function testStream(call: ApiCall): Answer {
  const { tenant, request } = call;
  const stream = streamId(streamOf(call));
  const body = parseBody(request);
  checkBody(body, {
    required: ["event_type"],
    properties: { event_type: { type: "string", description: "The type of event this test event represents." } },
  });
  const id = newId("evt", tenant.random, ID_LENGTH);
  const type = body["event_type"];
  const name = tenantName(tenant.domainOf(request));
  const event = {
    specversion: "1.0",
    id,
    source: `urn:auth0:${name}`,
    type,
    time: new Date(tenant.now()).toISOString(),
    data: { object: SAMPLE_USER },
    a0purpose: "test",
    a0stream: stream,
    a0tenant: name,
  };
  const delivery = { id, event_stream_id: stream, event_type: type, status: "pending", attempts: [], event };
  tenant.eventStreams.deliveries.put(id, { ...delivery, event: keptEvent(event) });
  tenant.eventStreams.deliveries.keepNewest(MAX_DELIVERIES);
  return { status: 202, body: delivery };
}

/** Whoever reads a delivery later sees less of its event, and a source without the tenant (recorded). */
function keptEvent({ a0purpose: _purpose, ...event }: JsonObject): JsonObject {
  return { ...event, source: "urn:auth0:", data: { object: KEPT_SAMPLE_USER } };
}

/** A cursor follows every page that is not empty; until September 2025 it had another name (recorded). */
function listDeliveries(call: ApiCall): Answer {
  const types = new Set((call.query.get("event_types") ?? "").split(",").filter((type) => type !== ""));
  const found = deliveriesOf(call, streamId(streamOf(call))).filter(
    ({ event_type: type }) => types.size === 0 || (typeof type === "string" && types.has(type)),
  );
  const position = new Map(found.map((delivery, index) => [delivery, String(index).padStart(12, "0")]));
  const answer = checkpointAnswer(call.query, "deliveries", found, (delivery) => delivery, {
    position: (delivery) => position.get(delivery) ?? "",
    always: true,
  });
  if (call.tenant.isSince("2025-09") || !isJsonObject(answer.body)) return answer;
  const { next, ...page } = answer.body;
  return { ...answer, body: { ...page, nextPageToken: next } };
}

function getDelivery(call: ApiCall): Answer {
  const stream = streamId(streamOf(call));
  const found = deliveriesOf(call, stream).find(({ id }) => id === call.params["event_id"]);
  if (!found) throw refusal(404, "The event delivery does not exist.", "inexistent_event_delivery");
  return { status: 200, body: found };
}

function redeliver(call: ApiCall): Answer {
  streamOf(call);
  return { status: 202, body: {} };
}

function redeliverOne(call: ApiCall): Answer {
  getDelivery(call);
  return { status: 202, body: {} };
}
