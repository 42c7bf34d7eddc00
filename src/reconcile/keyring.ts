/**
 * Keys and what they prove: the signature on a claim, the marker in `app_metadata`, the version of a password, the plan that
 * a person approved. All are
 * HMAC-SHA-256, cut to 128 bits, and name the key that made them, so that keys can be added and a lost one is noticed.
 */
import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from "node:crypto";

/** Keys by id. The greatest id is the one that signs; ids that begin with a date therefore rotate by adding a key. */
export type Keys = ReadonlyMap<string, Buffer>;

export type Verification = "valid" | "invalid" | "unknown key";

/** What a MAC is for goes into it, so that one made for one purpose proves nothing for another. */
type Purpose = "claim" | "marker" | "password" | "plan";

const MAC_BYTES = 16;

export class Keyring {
  readonly #keys: ReadonlyMap<string, KeyObject>;
  readonly #signingId: string | undefined;

  constructor(keys: Keys) {
    this.#keys = new Map([...keys].map(([id, key]) => [id, createSecretKey(key)]));
    this.#signingId = [...keys.keys()].toSorted().at(-1);
  }

  /** `KEYID:MAC`; `undefined` while there is no key: then nothing is signed, and what is not proven otherwise stays so. */
  sign(purpose: Purpose, parts: readonly string[]): string | undefined {
    const key = this.#signingId === undefined ? undefined : this.#keys.get(this.#signingId);
    if (this.#signingId === undefined || key === undefined) return undefined;
    return `${this.#signingId}:${mac(key, purpose, parts).toString("base64url")}`;
  }

  verify(purpose: Purpose, parts: readonly string[], signature: string): Verification {
    const colon = signature.lastIndexOf(":");
    const key = this.#keys.get(signature.slice(0, Math.max(colon, 0)));
    if (key === undefined) return "unknown key";
    const given = Buffer.from(signature.slice(colon + 1), "base64url");
    const expected = mac(key, purpose, parts);
    return given.length === expected.length && timingSafeEqual(given, expected) ? "valid" : "invalid";
  }
}

/** Each part goes in with its length, so that no two lists of parts give the same bytes. */
function mac(key: KeyObject, purpose: Purpose, parts: readonly string[]): Buffer {
  const text = [purpose, ...parts].map((part) => `${String(Buffer.byteLength(part))}:${part};`).join("");
  return createHmac("sha256", key).update(text).digest().subarray(0, MAC_BYTES);
}
