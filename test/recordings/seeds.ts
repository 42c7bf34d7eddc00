/** What an answer shows of a tenant's state, put into the simulated tenant: a row for each sort of read. */
import { isJsonObject, type JsonObject } from "../../src/runtime/json.ts";
import { objectIn, objectsIn, textIn } from "../../src/simulator/json.ts";
import { membershipKey } from "../../src/simulator/organizations/organizations.ts";
import type { Tenant } from "../../src/simulator/tenant.ts";
import { identityKey, parseUser } from "../../src/simulator/users/user.ts";
import type { Interaction } from "./interaction.ts";
import { matchPath } from "./routes.ts";

interface Seed {
  readonly path: string;
  /** Put where nothing in the file tells why it is so: whatever happened is outside of the tenant. */
  readonly outside?: true;
  readonly put: (tenant: Tenant, ids: readonly [string, string], answer: unknown, query: Interaction["query"]) => void;
}

const SEEDS: readonly Seed[] = [
  {
    path: "/api/v2/users",
    put: (tenant, _ids, answer) => items(answer, "users").forEach((user) => putUser(tenant, user)),
  },
  {
    path: "/api/v2/users-by-email",
    put: (tenant, _ids, answer) => items(answer, "").forEach((user) => putUser(tenant, user)),
  },
  { path: "/api/v2/users/*", put: (tenant, _ids, answer) => putUser(tenant, item(answer)) },
  {
    path: "/api/v2/users/*/roles",
    put: (tenant, [user], answer) => {
      putLinks(
        tenant,
        items(answer, "roles"),
        putRole,
        tenant.roles.users.to(user).map(({ from }) => from),
        {
          add: (role) => tenant.roles.users.add(role, user, tenant.now()),
          remove: (role) => tenant.roles.users.remove(role, user),
        },
      );
    },
  },
  {
    path: "/api/v2/users/*/permissions",
    put: (tenant, [user], answer) => {
      const { ofUsers } = tenant.permissions;
      putLinks(
        tenant,
        items(answer, "permissions"),
        putPermission,
        ofUsers.from(user).map(({ to }) => to),
        {
          add: (key) => ofUsers.add(user, key, tenant.now()),
          remove: (key) => ofUsers.remove(user, key),
        },
      );
    },
  },
  {
    path: "/api/v2/users/*/organizations",
    put: (tenant, [user], answer) => {
      const { members } = tenant.organizations;
      putLinks(
        tenant,
        items(answer, "organizations"),
        putOrganization,
        members.to(user).map(({ from }) => from),
        {
          add: (organization) => members.add(organization, user, tenant.now()),
          remove: (organization) => tenant.organizations.removeMember(organization, user),
        },
      );
    },
  },
  {
    path: "/api/v2/users/*/connected-accounts",
    put: (tenant, [user], answer) => {
      for (const account of items(answer, "connected_accounts")) {
        tenant.accounts.connected.put(idOf(account), { ...account, user_id: user });
      }
    },
  },
  {
    path: "/api/v2/roles",
    put: (tenant, _ids, answer) => items(answer, "roles").forEach((role) => putRole(tenant, role)),
  },
  { path: "/api/v2/roles/*", put: (tenant, _ids, answer) => void putRole(tenant, item(answer)) },
  {
    path: "/api/v2/roles/*/users",
    put: (tenant, [role], answer) => {
      const { users } = tenant.roles;
      putLinks(
        tenant,
        items(answer, "users"),
        putMember,
        users.from(role).map(({ to }) => to),
        {
          add: (user) => users.add(role, user, tenant.now()),
          remove: (user) => users.remove(role, user),
        },
      );
    },
  },
  {
    path: "/api/v2/roles/*/permissions",
    put: (tenant, [role], answer) => {
      const { ofRoles } = tenant.permissions;
      putLinks(
        tenant,
        items(answer, "permissions"),
        putPermission,
        ofRoles.from(role).map(({ to }) => to),
        {
          add: (key) => ofRoles.add(role, key, tenant.now()),
          remove: (key) => ofRoles.remove(role, key),
        },
      );
    },
  },
  {
    path: "/api/v2/organizations",
    put: (tenant, _ids, answer) => items(answer, "organizations").forEach((each) => putOrganization(tenant, each)),
  },
  { path: "/api/v2/organizations/*", put: (tenant, _ids, answer) => void putOrganization(tenant, item(answer)) },
  {
    path: "/api/v2/organizations/*/members",
    put: (tenant, [organization], answer) => {
      const { members } = tenant.organizations;
      putLinks(
        tenant,
        items(answer, "members"),
        putMember,
        members.from(organization).map(({ to }) => to),
        {
          add: (user) => members.add(organization, user, tenant.now()),
          remove: (user) => tenant.organizations.removeMember(organization, user),
        },
      );
    },
  },
  {
    path: "/api/v2/organizations/*/members/*/roles",
    put: (tenant, [organization, user], answer) => {
      const { memberRoles } = tenant.organizations;
      const membership = membershipKey(organization, user);
      putLinks(
        tenant,
        items(answer, "roles"),
        putRole,
        memberRoles.from(membership).map(({ to }) => to),
        {
          add: (role) => memberRoles.add(membership, role, tenant.now()),
          remove: (role) => memberRoles.remove(membership, role),
        },
      );
    },
  },
  { path: "/api/v2/resource-servers/*", put: (tenant, _ids, answer) => putResourceServer(tenant, item(answer)) },
  {
    path: "/api/v2/connections",
    put: (tenant, _ids, answer) => items(answer, "connections").forEach((each) => putConnection(tenant, each)),
  },
  { path: "/api/v2/connections/*", put: (tenant, _ids, answer) => putConnection(tenant, item(answer)) },
  {
    path: "/api/v2/logs",
    outside: true,
    put: (tenant, _ids, answer, query) => putLogs(tenant, items(answer, "logs"), query),
  },
  {
    path: "/api/v2/event-streams/*/deliveries",
    outside: true,
    put: (tenant, _ids, answer) => items(answer, "deliveries").forEach((each) => putDelivery(tenant, each)),
  },
  {
    path: "/api/v2/event-streams/*/deliveries/*",
    outside: true,
    put: (tenant, _ids, answer) => putDelivery(tenant, item(answer)),
  },
];

