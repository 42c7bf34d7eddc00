/** `/api/v2/resource-servers`: the APIs whose scopes are the permissions that roles and users have. */
import type { JsonObject } from "../../runtime/json.ts";
import { api, type ApiCall, type ApiEndpoint, type Call } from "../call.ts";
import { parseFields } from "../fields.ts";
import { parseBody, type Answer } from "../http.ts";
import { newObjectId } from "../made-up.ts";
import { textIn } from "../json.ts";
import { listAnswer } from "../paging.ts";
import { badRequest, conflict, refusal, type Refusal } from "../refusal.ts";
import { checkBody, type Schema } from "../schema.ts";
import type { Collection } from "../state/collection.ts";
import { parseObject, type State } from "../state/state.ts";
import { findSystemApi } from "./system-apis.ts";

export class ResourceServers {
  /** As the API shows them. */
  readonly byId: Collection<JsonObject>;
  readonly #ids = new Map<string, string>();

  constructor(state: State) {
    this.byId = state.collection("resourceServers", parseObject);
    this.byId.subscribe((id, before, after) => {
      if (before) this.#ids.delete(textIn(before, "identifier") ?? "");
      if (after) this.#ids.set(textIn(after, "identifier") ?? "", id);
    });
  }

  findByIdentifier(identifier: string): JsonObject | undefined {
    return this.byId.find(this.#ids.get(identifier) ?? "");
  }

  /** The API of this identifier is the application of this id, and no other is. */
  linkClient(clientId: string, identifier: string | undefined): void {
    for (const [id, server] of this.byId.entries()) {
      const isLinked = server["client_id"] === clientId;
      if ((server["identifier"] === identifier) === isLinked) continue;
      const { client_id: _client, ...rest } = server;
      this.byId.put(id, isLinked ? rest : { ...rest, client_id: clientId });
    }
  }
}

/** What has no bearing on users is taken and shown as it comes. */
const PROPERTIES: Schema["properties"] = {
  name: {
    type: "string",
    description: "Friendly name for this resource server. Can not contain `<` or `>` characters.",
  },
  identifier: {
    type: "string",
    minLength: 1,
    maxLength: 600,
    description: "Unique identifier for the API used as the audience parameter on authorization calls.",
  },
  scopes: {
    type: "array",
    items: {
      type: "object",
      required: ["value"],
      properties: { value: { type: "string", minLength: 1 }, description: { type: "string" } },
    },
    description: "List of permissions (scopes) that this API uses.",
  },
};

export const RESOURCE_SERVER_ENDPOINTS: readonly ApiEndpoint[] = [
  api("GET", "/resource-servers", ["read:resource_servers"], listResourceServers),
  api("POST", "/resource-servers", ["create:resource_servers"], createResourceServer),
  api("GET", "/resource-servers/{id}", ["read:resource_servers"], (call) => ({ status: 200, body: serverOf(call) })),
  api("PATCH", "/resource-servers/{id}", ["update:resource_servers"], updateResourceServer),
  api("DELETE", "/resource-servers/{id}", ["delete:resource_servers"], deleteResourceServer),
];

/** By id, or by identifier (recorded). */
function serverOf({ tenant: { resourceServers }, params }: Call): JsonObject {
  const id = params["id"] ?? "";
  const found = resourceServers.byId.find(id) ?? resourceServers.findByIdentifier(id);
  if (!found) throw inexistentResourceServer();
  return found;
}

export function inexistentResourceServer(): Refusal {
  return refusal(404, "The resource server does not exist", "inexistent_resource_server");
}

function listResourceServers({ tenant, query }: ApiCall): Answer {
  const pick = parseFields(query);
  const identifiers = query.getAll("identifiers");
  const found = [...tenant.resourceServers.byId.values()].filter(
    (server) => identifiers.length === 0 || identifiers.includes(textIn(server, "identifier") ?? ""),
  );
  return listAnswer(query, "resource_servers", found, pick);
}

function createResourceServer({ tenant, request }: ApiCall): Answer {
  const body = parseBody(request);
  checkBody(body, { properties: PROPERTIES, required: ["identifier"] });
  if (tenant.resourceServers.findByIdentifier(textIn(body, "identifier") ?? "")) {
    throw conflict("A resource server with the same identifier already exists", "resource_server_conflict");
  }
  const system = findSystemApi(textIn(body, "identifier") ?? "", tenant.domainOf(request));
  const id = newObjectId(tenant.random);
  const server = { id, ...DEFAULTS, ...(tenant.isSince("2026-04") && SINCE_2026), ...withoutNulls(body), ...system };
  tenant.resourceServers.byId.put(id, server);
  return { status: 201, body: server };
}

/** Of those that a POST does not name (recorded); `subject_type_authorization` since April 2026. */
const DEFAULTS: JsonObject = {
  allow_offline_access: false,
  skip_consent_for_verifiable_first_party_clients: false,
  token_lifetime: 86_400,
  token_lifetime_for_web: 7200,
  signing_alg: "RS256",
};
const SINCE_2026: JsonObject = {
  subject_type_authorization: { client: { policy: "require_client_grant" }, user: { policy: "allow_all" } },
};

/** null removes (recorded); the identifier is not for changing (documented). */
function updateResourceServer(call: ApiCall): Answer {
  const { tenant, request } = call;
  const server = serverOf(call);
  if (server["identifier"] === "urn:auth0:express-configure") {
    throw badRequest("This resource server cannot be modified", "operation_not_supported");
  }
  const { identifier: _identifier, ...body } = parseBody(request);
  checkBody(body, { properties: PROPERTIES });
  const changed = withoutNulls({ ...server, ...body });
  tenant.resourceServers.byId.put(textIn(server, "id") ?? "", changed);
  return { status: 200, body: changed };
}

function withoutNulls(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}

/** 204 also for one that is not there. */
function deleteResourceServer(call: ApiCall): Answer {
  const { resourceServers } = call.tenant;
  const id = call.params["id"] ?? "";
  const found = resourceServers.byId.find(id) ?? resourceServers.findByIdentifier(id);
  if (found) resourceServers.byId.delete(textIn(found, "id") ?? "");
  return { status: 204 };
}
