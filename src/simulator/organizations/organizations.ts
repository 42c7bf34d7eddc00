/** The tenant's organizations, and `/api/v2/organizations` itself; `members.ts` has who belongs to them. */
import type { JsonObject } from "../../runtime/json.ts";
import { api, type ApiCall, type ApiEndpoint, type Call } from "../call.ts";
import { parseFields } from "../fields.ts";
import { parseBody, type Answer } from "../http.ts";
import { newId } from "../made-up.ts";
import { objectsIn, textIn } from "../json.ts";
import { checkpointAnswer, isCheckpointed, listAnswer } from "../paging.ts";
import { refusal } from "../refusal.ts";
import { checkBody, type Schema } from "../schema.ts";
import type { Collection } from "../state/collection.ts";
import { Links } from "../state/links.ts";
import { Owned, type Owners } from "../state/owned.ts";
import { parseObject, type State } from "../state/state.ts";
import type { Tenant } from "../tenant.ts";
import type { Users } from "../users/users.ts";
import { newEnabledConnection } from "./enabled-connections.ts";

export class Organizations {
  /** As the API shows them. */
  readonly byId: Collection<JsonObject>;
  /** From organization to user. */
  readonly members: Links;
  /** From membership (its key) to role. */
  readonly memberRoles: Links;
  /** By organization and connection. */
  readonly connections: Owned;
  readonly invitations: Owned;
  readonly domains: Owned;

  constructor(state: State, users: Users, connections: Owners) {
    this.byId = state.collection("organizations", parseObject);
    this.members = new Links(state, "organizationMembers");
    this.memberRoles = new Links(state, "organizationMemberRoles");
    this.connections = new Owned(state, "organizationConnections", this.byId);
    this.invitations = new Owned(state, "organizationInvitations", this.byId);
    this.domains = new Owned(state, "organizationDomains", this.byId);
    connections.subscribe((id, _before, after) => {
      if (after === undefined) this.connections.forgetId(id);
    });
    users.subscribe((before, after) => {
      if (!before || after) return;
      for (const { from } of this.members.to(before.userId)) this.removeMember(from, before.userId);
    });
  }

  removeMember(organization: string, user: string): void {
    this.members.remove(organization, user);
    this.memberRoles.forget(membershipKey(organization, user));
  }
}

/** A space parts them: organizations' ids hold none. */
export function membershipKey(organization: string, user: string): string {
  return `${organization} ${user}`;
}

export const ORGANIZATION_ENDPOINTS: readonly ApiEndpoint[] = [
  api("GET", "/organizations", ["read:organizations"], listOrganizations),
  api("POST", "/organizations", ["create:organizations"], createOrganization),
  api("GET", "/organizations/name/{name}", ["read:organizations"], getOrganizationByName),
  api("GET", "/organizations/{id}", ["read:organizations"], (call) => ({ status: 200, body: organizationOf(call) })),
  api("PATCH", "/organizations/{id}", ["update:organizations"], updateOrganization),
  api("DELETE", "/organizations/{id}", ["delete:organizations"], deleteOrganization),
];

/** @throws Refusal 404, without an errorCode (recorded) */
export function organizationOf({ tenant, params }: Call): JsonObject {
  const found = tenant.organizations.byId.find(params["id"] ?? "");
  if (!found) throw refusal(404, "No organization found by that id or name");
  return found;
}

export function organizationId(call: Call): string {
  return textIn(organizationOf(call), "id") ?? "";
}

function getOrganizationByName({ tenant, params }: ApiCall): Answer {
  const found = findByName(tenant, params["name"]);
  if (!found) throw refusal(404, "No organization found by that id or name");
  return { status: 200, body: found };
}

function findByName({ organizations }: Tenant, name: unknown): JsonObject | undefined {
  return organizations.byId.values().find((each) => each["name"] === name);
}

function listOrganizations({ tenant, query }: ApiCall): Answer {
  const pick = parseFields(query);
  const found = [...tenant.organizations.byId.values()];
  if (!isCheckpointed(query)) return listAnswer(query, "organizations", found, pick);
  return checkpointAnswer(query, "organizations", found, pick, { position });
}

function position(organization: JsonObject): string {
  return textIn(organization, "id") ?? "";
}

const SCHEMA: Schema = {
  properties: {
    name: {
      type: "string",
      minLength: 1,
      maxLength: 50,
      pattern: /^(?!org_)[a-z0-9][a-z0-9\-_]*$/,
      description: "The name of this organization.",
    },
    display_name: { type: "string", minLength: 1, maxLength: 255, description: "Friendly name of this organization." },
    branding: { type: "object", description: "Theme defines how to style the login pages." },
    metadata: { type: "object", description: "Metadata associated with the organization." },
    enabled_connections: {
      type: "array",
      items: { type: "object" },
      description: "Connections that will be enabled for this organization.",
    },
  },
};

function createOrganization({ tenant, request }: ApiCall): Answer {
  const body = parseBody(request);
  checkBody(body, { ...SCHEMA, required: ["name"] });
  if (findByName(tenant, body["name"])) throw refusal(409, "An organization with this name already exists.");
  const connections = objectsIn(body, "enabled_connections").map((each) => newEnabledConnection(tenant, each));
  const { enabled_connections: _connections, ...sent } = body;
  const id = newId("org", tenant.random);
  const organization = {
    ...(tenant.isSince("2026-06") && { third_party_client_access: "block" }),
    ...(tenant.isSince("2026-08") && { is_app_entitlement_active: false }),
    ...sent,
    id,
    display_name: body["display_name"] ?? body["name"],
  };
  tenant.organizations.byId.put(id, organization);
  for (const each of connections) tenant.organizations.connections.put(id, textIn(each, "connection_id") ?? "", each);
  return {
    status: 201,
    body: { ...organization, ...(connections.length > 0 && { enabled_connections: connections }) },
  };
}

/** Connections of an organization have endpoints of their own. */
const { enabled_connections: _connections, ...UPDATABLE } = SCHEMA.properties;

/** What is named is replaced whole (recorded for `branding`). */
function updateOrganization(call: ApiCall): Answer {
  const { tenant, request } = call;
  const organization = organizationOf(call);
  const body = parseBody(request);
  checkBody(body, { properties: UPDATABLE });
  const holder = findByName(tenant, body["name"]);
  if (holder && holder !== organization) throw refusal(409, "An organization with this name already exists.");
  const changed = { ...organization, ...body };
  tenant.organizations.byId.put(textIn(organization, "id") ?? "", changed);
  return { status: 200, body: changed };
}

/** 204 also for one that is not there (modelled). */
function deleteOrganization({ tenant: { organizations }, params }: ApiCall): Answer {
  const id = params["id"] ?? "";
  organizations.byId.delete(id);
  for (const { to } of organizations.members.from(id)) organizations.removeMember(id, to);
  return { status: 204 };
}
