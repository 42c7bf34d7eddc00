/** A database's password policy: what it refuses and in which words (reported by many; no errorCode was ever seen). */
import { isJsonObject, type JsonObject } from "../../runtime/json.ts";
import type { Connection } from "../connections/connection.ts";
import { lengthOf, textIn } from "../json.ts";
import { badRequest } from "../refusal.ts";
import type { Passwords } from "./passwords.ts";

interface Strength {
  readonly minLength: number;
  /** Of lower case, upper case, digit and anything else, how many kinds at least. */
  readonly minKinds: number;
  /** Lower case, upper case and digit, each. */
  readonly needsThree?: true;
  /** The longest run of one character. */
  readonly maxRepeated?: number;
}

/** The policies of the `password-sheriff` package, which Auth0 and its login page use. */
const STRENGTHS: Readonly<Record<string, Strength>> = {
  none: { minLength: 1, minKinds: 0 },
  low: { minLength: 6, minKinds: 0 },
  fair: { minLength: 8, minKinds: 0, needsThree: true },
  good: { minLength: 8, minKinds: 3 },
  excellent: { minLength: 10, minKinds: 3, maxRepeated: 2 },
};

/** What a connection has when its options name no policy (recorded for new ones). */
const DEFAULT_POLICY = "good";

/** A few of the 10,000 words that the built-in dictionary is said to have. */
const COMMON = new Set(
  "123456 password 12345678 qwerty 123456789 12345 111111 1234567 password1 iloveyou abc123 123123 welcome letmein monkey".split(
    " ",
  ),
);

/**
 * Refuses a password that the connection would not take.
 *
 * @param profile attributes of the user, for the rule against personal information
 * @param identityKey whose history counts; absent for a new user
 */
export function checkPassword(
  password: string,
  connection: Connection,
  profile: JsonObject,
  history?: { readonly passwords: Passwords; readonly identityKey: string },
): void {
  const { options } = connection;
  if (!isStrong(password, options)) throw badRequest("PasswordStrengthError: Password is too weak");
  if (isEnabled(options["password_dictionary"]) && isCommon(password, options["password_dictionary"])) {
    throw badRequest("PasswordDictionaryError: Password is too common");
  }
  if (isEnabled(options["password_no_personal_info"]) && holdsPersonalInfo(password, profile)) {
    throw badRequest("PasswordNoUserInfoError: Password contains user information");
  }
  if (historySize(connection) > 0 && history?.passwords.wasUsed(history.identityKey, password)) {
    throw badRequest("PasswordHistoryError: Password has previously been used");
  }
}

/** How many former passwords the connection remembers. */
export function historySize({ options }: Connection): number {
  const history = options["password_history"];
  return isEnabled(history) && typeof history["size"] === "number" ? history["size"] : 0;
}

function isEnabled(option: unknown): option is JsonObject {
  return isJsonObject(option) && option["enable"] === true;
}

function isStrong(password: string, options: JsonObject): boolean {
  const strength = STRENGTHS[textIn(options, "passwordPolicy") ?? DEFAULT_POLICY];
  if (!strength) return true;
  const complexity = options["password_complexity_options"];
  const minLength = isJsonObject(complexity) ? complexity["min_length"] : undefined;
  if (lengthOf(password) < (typeof minLength === "number" ? minLength : strength.minLength)) return false;
  const kinds = [/[a-z]/, /[A-Z]/, /[0-9]/, /[^a-zA-Z0-9]/].map((kind) => kind.test(password));
  if (strength.needsThree && !(kinds[0] && kinds[1] && kinds[2])) return false;
  if (kinds.filter(Boolean).length < strength.minKinds) return false;
  return strength.maxRepeated === undefined || longestRun(password) <= strength.maxRepeated;
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

function isCommon(password: string, option: JsonObject): boolean {
  const words: readonly unknown[] = Array.isArray(option["dictionary"]) ? option["dictionary"] : [];
  const lowered = password.toLowerCase();
  return COMMON.has(lowered) || words.some((word) => typeof word === "string" && word.toLowerCase() === lowered);
}

function holdsPersonalInfo(password: string, profile: JsonObject): boolean {
  const lowered = password.toLowerCase();
  const email = textIn(profile, "email");
  const words = ["name", "nickname", "username", "given_name", "family_name"].map((name) => textIn(profile, name));
  return [...words, email, email?.split("@", 1)[0]].some(
    (word) => word !== undefined && word.length >= 3 && lowered.includes(word.toLowerCase()),
  );
}