export interface Seeding {
  readonly outside: boolean;
  /** @param answer its made-up values already in the simulated tenant's terms */
  readonly put: (tenant: Tenant, answer: unknown) => void;
}

/** How to make true what a read shows; undefined where no row knows. */
export function seedingOf({ method, status, query }: Interaction, path: string): Seeding | undefined {
  if (method !== "GET" || status !== 200) return undefined;
  for (const { path: pattern, outside = false, put } of SEEDS) {
    const ids = matchPath(pattern, path);
    if (ids) return { outside, put: (tenant, answer) => put(tenant, [ids[0] ?? "", ids[1] ?? ""], answer, query) };
  }
  return undefined;
}

/** Whatever a path names must exist for the call to succeed: what is seen for the first time was there before. */
export function putNamed(tenant: Tenant, path: string, isNew: (id: string) => boolean): void {
  const segments = path.split("/").map(decodeURIComponent);
  for (const [index, id] of segments.entries()) {
    const family = segments[index - 1];
    if (!isNew(id)) continue;
    if (family === "users" && id.includes("|") && !tenant.users.find(id)) putUser(tenant, { user_id: id });
    if (family === "roles" && !tenant.roles.byId.has(id)) putRole(tenant, { id, name: id, description: null });
    if (family === "organizations" && id.startsWith("org_") && !tenant.organizations.byId.has(id)) {
      putOrganization(tenant, { id, name: id, display_name: id });
    }
    if (family === "event-streams" && !tenant.eventStreams.streams.has(id)) tenant.eventStreams.streams.put(id, { id });
  }
}

function item(answer: unknown): JsonObject {
  return isJsonObject(answer) ? answer : {};
}

/** A list, or the list under `name` in an object that says how long it is. */
function items(answer: unknown, name: string): readonly JsonObject[] {
  return Array.isArray(answer) ? answer.filter(isJsonObject) : objectsIn(item(answer), name);
}

function idOf(object: JsonObject): string {
  return textIn(object, "id") ?? "";
}

