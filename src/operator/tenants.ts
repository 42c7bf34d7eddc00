/**
 * The tenants there are, and who names which: the process's own, and those that objects declare. A user finds its tenant
 * here; when a tenant changes, its users are woken, and nobody else's.
 */
import { CLUSTER_TENANT_KIND, DEFAULT_TENANT, TENANT_KIND } from "../api/auth0-tenant.ts";
import { objectKey, type ObjectKey } from "../kubernetes/object.ts";
import { isJsonObject } from "../runtime/json.ts";
import type { Auth0UserResource } from "./auth0-user-resource.ts";
import type { UserReconciler } from "./user-reconciler.ts";

/** What a tenant is good for just now. */
export type Standing =
  | { readonly kind: "usable"; readonly reconciler: UserReconciler }
  /** Its object has not been looked at yet: its users are woken then. */
  | { readonly kind: "pending" }
  /** `reconciler`: the way to it that worked last, for users that are being deleted. */
  | { readonly kind: "not ready"; readonly message: string; readonly reconciler: UserReconciler | undefined };

const NO_USERS: ReadonlySet<ObjectKey> = new Set();

export class Tenants {
  readonly #own: UserReconciler | undefined;
  readonly #servesAllNamespaces: boolean;
  readonly #hasObject: (tenant: ObjectKey) => boolean;
  readonly #wake: (user: ObjectKey) => void;
  readonly #standings = new Map<ObjectKey, Standing>();
  readonly #tenantOf = new Map<ObjectKey, ObjectKey>();
  readonly #usersOf = new Map<ObjectKey, Set<ObjectKey>>();

  constructor({
    own,
    servesAllNamespaces,
    hasObject,
    wake,
  }: {
    /** For users of the tenant that the process was given. */
    readonly own: UserReconciler | undefined;
    /** Who does not leaves ClusterAuth0Tenants alone: of several such operators none could tell who else is served. */
    readonly servesAllNamespaces: boolean;
    /** Whether such an object exists. */
    readonly hasObject: (tenant: ObjectKey) => boolean;
    readonly wake: (user: ObjectKey) => void;
  }) {
    this.#own = own;
    this.#servesAllNamespaces = servesAllNamespaces;
    this.#hasObject = hasObject;
    this.#wake = wake;
  }

  /** How the user's tenant stands; from now on the user is woken when that changes. */
  standingFor({ key, namespace, spec }: Auth0UserResource): Standing {
    const { tenantRef } = spec;
    if (!isJsonObject(tenantRef) || isOwn(tenantRef["kind"], tenantRef["name"])) {
      this.forgetUser(key);
      return this.#own === undefined
        ? notReady("spec.tenantRef names no tenant, and the operator was given none of its own (AUTH0_DOMAIN)")
        : { kind: "usable", reconciler: this.#own };
    }
    const [kind, name] = [String(tenantRef["kind"]), String(tenantRef["name"])];
    if (kind === CLUSTER_TENANT_KIND && !this.#servesAllNamespaces) {
      this.forgetUser(key);
      return notReady(
        `${kind} ${name} is served by an operator of all namespaces, and this one serves chosen ones: name an Auth0Tenant`,
      );
    }
    const tenant = objectKey(kind === TENANT_KIND ? namespace : undefined, name);
    this.#note(key, tenant);
    const standing = this.#standings.get(tenant);
    if (standing !== undefined) return standing;
    const where = kind === TENANT_KIND ? ` in namespace ${namespace}` : "";
    return this.#hasObject(tenant) ? { kind: "pending" } : notReady(`there is no ${kind} ${name}${where}`);
  }

  /** Its users are woken where it stands otherwise than before. */
  set(tenant: ObjectKey, standing: Standing): void {
    const before = this.#standings.get(tenant);
    this.#standings.set(tenant, standing);
    if (before !== undefined && isSame(before, standing)) return;
    this.wakeUsersOf(tenant);
  }

  remove(tenant: ObjectKey): void {
    this.#standings.delete(tenant);
    this.wakeUsersOf(tenant);
  }

  usersOf(tenant: ObjectKey): ReadonlySet<ObjectKey> {
    return this.#usersOf.get(tenant) ?? NO_USERS;
  }

  /** How many users name a tenant object, whichever. */
  get countOfObjectsUsers(): number {
    return this.#tenantOf.size;
  }

  wakeUsersOf(tenant: ObjectKey): void {
    for (const user of this.usersOf(tenant)) this.#wake(user);
  }

  forgetUser(user: ObjectKey): void {
    const tenant = this.#tenantOf.get(user);
    if (tenant === undefined) return;
    this.#tenantOf.delete(user);
    const users = this.#usersOf.get(tenant);
    users?.delete(user);
    if (users?.size === 0) this.#usersOf.delete(tenant);
  }

  #note(user: ObjectKey, tenant: ObjectKey): void {
    if (this.#tenantOf.get(user) === tenant) return;
    this.forgetUser(user);
    this.#tenantOf.set(user, tenant);
    const users = this.#usersOf.get(tenant) ?? new Set();
    this.#usersOf.set(tenant, users.add(user));
  }
}

function isSame(a: Standing, b: Standing): boolean {
  if (a.kind === "pending" || b.kind === "pending") return a.kind === b.kind;
  const isSaidAlike = a.kind === "not ready" && b.kind === "not ready" ? a.message === b.message : a.kind === b.kind;
  return isSaidAlike && a.reconciler === b.reconciler;
}

function isOwn(kind: unknown, name: unknown): boolean {
  return kind === CLUSTER_TENANT_KIND && name === DEFAULT_TENANT;
}

function notReady(message: string): Standing {
  return { kind: "not ready", message, reconciler: undefined };
}
