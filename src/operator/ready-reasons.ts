/** How many users stand at which Ready reason: kept by counting what changes, never by going over all of them. */
import { Gauge, type Registry } from "prom-client";
import type { Auth0UserStatus } from "../api/auth0-user.ts";
import { findCondition } from "../kubernetes/conditions.ts";
import type { ObjectKey } from "../kubernetes/object.ts";

/** A resource that nothing has been said of yet. */
const PENDING = "Pending";

interface Standing {
  readonly reason: string;
  /** The tenant's domain; empty before the user was seen there. */
  readonly tenant: string;
}

export class ReadyReasons {
  readonly #standings = new Map<ObjectKey, Standing>();
  /** One for all users that stand alike. */
  readonly #shared = new Map<string, Standing>();
  readonly #users: Gauge<keyof Standing>;

  constructor(metrics: Registry) {
    this.#users = new Gauge({
      name: "auth0_user_operator_users",
      help: "Auth0Users by their tenant and the reason of their Ready condition",
      labelNames: ["tenant", "reason"],
      registers: [metrics],
    });
  }

  set(key: ObjectKey, { conditions = [], tenantDomain: tenant = "" }: Auth0UserStatus): void {
    const standing = this.#share({ tenant, reason: findCondition(conditions, "Ready")?.reason ?? PENDING });
    if (this.#standings.get(key) === standing) return;
    this.forget(key);
    this.#users.inc({ ...standing });
    this.#standings.set(key, standing);
  }

  /** How many of these stand at which reason. */
  countsOf(keys: Iterable<ObjectKey>): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const key of keys) {
      const reason = this.#standings.get(key)?.reason ?? PENDING;
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
    return counts;
  }

  forget(key: ObjectKey): void {
    const standing = this.#standings.get(key);
    if (standing !== undefined) this.#users.dec({ ...standing });
    this.#standings.delete(key);
  }

  #share(standing: Standing): Standing {
    const name = `${standing.tenant} ${standing.reason}`;
    const shared = this.#shared.get(name) ?? standing;
    this.#shared.set(name, shared);
    return shared;
  }
}
