/** `/api/v2/client-grants`: which application may ask for tokens for which API, and with which scopes; and for whom. */
import type { JsonObject } from "../../runtime/json.ts";
import { api, type ApiCall, type ApiEndpoint, type Call } from "../call.ts";
import { parseBody, type Answer } from "../http.ts";
import { textIn, textsIn } from "../json.ts";
import { newId } from "../made-up.ts";
import { checkpointAnswer, isCheckpointed, listAnswer } from "../paging.ts";
import { badRequest, refusal } from "../refusal.ts";
import { inexistentResourceServer } from "../resource-servers/resource-servers.ts";
import { organizationId } from "../organizations/organizations.ts";
import { checkBody, type Property } from "../schema.ts";
import type { Collection } from "../state/collection.ts";
import { Links } from "../state/links.ts";
import type { Owners } from "../state/owned.ts";
import { parseObject, type State } from "../state/state.ts";

export class ClientGrants {
  /** As the API shows them. */
  readonly byId: Collection<JsonObject>;
  /** From organization to grant. */
  readonly organizations: Links;

  constructor(state: State, clients: Owners, organizations: Owners) {
    this.byId = state.collection("clientGrants", parseObject);
    this.organizations = new Links(state, "organizationClientGrants");
    this.byId.subscribe((id, _before, after) => {
      if (after === undefined) this.organizations.forget(id);
    });
    organizations.subscribe((id, _before, after) => {
      if (after === undefined) this.organizations.forget(id);
    });
    clients.subscribe((clientId, _before, after) => {
      if (after !== undefined) return;
      for (const [id, grant] of this.byId.entries()) if (grant["client_id"] === clientId) this.byId.delete(id);
    });
  }

  ofOrganization(organization: string): readonly JsonObject[] {
    return this.organizations
      .from(organization)
      .map(({ to }) => this.byId.find(to))
      .filter((grant) => grant !== undefined);
  }
}

const ORGANIZATION_PATH = "/organizations/{id}/client-grants";

export const CLIENT_GRANT_ENDPOINTS: readonly ApiEndpoint[] = [
  api("GET", "/client-grants", ["read:client_grants"], listGrants),
  api("POST", "/client-grants", ["create:client_grants"], createGrant),
  api("GET", "/client-grants/{id}", ["read:client_grants"], (call) => ({ status: 200, body: grantOf(call) })),
  api("PATCH", "/client-grants/{id}", ["update:client_grants"], updateGrant),
  api("DELETE", "/client-grants/{id}", ["delete:client_grants"], deleteGrant),
  api("GET", "/client-grants/{id}/organizations", ["read:organization_client_grants"], listOrganizations),
  api("GET", ORGANIZATION_PATH, ["read:organization_client_grants"], listOfOrganization),
  api("POST", ORGANIZATION_PATH, ["create:organization_client_grants"], addToOrganization),
  api("DELETE", `${ORGANIZATION_PATH}/{grant_id}`, ["delete:organization_client_grants"], removeFromOrganization),
];

/** @throws Refusal 404 (recorded) */
function grantOf({ tenant, params }: Call): JsonObject {
  return getGrant(tenant.clientGrants, params["id"] ?? "");
}

function getGrant({ byId }: ClientGrants, id: string): JsonObject {
  const found = byId.find(id);
  if (!found) throw refusal(404, "The grant does not exist.", "inexistent_client_grant");
  return found;
}

/** Those that match every parameter that is given. */
function matching(grants: Iterable<JsonObject>, query: URLSearchParams): readonly JsonObject[] {
  const names = ["client_id", "audience", "subject_type"].filter((name) => query.has(name));
  return [...grants].filter((grant) => names.every((name) => grant[name] === query.get(name)));
}

function listGrants({ tenant, query }: ApiCall): Answer {
  const found = matching(tenant.clientGrants.byId.values(), query);
  const show = (grant: JsonObject): JsonObject => grant;
  if (!isCheckpointed(query)) return listAnswer(query, "client_grants", found, show);
  return checkpointAnswer(query, "client_grants", found, show, { position: (grant) => textIn(grant, "id") ?? "" });
}

const SETTINGS: Readonly<Record<string, Property>> = {
  scope: { type: "array", items: { type: "string" }, description: "Scopes allowed for this client grant." },
  allow_all_scopes: { type: "boolean", description: "If enabled, all scopes configured on the resource server apply." },
  organization_usage: {
    type: "string",
    enum: ["deny", "allow", "require"],
    description: "Controls how organizations may be used with this grant.",
  },
  allow_any_organization: { type: "boolean", description: "If enabled, any organization can be used with this grant." },
  authorization_details_types: {
    type: "array",
    items: { type: "string" },
    description: "Types of authorization_details allowed for this client grant.",
  },
};

