/** The tenant's roles, who has them, and `/api/v2/roles` but for permissions. */
import type { JsonObject } from "../../runtime/json.ts";
import { api, type ApiCall, type ApiEndpoint, type Call } from "../call.ts";
import { parseBody, type Answer } from "../http.ts";
import { newId } from "../made-up.ts";
import { textIn, textsIn } from "../json.ts";
import { checkpointAnswer, isCheckpointed, listAnswer } from "../paging.ts";
import { badRequest, refusal } from "../refusal.ts";
import { checkBody, type Property, type Schema } from "../schema.ts";
import type { Collection } from "../state/collection.ts";
import { Links, type Link } from "../state/links.ts";
import { parseObject, type State } from "../state/state.ts";
import { shortUser } from "../users/short-user.ts";
import { userOf } from "../users/user-of.ts";
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
  api("GET", "/roles/{id}/users", ["read:users", "read:roles", "read:role_members"], listRoleUsers),
  api("POST", "/roles/{id}/users", ["update:roles", "create:role_members"], addRoleUsers),
  api("GET", "/users/{id}/roles", ["read:users", "read:roles", "read:role_members"], listUserRoles),
  api("POST", "/users/{id}/roles", ["update:users", "create:role_members"], addUserRoles),
  api("DELETE", "/users/{id}/roles", ["update:users", "delete:role_members"], removeUserRoles),
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
  tenant.roles.byId.put(idOf(role), changed);
  return { status: 200, body: shownRole(changed) };
}

function checkUnusedName(roles: Roles, body: JsonObject, own: JsonObject | undefined): void {
  const holder = roles.byId.values().find((role) => role["name"] === body["name"]);
  if (holder && holder !== own) throw refusal(409, "The role already exists.");
}

function deleteRole(call: ApiCall): Answer {
  const { roles, permissions, organizations } = call.tenant;
  const id = idOf(roleOf(call));
  roles.byId.delete(id);
  for (const links of [roles.users, permissions.ofRoles, organizations.memberRoles]) links.forget(id);
  return { status: 200, body: {} };
}

function idOf(role: JsonObject): string {
  return textIn(role, "id") ?? "";
}

function listRoleUsers(call: ApiCall): Answer {
  const { tenant, query } = call;
  const links = tenant.roles.users.from(idOf(roleOf(call)));
  const show = ({ to }: Link): JsonObject => {
    const user = tenant.users.find(to);
    return user ? shortUser(user) : { user_id: to };
  };
  if (isCheckpointed(query)) return checkpointAnswer(query, "users", links, show, { position: linkPosition });
  return listAnswer(query, "users", links, show);
}

/** When it was made and to whom: what a checkpoint holds (recorded), to the millisecond in UTC. */
export function linkPosition({ sinceMs, to }: Link): string {
  return `${new Date(sinceMs).toISOString().replace("T", " ").replace("Z", "000UTC")},${to}`;
}

const USERS: Schema = {
  additional: { hint: "" },
  required: ["users"],
  properties: {
    users: { type: "array", items: { type: "string" }, description: "user_id's of the users to assign the role to." },
  },
};

function addRoleUsers(call: ApiCall): Answer {
  const { tenant, request } = call;
  const role = idOf(roleOf(call));
  const body = parseBody(request);
  checkBody(body, USERS);
  const users = textsIn(body, "users");
  if (users.some((id) => !tenant.users.find(id))) throw refusal(404, "One or more of the users do not exist.");
  for (const user of users) tenant.roles.users.add(role, user, tenant.now());
  return { status: 200, body: {} };
}

export function roleListSchema(description: string): Schema {
  return {
    additional: { hint: "" },
    required: ["roles"],
    properties: { roles: { type: "array", minItems: 1, items: { type: "string", minLength: 1 }, description } },
  };
}

const TO_ASSIGN = roleListSchema("List of roles IDs to associated with the user.");
const TO_REMOVE = roleListSchema("List of roles IDs to remove from the user.");

/** As many roles as a user may have (documented); the text is modelled. */
const MAX_ROLES = 50;

function listUserRoles(call: ApiCall): Answer {
  const { roles } = call.tenant;
  const found = roles.users.to(userOf(call).userId).map(({ from }) => findRole(roles, from));
  return listAnswer(call.query, "roles", sortedRoles(found), shownRole);
}

function addUserRoles(call: ApiCall): Answer {
  const { tenant } = call;
  const { user, roles } = userAndRoles(call, TO_ASSIGN);
  const before = tenant.roles.users.to(user).map(({ from }) => from);
  if (new Set([...before, ...roles]).size > MAX_ROLES) throw badRequest("No more roles can be assigned to this user.");
  for (const role of roles) tenant.roles.users.add(role, user, tenant.now());
  return { status: 204 };
}

/** 404 for a role that is gone, although nothing is left to do (recorded). */
function removeUserRoles(call: ApiCall): Answer {
  const { user, roles } = userAndRoles(call, TO_REMOVE);
  for (const role of roles) call.tenant.roles.users.remove(role, user);
  return { status: 204 };
}

function userAndRoles(call: ApiCall, schema: Schema): { readonly user: string; readonly roles: readonly string[] } {
  const body = parseBody(call.request);
  checkBody(body, schema);
  const { userId } = userOf(call);
  const roles = textsIn(body, "roles");
  for (const role of roles) findRole(call.tenant.roles, role);
  return { user: userId, roles };
}
