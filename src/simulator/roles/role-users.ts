/** Who has which role, from either end: `/api/v2/roles/{id}/users` and `/api/v2/users/{id}/roles`. */
import type { JsonObject } from "../../runtime/json.ts";
import { api, withAllScopes, type ApiCall, type ApiEndpoint } from "../call.ts";
import { parseBody, type Answer } from "../http.ts";
import { textsIn } from "../json.ts";
import { checkpointAnswer, isCheckpointed, listAnswer } from "../paging.ts";
import { badRequest, refusal } from "../refusal.ts";
import { checkBody, type Schema } from "../schema.ts";
import type { Link } from "../state/links.ts";
import { shortUser } from "../users/short-user.ts";
import { userOf } from "../users/user-of.ts";
import { findRole, roleId, roleOf, shownRole, sortedRoles } from "./roles.ts";

export const ROLE_USER_ENDPOINTS: readonly ApiEndpoint[] = [
  withAllScopes(api("GET", "/roles/{id}/users", ["read:users", "read:roles"], listRoleUsers)),
  api("POST", "/roles/{id}/users", ["update:roles", "create:role_members"], addRoleUsers),
  withAllScopes(api("GET", "/users/{id}/roles", ["read:users", "read:roles", "read:role_members"], listUserRoles)),
  api("POST", "/users/{id}/roles", ["update:users", "create:role_members"], addUserRoles),
  api("DELETE", "/users/{id}/roles", ["update:users", "delete:role_members"], removeUserRoles),
];

function listRoleUsers(call: ApiCall): Answer {
  const { tenant, query } = call;
  const links = tenant.roles.users.from(roleId(roleOf(call)));
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
  const role = roleId(roleOf(call));
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
