/** Making, changing and deleting connections, and the clients that may use one. */
import type { JsonObject } from "../../runtime/json.ts";
import { api, type ApiCall, type ApiEndpoint } from "../call.ts";
import { parseBody, parseListBody, type Answer } from "../http.ts";
import { objectIn, textIn, textsIn } from "../json.ts";
import { checkpointAnswer } from "../paging.ts";
import { conflict } from "../refusal.ts";
import { checkBody, checkQuery, type Schema } from "../schema.ts";
import type { Tenant } from "../tenant.ts";
import { removeUser } from "../users/read-users.ts";
import { checkOptions } from "./check-options.ts";
import { kindOf, type Connection } from "./connection.ts";
import { newConnection } from "./connections.ts";
import { connectionOf, getConnection, listConnections, OPTIONS_SCOPE, wireConnection } from "./read-connections.ts";

const CLIENTS_PATH = "/connections/{id}/clients";

export const CONNECTION_ENDPOINTS: readonly ApiEndpoint[] = [
  api("GET", "/connections", ["read:connections"], listConnections, "connections"),
  api("POST", "/connections", ["create:connections"], createConnection, "connections"),
  api("GET", "/connections/{id}", ["read:connections"], getConnection, "connections"),
  api("PATCH", "/connections/{id}", ["update:connections"], updateConnection, "connections"),
  api("DELETE", "/connections/{id}", ["delete:connections"], deleteConnection, "connections"),
  api("GET", "/connections/{id}/status", ["read:connections"], getStatus, "connections"),
  api("GET", CLIENTS_PATH, ["read:connections"], listClients, "connections"),
  api("PATCH", CLIENTS_PATH, ["update:connections"], updateClients, "connections"),
  api("DELETE", "/connections/{id}/users", ["delete:users"], deleteUserByEmail, "deleteUsers"),
];

