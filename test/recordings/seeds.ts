/** What an answer shows of a tenant's state, put into the simulated tenant: a row for each sort of read. */
import { isJsonObject, type JsonObject } from "../../src/runtime/json.ts";
import { objectsIn } from "../../src/simulator/json.ts";
import { membershipKey } from "../../src/simulator/organizations/organizations.ts";
import type { Links } from "../../src/simulator/state/links.ts";
import type { Tenant } from "../../src/simulator/tenant.ts";
import type { Interaction } from "./interaction.ts";
import {
  putAccount,
  putConnection,
  putDelivery,
  putLogs,
  putMember,
  putOrganization,
  putPermission,
  putResourceServer,
  putRole,
  putUser,
} from "./put.ts";
import { matchPath } from "./routes.ts";

interface Seed {
  readonly path: string;
  /** Put where nothing in the file tells why it is so: whatever happened is outside of the tenant. */
  readonly outside?: true;
  readonly put: (tenant: Tenant, ids: readonly [string, string], answer: unknown, query: Interaction["query"]) => void;
}

const SEEDS: readonly Seed[] = [
  { path: "/api/v2/users", put: each("users", putUser) },
  { path: "/api/v2/users-by-email", put: each("", putUser) },
  { path: "/api/v2/users/*", put: one(putUser) },
  { path: "/api/v2/users/*/roles", put: linked("roles", putRole, "to", ({ roles }) => roles.users) },
  {
    path: "/api/v2/users/*/permissions",
    put: linked("permissions", putPermission, "from", ({ permissions }) => permissions.ofUsers),
  },
  {
    path: "/api/v2/users/*/organizations",
    put: linked("organizations", putOrganization, "to", ({ organizations }) => organizations.members),
  },
  {
    path: "/api/v2/users/*/connected-accounts",
    put: (tenant, [user], answer) => {
      for (const account of items(answer, "connected_accounts")) putAccount(tenant, user, account);
    },
  },
  { path: "/api/v2/roles", put: each("roles", putRole) },
  { path: "/api/v2/roles/*", put: one(putRole) },
  { path: "/api/v2/roles/*/users", put: linked("users", putMember, "from", ({ roles }) => roles.users) },
  {
    path: "/api/v2/roles/*/permissions",
    put: linked("permissions", putPermission, "from", ({ permissions }) => permissions.ofRoles),
  },
  { path: "/api/v2/organizations", put: each("organizations", putOrganization) },
  { path: "/api/v2/organizations/*", put: one(putOrganization) },
  {
    path: "/api/v2/organizations/*/members",
    put: linked("members", putMember, "from", ({ organizations }) => organizations.members),
  },
  {
    path: "/api/v2/organizations/*/members/*/roles",
    put: (tenant, [organization, user], answer, query) => {
      const put = linked("roles", putRole, "from", ({ organizations }) => organizations.memberRoles);
      put(tenant, [membershipKey(organization, user), ""], answer, query);
    },
  },
  { path: "/api/v2/resource-servers/*", put: one(putResourceServer) },
  { path: "/api/v2/connections", put: each("connections", putConnection) },
  { path: "/api/v2/connections/*", put: one(putConnection) },
  {
    path: "/api/v2/logs",
    outside: true,
    put: (tenant, _ids, answer, query) => putLogs(tenant, items(answer, "logs"), query),
  },
  { path: "/api/v2/event-streams/*/deliveries", outside: true, put: each("deliveries", putDelivery) },
  {
    path: "/api/v2/event-streams/*/deliveries/*",
    outside: true,
    put: one(putDelivery),
  },
];

/** One thing. */
function one(put: (tenant: Tenant, shown: JsonObject) => unknown): Seed["put"] {
  return (tenant, _ids, answer) => {
    put(tenant, isJsonObject(answer) ? answer : {});
  };
}

/** A list of things. */
function each(name: string, put: (tenant: Tenant, shown: JsonObject) => unknown): Seed["put"] {
  return (tenant, _ids, answer) => {
    for (const shown of items(answer, name)) put(tenant, shown);
  };
}

/** A list of all that the thing in the path is linked to, and nothing else: the path names this end of the links. */
function linked(
  name: string,
  put: (tenant: Tenant, shown: JsonObject) => string,
  end: "from" | "to",
  linksOf: (tenant: Tenant) => Links,
): Seed["put"] {
  return (tenant, [named], answer) => {
    const links = linksOf(tenant);
    const wanted = items(answer, name).map((shown) => put(tenant, shown));
    for (const link of links[end](named)) {
      if (!wanted.includes(end === "from" ? link.to : link.from)) links.remove(link.from, link.to);
    }
    for (const id of wanted) links.add(end === "from" ? named : id, end === "from" ? id : named, tenant.now());
  };
}

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

/** A list, or the list under `name` in an object that says how long it is. */
function items(answer: unknown, name: string): readonly JsonObject[] {
  return Array.isArray(answer) ? answer.filter(isJsonObject) : objectsIn(isJsonObject(answer) ? answer : {}, name);
}
