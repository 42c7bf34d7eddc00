/** Names that Auth0 makes up. */
import type { Random } from "../runtime/random.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** `length` letters and digits. */
export function alphanumeric(random: Random, length: number): string {
  let text = "";
  for (const byte of random.bytes(length)) text += ALPHABET.charAt(byte % ALPHABET.length);
  return text;
}

/** `rol_` and 16 letters or digits, as recorded for roles, connections, organizations and jobs; `evt_` has 22. */
export function newId(prefix: string, random: Random, length = 16): string {
  return `${prefix}_${alphanumeric(random, length)}`;
}

/** The id of a MongoDB object, 24 lower-case hexadecimal digits (recorded for users and resource servers). */
export function newObjectId(random: Random): string {
  return random.bytes(12).toString("hex");
}
