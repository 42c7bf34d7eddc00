/**
 * Whether a connection would take a password, decided before it leaves the cluster. The levels are those of the
 * `password-sheriff` package, which Auth0 and its login page use.
 */
import type { RootAttributes } from "./desired-user.ts";

export type PasswordLevel = "none" | "low" | "fair" | "good" | "excellent";

export interface PasswordPolicy {
  readonly level: PasswordLevel;
  /** Outweighs the level's own. */
  readonly minLength: number | undefined;
  /** Lower-cased words that a password must not be. */
  readonly dictionary: ReadonlySet<string>;
  /** Whether it must not hold the user's name, address and the like. */
  readonly isPersonalInfoRefused: boolean;
}

interface Level {
  readonly minLength: number;
  /** Of lower case, upper case, digit and anything else, how many kinds at least. */
  readonly minKinds: number;
  /** Lower case, upper case and digit, each. */
  readonly needsThree?: true;
  /** The longest run of one character. */
  readonly maxRun?: number;
}

const LEVELS: Readonly<Record<PasswordLevel, Level>> = {
  none: { minLength: 1, minKinds: 0 },
  low: { minLength: 6, minKinds: 0 },
  fair: { minLength: 8, minKinds: 3, needsThree: true },
  good: { minLength: 8, minKinds: 3 },
  excellent: { minLength: 10, minKinds: 3, maxRun: 2 },
};

export function isPasswordLevel(text: unknown): text is PasswordLevel {
  return typeof text === "string" && Object.hasOwn(LEVELS, text);
}

/** What passes this passes every level and any rule on personal information, so that no connection need be asked. */
const STRICTEST: PasswordPolicy = {
  level: "excellent",
  minLength: undefined,
  dictionary: new Set(),
  isPersonalInfoRefused: true,
};

/** bcrypt, by which Auth0 keeps passwords, reads no further: what lies beyond would protect nothing. */
export const MAX_PASSWORD_BYTES = 72;
const KINDS = [/[a-z]/, /[A-Z]/, /[0-9]/, /[^a-zA-Z0-9]/];
/** Shorter names are parts of too many words. */
const MIN_PERSONAL_CHARS = 3;

/** Whether some connection may refuse it, so that the connection's own policy has to be looked at. */
export function isPasswordDoubtful(password: string, profile: RootAttributes): boolean {
  return findPasswordFault(password, STRICTEST, profile) !== undefined;
}

/**
 * What is wrong with a password, never the password itself; `undefined` where the policy takes it.
 *
 * @param policy `undefined`: not known; only what holds everywhere is checked
 */
export function findPasswordFault(
  password: string,
  policy: PasswordPolicy | undefined,
  profile: RootAttributes,
): string | undefined {
  if (utf8Length(password) > MAX_PASSWORD_BYTES) return `it is longer than ${String(MAX_PASSWORD_BYTES)} bytes`;
  if (policy === undefined) return undefined;
  const level = LEVELS[policy.level];
  const minLength = policy.minLength ?? level.minLength;
  if (password.length < minLength) return `it is too weak: shorter than ${String(minLength)} characters`;
  const kinds = KINDS.map((kind) => kind.test(password));
  if (level.needsThree === true && !kinds.slice(0, 3).every(Boolean)) {
    return "it is too weak: it lacks a lower case letter, an upper case letter or a digit";
  }
  if (kinds.filter(Boolean).length < level.minKinds) {
    return `it is too weak: it has fewer than ${String(level.minKinds)} of: lower case letters, upper case letters, digits, other characters`;
  }
  if (level.maxRun !== undefined && longestRun(password) > level.maxRun) {
    return `it is too weak: it repeats a character more than ${String(level.maxRun)} times in a row`;
  }
  if (policy.dictionary.has(password.toLowerCase())) return "it is in the connection's dictionary of common passwords";
  if (policy.isPersonalInfoRefused && holdsPersonalInfo(password, profile)) {
    return "it holds the user's address, username or name";
  }
  return undefined;
}

function holdsPersonalInfo(password: string, profile: RootAttributes): boolean {
  const { email, username, name, nickname, givenName, familyName } = profile;
  const lowered = password.toLowerCase();
  return [email, email?.split("@")[0], username, name, nickname, givenName, familyName].some(
    (word) => typeof word === "string" && word.length >= MIN_PERSONAL_CHARS && lowered.includes(word.toLowerCase()),
  );
}

function longestRun(password: string): number {
  let longest = 0;
  let run = 0;
  let previous = "";
  for (const character of password) {
    run = character === previous ? run + 1 : 1;
    previous = character;
    longest = Math.max(longest, run);
  }
  return longest;
}

/** Without Node's Buffer: this room knows no platform. */
function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x8_00 ? 2 : code < 0x1_00_00 ? 3 : 4;
  }
  return bytes;
}
