/** Keys that are to come up later, each once: a binary heap by the moment they are due. */

export interface DelayedKey<Key, Priority> {
  readonly key: Key;
  readonly dueMs: number;
  readonly priority: Priority;
}

interface Item<Key, Priority> {
  readonly key: Key;
  dueMs: number;
  priority: Priority;
  /** The index in the heap; the parent is at (place - 1) >> 1, the children at 2 * place + 1 and + 2. */
  place: number;
}

export class DelayedKeys<Key, Priority> {
  readonly #heap: Item<Key, Priority>[] = [];
  readonly #items = new Map<Key, Item<Key, Priority>>();

  /** When the first key is due; undefined when there is none. */
  get nextDueMs(): number | undefined {
    return this.#heap[0]?.dueMs;
  }

  find(key: Key): DelayedKey<Key, Priority> | undefined {
    return this.#items.get(key);
  }

  /** Adds the key, or gives it another moment and priority. */
  set(key: Key, dueMs: number, priority: Priority): void {
    let item = this.#items.get(key);
    if (item === undefined) {
      item = { key, dueMs, priority, place: this.#heap.length };
      this.#items.set(key, item);
      this.#heap.push(item);
    } else {
      item.dueMs = dueMs;
      item.priority = priority;
    }
    this.#settle(item);
  }

  delete(key: Key): void {
    const item = this.#items.get(key);
    if (item === undefined) return;
    this.#items.delete(key);
    const last = this.#heap.pop();
    if (last === undefined || last === item) return;
    this.#move(last, item.place);
    this.#settle(last);
  }

  /** Takes out the first key if it is due. */
  takeDue(nowMs: number): DelayedKey<Key, Priority> | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.dueMs > nowMs) return undefined;
    this.delete(first.key);
    return first;
  }

  /** Brings an item to where it belongs: upwards past later parents, or downwards past earlier children. */
  #settle(item: Item<Key, Priority>): void {
    for (;;) {
      const { place } = item;
      const parent = this.#heap[(place - 1) >> 1];
      if (parent === undefined || parent.dueMs <= item.dueMs) break;
      this.#move(item, parent.place);
      this.#move(parent, place);
    }
    for (;;) {
      const { place } = item;
      const left = this.#heap[2 * place + 1];
      const right = this.#heap[2 * place + 2];
      const child = left !== undefined && right !== undefined && right.dueMs < left.dueMs ? right : left;
      if (child === undefined || child.dueMs >= item.dueMs) return;
      this.#move(item, child.place);
      this.#move(child, place);
    }
  }

  #move(item: Item<Key, Priority>, place: number): void {
    item.place = place;
    this.#heap[place] = item;
  }
}
