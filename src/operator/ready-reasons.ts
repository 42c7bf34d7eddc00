/** How many users stand at which Ready reason: kept by counting what changes, never by going over all of them. */
import { Gauge, type Registry } from "prom-client";
import type { ObjectKey } from "../kubernetes/object.ts";

/** A resource that nothing has been said of yet. */
const PENDING = "Pending";

export class ReadyReasons {
  readonly #reasons = new Map<ObjectKey, string>();
  readonly #users: Gauge<"reason">;

  constructor(metrics: Registry) {
    this.#users = new Gauge({
      name: "auth0_user_operator_users",
      help: "Auth0Users by the reason of their Ready condition",
      labelNames: ["reason"],
      registers: [metrics],
    });
  }

  set(key: ObjectKey, reason = PENDING): void {
    const standing = this.#reasons.get(key);
    if (standing === reason) return;
    if (standing !== undefined) this.#users.dec({ reason: standing });
    this.#users.inc({ reason });
    this.#reasons.set(key, reason);
  }

  /** How many of these stand at which reason. */
  countsOf(keys: Iterable<ObjectKey>): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const key of keys) {
      const reason = this.#reasons.get(key) ?? PENDING;
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
    return counts;
  }

  forget(key: ObjectKey): void {
    const standing = this.#reasons.get(key);
    if (standing !== undefined) this.#users.dec({ reason: standing });
    this.#reasons.delete(key);
  }
}
