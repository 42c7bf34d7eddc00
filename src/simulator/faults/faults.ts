/** The fault plan at work: for each call, what shall go wrong with it. */
import { seededRandom, type Random } from "../../runtime/random.ts";
import { parseFaultPlan, type FaultRule, type Latency, type Mishap } from "./fault-plan.ts";

export interface Fault {
  readonly delayMs: number;
  readonly mishap: Mishap | undefined;
}

interface ArmedRule {
  readonly rule: FaultRule;
  readonly routes: RegExp;
  hits: number;
}

export class Faults {
  #rules: readonly ArmedRule[] = [];
  #random: Random = seededRandom(1);

  /**
   * Replaces the plan; `{}` ends all faults.
   *
   * @throws InvalidInput
   */
  setPlan(input: unknown): void {
    const { seed, rules } = parseFaultPlan(input);
    this.#random = seededRandom(seed);
    this.#rules = rules.map((rule) => ({ rule, routes: routePattern(rule.route), hits: 0 }));
  }

  draw(route: string): Fault {
    let delayMs = 0;
    let mishap: Mishap | undefined;
    for (const armed of this.#rules) {
      const { rule, routes } = armed;
      if (mishap && rule.kind !== "latency") continue;
      if (armed.hits >= (rule.count ?? Infinity) || !routes.test(route) || this.#random.next() >= rule.rate) continue;
      armed.hits++;
      if (rule.kind === "latency") delayMs += latencyMs(rule, this.#random);
      else mishap = rule;
    }
    return { delayMs, mishap };
  }
}

function routePattern(route: string): RegExp {
  const literals = route.split(/\*+/).map((literal) => literal.replaceAll(/[\\^$.|?+()[\]{}/]/g, "\\$&"));
  return new RegExp(`^${literals.join(".*")}$`);
}

/** How many standard deviations the 99th percentile of a normal distribution lies above its middle. */
const P99_DEVIATIONS = 2.326;

function latencyMs({ ms, p99Ms }: Latency, random: Random): number {
  if (p99Ms === undefined || ms === 0) return ms;
  const deviation = Math.log(p99Ms / ms) / P99_DEVIATIONS;
  return ms * Math.exp(deviation * normal(random));
}

/** Normally distributed, by Box and Muller. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}
