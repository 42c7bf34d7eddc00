/** What a new tenant has that takes more than putting it there: its roles, and the users who have them. */
import type { JsonObject } from "../runtime/json.ts";
import { seedUser } from "./control/edit-users.ts";
import { newId } from "./made-up.ts";
import { InvalidInput } from "./parser.ts";
import { Refusal } from "./refusal.ts";
import type { Tenant } from "./tenant.ts";
import type { User } from "./users/user.ts";

export interface RoleOptions {
  readonly name: string;
  readonly description?: string;
  /** `rol_` and 16 letters or digits; made up unless given. */
  readonly id?: string;
}

/**
 * @param users as `seedUser` takes them, with the names of their `roles`
 * @throws InvalidInput naming the user that is not possible
 */
export function seedTenant(tenant: Tenant, roles: readonly RoleOptions[], users: Iterable<JsonObject>): void {
  for (const { name, description = null, id = newId("rol", tenant.random) } of roles) {
    tenant.roles.byId.put(id, { id, name, description });
  }
  let index = 0;
  for (const { roles: names, ...body } of users) {
    const where = `users/${String(index++)}`;
    assignRoles(tenant, seededUser(tenant, body, where), names, where);
  }
}

function seededUser(tenant: Tenant, body: JsonObject, where: string): User {
  try {
    return seedUser(tenant, body);
  } catch (error) {
    throw error instanceof Refusal ? new InvalidInput(`${where}: ${error.message}`) : error;
  }
}

function assignRoles({ roles, clock }: Tenant, { userId }: User, names: unknown, where: string): void {
  const wanted: readonly unknown[] = Array.isArray(names) ? names : [];
  for (const name of wanted) {
    const role = roles.byId.entries().find(([, each]) => each["name"] === name);
    if (!role) throw new InvalidInput(`${where}/roles: there is no role ${JSON.stringify(name)}`);
    roles.users.add(role[0], userId, clock.now());
  }
}
