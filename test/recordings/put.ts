/** Things as answers show them, put into the simulated tenant past its API. */
import type { JsonObject } from "../../src/runtime/json.ts";
import { objectIn, objectsIn, textIn } from "../../src/simulator/json.ts";
import type { Tenant } from "../../src/simulator/tenant.ts";
import { identityKey, parseUser } from "../../src/simulator/users/user.ts";
import type { Interaction } from "./interaction.ts";

function idOf(object: JsonObject): string {
  return textIn(object, "id") ?? "";
}

export function putUser(tenant: Tenant, shown: JsonObject): void {
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

export function putAccount(tenant: Tenant, user: string, account: JsonObject): void {
  tenant.accounts.connected.put(idOf(account), { ...account, user_id: user });
}

/** A member's short form says little about the user; who is there already stays as they are. */
export function putMember(tenant: Tenant, shown: JsonObject): string {
  const { roles: _roles, ...user } = shown;
  const id = String(user["user_id"]);
  if (!tenant.users.find(id)) putUser(tenant, user);
  return id;
}

export function putRole(tenant: Tenant, role: JsonObject): string {
  tenant.roles.byId.put(idOf(role), role);
  return idOf(role);
}

export function putOrganization(tenant: Tenant, organization: JsonObject): string {
  tenant.organizations.byId.put(idOf(organization), organization);
  return idOf(organization);
}

export function putResourceServer(tenant: Tenant, server: JsonObject): void {
  tenant.resourceServers.byId.put(idOf(server), server);
}

/** With its API and scope, where they are not there. */
export function putPermission(tenant: Tenant, shown: JsonObject): string {
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

export function putConnection(tenant: Tenant, shown: JsonObject): void {
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
export function putLogs(
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
export function putDelivery(tenant: Tenant, shown: JsonObject): void {
  const { deliveries } = tenant.eventStreams;
  const { event, ...outcome } = shown;
  deliveries.put(idOf(shown), { event, ...deliveries.find(idOf(shown)), ...outcome });
}
