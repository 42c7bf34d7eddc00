/** Roles, direct permissions and organizations of a tenant's users, by the Management API: fulfils the port of `reconcile/`. */
import { permissionFrom, permissionKey } from "../core/assignments.ts";
import type { UserId } from "../core/ids.ts";
import type { JsonMap } from "../core/json.ts";
import { DirectoryError } from "../reconcile/errors.ts";
import type { AssignmentDirectory } from "../reconcile/ports.ts";
import { isJsonObject, type JsonObject } from "../runtime/json.ts";
import type { Call, ManagementApi } from "./management-api.ts";
import type { CallKind } from "./quota.ts";
import { callFailed } from "./translate-failure.ts";

/** A name that was given to another role or organization is noticed by then. */
const FOUND_FRESH_MS = 15 * 60_000;
const PER_PAGE = 100;
/** As many as a user may have of anything: 1,000 permissions (docs: entity-limit-policy). */
const MAX_PAGES = 10;

interface Named {
  readonly ids: Promise<readonly string[]>;
  /** By the monotonic clock. */
  untilMs: number;
}

export class Auth0Assignments implements AssignmentDirectory {
  readonly #api: ManagementApi;
  readonly #named = new Map<string, Named>();

  constructor(api: ManagementApi) {
    this.#api = api;
  }

  findRoles(name: string, signal: AbortSignal): Promise<readonly string[]> {
    return this.#find(`role ${name}`, async () => {
      const query = new URLSearchParams({ name_filter: name });
      const roles = await this.#list("/roles", `/roles?${query.toString()}`, "roles", `find role ${name}`, signal);
      return roles.filter((role) => role["name"] === name).map(idIn);
    });
  }

  findOrganizations(name: string, signal: AbortSignal): Promise<readonly string[]> {
    return this.#find(`organization ${name}`, async () => {
      const what = `find organization ${name}`;
      const path = `/organizations/name/${encodeURIComponent(name)}`;
      try {
        const found = await this.#call("GET", "/organizations/name/{name}", path, what, signal);
        return isJsonObject(found) ? [idIn(found)] : [];
      } catch (error) {
        if (error instanceof DirectoryError && error.code === "related_not_found") return [];
        throw error;
      }
    });
  }

  async listRoles(user: UserId, signal: AbortSignal): Promise<readonly string[]> {
    const roles = await this.#list("/users/{id}/roles", `${of(user)}/roles?`, "roles", `read roles of ${user}`, signal);
    return roles.map(idIn);
  }

  addRoles(user: UserId, roles: readonly string[], signal: AbortSignal): Promise<void> {
    return this.#write("POST", "/users/{id}/roles", `${of(user)}/roles`, { roles }, `give roles to ${user}`, signal);
  }

  removeRoles(user: UserId, roles: readonly string[], signal: AbortSignal): Promise<void> {
    const what = `take roles from ${user}`;
    return this.#remove("/users/{id}/roles", `${of(user)}/roles`, { roles }, what, signal);
  }

  async listPermissions(user: UserId, signal: AbortSignal): Promise<readonly string[]> {
    const what = `read permissions of ${user}`;
    const path = `${of(user)}/permissions?`;
    const permissions = await this.#list("/users/{id}/permissions", path, "permissions", what, signal);
    return permissions.filter(isDirect).map((permission) =>
      permissionKey({
        resourceServer: String(permission["resource_server_identifier"]),
        name: String(permission["permission_name"]),
      }),
    );
  }

  addPermissions(user: UserId, keys: readonly string[], signal: AbortSignal): Promise<void> {
    const what = `give permissions to ${user}`;
    const path = `${of(user)}/permissions`;
    return this.#write("POST", "/users/{id}/permissions", path, permissionsBody(keys), what, signal);
  }

  removePermissions(user: UserId, keys: readonly string[], signal: AbortSignal): Promise<void> {
    const what = `take permissions from ${user}`;
    return this.#remove("/users/{id}/permissions", `${of(user)}/permissions`, permissionsBody(keys), what, signal);
  }

  async listOrganizations(user: UserId, signal: AbortSignal): Promise<readonly string[]> {
    const what = `read organizations of ${user}`;
    const path = `${of(user)}/organizations?`;
    return (await this.#list("/users/{id}/organizations", path, "organizations", what, signal)).map(idIn);
  }

  addMember(organization: string, user: UserId, signal: AbortSignal): Promise<void> {
    const what = `add ${user} to organization ${organization}`;
    const path = membersOf(organization);
    return this.#write("POST", MEMBERS, path, { members: [user] }, what, signal);
  }

  removeMember(organization: string, user: UserId, signal: AbortSignal): Promise<void> {
    const what = `take ${user} out of organization ${organization}`;
    return this.#remove(MEMBERS, membersOf(organization), { members: [user] }, what, signal);
  }

  async listMemberRoles(organization: string, user: UserId, signal: AbortSignal): Promise<readonly string[]> {
    const what = `read roles of ${user} in organization ${organization}`;
    return (await this.#list(MEMBER_ROLES, `${rolesIn(organization, user)}?`, "roles", what, signal)).map(idIn);
  }

  addMemberRoles(organization: string, user: UserId, roles: readonly string[], signal: AbortSignal): Promise<void> {
    const what = `give roles to ${user} in organization ${organization}`;
    return this.#write("POST", MEMBER_ROLES, rolesIn(organization, user), { roles }, what, signal);
  }

  removeMemberRoles(organization: string, user: UserId, roles: readonly string[], signal: AbortSignal): Promise<void> {
    const what = `take roles from ${user} in organization ${organization}`;
    return this.#remove(MEMBER_ROLES, rolesIn(organization, user), { roles }, what, signal);
  }

  /** Names are resolved once in a while, by whoever asks first. */
  #find(key: string, ask: () => Promise<readonly string[]>): Promise<readonly string[]> {
    const { clock } = this.#api;
    const standing = this.#named.get(key);
    if (standing !== undefined && clock.monotonicMs() < standing.untilMs) return standing.ids;
    const named: Named = { ids: ask(), untilMs: clock.monotonicMs() + FOUND_FRESH_MS };
    this.#named.set(key, named);
    named.ids.then(
      (ids) => {
        if (ids.length !== 1) named.untilMs = 0; // somebody is about to mend it
      },
      () => {
        named.untilMs = 0;
      },
    );
    return named.ids;
  }

  /** @param path with its `?` */
  async #list(route: string, path: string, name: string, what: string, signal: AbortSignal): Promise<JsonObject[]> {
    const found: JsonObject[] = [];
    for (let page = 0; page < MAX_PAGES; page++) {
      const query = new URLSearchParams({ per_page: String(PER_PAGE), page: String(page) }).toString();
      const separator = path.endsWith("?") ? "" : "&";
      const answer = await this.#call("GET", route, `${path}${separator}${query}`, what, signal);
      const items: unknown = isJsonObject(answer) ? answer[name] : answer;
      if (!Array.isArray(items)) throw callFailed("unavailable", `${what}: the answer is no list`);
      found.push(...items.filter(isJsonObject));
      if (items.length < PER_PAGE) break;
    }
    return found;
  }

  async #write(
    method: "POST" | "DELETE",
    route: string,
    path: string,
    body: JsonMap,
    what: string,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#call(method, route, path, what, signal, body);
  }

  /** To take away what does not exist any more is done already. */
  async #remove(route: string, path: string, body: JsonMap, what: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#write("DELETE", route, path, body, what, signal);
    } catch (error) {
      if (!(error instanceof DirectoryError) || error.code !== "related_not_found") throw error;
    }
  }

  #call(
    method: Call["method"],
    route: string,
    path: string,
    what: string,
    signal: AbortSignal,
    body?: JsonMap,
  ): Promise<unknown> {
    const kind = kindOf(method, route);
    return this.#api.call({ method, route, path, kind, what, ...(body !== undefined && { body }) }, signal);
  }
}

