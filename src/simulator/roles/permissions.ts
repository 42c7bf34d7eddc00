/** Permissions: scopes of resource servers that roles and users have. `/permissions` under roles and users. */
import type { JsonObject } from "../../runtime/json.ts";
import { api, type ApiCall, type ApiEndpoint } from "../call.ts";
import { parseBody, type Answer } from "../http.ts";
import { objectsIn, textIn } from "../json.ts";
import { listAnswer } from "../paging.ts";
import { badRequest, refusal } from "../refusal.ts";
import { inexistentResourceServer } from "../resource-servers/resource-servers.ts";
import { checkBody, type Schema } from "../schema.ts";
import { Links } from "../state/links.ts";
import type { State } from "../state/state.ts";
import type { Tenant } from "../tenant.ts";
import { userOf } from "../users/user-of.ts";
import type { Users } from "../users/users.ts";
import { findRole, roleOf } from "./roles.ts";

/** Links end in the key of a permission. */
export class Permissions {
  readonly ofRoles: Links;
  readonly ofUsers: Links;

  constructor(state: State, users: Users) {
    this.ofRoles = new Links(state, "rolePermissions");
    this.ofUsers = new Links(state, "userPermissions");
    users.subscribe((before, after) => {
      if (before && !after) this.ofUsers.forget(before.userId);
    });
  }
}

export const PERMISSION_ENDPOINTS: readonly ApiEndpoint[] = [
  api("GET", "/roles/{id}/permissions", ["read:roles"], listRolePermissions),
  api("POST", "/roles/{id}/permissions", ["update:roles"], addRolePermissions),
  api("DELETE", "/roles/{id}/permissions", ["update:roles"], removeRolePermissions),
  api("GET", "/users/{id}/permissions", ["read:users"], listUserPermissions),
  api("POST", "/users/{id}/permissions", ["update:users"], addUserPermissions),
  api("DELETE", "/users/{id}/permissions", ["update:users"], removeUserPermissions),
];

function listRolePermissions(call: ApiCall): Answer {
  const id = textIn(roleOf(call), "id") ?? "";
  return listAnswer(call.query, "permissions", permissionsOfRole(call.tenant, id), (permission) => permission);
}

function permissionsOfRole(tenant: Tenant, id: string): readonly JsonObject[] {
  return shownPermissions(
    tenant,
    tenant.permissions.ofRoles.from(id).map(({ to }) => to),
  );
}

/** A user's own, and those that come with a role, each with where it is from. */
function listUserPermissions(call: ApiCall): Answer {
  const { tenant } = call;
  const { userId } = userOf(call);
  const own = tenant.permissions.ofUsers.from(userId).map(({ to }) => ({ key: to, source: DIRECT }));
  const ofRoles = tenant.roles.users.to(userId).flatMap(({ from }) => {
    const source = { source_id: from, source_name: findRole(tenant.roles, from)["name"], source_type: "ROLE" };
    return tenant.permissions.ofRoles.from(from).map(({ to }) => ({ key: to, source }));
  });
  const sources = Map.groupBy([...own, ...ofRoles], ({ key }) => key);
  const shown = [...sources].flatMap(([key, each]) =>
    shownPermissions(tenant, [key]).map((permission) => ({ ...permission, sources: each.map(({ source }) => source) })),
  );
  return listAnswer(call.query, "permissions", sortedByName(shown), (permission) => permission);
}

const DIRECT: JsonObject = { source_id: "", source_name: "", source_type: "DIRECT" };

type ShownPermission = JsonObject & { readonly permission_name: string };

/** Those whose scope their API still has. */
function shownPermissions({ resourceServers }: Tenant, keys: readonly string[]): readonly ShownPermission[] {
  const shown = keys.flatMap((key) => {
    const { identifier, name } = partsOf(key);
    const server = resourceServers.findByIdentifier(identifier);
    const scope = server && objectsIn(server, "scopes").find(({ value }) => value === name);
    if (!server || !scope) return [];
    return [
      {
        permission_name: name,
        description: scope["description"] ?? "",
        resource_server_name: server["name"] ?? "",
        resource_server_identifier: identifier,
      },
    ];
  });
  return sortedByName(shown);
}

/** So they stand in the recordings, whatever order they were sent in. */
function sortedByName<T extends { readonly permission_name: string }>(permissions: readonly T[]): readonly T[] {
  return permissions.toSorted((a, b) => a.permission_name.localeCompare(b.permission_name));
}

const PERMISSIONS: Schema = {
  additional: { hint: "" },
  required: ["permissions"],
  properties: {
    permissions: {
      type: "array",
      minItems: 1,
      items: {
        type: "object",
        required: ["resource_server_identifier", "permission_name"],
        properties: { resource_server_identifier: { type: "string" }, permission_name: { type: "string" } },
      },
      description: "array of resource_server_identifier, permission_name pairs.",
    },
  },
};

/** As many as a user may have by themselves (documented, and the text). */
const MAX_PERMISSIONS = 1000;

function sentKeys({ tenant, request }: ApiCall): readonly string[] {
  const body = parseBody(request);
  checkBody(body, PERMISSIONS);
  return objectsIn(body, "permissions").map((permission) => {
    const identifier = textIn(permission, "resource_server_identifier") ?? "";
    if (!tenant.resourceServers.findByIdentifier(identifier)) throw inexistentResourceServer();
    return keyOf({ identifier, name: textIn(permission, "permission_name") ?? "" });
  });
}

/** @throws Refusal 404 for a scope that its API does not have (errorCode recorded, text modelled) */
function checkExistence(tenant: Tenant, keys: readonly string[]): void {
  const missing = keys.find((key) => shownPermissions(tenant, [key]).length === 0);
  if (missing === undefined) return;
  throw refusal(
    404,
    `The permission ${partsOf(missing).name} does not exist.`,
    "inexistent_resource_server_permission",
  );
}

function addRolePermissions(call: ApiCall): Answer {
  const role = textIn(roleOf(call), "id") ?? "";
  const keys = sentKeys(call);
  checkExistence(call.tenant, keys);
  for (const key of keys) call.tenant.permissions.ofRoles.add(role, key, call.tenant.now());
  return { status: 201, body: {} };
}

function addUserPermissions(call: ApiCall): Answer {
  const { tenant } = call;
  const { userId } = userOf(call);
  const keys = sentKeys(call);
  checkExistence(tenant, keys);
  const before = tenant.permissions.ofUsers.from(userId).map(({ to }) => to);
  if (new Set([...before, ...keys]).size > MAX_PERMISSIONS) {
    throw badRequest("No more permissions can be assigned to this user.");
  }
  for (const key of keys) tenant.permissions.ofUsers.add(userId, key, tenant.now());
  return { status: 201, body: {} };
}

function removeRolePermissions(call: ApiCall): Answer {
  const role = textIn(roleOf(call), "id") ?? "";
  for (const key of sentKeys(call)) call.tenant.permissions.ofRoles.remove(role, key);
  return { status: 204 };
}

function removeUserPermissions(call: ApiCall): Answer {
  const { userId } = userOf(call);
  for (const key of sentKeys(call)) call.tenant.permissions.ofUsers.remove(userId, key);
  return { status: 204 };
}

interface PermissionParts {
  readonly identifier: string;
  readonly name: string;
}

/** A space parts them: neither an API's identifier nor a scope can hold one. */
function keyOf({ identifier, name }: PermissionParts): string {
  return `${identifier} ${name}`;
}

function partsOf(key: string): PermissionParts {
  const at = key.lastIndexOf(" ");
  return { identifier: key.slice(0, at), name: key.slice(at + 1) };
}
