/** What people or programs changed at Auth0 behind a spec's back, by attribute. */
import { Counter, type Registry } from "prom-client";
import type { AttributePath } from "../core/plan.ts";

export class DriftCounts {
  readonly #drift: Counter<"attribute" | "action">;

  constructor(registry: Registry) {
    this.#drift = new Counter({
      name: "auth0_user_operator_drift_total",
      help: "Attributes found changed at Auth0, by what was done: corrected, or reported and left alone",
      labelNames: ["attribute", "action"],
      registers: [registry],
    });
  }

  /** Keys of metadata are people's own and without bound: the attribute that holds them is counted. */
  add(paths: readonly AttributePath[], action: "corrected" | "reported"): void {
    for (const path of paths) this.#drift.inc({ attribute: path.split(".", 1)[0] ?? path, action });
  }
}
