/** The tenant's roles, and `/api/v2/roles` itself; `role-users.ts` has who has them. */
import type { JsonObject } from "../../runtime/json.ts";
import { api, type ApiCall, type ApiEndpoint, type Call } from "../call.ts";
import { parseBody, type Answer } from "../http.ts";
import { newId } from "../made-up.ts";
import { textIn } from "../json.ts";
import { listAnswer } from "../paging.ts";
import { refusal } from "../refusal.ts";
import { checkBody, type Property, type Schema } from "../schema.ts";
import type { Collection } from "../state/collection.ts";
import { Links } from "../state/links.ts";
import { parseObject, type State } from "../state/state.ts";
import type { Users } from "../users/users.ts";

export class Roles {
  /** As the API shows them; `description` null where there is none. */
  readonly byId: Collection<JsonObject>;
  /** From role to user. */
  readonly users: Links;

  constructor(state: State, users: Users) {
    this.byId = state.collection("roles", parseObject);
    this.users = new Links(state, "roleUsers");
    users.subscribe((before, after) => {
      if (before && !after) this.users.forget(before.userId);
    });
  }
}

export const ROLE_ENDPOINTS: readonly ApiEndpoint[] = [
  api("GET", "/roles", ["read:roles"], listRoles),
  api("POST", "/roles", ["create:roles"], createRole),
  api("GET", "/roles/{id}", ["read:roles"], (call) => ({ status: 200, body: shownRole(roleOf(call)) })),
  api("PATCH", "/roles/{id}", ["update:roles"], updateRole),
  api("DELETE", "/roles/{id}", ["delete:roles"], deleteRole),
];

/** A description that nobody gave is null in the answer to the POST and empty ever after (recorded). */
export function shownRole(role: JsonObject): JsonObject {
  return { ...role, description: role["description"] ?? "" };
}

/** By name: so they stand in the recordings, whichever was made or assigned first. */
export function sortedRoles(roles: Iterable<JsonObject>): JsonObject[] {
  return [...roles].toSorted((a, b) => (textIn(a, "name") ?? "").localeCompare(textIn(b, "name") ?? ""));
}

/** @throws Refusal 404, without an errorCode (recorded) */
export function findRole(roles: Roles, id: string): JsonObject {
  const role = roles.byId.find(id);
  if (!role) throw refusal(404, "The role does not exist.");
  return role;
}

export function roleOf({ tenant, params }: Call): JsonObject {
  return findRole(tenant.roles, params["id"] ?? "");
}

function listRoles({ tenant, query }: ApiCall): Answer {
  const filter = query.get("name_filter")?.toLowerCase() ?? "";
  const found = tenant.roles.byId.values().filter((role) => textIn(role, "name")?.toLowerCase().includes(filter));
  return listAnswer(query, "roles", sortedRoles(found), shownRole);
}

const NAME: Property = { type: "string", minLength: 1, description: "Name of the role." };
const DESCRIPTION: Property = { type: "string", description: "Description of the role." };
const ROLE: Schema = { additional: { hint: "" }, properties: { name: NAME, description: DESCRIPTION } };

/** 200, not 201 (recorded). */
function createRole({ tenant, request }: ApiCall): Answer {
  const body = parseBody(request);
  checkBody(body, { ...ROLE, required: ["name"] });
  checkUnusedName(tenant.roles, body, undefined);
  const id = newId("rol", tenant.random);
  const role = { id, name: body["name"], description: body["description"] ?? null };
  tenant.roles.byId.put(id, role);
  return { status: 200, body: role };
}

function updateRole(call: ApiCall): Answer {
  const { tenant, request } = call;
  const role = roleOf(call);
  const body = parseBody(request);
  checkBody(body, ROLE);
  checkUnusedName(tenant.roles, body, role);
  const changed = { ...role, ...body };
  tenant.roles.byId.put(roleId(role), changed);
  return { status: 200, body: shownRole(changed) };
}

function checkUnusedName(roles: Roles, body: JsonObject, own: JsonObject | undefined): void {
  const holder = roles.byId.values().find((role) => role["name"] === body["name"]);
  if (holder && holder !== own) throw refusal(409, "The role already exists.");
}

function deleteRole(call: ApiCall): Answer {
  const { roles, permissions, organizations } = call.tenant;
  const id = roleId(roleOf(call));
  roles.byId.delete(id);
  for (const links of [roles.users, permissions.ofRoles, organizations.memberRoles]) links.forget(id);
  return { status: 200, body: {} };
}

export function roleId(role: JsonObject): string {
  return textIn(role, "id") ?? "";
}
