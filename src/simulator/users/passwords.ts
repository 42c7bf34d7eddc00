/**
 * Passwords, kept apart from users so that no answer can hold one.
 *
 * Only a keyed SHA-256 of each is kept, the identity's key in it as salt. A slow hash (bcrypt, scrypt) would protect
 * people's passwords if the file were stolen; here they are made up, a load test sets thousands a second, and all that is
 * asked is whether a candidate is the one.
 */
import { hash } from "node:crypto";
import { InvalidInput } from "../parser.ts";
import type { Collection } from "../state/collection.ts";
import type { Keys } from "../state/keys.ts";
import type { State } from "../state/state.ts";

/** As many former passwords as a history policy may look at (documented). */
const MAX_HISTORY = 24;

export class Passwords {
  readonly #keys: Keys;
  /** By the key of the identity; where former ones are remembered a list, the current one first. */
  readonly #hashes: Collection<string | readonly string[]>;

  constructor(state: State, keys: Keys) {
    this.#keys = keys;
    this.#hashes = state.collection("passwords", parseHashes);
  }

  /** @param historySize how many former passwords to remember */
  set(identityKey: string, password: string, historySize: number): void {
    const current = this.#hash(identityKey, password);
    const former = this.#hashesOf(identityKey).slice(0, Math.min(historySize, MAX_HISTORY));
    this.#hashes.put(identityKey, former.length === 0 ? current : [current, ...former]);
  }

  matches(identityKey: string, candidate: string): boolean {
    return this.#hashesOf(identityKey)[0] === this.#hash(identityKey, candidate);
  }

  /** Whether it is the current one or among those remembered. */
  wasUsed(identityKey: string, candidate: string): boolean {
    return this.#hashesOf(identityKey).includes(this.#hash(identityKey, candidate));
  }

  forget(identityKey: string): void {
    this.#hashes.delete(identityKey);
  }

  #hashesOf(identityKey: string): readonly string[] {
    const hashes = this.#hashes.find(identityKey) ?? [];
    return typeof hashes === "string" ? [hashes] : hashes;
  }

  #hash(identityKey: string, password: string): string {
    return hash("sha256", `${this.#keys.get("passwords")}\0${identityKey}\0${password}`, "base64");
  }
}

function parseHashes(item: unknown): string | readonly string[] {
  if (typeof item === "string") return item;
  if (Array.isArray(item) && item.every((each) => typeof each === "string")) return item;
  throw new InvalidInput("must be a string or a list of strings");
}
