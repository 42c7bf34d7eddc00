/** What a history draws from its seed. */
import { seededRandom } from "../../src/runtime/random.ts";

export class Chance {
  readonly #random: ReturnType<typeof seededRandom>;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** Whether something of this probability happens. */
  happens(probability: number): boolean {
    return this.#random.next() < probability;
  }

  /** From 0 to `below` - 1. */
  integer(below: number): number {
    return Math.floor(this.#random.next() * below);
  }

  /** One of them; `undefined` where there is none. */
  pick<T>(items: readonly T[]): T | undefined {
    return items[this.integer(items.length)];
  }

  /** One of the names, as often as its weight says. */
  weighted<T extends string>(weights: Readonly<Record<T, number>>): T {
    const entries = Object.entries(weights) as [T, number][];
    let left = this.#random.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) return name;
    }
    throw new Error("no weights");
  }
}
