/** A tenant as the users' passes see it: the way to it, and what it grants to their namespace. */
import type { Grant, Grants } from "../core/grants.ts";
import type { Auth0TenantSpec, ClusterAuth0TenantSpec } from "../api/auth0-tenant.ts";
import type { ObjectKey } from "../kubernetes/object.ts";
import type { UserDirectory } from "../reconcile/ports.ts";
import type { Breaker } from "./breaker.ts";
import type { Namespaces } from "./namespaces.ts";

export type NamespacedGrants = NonNullable<ClusterAuth0TenantSpec["grants"]>;

export interface TenantOptions {
  /** Of the object that declares it; `undefined`: the process's own. */
  readonly key: ObjectKey | undefined;
  /** In words, for messages: `Auth0Tenant acme`. */
  readonly title: string;
  readonly directory: UserDirectory;
  readonly grants: NamespacedGrants | Grants;
  readonly namespaces: Namespaces;
  /** `undefined`: nothing can be written there anyway. */
  readonly breaker: Breaker | undefined;
  /** Whether each user bears a marker, for operators of other clusters to notice. */
  readonly marksAllUsers: boolean;
  /** How often its users are compared with Auth0; `undefined`: as the operator does. */
  readonly syncIntervalMs: number | undefined;
}

export class Tenant {
  readonly key: ObjectKey | undefined;
  readonly title: string;
  readonly directory: UserDirectory;
  readonly breaker: Breaker | undefined;
  readonly marksAllUsers: boolean;
  readonly syncIntervalMs: number | undefined;
  readonly #grants: TenantOptions["grants"];
  readonly #namespaces: Namespaces;

  constructor({ key, title, directory, grants, namespaces, breaker, marksAllUsers, syncIntervalMs }: TenantOptions) {
    this.syncIntervalMs = syncIntervalMs;
    this.breaker = breaker;
    this.marksAllUsers = marksAllUsers;
    this.key = key;
    this.title = title;
    this.directory = directory;
    this.#grants = grants;
    this.#namespaces = namespaces;
  }

  /** What users of a namespace may declare here. */
  async grantsFor(namespace: string, signal: AbortSignal): Promise<Grants> {
    if (this.#grants === "all") return "all";
    const granted: Grant[] = [];
    for (const grant of this.#grants) {
      if (!("namespaces" in grant) || (await this.#isMeant(grant.namespaces, namespace, signal))) granted.push(grant);
    }
    return granted;
  }

  async #isMeant(
    { from, names, selector }: NamespacedGrants[number]["namespaces"],
    name: string,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (from === "All") return true;
    if (from === "Names") return names?.includes(name) ?? false;
    const wanted = Object.entries(selector?.matchLabels ?? {});
    if (wanted.length === 0) return false;
    const labels = (await this.#namespaces.find(name, signal))?.labels ?? {};
    return wanted.every(([label, value]) => labels[label] === value);
  }
}

/** An Auth0Tenant without grants allows its own namespace everything; a ClusterAuth0Tenant without grants allows nothing. */
export function grantsOf(
  { grants }: Auth0TenantSpec | ClusterAuth0TenantSpec,
  isOfCluster: boolean,
): TenantOptions["grants"] {
  return grants ?? (isOfCluster ? [] : "all");
}
