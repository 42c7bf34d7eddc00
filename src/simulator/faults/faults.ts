/** The fault plan at work: what shall go wrong with a call, or with an event of the feed. */
import { seededRandom, type Random } from "../../runtime/random.ts";
import type { EventMishap } from "../feed/event-log.ts";
import {
  parseFaultPlan,
  type FaultPlan,
  type FaultRule,
  type FeedMishap,
  type Latency,
  type Mishap,
} from "./fault-plan.ts";

type CallRule = Extract<FaultRule, { readonly route: string }>;
type FeedRule = Extract<FaultRule, FeedMishap>;

export interface Fault {
  readonly delayMs: number;
  readonly mishap: Mishap | undefined;
}

interface Armed<Rule extends FaultRule> {
  readonly rule: Rule;
  /** Routes, or types of events. */
  readonly subjects: RegExp;
  hits: number;
}

export class Faults {
  /** As it was set, with defaults filled in. */
  plan: FaultPlan = { seed: 1, rules: [] };
  #calls: readonly Armed<CallRule>[] = [];
  #events: readonly Armed<FeedRule>[] = [];
  #random: Random = seededRandom(1);

  /**
   * Replaces the plan; `{}` ends all faults.
   *
   * @throws InvalidInput
   */
  setPlan(input: unknown): void {
    this.plan = parseFaultPlan(input);
    const { seed, rules } = this.plan;
    this.#random = seededRandom(seed);
    this.#calls = rules.filter((rule) => "route" in rule).map((rule) => armed(rule, rule.route));
    this.#events = rules.filter((rule) => "event" in rule).map((rule) => armed(rule, rule.event));
  }

  /** What shall go wrong with a call. */
  draw(route: string): Fault {
    let delayMs = 0;
    let mishap: Mishap | undefined;
    for (const each of this.#calls) {
      const { rule } = each;
      if (mishap && rule.kind !== "latency") continue;
      if (!this.#hits(each, route)) continue;
      if (rule.kind === "latency") delayMs += latencyMs(rule, this.#random);
      else mishap = rule;
    }
    return { delayMs, mishap };
  }

  /** What shall go wrong with an event that happens. */
  drawEvent(type: string): EventMishap | undefined {
    for (const each of this.#events) {
      const { rule } = each;
      if (rule.kind !== "feed-break" && this.#hits(each, type)) return rule;
    }
    return undefined;
  }

  /** Whether a connection to the feed breaks where this event is due. */
  breaksFeedAt(type: string): boolean {
    return this.#events.some((each) => each.rule.kind === "feed-break" && this.#hits(each, type));
  }

  #hits(each: Armed<FaultRule>, subject: string): boolean {
    const { rule, subjects } = each;
    if (each.hits >= (rule.count ?? Infinity) || !subjects.test(subject)) return false;
    if (this.#random.next() >= rule.rate) return false;
    each.hits++;
    return true;
  }
}

function armed<Rule extends FaultRule>(rule: Rule, subject: string): Armed<Rule> {
  return { rule, subjects: subjectPattern(subject), hits: 0 };
}

function subjectPattern(subject: string): RegExp {
  const literals = subject.split(/\*+/).map((literal) => literal.replaceAll(/[\\^$.|?+()[\]{}/]/g, "\\$&"));
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
