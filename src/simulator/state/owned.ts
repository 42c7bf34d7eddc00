/** What belongs to one owner, and goes when the owner goes: an organization's invitations, a client's credentials. */
import { Ajv } from "ajv";
import type { JsonObject } from "../../runtime/json.ts";
import { parserFrom, SCHEMA_OPTIONS } from "../parser.ts";
import type { Collection, StoredCollection } from "./collection.ts";
import type { State } from "./state.ts";

/** Whatever tells when an owner is gone. */
export type Owners = Pick<StoredCollection, "subscribe">;

interface OwnedItem {
  readonly owner: string;
  readonly id: string;
  /** As the API shows it. */
  readonly item: JsonObject;
}

export class Owned {
  readonly #items: Collection<OwnedItem>;
  readonly #byOwner = new Map<string, Map<string, JsonObject>>();

  constructor(state: State, name: string, owners: Owners) {
    this.#items = state.collection(name, parseOwned);
    this.#items.subscribe((_key, before, after) => {
      const entry = after ?? before;
      if (!entry) return;
      const items = this.#byOwner.get(entry.owner) ?? new Map<string, JsonObject>();
      if (after) items.set(entry.id, after.item);
      else items.delete(entry.id);
      if (items.size > 0) this.#byOwner.set(entry.owner, items);
      else this.#byOwner.delete(entry.owner);
    });
    owners.subscribe((owner, _before, after) => {
      if (after === undefined) this.forget(owner);
    });
  }

  find(owner: string, id: string): JsonObject | undefined {
    return this.#byOwner.get(owner)?.get(id);
  }

  /** In the order in which they were made. */
  of(owner: string): readonly JsonObject[] {
    return [...(this.#byOwner.get(owner)?.values() ?? [])];
  }

  put(owner: string, id: string, item: JsonObject): void {
    this.#items.put(keyOf(owner, id), { owner, id, item });
  }

  /** Nothing happens where there is none. */
  delete(owner: string, id: string): void {
    this.#items.delete(keyOf(owner, id));
  }

  /** Ends all that this owner has. */
  forget(owner: string): void {
    for (const id of this.#byOwner.get(owner)?.keys() ?? []) this.delete(owner, id);
  }

  /** Ends what goes by this id, whoever owns it. */
  forgetId(id: string): void {
    for (const owner of this.#byOwner.keys()) this.delete(owner, id);
  }
}

function keyOf(owner: string, id: string): string {
  return JSON.stringify([owner, id]);
}

const SCHEMA = {
  type: "object",
  additionalProperties: false,
  required: ["owner", "id", "item"],
  properties: { owner: { type: "string" }, id: { type: "string" }, item: { type: "object" } },
};

const parseOwned = parserFrom(new Ajv(SCHEMA_OPTIONS).compile<OwnedItem>(SCHEMA), "item");
