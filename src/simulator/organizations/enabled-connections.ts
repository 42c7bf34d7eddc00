/** `/api/v2/organizations/{id}/enabled_connections`: where an organization's members may log in. */
import type { JsonObject } from "../../runtime/json.ts";
import { api, type ApiCall, type ApiEndpoint } from "../call.ts";
import { isDatabase } from "../connections/connection.ts";
import { parseBody, type Answer } from "../http.ts";
import { textIn } from "../json.ts";
import { listAnswer } from "../paging.ts";
import { badRequest, refusal } from "../refusal.ts";
import { checkBody, type Property, type Schema } from "../schema.ts";
import type { Tenant } from "../tenant.ts";
import { organizationId } from "./organizations.ts";

const PATH = "/organizations/{id}/enabled_connections";
const ITEM_PATH = `${PATH}/{connection_id}`;

export const ENABLED_CONNECTION_ENDPOINTS: readonly ApiEndpoint[] = [
  api("GET", PATH, ["read:organization_connections"], listConnections),
  api("POST", PATH, ["create:organization_connections"], addConnection),
  api("GET", ITEM_PATH, ["read:organization_connections"], getConnection),
  api("PATCH", ITEM_PATH, ["update:organization_connections"], updateConnection),
  api("DELETE", ITEM_PATH, ["delete:organization_connections"], removeConnection),
];

const SETTINGS: Readonly<Record<string, Property>> = {
  assign_membership_on_login: {
    type: "boolean",
    description: "When true, all users that log in with this connection will be automatically granted membership.",
  },
  is_signup_enabled: {
    type: "boolean",
    description: "Determines whether organization signup should be enabled for this organization connection.",
  },
  show_as_button: {
    type: "boolean",
    description: "Determines whether a connection should be displayed on this organization's login prompt.",
  },
};

const SCHEMA: Schema = {
  required: ["connection_id"],
  properties: {
    connection_id: { type: "string", minLength: 1, maxLength: 50, description: "ID of the connection." },
    ...SETTINGS,
  },
};

function listConnections(call: ApiCall): Answer {
  const connections = call.tenant.organizations.connections.of(organizationId(call));
  return listAnswer(call.query, "enabled_connections", connections, (connection) => connection);
}

function addConnection(call: ApiCall): Answer {
  const organization = organizationId(call);
  const made = newEnabledConnection(call.tenant, parseBody(call.request));
  const id = textIn(made, "connection_id") ?? "";
  if (call.tenant.organizations.connections.find(organization, id)) {
    throw refusal(409, "The connection is already enabled for this organization.");
  }
  call.tenant.organizations.connections.put(organization, id, made);
  return { status: 201, body: made };
}

/**
 * What `body` enables, as it is shown: databases say whether one can sign up, the others only when they were asked (recorded).
 *
 * @throws Refusal 400
 */
export function newEnabledConnection(tenant: Tenant, body: JsonObject): JsonObject {
  checkBody(body, SCHEMA);
  const connection = tenant.connections.findById(textIn(body, "connection_id") ?? "");
  if (!connection) throw badRequest("No connection found by that id");
  const { name, strategy, id } = connection;
  const made = {
    connection_id: id,
    assign_membership_on_login: body["assign_membership_on_login"] ?? false,
    ...(isDatabase(connection) && { is_signup_enabled: body["is_signup_enabled"] ?? false }),
    show_as_button: body["show_as_button"] ?? true,
    connection: { name, strategy },
  };
  checkSignup({ ...made, ...body }, strategy);
  return made;
}

/** @throws Refusal 400 (text recorded) */
function checkSignup(settings: JsonObject, strategy: string | undefined): void {
  if (settings["is_signup_enabled"] !== true) return;
  if (strategy === "auth0" && settings["assign_membership_on_login"] === true) return;
  throw badRequest(
    "Only database connections with assign_membership_on_login = true support is_signup_enabled = true.",
  );
}

function getConnection(call: ApiCall): Answer {
  return { status: 200, body: enabledConnectionOf(call) };
}

/** @throws Refusal 404, without an errorCode (recorded) */
function enabledConnectionOf(call: ApiCall): JsonObject {
  const id = call.params["connection_id"] ?? "";
  const found = call.tenant.organizations.connections.find(organizationId(call), id);
  if (!found) throw refusal(404, "No connection found by that id");
  return found;
}

function updateConnection(call: ApiCall): Answer {
  const before = enabledConnectionOf(call);
  const body = parseBody(call.request);
  checkBody(body, { properties: SETTINGS, additional: { hint: "" } });
  const changed = { ...before, ...body };
  const id = call.params["connection_id"] ?? "";
  checkSignup(changed, call.tenant.connections.findById(id)?.strategy);
  call.tenant.organizations.connections.put(organizationId(call), id, changed);
  return { status: 200, body: changed };
}

/** 204 also for one that is not enabled (modelled). */
function removeConnection(call: ApiCall): Answer {
  call.tenant.organizations.connections.delete(organizationId(call), call.params["connection_id"] ?? "");
  return { status: 204 };
}