const SCHEMA: Schema = {
  properties: {
    name: {
      type: "string",
      minLength: 1,
      maxLength: 128,
      pattern: /^[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?$/,
      description: "The name of the connection. Must start and end with an alphanumeric character.",
    },
    strategy: { type: "string", minLength: 1, description: "The type of the connection." },
    options: { type: "object", description: "The connection's options (depend on the connection strategy)." },
    enabled_clients: {
      type: "array",
      items: { type: "string" },
      description: "The identifiers of the clients for which the connection is to be enabled.",
    },
  },
};

function createConnection({ tenant, request }: ApiCall): Answer {
  const body = parseBody(request);
  checkBody(body, { ...SCHEMA, required: ["name", "strategy"] });
  const { name: _name, strategy: _strategy, options: _options, enabled_clients: _clients, ...more } = body;
  const [name, strategy] = [textIn(body, "name") ?? "", textIn(body, "strategy") ?? ""];
  checkOptions(strategy, objectIn(body, "options"));
  if (tenant.connections.findByName(name)) {
    throw conflict("A connection with the same name already exists", "connection_conflict");
  }
  const enabledClients = textsIn(body, "enabled_clients");
  const made = newConnection({ name, strategy, enabledClients }, [], tenant.random);
  const connection = {
    ...made,
    options: { ...defaultOptions(tenant, made), ...objectIn(body, "options") },
    more: { ...defaultsOf(tenant, made), ...more },
  };
  tenant.connections.put(connection);
  return { status: 201, body: wireConnection(connection, ALL_SHOWN) };
}

/** Whoever writes options may see them in the answer. */
const ALL_SHOWN: ReadonlySet<string> = new Set([OPTIONS_SCOPE]);

/** As recorded for new databases and for Okta; passkeys and methods since April 2026. */
function defaultOptions(tenant: Tenant, { strategy }: Connection): JsonObject {
  if (strategy === "auth0") {
    return {
      mfa: { active: true, return_enroll_settings: true },
      passwordPolicy: "good",
      strategy_version: 2,
      ...(tenant.isSince("2026-04") && DATABASE_SINCE_2026),
      brute_force_protection: true,
    };
  }
  if (strategy !== "okta") return {};
  return {
    schema_version: "oidc-V4",
    type: "back_channel",
    attribute_map: { mapping_mode: "basic_profile" },
    connection_settings: { pkce: "auto" },
  };
}

const DATABASE_SINCE_2026: JsonObject = {
  authentication_methods: {
    password: { enabled: true, api_behavior: "required", signup_behavior: "allow" },
    passkey: { enabled: false },
    email_otp: { enabled: false },
    phone_otp: { enabled: false },
  },
  passkey_options: { challenge_ui: "both", progressive_enrollment_enabled: true, local_enrollment_enabled: true },
};

function defaultsOf(tenant: Tenant, connection: Connection): JsonObject {
  return {
    ...(kindOf(connection) === "enterprise" && { show_as_button: false }),
    ...(tenant.isSince("2026-04") && { authentication: { active: true }, connected_accounts: { active: false } }),
  };
}

/** `options` are replaced whole: what a request leaves out of them is lost (documented). */
function updateConnection(call: ApiCall): Answer {
  const connection = connectionOf(call);
  const body = parseBody(call.request);
  checkBody(body, SCHEMA);
  checkOptions(connection.strategy, objectIn(body, "options"));
  const { name: _name, strategy: _strategy, options: _options, enabled_clients: clients, ...more } = body;
  const changed = {
    ...connection,
    options: objectIn(body, "options") ?? connection.options,
    enabledClients: clients === undefined ? connection.enabledClients : textsIn(body, "enabled_clients"),
    more: { ...connection.more, ...more },
  };
  call.tenant.connections.put(changed);
  return { status: 200, body: wireConnection(changed, ALL_SHOWN) };
}

/** Its users go with it (documented). 202 with the time (recorded); 204 where there is none: Auth0's Go SDK deletes twice. */
function deleteConnection(call: ApiCall): Answer {
  const { tenant, params } = call;
  const connection = tenant.connections.findById(params["id"] ?? "");
  if (!connection) return { status: 204 };
  const users = Array.from(tenant.users.values()).filter(
    ({ identities: [first] }) => first.connection === connection.name,
  );
  for (const { userId } of users) removeUser(tenant, userId);
  tenant.connections.delete(connection.id);
  return { status: 202, body: { deleted_at: new Date(tenant.now()).toISOString() } };
}

function getStatus(call: ApiCall): Answer {
  connectionOf(call);
  return { status: 200, body: {} };
}

function listClients(call: ApiCall): Answer {
  const { enabledClients } = connectionOf(call);
  const show = (client_id: string): JsonObject => ({ client_id });
  return checkpointAnswer(call.query, "clients", enabledClients, show, { position: (id) => id });
}

const CLIENT: Schema = {
  required: ["client_id", "status"],
  properties: {
    client_id: { type: "string", description: "The client_id of the client to be the subject to change status." },
    status: { type: "boolean", description: "Whether the connection is enabled or not for this client_id." },
  },
};

function updateClients(call: ApiCall): Answer {
  const connection = connectionOf(call);
  const enabled = new Set(connection.enabledClients);
  for (const change of parseListBody(call.request)) {
    checkBody(change, CLIENT);
    const id = textIn(change, "client_id") ?? "";
    if (change["status"] === true) enabled.add(id);
    else enabled.delete(id);
  }
  call.tenant.connections.put({ ...connection, enabledClients: [...enabled] });
  return { status: 204 };
}

/** 204 whether or not there is such a user. */
function deleteUserByEmail(call: ApiCall): Answer {
  const { tenant, query } = call;
  checkQuery(query, {
    required: ["email"],
    properties: { email: { type: "string", minLength: 1, description: "The email of the user to delete." } },
  });
  const { name } = connectionOf(call);
  const user = tenant.users.findHolder(name, "email", query.get("email") ?? "");
  if (user) removeUser(tenant, user.userId);
  return { status: 204 };
}
