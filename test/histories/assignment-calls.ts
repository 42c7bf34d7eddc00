/** How a person gives and takes at a tenant what is beside a user's attributes, and what a call of the operator's gives or takes. */
import { ASSIGNMENT_KINDS, type AssignmentKind } from "../../src/core/assignments.ts";
import type { JsonObject } from "../../src/runtime/json.ts";
import { ASSIGNABLE, RESOURCE_SERVER, type Assignment } from "./assignments.ts";
import { asObject } from "./cluster.ts";

/** Answers a call to the Management API. */
export type Ask = (
  method: string,
  path: string,
  body?: JsonObject,
) => { readonly status: number; readonly body?: unknown };

export class AssignmentCalls {
  readonly #ask: Ask;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** Makes all that there is to give. */
  furnish(): void {
    const scopes = ASSIGNABLE.permissions.map((value) => ({ value }));
    this.#must("POST", "/api/v2/resource-servers", { identifier: RESOURCE_SERVER, name: "api", scopes });
    for (const name of ASSIGNABLE.roles) this.#must("POST", "/api/v2/roles", { name });
    for (const name of ASSIGNABLE.organizations) this.#must("POST", "/api/v2/organizations", { name });
  }

  /** By name. */
  of(userId: string, kind: AssignmentKind): readonly string[] {
    const given = this.#list(`/api/v2/users/${encodeURIComponent(userId)}/${kind}`);
    return given.map((one) => String(kind === "permissions" ? one["permission_name"] : one["name"]));
  }

  change(method: "POST" | "DELETE", userId: string, { kind, name }: Assignment): void {
    const user = `/api/v2/users/${encodeURIComponent(userId)}`;
    switch (kind) {
      case "roles":
        this.#ask(method, `${user}/roles`, { roles: [this.#idOf("roles", name)] });
        return;
      case "permissions": {
        const permissions = [{ resource_server_identifier: RESOURCE_SERVER, permission_name: name }];
        this.#ask(method, `${user}/permissions`, { permissions });
        return;
      }
      case "organizations": {
        const path = `/api/v2/organizations/${this.#idOf("organizations", name)}/members`;
        this.#ask(method, path, { members: [userId] });
        return;
      }
      default:
        kind satisfies never;
    }
  }

  /** What a call gives or takes, and to or from whom; `undefined`: it is about something else. */
  read(
    path: string,
    sent: JsonObject,
  ): { readonly userId: string; readonly assignments: readonly Assignment[] } | undefined {
    const [, user, kindOfUser] = /^\/api\/v2\/users\/([^/?]+)\/(roles|permissions)$/.exec(path) ?? [];
    const [, organization] = /^\/api\/v2\/organizations\/([^/?]+)\/members$/.exec(path) ?? [];
    if (organization !== undefined) {
      const [userId] = Array.isArray(sent["members"]) ? sent["members"] : [];
      return { userId: String(userId), assignments: this.#named("organizations", [organization]) };
    }
    const kind = ASSIGNMENT_KINDS.find((one) => one === kindOfUser);
    if (user === undefined || kind === undefined) return undefined;
    const items: readonly unknown[] = Array.isArray(sent[kind]) ? sent[kind] : [];
    const assignments =
      kind === "permissions"
        ? items.map((item) => ({ kind, name: String(asObject(item)["permission_name"]) }))
        : this.#named(kind, items);
    return { userId: decodeURIComponent(user), assignments };
  }

  #named(kind: "roles" | "organizations", ids: readonly unknown[]): readonly Assignment[] {
    const all = this.#list(`/api/v2/${kind}`).filter((one) => ids.includes(one["id"]));
    return all.map(({ name }) => ({ kind, name: String(name) }));
  }

  #idOf(kind: "roles" | "organizations", name: string): string {
    const found = this.#list(`/api/v2/${kind}`).find((one) => one["name"] === name);
    return String(found?.["id"]);
  }

  #list(path: string): readonly JsonObject[] {
    const { body } = this.#ask("GET", path);
    return Array.isArray(body) ? body.map(asObject) : [];
  }

  #must(method: string, path: string, body: JsonObject): void {
    const { status } = this.#ask(method, path, body);
    if (status >= 300) throw new Error(`${method} ${path}: ${String(status)}`);
  }
}