const MEMBERS = "/organizations/{id}/members";
const MEMBER_ROLES = `${MEMBERS}/{user_id}/roles`;

function kindOf(method: Call["method"], route: string): CallKind {
  const verb = method === "GET" ? "read" : "write";
  if (route === MEMBERS) return `${verb} members`;
  return route === MEMBER_ROLES ? `${verb} member roles` : "other";
}

function of(user: UserId): string {
  return `/users/${encodeURIComponent(user)}`;
}

function membersOf(organization: string): string {
  return `/organizations/${encodeURIComponent(organization)}/members`;
}

function rolesIn(organization: string, user: UserId): string {
  return `${membersOf(organization)}/${encodeURIComponent(user)}/roles`;
}

function permissionsBody(keys: readonly string[]): JsonMap {
  return {
    permissions: keys.map((key) => {
      const { resourceServer, name } = permissionFrom(key);
      return { resource_server_identifier: resourceServer, permission_name: name };
    }),
  };
}

/** Permissions that come with a role are not the user's own. Where no source is told, there is none but the user. */
function isDirect({ sources }: JsonObject): boolean {
  if (!Array.isArray(sources)) return true;
  return sources.some((source) => isJsonObject(source) && source["source_type"] === "DIRECT");
}

function idIn(object: JsonObject): string {
  return String(object["id"]);
}
