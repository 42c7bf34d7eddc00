/** The tenant's own secrets: what signs its tokens, and what is mixed into the hashes of passwords. */
import type { Random } from "../../runtime/random.ts";
import type { Collection } from "./collection.ts";
import { parseText, type State } from "./state.ts";

export class Keys {
  readonly #keys: Collection<string>;
  readonly #random: Random;

  constructor(state: State, random: Random) {
    this.#keys = state.collection("keys", parseText);
    this.#random = random;
  }

  /** 32 bytes in Base64, made up when first asked for. */
  get(name: "tokens" | "passwords"): string {
    const key = this.#keys.find(name) ?? this.#random.bytes(32).toString("base64");
    if (!this.#keys.has(name)) this.#keys.put(name, key);
    return key;
  }
}
