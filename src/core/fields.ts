/**
 * The table of fields: one row each, how it is compared, what removing it means, and what Auth0 does to it behind one's
 * back. The plan, the printer and the reference docs read it; nothing else knows a field by name.
 */
import type { Managed, RootAttributeName } from "./desired-user.ts";
import type { ObservedUser } from "./observed-user.ts";

export type RootValue = string | boolean;

export interface RootField {
  readonly name: RootAttributeName;
  /** What removing it asks Auth0 for: to drop the attribute, or (a flag) to set it to false; "never": it stays. */
  readonly removal: "null" | "false" | "never";
  /**
   * A security flag is applied at creation and when the spec changes; somebody's later change from false to true had a
   * reason (a block, a confirmed address): it is reported and not undone.
   */
  readonly isOneWay: boolean;
  /** Fields of different groups exclude each other in one PATCH (`core/split.ts`); without a group a field goes with any. */
  readonly group: "username" | "email" | undefined;
  /** The value as it is compared: what Auth0 stores, not what people type. */
  normalise(value: RootValue, user: ObservedUser): RootValue;
  /** Whether `value` is what Auth0 makes up by itself where nothing is set: what may stand again after a removal. */
  isDerived(value: RootValue, user: ObservedUser): boolean;
}

const verbatim = (value: RootValue): RootValue => value;
const never = (): boolean => false;

/** Auth0's own store keeps addresses and usernames in lower case; other stores keep what they were given. */
function lowerCasedInOwnStore(value: RootValue, user: ObservedUser): RootValue {
  return typeof value === "string" && user.identities[0]?.provider === "auth0" ? value.toLowerCase() : value;
}

const text = { removal: "null", isOneWay: false, group: undefined, normalise: verbatim, isDerived: never } as const;
const identifier = { ...text, removal: "never", normalise: lowerCasedInOwnStore } as const;
const flag = { ...text, removal: "never", isOneWay: true } as const;

export const ROOT_FIELDS: readonly RootField[] = [
  { ...identifier, name: "email", group: "email" },
  { ...text, name: "phoneNumber" },
  { ...identifier, name: "username", group: "username" },
  { ...flag, name: "emailVerified", group: "email" },
  { ...flag, name: "phoneVerified" },
  { ...flag, name: "blocked", removal: "false" },
  { ...text, name: "givenName" },
  { ...text, name: "familyName" },
  { ...text, name: "name", isDerived: (value, user) => isNameOf(value, user, (email) => email) },
  { ...text, name: "nickname", isDerived: (value, user) => isNameOf(value, user, (email) => email?.split("@")[0]) },
  {
    ...text,
    name: "picture",
    isDerived: (value) => /^https:\/\/(s|secure)\.gravatar\.com\/avatar\//.test(String(value)),
  },
];

/** The root attributes that can be removed, by name. */
export const REMOVABLE_ATTRIBUTES: readonly RootAttributeName[] = ROOT_FIELDS.filter(
  ({ removal }) => removal !== "never",
).map(({ name }) => name);

/** Of an address, of which a nickname is the part before the @, of a username or of a number. */
function isNameOf(
  value: RootValue,
  { attributes: { email, username, phoneNumber } }: ObservedUser,
  ofEmail: (email: Managed<string>) => Managed<string>,
): boolean {
  return [ofEmail(email), username, phoneNumber].some((one) => one?.toLowerCase() === String(value).toLowerCase());
}
