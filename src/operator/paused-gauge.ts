/** A gauge of what the breakers have stopped, by tenant: 1 until a person confirms. */
import type { Registry } from "prom-client";
import type { TenantDomain } from "../core/ids.ts";
import { SampledGauge } from "../runtime/sampled-gauge.ts";
import { PAUSED_KINDS, type Breaker } from "./breaker.ts";

type Breakers = Iterable<readonly [tenant: TenantDomain, breaker: Breaker | undefined]>;

export class PausedGauge {
  readonly #gauge: SampledGauge<"tenant" | "what">;

  constructor(registry: Registry) {
    this.#gauge = new SampledGauge(
      registry,
      "auth0_user_operator_paused",
      "1 while deletions, or changes of some attribute, wait for a person's word",
      ["tenant", "what"],
    );
  }

  /** @param list the breakers there are at the time; several may protect one tenant */
  watch(list: () => Breakers): void {
    this.#gauge.onCollect((set) => {
      const breakers = [...list()];
      for (const [tenant] of breakers) for (const what of PAUSED_KINDS) set({ tenant, what }, 0);
      for (const [tenant, breaker] of breakers) for (const what of breaker?.pausedKinds ?? []) set({ tenant, what }, 1);
    });
  }
}
