/** Names that Auth0 makes up. */
import type { Random } from "../runtime/random.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** `length` letters and digits. */
export function alphanumeric(random: Random, length: number): string {
  let text = "";
  for (const byte of random.bytes(length)) text += ALPHABET.charAt(byte % ALPHABET.length);
  return text;
}
