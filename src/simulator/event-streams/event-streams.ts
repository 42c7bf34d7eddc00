/**
 * `/api/v2/event-streams`: webhooks that Auth0 would call. They are kept and can be tested, but nothing is sent: deliveries
 * stay pending. `GET /api/v2/events` is the other way to the same events.
 */
import { isJsonObject, type JsonObject } from "../../runtime/json.ts";
import { api, type ApiCall, type ApiEndpoint } from "../call.ts";
import { parseBody, type Answer } from "../http.ts";
import { newId } from "../made-up.ts";
import { objectIn, textIn } from "../json.ts";
import { tenantName } from "../logs/note-writes.ts";
import { checkpointAnswer } from "../paging.ts";
import { badRequest, refusal } from "../refusal.ts";
import { checkBody, type Schema } from "../schema.ts";
import type { Collection } from "../state/collection.ts";
import { parseObject, type State } from "../state/state.ts";
import { KEPT_SAMPLE_USER, SAMPLE_USER } from "./sample-user.ts";

export class EventStreams {
  /** As the API shows them: without the secret that authorizes a webhook. */
  readonly streams: Collection<JsonObject>;
  readonly deliveries: Collection<JsonObject>;

  constructor(state: State) {
    this.streams = state.collection("eventStreams", parseObject);
    this.deliveries = state.collection("deliveries", parseObject);
  }
}

const ID_LENGTH = 22;
const STREAM_PATH = "/event-streams/{id}";

export const EVENT_STREAM_ENDPOINTS: readonly ApiEndpoint[] = [
  api("GET", "/event-streams", ["read:event_streams"], listStreams),
  api("POST", "/event-streams", ["create:event_streams"], createStream),
  api("GET", STREAM_PATH, ["read:event_streams"], (call) => ({ status: 200, body: streamOf(call) })),
  api("PATCH", STREAM_PATH, ["update:event_streams"], updateStream),
  api("DELETE", STREAM_PATH, ["delete:event_streams"], deleteStream),
  api("POST", `${STREAM_PATH}/test`, ["update:event_streams"], testStream),
  api("GET", `${STREAM_PATH}/deliveries`, ["read:event_deliveries"], listDeliveries),
  api("GET", `${STREAM_PATH}/deliveries/{event_id}`, ["read:event_deliveries"], getDelivery),
  api("POST", `${STREAM_PATH}/redeliver`, ["update:event_deliveries"], redeliver),
  api("POST", `${STREAM_PATH}/redeliver/{event_id}`, ["update:event_deliveries"], redeliverOne),
];

/** @throws Refusal 400 for what cannot be an id (recorded), 404 where there is no such stream */
function streamOf({ tenant, params }: ApiCall): JsonObject {
  const id = params["id"] ?? "";
  if (!/^est_[A-Za-z0-9]{22}$/.test(id)) {
    const problem = `Object didn't pass validation for format event-stream-id: ${id}`;
    throw badRequest(
      `Path validation error: '${problem}' on property id (Unique identifier for the event stream).`,
      "invalid_uri",
    );
  }
  const stream = tenant.eventStreams.streams.find(id);
  if (!stream) throw refusal(404, "The event stream does not exist.", "inexistent_event_stream");
  return stream;
}

function listStreams({ tenant, query }: ApiCall): Answer {
  const streams = [...tenant.eventStreams.streams.values()];
  return checkpointAnswer(query, "eventStreams", streams, (stream) => stream, { position: idOf });
}

const SCHEMA: Schema = {
  properties: {
    name: { type: "string", minLength: 1, maxLength: 128, description: "Name of the event stream." },
    subscriptions: {
      type: "array",
      items: { type: "object", required: ["event_type"], properties: { event_type: { type: "string" } } },
      description: "List of event types subscribed to in this stream.",
    },
    destination: { type: "object", required: ["type", "configuration"], description: "Where events go." },
    status: {
      type: "string",
      enum: ["enabled", "disabled"],
      description: "Indicates whether the event stream is enabled.",
    },
  },
};

function createStream({ tenant, request }: ApiCall): Answer {
  const body = parseBody(request);
  checkBody(body, { ...SCHEMA, required: ["destination"] });
  const id = newId("est", tenant.random, ID_LENGTH);
  const time = new Date(tenant.now()).toISOString();
  const stream = { status: "enabled", ...withoutSecrets(body), id, created_at: time, updated_at: time };
  tenant.eventStreams.streams.put(id, stream);
  return { status: 201, body: stream };
}

/** Of a webhook's authorization only the method is ever shown (recorded). */
function withoutSecrets(body: JsonObject): JsonObject {
  const destination = objectIn(body, "destination");
  const configuration = destination && objectIn(destination, "configuration");
  const authorization = configuration && objectIn(configuration, "webhook_authorization");
  if (!authorization) return body;
  const shown = { ...configuration, webhook_authorization: { method: authorization["method"] } };
  return { ...body, destination: { ...destination, configuration: shown } };
}

function updateStream(call: ApiCall): Answer {
  const { tenant, request } = call;
  const stream = streamOf(call);
  const body = parseBody(request);
  checkBody(body, SCHEMA);
  const changed = { ...stream, ...withoutSecrets(body), updated_at: new Date(tenant.now()).toISOString() };
  tenant.eventStreams.streams.put(idOf(stream), changed);
  return { status: 200, body: changed };
}

function idOf(item: JsonObject): string {
  return textIn(item, "id") ?? "";
}

/** 204 also for one that is not there: Auth0's Go SDK deletes twice. */
function deleteStream(call: ApiCall): Answer {
  const { eventStreams } = call.tenant;
  const id = call.params["id"] ?? "";
  for (const delivery of deliveriesOf(call, id)) eventStreams.deliveries.delete(idOf(delivery));
  eventStreams.streams.delete(id);
  return { status: 204 };
}

function deliveriesOf({ tenant }: ApiCall, streamId: string): readonly JsonObject[] {
  return [...tenant.eventStreams.deliveries.values()].filter(({ event_stream_id: id }) => id === streamId);
}

/** A delivery of a sample event, the same for each type of user event (recorded). */
function testStream(call: ApiCall): Answer {
  const { tenant, request } = call;
  const streamId = idOf(streamOf(call));
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
    a0stream: streamId,
    a0tenant: name,
  };
  const delivery = { id, event_stream_id: streamId, event_type: type, status: "pending", attempts: [], event };
  tenant.eventStreams.deliveries.put(id, { ...delivery, event: keptEvent(event) });
  return { status: 202, body: delivery };
}

/** Whoever reads a delivery later sees less of its event, and a source without the tenant (recorded). */
function keptEvent({ a0purpose: _purpose, ...event }: JsonObject): JsonObject {
  return { ...event, source: "urn:auth0:", data: { object: KEPT_SAMPLE_USER } };
}

/** A cursor follows every page that is not empty; until September 2025 it had another name (recorded). */
function listDeliveries(call: ApiCall): Answer {
  const types = new Set((call.query.get("event_types") ?? "").split(",").filter((type) => type !== ""));
  const found = deliveriesOf(call, idOf(streamOf(call))).filter(
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
  const streamId = idOf(streamOf(call));
  const found = deliveriesOf(call, streamId).find(({ id }) => id === call.params["event_id"]);
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
