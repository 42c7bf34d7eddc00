/** What waits, by urgency: the first of the most urgent lane goes first, and no lane is passed over for ever. */

/** The most urgent one first. */
export const PRIORITIES = ["high", "normal", "low"] as const;
export type Priority = (typeof PRIORITIES)[number];

export interface WaitingKey<Key> {
  readonly key: Key;
  readonly priority: Priority;
  /** When it began to wait, in whatever lane. */
  readonly sinceMs: number;
}

/** While a lane has keys, so many of other lanes may go before them one after another; then one of them goes. */
const MAX_PASSED_OVER = 15;

export class Lanes<Key> {
  readonly #lanes: Readonly<Record<Priority, Lane<Key>>> = { high: new Lane(), normal: new Lane(), low: new Lane() };

  find(key: Key): WaitingKey<Key> | undefined {
    return this.#lanes.high.find(key) ?? this.#lanes.normal.find(key) ?? this.#lanes.low.find(key);
  }

  sizeOf(priority: Priority): number {
    return this.#lanes[priority].size;
  }

  /** Puts the key at the end of its lane. */
  add(waiting: WaitingKey<Key>): void {
    this.#lanes[waiting.priority].add(waiting);
  }

  remove({ key, priority }: WaitingKey<Key>): void {
    this.#lanes[priority].remove(key);
  }

  takeFirst(): WaitingKey<Key> | undefined {
    const waiting = PRIORITIES.map((priority) => this.#lanes[priority]).filter(({ size }) => size > 0);
    const chosen = waiting.find(({ passedOver }) => passedOver >= MAX_PASSED_OVER) ?? waiting[0];
    for (const lane of waiting) lane.passedOver++;
    return chosen?.takeFirst();
  }
}

export function moreUrgent(a: Priority, b: Priority): Priority {
  return PRIORITIES.indexOf(a) < PRIORITIES.indexOf(b) ? a : b;
}

/** Keys in the order in which they came. Any one can be taken out. */
class Lane<Key> {
  /** Takes from other lanes, while keys waited here, since the last one from here. */
  passedOver = 0;
  readonly #waiting = new Map<Key, WaitingKey<Key>>();
  /**
   * Kept from take to take: a new iterator has to walk past all keys that went since the map last made itself smaller,
   * which makes emptying a long lane quadratic. It never ends: all that wait are ahead of it, and nobody asks for more.
   */
  readonly #order = this.#waiting.values();

  get size(): number {
    return this.#waiting.size;
  }

  find(key: Key): WaitingKey<Key> | undefined {
    return this.#waiting.get(key);
  }

  add(waiting: WaitingKey<Key>): void {
    this.#waiting.set(waiting.key, waiting);
  }

  remove(key: Key): void {
    this.#waiting.delete(key);
  }

  takeFirst(): WaitingKey<Key> | undefined {
    const first = this.#order.next();
    if (first.done === true) return undefined;
    this.passedOver = 0;
    this.#waiting.delete(first.value.key);
    return first.value;
  }
}
