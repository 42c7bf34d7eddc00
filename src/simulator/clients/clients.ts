/** `/api/v2/clients`: applications. What has no bearing on tokens is taken and shown as it comes. */
import type { JsonObject } from "../../runtime/json.ts";
import { api, type ApiCall, type ApiEndpoint } from "../call.ts";
import { wireConnection } from "../connections/read-connections.ts";
import { parseFields } from "../fields.ts";
import { parseBody, type Answer } from "../http.ts";
import { objectIn, textIn } from "../json.ts";
import { alphanumeric } from "../made-up.ts";
import type { Client } from "../oauth/clients.ts";
import { checkpointAnswer, isCheckpointed, listAnswer } from "../paging.ts";
import { badRequest } from "../refusal.ts";
import { checkBody, type Schema } from "../schema.ts";
import type { Tenant } from "../tenant.ts";
import { clientOf } from "./client-of.ts";
import { findPublicKey, keptCredentials, shownCredentials } from "./credentials.ts";

const READ = ["read:clients", "read:client_keys"];
const UPDATE = ["update:clients", "update:client_keys", "update:client_credentials"];

export const CLIENT_ENDPOINTS: readonly ApiEndpoint[] = [
  api("GET", "/clients", READ, listClients),
  api("POST", "/clients", ["create:clients"], createClient),
  api("GET", "/clients/{id}", READ, getClient),
  api("PATCH", "/clients/{id}", UPDATE, updateClient),
  api("DELETE", "/clients/{id}", ["delete:clients"], deleteClient),
  api("POST", "/clients/{id}/rotate-secret", ["update:client_keys"], rotateSecret),
  api("GET", "/clients/{id}/connections", ["read:connections"], listConnections),
];

const SCHEMA: Schema = {
  properties: {
    name: {
      type: "string",
      minLength: 1,
      pattern: /^[^<>]+$/,
      description: "Name of this client (min length: 1 character, does not allow `<` or `>`).",
    },
    description: { type: "string", maxLength: 140, description: "Free text description of this client." },
    app_type: { type: "string", description: "The type of application this client represents." },
    client_secret: { type: "string", description: "The secret used to sign tokens for the client." },
    grant_types: { type: "array", items: { type: "string" }, description: "List of grant types supported." },
    callbacks: { type: "array", items: { type: "string" }, description: "URLs whitelisted as a callback." },
    client_metadata: { type: "object", description: "Metadata associated with the client." },
    client_authentication_methods: {
      type: "object",
      nullable: true,
      description: "Defines client authentication methods.",
    },
    jwt_configuration: { type: "object", description: "Configuration related to JWTs for the client." },
    refresh_token: { type: "object", nullable: true, description: "Refresh token configuration." },
    organization_usage: {
      type: "string",
      enum: ["deny", "allow", "require"],
      description: "Defines how to proceed during an authentication transaction with regards to an organization.",
    },
  },
};

/** Those that the tenant was started with have nothing but what a token needs. */
const SEEDED: JsonObject = {
  app_type: "non_interactive",
  grant_types: ["client_credentials"],
  is_first_party: true,
  global: false,
};

/** The secret is shown to those with a scope of their own (OpenAPI document). */
function wireClient(tenant: Tenant, { clientId, clientSecret, more }: Client, showsSecret: boolean): JsonObject {
  return {
    client_id: clientId,
    name: clientId,
    ...(more ? shownCredentials(tenant, clientId, more) : SEEDED),
    ...(showsSecret && more && { client_secret: clientSecret }),
  };
}

function listClients({ tenant, query, caller }: ApiCall): Answer {
  const pick = parseFields(query);
  const shows = caller.scopes.has("read:client_keys");
  const show = (client: Client): JsonObject => pick(wireClient(tenant, client, shows));
  const found = [...tenant.clients.values()].filter(queriedBy(tenant, query.get("q")));
  if (!isCheckpointed(query)) return listAnswer(query, "clients", found, show);
  return checkpointAnswer(query, "clients", found, show, { position: ({ clientId }) => clientId });
}

/** The only two queries there are (documented): by the organizations that a client's grants are for. */
function queriedBy(tenant: Tenant, q: string | null): (client: Client) => boolean {
  if (q === null) return () => true;
  const [, name, value] = /^client_grant\.(organization_id|allow_any_organization):(\S+)$/.exec(q) ?? [];
  if (name === undefined || value === undefined) throw badRequest("Invalid search query", "invalid_query_string");
  const { clientGrants } = tenant;
  const grants =
    name === "organization_id"
      ? clientGrants.ofOrganization(value)
      : [...clientGrants.byId.values()].filter(
          (grant) => (grant["allow_any_organization"] === true) === (value === "true"),
        );
  const ids = new Set(grants.map((grant) => grant["client_id"]));
  return ({ clientId }) => ids.has(clientId);
}

