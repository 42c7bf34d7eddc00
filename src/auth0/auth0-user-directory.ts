/** The users of a tenant, by the Management API: fulfils the port of `reconcile/`. */
import type { TenantDomain, UserId } from "../core/ids.ts";
import type { ObservedUser } from "../core/observed-user.ts";
import type { NewUser, UserPatch } from "../core/writes.ts";
import { DirectoryError } from "../reconcile/errors.ts";
import type {
  ActionDirectory,
  AssignmentDirectory,
  ConnectionDirectory,
  Precondition,
  UserDirectory,
} from "../reconcile/ports.ts";
import { Auth0Actions } from "./actions.ts";
import { Auth0Assignments } from "./assignments.ts";
import { Auth0Connections } from "./connections.ts";
import type { ManagementApi } from "./management-api.ts";
import { callFailed } from "./translate-failure.ts";
import { createBody, parseWireUser, updateBody } from "./wire-user.ts";

export class Auth0UserDirectory implements UserDirectory {
  readonly tenantDomain: TenantDomain;
  readonly connections: ConnectionDirectory;
  readonly assignments: AssignmentDirectory;
  readonly actions: ActionDirectory;
  readonly #api: ManagementApi;

  constructor(api: ManagementApi) {
    this.#api = api;
    this.tenantDomain = api.address.domain;
    this.connections = new Auth0Connections(api, api.clock);
    this.assignments = new Auth0Assignments(api);
    this.actions = new Auth0Actions(api);
  }

  async findUser(id: UserId, signal: AbortSignal): Promise<ObservedUser | undefined> {
    const what = `read user ${id}`;
    try {
      const answer = await this.#api.call(
        { method: "GET", route: "/users/{id}", path: userPath(id), kind: "read users", what },
        signal,
      );
      return userFrom(answer, what);
    } catch (error) {
      if (error instanceof DirectoryError && error.code === "user_not_found") return undefined;
      throw error;
    }
  }

  async findUsersByEmail(email: string, signal: AbortSignal): Promise<readonly ObservedUser[]> {
    const path = `/users-by-email?${new URLSearchParams({ email }).toString()}`;
    const what = "look up users by e-mail";
    return usersFrom(
      await this.#api.call({ method: "GET", route: "/users-by-email", path, kind: "read users", what }, signal),
      what,
    );
  }

  searchUsersByUsername(username: string, signal: AbortSignal): Promise<readonly ObservedUser[]> {
    return this.#search(`username:${quoted(username)}`, signal);
  }

  searchUsersByPhoneNumber(phoneNumber: string, signal: AbortSignal): Promise<readonly ObservedUser[]> {
    return this.#search(`phone_number:${quoted(phoneNumber)}`, signal);
  }

  searchUsersByIdentity(id: UserId, signal: AbortSignal): Promise<readonly ObservedUser[]> {
    const bare = id.slice(id.indexOf("|") + 1);
    return this.#search(`identities.user_id:${quoted(bare)}`, signal);
  }

  async createUser(user: NewUser, signal: AbortSignal): Promise<ObservedUser> {
    const what = `create user in ${user.connection}`;
    return userFrom(
      await this.#api.call(
        {
          method: "POST",
          route: "/users",
          path: "/users",
          kind: "write users",
          what,
          whom: user.bareId ?? JSON.stringify(user.attributes),
          body: createBody(user),
          namesDomain: true,
          ...secretsOf(user.password),
        },
        signal,
      ),
      what,
    );
  }

  async updateUser(
    id: UserId,
    patch: UserPatch,
    signal: AbortSignal,
    precondition?: Precondition,
  ): Promise<ObservedUser> {
    const what = `update user ${id}`;
    return userFrom(
      await this.#api.call(
        {
          method: "PATCH",
          route: "/users/{id}",
          path: userPath(id),
          kind: "write users",
          what,
          body: updateBody(patch),
          namesDomain: true,
          precondition,
          ...secretsOf(patch.password),
        },
        signal,
      ),
      what,
    );
  }

  async deleteUser(id: UserId, signal: AbortSignal, precondition?: Precondition): Promise<void> {
    const what = `delete user ${id}`;
    await this.#api.call(
      { method: "DELETE", route: "/users/{id}", path: userPath(id), kind: "delete users", what, precondition },
      signal,
    );
  }

  async #search(q: string, signal: AbortSignal): Promise<readonly ObservedUser[]> {
    const query = new URLSearchParams({ q, search_engine: "v3", per_page: "10", primary_order: "false" }).toString();
    const what = "search users";
    return usersFrom(
      await this.#api.call(
        { method: "GET", route: "/users", path: `/users?${query}`, kind: "read users", what },
        signal,
      ),
      what,
    );
  }
}

/** An id holds `|`, and may hold `#` or `/`: encoded exactly once. */
function userPath(id: UserId): string {
  return `/users/${encodeURIComponent(id)}`;
}

function secretsOf(password: string | undefined): { secrets?: readonly string[] } {
  return password === undefined ? {} : { secrets: [password] };
}

/** A phrase of the query language. */
function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

function userFrom(answer: unknown, what: string): ObservedUser {
  const user = parseWireUser(answer);
  if (user === undefined) throw callFailed("unavailable", `${what}: the answer is no user`);
  return user;
}

function usersFrom(answer: unknown, what: string): ObservedUser[] {
  if (!Array.isArray(answer)) throw callFailed("unavailable", `${what}: the answer is no list of users`);
  return answer.map((one: unknown) => userFrom(one, what));
}
