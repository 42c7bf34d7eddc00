/**
 * All that the tenant keeps. Each family of endpoints has its collections made here, and so is saved, restored, imported and
 * exported without anybody having to know it. What is not in here (search lag, quota, faults, the feed) ends with the process.
 */
import { isJsonObject, type JsonObject } from "../../runtime/json.ts";
import { InvalidInput } from "../parser.ts";
import { Collection, type ParseItem, type StoredCollection } from "./collection.ts";

/** Without an item: the one with that id is gone. */
export type Change = readonly [collection: string, id: string, item?: unknown];

/** Whoever saves what changes. */
export interface StateKeeper {
  note(change: Change): void;
  /** Everything noted is to survive the process. Throws where it cannot. */
  commit(): void;
}

export class State {
  readonly #collections = new Map<string, StoredCollection>();
  #keeper: StateKeeper | undefined;

  /**
   * A new collection.
   *
   * @param name in lower camelCase; it stands in saved states
   */
  collection<Item>(name: string, parse: ParseItem<Item>): Collection<Item> {
    if (this.#collections.has(name)) throw new Error(`there are two collections named ${name}`);
    const collection = new Collection(name, parse);
    this.#collections.set(name, collection);
    collection.subscribe((id, _before, after) => {
      this.#keeper?.note(after === undefined ? [name, id] : [name, id, after]);
    });
    return collection;
  }

  /** Items of all collections together. */
  get size(): number {
    return this.#collections.values().reduce((sum, { size }) => sum + size, 0);
  }

  /** From now on changes are noted with this one. */
  keepIn(keeper: StateKeeper): void {
    this.#keeper = keeper;
  }

  /** Before an answer leaves: what it tells of is saved, where anybody saves. */
  commit(): void {
    this.#keeper?.commit();
  }

  /** Everything, as changes to an empty state. */
  *changes(): Generator<Change> {
    for (const collection of this.#collections.values()) {
      for (const [id, item] of collection.entries()) yield [collection.name, id, item];
    }
  }

  /** @throws InvalidInput naming the collection and the id */
  apply([name, id, ...item]: Change): void {
    const collection = this.#collections.get(name);
    if (!collection) throw new InvalidInput(`${name}: the simulator keeps no such thing`);
    if (item.length === 0) {
      collection.delete(id);
      return;
    }
    try {
      collection.restore(id, item[0]);
    } catch (error) {
      throw error instanceof InvalidInput ? new InvalidInput(`${name} "${id}": ${error.message}`) : error;
    }
  }

  /** Everything as one JSON object: by collection a list of `[id, item]`. */
  export(): JsonObject {
    return Object.fromEntries(this.#collections.values().map((each) => [each.name, [...each.entries()]]));
  }

  /**
   * Puts another state, as `export` gives it, in place of this one. A collection that is not in it is empty afterwards.
   *
   * @throws InvalidInput; then nothing has changed
   */
  import(exported: JsonObject): void {
    const before = [...this.changes()];
    try {
      this.#replace(changesIn(exported));
    } catch (error) {
      this.#replace(before);
      throw error;
    }
  }

  #replace(changes: Iterable<Change>): void {
    for (const collection of this.#collections.values()) {
      for (const [id] of collection.entries()) collection.delete(id);
    }
    for (const change of changes) this.apply(change);
  }
}

function* changesIn(exported: JsonObject): Generator<Change> {
  for (const [name, entries] of Object.entries(exported)) {
    if (!Array.isArray(entries)) throw new InvalidInput(`${name} must be a list of [id, item]`);
    for (const entry of entries) yield [name, ...parseEntry(name, entry)];
  }
}

function parseEntry(name: string, entry: unknown): readonly [string, unknown] {
  const [id, item, ...more]: readonly unknown[] = Array.isArray(entry) ? entry : [];
  if (typeof id === "string" && item !== undefined && more.length === 0) return [id, item];
  throw new InvalidInput(`${name} must be a list of [id, item], and holds ${JSON.stringify(entry).slice(0, 80)}`);
}

/** For collections whose items are kept as the API shows them. @throws InvalidInput */
export function parseObject(item: unknown): JsonObject {
  if (isJsonObject(item)) return item;
  throw new InvalidInput("must be an object");
}

/** @throws InvalidInput */
export function parseText(item: unknown): string {
  if (typeof item === "string") return item;
  throw new InvalidInput("must be a string");
}
