/**
 * Passwords, kept apart from users so that no answer can hold one.
 *
 * Only a keyed SHA-256 of each is kept, the identity's key in it as salt. A slow hash (bcrypt, scrypt) would protect
 * people's passwords if the file were stolen; here they are made up, a load test sets thousands a second, and all that is
 * asked is whether a candidate is the one.
 */
import { createHmac } from "node:crypto";

/** As many former passwords as a history policy may look at (documented). */
const MAX_HISTORY = 24;

export class Passwords {
  readonly #key: Buffer;
  /** Hashes by the key of the identity, the current one first. */
  readonly #hashes = new Map<string, readonly string[]>();

  /** @param key any 32 bytes, new for each tenant */
  constructor(key: Buffer) {
    this.#key = key;
  }

  /** @param historySize how many former passwords to remember */
  set(identityKey: string, password: string, historySize: number): void {
    const former = this.#hashes.get(identityKey) ?? [];
    const kept = former.slice(0, Math.min(historySize, MAX_HISTORY));
    this.#hashes.set(identityKey, [this.#hash(identityKey, password), ...kept]);
  }

  matches(identityKey: string, candidate: string): boolean {
    return this.#hashes.get(identityKey)?.[0] === this.#hash(identityKey, candidate);
  }

  /** Whether it is the current one or among those remembered. */
  wasUsed(identityKey: string, candidate: string): boolean {
    return this.#hashes.get(identityKey)?.includes(this.#hash(identityKey, candidate)) ?? false;
  }

  forget(identityKey: string): void {
    this.#hashes.delete(identityKey);
  }

  #hash(identityKey: string, password: string): string {
    return createHmac("sha256", this.#key).update(`${identityKey}\0${password}`).digest("base64");
  }
}
