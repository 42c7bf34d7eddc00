/** A password that the operator makes: of the system's own chance, and strong under every connection's policy. */
import { MAX_PASSWORD_BYTES, isPasswordDoubtful, type PasswordPolicy } from "../core/password-policy.ts";
import type { Random } from "../runtime/random.ts";

/** Letters and digits that are not taken for one another, and characters that no shell or URL minds. */
const ALPHABET = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789-_.~";

/** 24 of 61 characters are 142 bits. */
export const DEFAULT_PASSWORD_LENGTH = 24;

/**
 * @param length what is asked for; the policy may ask for more
 * @param policy `undefined`: not known
 * @param random whose `bytes` are fit for secrets
 */
export function generatePassword(length: number, policy: PasswordPolicy | undefined, random: Random): string {
  const enough = Math.min(Math.max(length, policy?.minLength ?? 0), MAX_PASSWORD_BYTES);
  for (;;) {
    const password = randomText(enough, random);
    // One in some hundred repeats a character thrice or lacks a kind of them: another is drawn.
    if (!isPasswordDoubtful(password, {}) && policy?.dictionary.has(password.toLowerCase()) !== true) return password;
  }
}

/** Bytes beyond the last whole multiple of the alphabet are passed over, so that each character is as likely as any other. */
function randomText(length: number, random: Random): string {
  const limit = 256 - (256 % ALPHABET.length);
  let text = "";
  while (text.length < length) {
    for (const byte of random.bytes(length)) {
      if (byte < limit && text.length < length) text += ALPHABET.charAt(byte % ALPHABET.length);
    }
  }
  return text;
}
