/**
 * `/api/v2/connections/{id}/scim-configuration`: how another system may provision a connection's users, and with which tokens.
 * Nobody can provision here: the tokens open nothing.
 */
import type { JsonObject } from "../../runtime/json.ts";
import { api, type ApiCall, type ApiEndpoint } from "../call.ts";
import { parseBody, type Answer } from "../http.ts";
import { tenantName } from "../logs/note-writes.ts";
import { alphanumeric, newId } from "../made-up.ts";
import { badRequest, refusal } from "../refusal.ts";
import { checkBody, type Property } from "../schema.ts";
import { Owned, type Owners } from "../state/owned.ts";
import type { State } from "../state/state.ts";
import { kindOf } from "./connection.ts";
import { connectionOf } from "./read-connections.ts";
import { DEFAULT_SCIM_MAPPING } from "./scim-mapping.ts";

export class Scim {
  /** One by connection, under the connection's id. */
  readonly configurations: Owned;
  readonly tokens: Owned;

  constructor(state: State, connections: Owners) {
    this.configurations = new Owned(state, "scimConfigurations", connections);
    this.tokens = new Owned(state, "scimTokens", connections);
  }
}

const PATH = "/connections/{id}/scim-configuration";
const TOKENS_PATH = `${PATH}/tokens`;

export const SCIM_ENDPOINTS: readonly ApiEndpoint[] = [
  api("GET", PATH, ["read:scim_config"], (call) => ({ status: 200, body: configurationOf(call) })),
  api("POST", PATH, ["create:scim_config"], createConfiguration),
  api("PATCH", PATH, ["update:scim_config"], updateConfiguration),
  api("DELETE", PATH, ["delete:scim_config"], deleteConfiguration),
  api("GET", `${PATH}/default-mapping`, ["read:scim_config"], getDefaultMapping),
  api("GET", TOKENS_PATH, ["read:scim_token"], listTokens),
  api("POST", TOKENS_PATH, ["create:scim_token"], createToken),
  api("DELETE", `${TOKENS_PATH}/{token_id}`, ["delete:scim_token"], deleteToken),
];

/** @throws Refusal 404, without an errorCode (recorded) */
function configurationOf(call: ApiCall): JsonObject {
  const { id } = connectionOf(call);
  const found = call.tenant.scim.configurations.find(id, id);
  if (!found) throw refusal(404, "Not Found");
  return found;
}

const SETTINGS: Readonly<Record<string, Property>> = {
  user_id_attribute: { type: "string", minLength: 1, description: "User ID attribute for generating unique user ids." },
  mapping: {
    type: "array",
    items: { type: "object", properties: { auth0: { type: "string" }, scim: { type: "string" } } },
    description: "The mapping between auth0 and SCIM.",
  },
};

/** Without a body it is the default one (recorded for Okta). */
function createConfiguration(call: ApiCall): Answer {
  const { tenant, request } = call;
  const connection = connectionOf(call);
  if (kindOf(connection) !== "enterprise") {
    throw badRequest(`SCIM is not supported for strategy ${connection.strategy}.`, "operation_not_supported");
  }
  const { id, name, strategy } = connection;
  if (tenant.scim.configurations.find(id, id)) {
    throw refusal(409, "A SCIM configuration already exists for this connection.");
  }
  const body = request.body.length === 0 ? {} : parseBody(request);
  checkBody(body, { properties: SETTINGS });
  const nowIso = new Date(tenant.now()).toISOString();
  const made = {
    tenant_name: tenantName(tenant.domainOf(request)),
    connection_id: id,
    connection_name: name,
    strategy,
    mapping: body["mapping"] ?? DEFAULT_SCIM_MAPPING,
    updated_on: nowIso,
    created_at: nowIso,
    user_id_attribute: body["user_id_attribute"] ?? "externalId",
  };
  tenant.scim.configurations.put(id, id, made);
  return { status: 201, body: made };
}

function updateConfiguration(call: ApiCall): Answer {
  const before = configurationOf(call);
  const { mapping, user_id_attribute, ...more } = parseBody(call.request);
  checkBody({ mapping, user_id_attribute, ...more }, { properties: SETTINGS, required: Object.keys(SETTINGS) });
  const changed = { ...before, mapping, user_id_attribute, updated_on: new Date(call.tenant.now()).toISOString() };
  const { id } = connectionOf(call);
  call.tenant.scim.configurations.put(id, id, changed);
  return { status: 200, body: changed };
}

/** 204 also where there is none (recorded). Its tokens go with it. */
function deleteConfiguration(call: ApiCall): Answer {
  const { id } = connectionOf(call);
  call.tenant.scim.configurations.delete(id, id);
  call.tenant.scim.tokens.forget(id);
  return { status: 204 };
}

function getDefaultMapping(call: ApiCall): Answer {
  connectionOf(call);
  return { status: 200, body: { mapping: DEFAULT_SCIM_MAPPING } };
}

/** Without the token itself (recorded). */
function listTokens(call: ApiCall): Answer {
  return { status: 200, body: call.tenant.scim.tokens.of(connectionOf(call).id) };
}

const TOKEN_LENGTH = 64;

/** As many as a connection may have (documented). */
const MAX_TOKENS = 2;

/** The only answer that shows the token; it is not kept. */
function createToken(call: ApiCall): Answer {
  const { tenant, request } = call;
  configurationOf(call);
  const { id: connection } = connectionOf(call);
  const body = parseBody(request);
  checkBody(body, {
    properties: {
      scopes: { type: "array", items: { type: "string" }, description: "The scopes of the scim token." },
      token_lifetime: {
        type: "integer",
        minimum: 900,
        nullable: true,
        description: "Lifetime of the token in seconds.",
      },
    },
  });
  if (tenant.scim.tokens.of(connection).length >= MAX_TOKENS) {
    throw refusal(409, "The maximum number of SCIM tokens has been reached.");
  }
  const nowMs = tenant.now();
  const { scopes, token_lifetime: lifetime } = body;
  const id = newId("tok", tenant.random);
  const made = {
    token_id: id,
    ...(scopes !== undefined && { scopes }),
    created_at: new Date(nowMs).toISOString(),
    ...(typeof lifetime === "number" && { valid_until: new Date(nowMs + lifetime * 1000).toISOString() }),
  };
  tenant.scim.tokens.put(connection, id, made);
  return { status: 201, body: { ...made, token: `${id}.${alphanumeric(tenant.random, TOKEN_LENGTH)}` } };
}

/** 204 also for one that is not there (modelled). */
function deleteToken(call: ApiCall): Answer {
  call.tenant.scim.tokens.delete(connectionOf(call).id, call.params["token_id"] ?? "");
  return { status: 204 };
}
