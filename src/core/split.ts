/**
 * Changes → the fewest PATCH calls that Auth0 takes. Five pairs are refused together: password with email, password with
 * email_verified, username with email, username with email_verified, username with password (Management API reference of
 * PATCH /users/{id}). So there are three groups that go apart, in this order: username, address, password. The rest joins
 * the first call. A crash between two calls is safe: the next pass finds what is left by comparing.
 */
import type { DesiredUser, RootAttributeName } from "./desired-user.ts";
import type { RootValue } from "./fields.ts";
import type { JsonValue } from "./json.ts";
import type { ObservedUser } from "./observed-user.ts";
import type { Change, MetadataKind, RootChange } from "./plan.ts";
import type { UserPatch } from "./writes.ts";

type Group = "username" | "email" | "password";
const ORDER: readonly Group[] = ["username", "email", "password"];

export function splitIntoPatches(
  changes: readonly Change[],
  desired: DesiredUser,
  observed: ObservedUser,
  password: string | undefined,
): UserPatch[] {
  const grouped = Map.groupBy(changes, (change) => (change.kind === "root" ? change.field.group : undefined));
  const groups = ORDER.filter((group) => (group === "password" ? password !== undefined : grouped.has(group)));
  const free = grouped.get(undefined) ?? [];
  const patchOf = (ones: readonly Change[], secret?: string): UserPatch => patchFrom(ones, desired, observed, secret);
  if (groups.length === 0) return free.length === 0 ? [] : [patchOf(free)];
  return groups.map((group, index) => {
    const apart = group === "password" ? [] : (grouped.get(group) ?? []);
    return patchOf(index === 0 ? [...apart, ...free] : apart, group === "password" ? password : undefined);
  });
}

/** The addresses that can be confirmed, and the flags that say whether they are. */
const CONFIRMATIONS = [
  ["email", "emailVerified"],
  ["phoneNumber", "phoneVerified"],
] as const;

/**
 * What is said of a new address with it: what is declared, else that nobody has confirmed it. Whether Auth0 keeps the flag
 * of the former address otherwise is not documented; whoever may not declare addresses confirmed could have one so.
 *
 * @returns `undefined`: nothing need be said of it
 */
function confirmationOf(
  { from, to }: RootChange,
  flag: (typeof CONFIRMATIONS)[number][1],
  { attributes, upkeep }: DesiredUser,
  { identities }: ObservedUser,
): boolean | undefined {
  if (to === null) return undefined;
  const declared = attributes[flag];
  if (typeof declared === "boolean" && !upkeep.initOnly.has(flag)) return declared;
  // Users of other stores have such an address by which they log in, or none that can be changed.
  const isReplaced = from !== undefined && identities[0]?.provider === "auth0";
  return isReplaced && !upkeep.ignored.has(flag) ? false : undefined;
}

function patchFrom(
  changes: readonly Change[],
  desired: DesiredUser,
  observed: ObservedUser,
  password: string | undefined,
): UserPatch {
  const attributes: Partial<Record<RootAttributeName, RootValue | null>> = {};
  const metadata: Record<MetadataKind, Record<string, JsonValue>> = { userMetadata: {}, appMetadata: {} };
  for (const change of changes) {
    if (change.kind === "root") attributes[change.path] = change.to;
    else metadata[change.kind][change.key] = change.to;
  }
  for (const [address, flag] of CONFIRMATIONS) {
    const change = changes.find((one): one is RootChange => one.path === address);
    const isConfirmed = change && confirmationOf(change, flag, desired, observed);
    if (isConfirmed !== undefined) attributes[flag] = isConfirmed;
  }
  // Nobody is mailed about a new address unless that is declared.
  const verifyEmail = attributes.email === undefined ? undefined : desired.verifyEmail;
  return { attributes, ...metadata, verifyEmail, password };
}