/** Makes exactly the shown things linked. */
function putLinks(
  tenant: Tenant,
  shown: readonly JsonObject[],
  put: (tenant: Tenant, shown: JsonObject) => string,
  before: readonly string[],
  { add, remove }: { readonly add: (id: string) => void; readonly remove: (id: string) => void },
): void {
  const wanted = shown.map((each) => put(tenant, each));
  for (const id of before) if (!wanted.includes(id)) remove(id);
  for (const id of wanted) add(id);
}

function putUser(tenant: Tenant, shown: JsonObject): void {
  const now = new Date(tenant.now()).toISOString();
  const { user_id: userId, identities, created_at: created = now, updated_at: updated = now, ...attributes } = shown;
  const id = String(userId);
  const [provider = "", ...local] = id.split("|");
  const [connection] = Array.from(tenant.connections.values(), ({ name }) => name);
  const plain = [{ connection: connection ?? "", user_id: local.join("|"), provider, isSocial: false }];
  const user = parseUser({
    userId: id,
    createdAtMs: Date.parse(String(created)),
    updatedAtMs: Date.parse(String(updated)),
    identities: Array.isArray(identities) && identities.length > 0 ? identities : plain,
    attributes,
  });
  if (identityKey(user.identities[0]) !== id) throw new Error(`${id} does not go by its first identity`);
  tenant.users.put(user);
}

/** A member's short form says little about the user; who is there already stays as they are. */
function putMember(tenant: Tenant, shown: JsonObject): string {
  const { roles: _roles, ...user } = shown;
  const id = String(user["user_id"]);
  if (!tenant.users.find(id)) putUser(tenant, user);
  return id;
}

function putRole(tenant: Tenant, role: JsonObject): string {
  tenant.roles.byId.put(idOf(role), role);
  return idOf(role);
}

function putOrganization(tenant: Tenant, organization: JsonObject): string {
  tenant.organizations.byId.put(idOf(organization), organization);
  return idOf(organization);
}

function putResourceServer(tenant: Tenant, server: JsonObject): void {
  tenant.resourceServers.byId.put(idOf(server), server);
}

/** With its API and scope, where they are not there. */
function putPermission(tenant: Tenant, shown: JsonObject): string {
  const identifier = String(shown["resource_server_identifier"]);
  const scope = { value: shown["permission_name"], description: shown["description"] };
  const known = tenant.resourceServers.findByIdentifier(identifier);
  const server = known ?? { id: identifier, identifier, name: shown["resource_server_name"] };
  const scopes = objectsIn(server, "scopes");
  if (!scopes.some(({ value }) => value === scope.value)) {
    putResourceServer(tenant, { ...server, scopes: [...scopes, scope] });
  }
  return `${identifier} ${String(scope.value)}`;
}

function putConnection(tenant: Tenant, shown: JsonObject): void {
  const { id: _id, name, strategy, options: _options, enabled_clients: clients, ...more } = shown;
  const enabledClients = Array.isArray(clients) ? clients.map(String) : [];
  const options = objectIn(shown, "options") ?? {};
  const former = tenant.connections.findByName(String(name));
  if (former) tenant.connections.delete(former.id);
  tenant.connections.put({
    id: idOf(shown),
    name: String(name),
    strategy: String(strategy),
    options,
    enabledClients,
    more,
  });
}

/** Entries of the tenant's past, and before a later page as many newer ones as the pages before it held. */
function putLogs(
  tenant: Tenant,
  entries: readonly JsonObject[],
  { page = "0", per_page: perPage = "0" }: Interaction["query"],
): void {
  const known = new Set(tenant.logs.visible().map(({ id }) => id));
  for (const entry of entries) if (!known.has(String(entry["log_id"]))) tenant.logs.enter(entry);
  for (let index = 0; index < Number(page) * Number(perPage); index++) {
    tenant.logs.enter({ log_id: `901${String(index).padStart(53, "0")}`, type: "earlier" });
  }
}

/** What became of a delivery: a webhook answered, or did not. The event is the tenant's own. */
function putDelivery(tenant: Tenant, shown: JsonObject): void {
  const { deliveries } = tenant.eventStreams;
  const { event, ...outcome } = shown;
  deliveries.put(idOf(shown), { event, ...deliveries.find(idOf(shown)), ...outcome });
}