function createGrant({ tenant, request }: ApiCall): Answer {
  const body = parseBody(request);
  checkBody(body, {
    required: ["client_id", "audience"],
    properties: {
      client_id: { type: "string", description: "ID of the client." },
      audience: { type: "string", minLength: 1, description: "The audience (API identifier) of this client grant." },
      subject_type: { type: "string", enum: ["client", "user"], description: "The type of application access." },
      ...SETTINGS,
    },
  });
  const client = tenant.clients.find(textIn(body, "client_id") ?? "");
  if (!client) throw refusal(404, "The client does not exist", "inexistent_client");
  if (client.more?.["app_type"] === "express_configuration") {
    throw badRequest("Client of type express_configuration cannot be used", "validation_error");
  }
  const audience = textIn(body, "audience") ?? "";
  if (!isOwnAudience(tenant.domainOf(request), audience) && !tenant.resourceServers.findByIdentifier(audience)) {
    throw inexistentResourceServer();
  }
  const grant = { id: newId("cgr", tenant.random), ...body, subject_type: body["subject_type"] ?? "client" };
  const same = [...tenant.clientGrants.byId.values()].some(
    ({ client_id, audience: other, subject_type }) =>
      client_id === client.clientId && other === audience && subject_type === grant.subject_type,
  );
  if (same) throw refusal(409, "A resource with the same properties already exists.");
  tenant.clientGrants.byId.put(grant.id, grant);
  applyToOwnApi({ tenant, request }, grant, textsIn(body, "scope"));
  return { status: 201, body: grant };
}

/** The identifier of the Management API itself. */
function isOwnAudience(domain: string, audience: string): boolean {
  return audience === `https://${domain}/api/v2/`;
}

/** A grant for the Management API counts from the client's next token on. */
function applyToOwnApi(
  { tenant, request }: Pick<Call, "tenant" | "request">,
  grant: JsonObject,
  scopes: readonly string[] | null,
): void {
  const client = tenant.clients.find(textIn(grant, "client_id") ?? "");
  if (!client || grant["subject_type"] !== "client") return;
  if (isOwnAudience(tenant.domainOf(request), textIn(grant, "audience") ?? ""))
    tenant.clients.put({ ...client, scopes });
}

/** Whose it is, and for which API, is not for changing (recorded). */
function updateGrant(call: ApiCall): Answer {
  const before = grantOf(call);
  const body = parseBody(call.request);
  checkBody(body, { properties: SETTINGS, additional: { hint: "" } });
  const changed = { ...before, ...body };
  call.tenant.clientGrants.byId.put(textIn(before, "id") ?? "", changed);
  applyToOwnApi(call, changed, textsIn(changed, "scope"));
  return { status: 200, body: changed };
}

/** 204 also for one that is not there (recorded). */
function deleteGrant(call: ApiCall): Answer {
  const { tenant, params } = call;
  const id = params["id"] ?? "";
  const grant = tenant.clientGrants.byId.find(id);
  tenant.clientGrants.byId.delete(id);
  if (grant) applyToOwnApi(call, grant, null);
  return { status: 204 };
}

function listOrganizations(call: ApiCall): Answer {
  const { clientGrants, organizations } = call.tenant;
  const found = clientGrants.organizations
    .to(textIn(grantOf(call), "id") ?? "")
    .map(({ from }) => organizations.byId.find(from))
    .filter((organization) => organization !== undefined);
  return listAnswer(call.query, "organizations", found, (organization) => organization);
}

function listOfOrganization(call: ApiCall): Answer {
  const { query, tenant } = call;
  const ids = new Set(query.getAll("grant_ids"));
  const found = matching(tenant.clientGrants.ofOrganization(organizationId(call)), query).filter(
    (grant) => ids.size === 0 || ids.has(textIn(grant, "id") ?? ""),
  );
  return listAnswer(query, "client_grants", found, (grant) => grant);
}

/** The answer names it `grant_id`, and leaves its subject out (recorded). */
function addToOrganization(call: ApiCall): Answer {
  const { tenant, request } = call;
  const organization = organizationId(call);
  const body = parseBody(request);
  checkBody(body, {
    required: ["grant_id"],
    properties: { grant_id: { type: "string", description: "A Client Grant ID to add to the organization." } },
  });
  const { id, subject_type: _subject, ...grant } = getGrant(tenant.clientGrants, textIn(body, "grant_id") ?? "");
  tenant.clientGrants.organizations.add(organization, String(id), tenant.now());
  return { status: 201, body: { grant_id: id, ...grant } };
}

/** 204 also for one that was not associated (modelled). */
function removeFromOrganization(call: ApiCall): Answer {
  call.tenant.clientGrants.organizations.remove(organizationId(call), call.params["grant_id"] ?? "");
  return { status: 204 };
}
