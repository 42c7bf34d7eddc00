/** Things of one kind that the tenant keeps: by id, in the order in which they were made, each a value that JSON can hold. */

/** Told of every change; `undefined` before an item is made and after it is gone. */
export type ItemListener<Item> = (id: string, before: Item | undefined, after: Item | undefined) => void;

/** What was saved, or written by a person → an item. Throws InvalidInput. */
export type ParseItem<Item> = (item: unknown, id: string) => Item;

/** A collection to those who save and restore it without knowing what is in it. */
export interface StoredCollection {
  readonly name: string;
  readonly size: number;
  /** In the order in which they were made. */
  entries(): IteratorObject<[id: string, item: unknown]>;
  subscribe(listener: ItemListener<unknown>): void;
  /**
   * Puts an item that was saved, or that a person wrote.
   *
   * @throws InvalidInput
   */
  restore(id: string, item: unknown): void;
  delete(id: string): void;
}

export class Collection<Item> implements StoredCollection {
  readonly name: string;
  readonly #parse: ParseItem<Item>;
  readonly #items = new Map<string, Item>();
  readonly #listeners: ItemListener<Item>[] = [];

  /** Made by `State.collection`. */
  constructor(name: string, parse: ParseItem<Item>) {
    this.name = name;
    this.#parse = parse;
  }

  get size(): number {
    return this.#items.size;
  }

  has(id: string): boolean {
    return this.#items.has(id);
  }

  find(id: string): Item | undefined {
    return this.#items.get(id);
  }

  values(): IteratorObject<Item> {
    return this.#items.values();
  }

  entries(): IteratorObject<[id: string, item: Item]> {
    return this.#items.entries();
  }

  /** Adds the item, or replaces the one with its id. An item is never changed: whoever wants it different puts another. */
  put(id: string, item: Item): void {
    const before = this.#items.get(id);
    this.#items.set(id, item);
    for (const listener of this.#listeners) listener(id, before, item);
  }

  /** Nothing happens where there is none. */
  delete(id: string): void {
    const before = this.#items.get(id);
    if (before === undefined) return;
    this.#items.delete(id);
    for (const listener of this.#listeners) listener(id, before, undefined);
  }

  /** Deletes the oldest, until no more than `most` are left. */
  keepNewest(most: number): void {
    for (const id of this.#items.keys()) {
      if (this.#items.size <= most) return;
      this.delete(id);
    }
  }

  restore(id: string, item: unknown): void {
    this.put(id, this.#parse(item, id));
  }

  /** For indexes over the items, which thereby are right after a restore, too. */
  subscribe(listener: ItemListener<Item>): void {
    this.#listeners.push(listener);
  }
}
