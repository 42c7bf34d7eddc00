/** Names of things, branded so that one cannot stand where another belongs. The constructors are the only casts. */

declare const brand: unique symbol;
type Branded<T, B extends string> = T & { readonly [brand]: B };

/** Auth0's `user_id`: `strategy|id`, kept verbatim; its case is significant. */
export type UserId = Branded<string, "UserId">;
/** A connection's name (not its `con_…` id): the realm a user logs in with. */
export type ConnectionName = Branded<string, "ConnectionName">;
/** The canonical domain of a tenant, lower-case, with the port where it is not 443: what all of a tenant's state is keyed by. */
export type TenantDomain = Branded<string, "TenantDomain">;

export function userId(id: string): UserId {
  return id as UserId;
}

export function connectionName(name: string): ConnectionName {
  return name as ConnectionName;
}

export function tenantDomain(domain: string): TenantDomain {
  return domain.toLowerCase() as TenantDomain;
}

/** The id without its strategy: what POST takes, and what an identity holds. */
export function bareId(id: UserId): string {
  return id.slice(id.indexOf("|") + 1);
}