function getClient(call: ApiCall): Answer {
  const { tenant, caller, query } = call;
  const body = wireClient(tenant, clientOf(call), caller.scopes.has("read:client_keys"));
  return { status: 200, body: parseFields(query)(body) };
}

/** Of those that a POST does not name (recorded). */
const DEFAULTS: JsonObject = {
  is_first_party: true,
  is_token_endpoint_ip_header_trusted: false,
  oidc_conformant: false,
  sso_disabled: false,
  cross_origin_authentication: false,
  grant_types: ["authorization_code", "implicit", "refresh_token", "client_credentials"],
  custom_login_page_on: true,
};
const DEFAULT_REFRESH_TOKEN: JsonObject = {
  rotation_type: "non-rotating",
  expiration_type: "non-expiring",
  leeway: 0,
  token_lifetime: 2_592_000,
  infinite_token_lifetime: true,
  infinite_idle_token_lifetime: true,
  idle_token_lifetime: 1_296_000,
};

const [ID_LENGTH, SECRET_LENGTH] = [32, 64];

/** It may not call this API before a grant says so (documented). */
function createClient({ tenant, request }: ApiCall): Answer {
  const body = parseBody(request);
  checkBody(body, { ...SCHEMA, required: ["name"] });
  const clientId = alphanumeric(tenant.random, ID_LENGTH);
  const { client_secret: _secret, ...sent } = withoutNulls(body);
  const more = {
    ...DEFAULTS,
    ...keptCredentials(tenant, clientId, sent),
    jwt_configuration: {
      secret_encoded: false,
      ...(objectIn(body, "jwt_configuration") ?? { lifetime_in_seconds: 36_000 }),
    },
    refresh_token: { ...DEFAULT_REFRESH_TOKEN, ...objectIn(body, "refresh_token") },
  };
  const clientSecret = textIn(body, "client_secret") ?? alphanumeric(tenant.random, SECRET_LENGTH);
  return {
    status: 201,
    body: putClient(tenant, { clientId, clientSecret, scopes: null, ...findPublicKey(tenant, clientId, more), more }),
  };
}

/** As it is shown to whoever wrote it, who sees its secret (recorded). */
function putClient(tenant: Tenant, client: Client & { readonly more: JsonObject }): JsonObject {
  tenant.clients.put(client);
  tenant.resourceServers.linkClient(client.clientId, textIn(client.more, "resource_server_identifier"));
  return wireClient(tenant, client, true);
}

/** null removes (recorded); what is named is replaced whole. */
function updateClient(call: ApiCall): Answer {
  const { tenant, request } = call;
  const { more = SEEDED, publicKey, ...client } = clientOf(call);
  const { clientId } = client;
  const body = parseBody(request);
  checkBody(body, SCHEMA);
  const readOnly = ["client_id", "signing_keys", "global"].filter((name) => body[name] !== undefined);
  if (readOnly.length > 0) {
    throw badRequest(
      `Payload validation error: 'Additional properties not allowed: ${readOnly.join(",")}'.`,
      "invalid_body",
    );
  }
  const { client_secret: secret, ...sent } = body;
  const changed = withoutNulls({ ...more, ...keptCredentials(tenant, clientId, sent) });
  const key =
    sent["client_authentication_methods"] === undefined
      ? { ...(publicKey !== undefined && { publicKey }) }
      : findPublicKey(tenant, clientId, changed);
  const clientSecret = typeof secret === "string" ? secret : client.clientSecret;
  return { status: 200, body: putClient(tenant, { ...client, clientSecret, ...key, more: changed }) };
}

function withoutNulls(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}

/** 204 also for one that is not there (recorded). */
function deleteClient({ tenant, params }: ApiCall): Answer {
  const id = params["id"] ?? "";
  tenant.clients.delete(id);
  tenant.resourceServers.linkClient(id, undefined);
  for (const connection of tenant.connections.values()) {
    if (!connection.enabledClients.includes(id)) continue;
    tenant.connections.put({ ...connection, enabledClients: connection.enabledClients.filter((each) => each !== id) });
  }
  return { status: 204 };
}

/** Ends the tokens that the client has. */
function rotateSecret(call: ApiCall): Answer {
  const { tenant } = call;
  const { more = SEEDED, ...client } = clientOf(call);
  const clientSecret = alphanumeric(tenant.random, SECRET_LENGTH);
  return { status: 200, body: putClient(tenant, { ...client, clientSecret, more }) };
}

/** The connections that are enabled for it. */
function listConnections(call: ApiCall): Answer {
  const { tenant, query, caller } = call;
  const { clientId } = clientOf(call);
  const found = [...tenant.connections.values()].filter(({ enabledClients }) => enabledClients.includes(clientId));
  return checkpointAnswer(query, "connections", found, (each) => wireConnection(each, caller.scopes), {
    position: ({ id }) => id,
  });
}
