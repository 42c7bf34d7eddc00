/**
 * `/api/v2/event-streams`: webhooks that Auth0 would call. They are kept and can be tested, but nothing is sent: deliveries
 * stay pending. `GET /api/v2/events` is the other way to the same events.
 */
import type { JsonObject } from "../../runtime/json.ts";
import { api, type ApiCall, type ApiEndpoint } from "../call.ts";
import { parseBody, type Answer } from "../http.ts";
import { newId } from "../made-up.ts";
import { objectIn, textIn } from "../json.ts";
import { checkpointAnswer } from "../paging.ts";
import { badRequest, refusal } from "../refusal.ts";
import { checkBody, type Schema } from "../schema.ts";
import type { Collection } from "../state/collection.ts";
import { parseObject, type State } from "../state/state.ts";

export class EventStreams {
  /** As the API shows them: without the secret that authorizes a webhook. */
  readonly streams: Collection<JsonObject>;
  readonly deliveries: Collection<JsonObject>;

  constructor(state: State) {
    this.streams = state.collection("eventStreams", parseObject);
    this.deliveries = state.collection("deliveries", parseObject);
  }
}

/** Of the ids of streams and events. */
export const ID_LENGTH = 22;
export const STREAM_PATH = "/event-streams/{id}";

export const EVENT_STREAM_ENDPOINTS: readonly ApiEndpoint[] = [
  api("GET", "/event-streams", ["read:event_streams"], listStreams),
  api("POST", "/event-streams", ["create:event_streams"], createStream),
  api("GET", STREAM_PATH, ["read:event_streams"], (call) => ({ status: 200, body: streamOf(call) })),
  api("PATCH", STREAM_PATH, ["update:event_streams"], updateStream),
  api("DELETE", STREAM_PATH, ["delete:event_streams"], deleteStream),
];

/** @throws Refusal 400 for what cannot be an id (recorded), 404 where there is no such stream */
export function streamOf({ tenant, params }: ApiCall): JsonObject {
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
  return checkpointAnswer(query, "eventStreams", streams, (stream) => stream, { position: streamId });
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
  tenant.eventStreams.streams.put(streamId(stream), changed);
  return { status: 200, body: changed };
}

export function streamId(item: JsonObject): string {
  return textIn(item, "id") ?? "";
}

/** 204 also for one that is not there: Auth0's Go SDK deletes twice. */
function deleteStream(call: ApiCall): Answer {
  const { eventStreams } = call.tenant;
  const id = call.params["id"] ?? "";
  for (const delivery of deliveriesOf(call, id)) eventStreams.deliveries.delete(textIn(delivery, "id") ?? "");
  eventStreams.streams.delete(id);
  return { status: 204 };
}

export function deliveriesOf({ tenant }: ApiCall, stream: string): readonly JsonObject[] {
  return [...tenant.eventStreams.deliveries.values()].filter(({ event_stream_id: id }) => id === stream);
}
