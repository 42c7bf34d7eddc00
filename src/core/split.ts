/**
 * Changes → the fewest PATCH calls that Auth0 takes. Five pairs are refused together: password with email, password with
 * email_verified, username with email, username with email_verified, username with password (Management API reference of
 * PATCH /users/{id}). So there are three groups that go apart, in this order: username, address, password. The rest joins
 * the first call. A crash between two calls is safe: the next pass finds what is left by comparing.
 */
import type { DesiredUser, RootAttributeName } from "./desired-user.ts";
import type { RootValue } from "./fields.ts";
import type { JsonValue } from "./json.ts";
import type { Change, MetadataKind } from "./plan.ts";
import type { UserPatch } from "./writes.ts";

type Group = "username" | "email" | "password";
const ORDER: readonly Group[] = ["username", "email", "password"];

export function splitIntoPatches(
  changes: readonly Change[],
  desired: DesiredUser,
  password: string | undefined,
): UserPatch[] {
  const grouped = Map.groupBy(changes, (change) => (change.kind === "root" ? change.field.group : undefined));
  const groups = ORDER.filter((group) => (group === "password" ? password !== undefined : grouped.has(group)));
  const free = grouped.get(undefined) ?? [];
  if (groups.length === 0) return free.length === 0 ? [] : [patchFrom(free, desired, undefined)];
  return groups.map((group, index) => {
    const apart = group === "password" ? [] : (grouped.get(group) ?? []);
    return patchFrom(index === 0 ? [...apart, ...free] : apart, desired, group === "password" ? password : undefined);
  });
}

function patchFrom(changes: readonly Change[], desired: DesiredUser, password: string | undefined): UserPatch {
  const attributes: Partial<Record<RootAttributeName, RootValue | null>> = {};
  const metadata: Record<MetadataKind, Record<string, JsonValue>> = { userMetadata: {}, appMetadata: {} };
  for (const change of changes) {
    if (change.kind === "root") attributes[change.path] = change.to;
    else metadata[change.kind][change.key] = change.to;
  }
  const isNewAddress = attributes.email !== undefined;
  // What is new starts with what is declared of it, and nobody is mailed about it unless that is declared too.
  if (isNewAddress) addCompanion("emailVerified", attributes, desired);
  if (typeof attributes.phoneNumber === "string") addCompanion("phoneVerified", attributes, desired);
  return { attributes, ...metadata, verifyEmail: isNewAddress ? desired.verifyEmail : undefined, password };
}

function addCompanion(
  name: "emailVerified" | "phoneVerified",
  attributes: Partial<Record<RootAttributeName, RootValue | null>>,
  desired: DesiredUser,
): void {
  const declared = desired.attributes[name];
  if (typeof declared === "boolean" && !desired.upkeep.initOnly.has(name)) attributes[name] = declared;
}
