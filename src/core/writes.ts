/** What is written to Auth0: a new user, a change of one, in our own words. `auth0/` knows theirs. */
import type { DesiredUser, RootAttributeName } from "./desired-user.ts";
import { ROOT_FIELDS, type RootValue } from "./fields.ts";
import type { ConnectionName } from "./ids.ts";
import type { JsonMap, JsonValue } from "./json.ts";

/** Everything that is known of a user, for the one call that creates it. */
export interface NewUser {
  readonly connection: ConnectionName;
  /** Bare, without the strategy; absent where the connection does not let the caller choose. */
  readonly bareId: string | undefined;
  readonly attributes: Readonly<Partial<Record<RootAttributeName, RootValue>>>;
  readonly userMetadata: JsonMap;
  readonly appMetadata: JsonMap;
  readonly verifyEmail: boolean;
  readonly password: string | undefined;
}

/** The changes that one PATCH carries, and nothing else. */
export interface UserPatch {
  readonly attributes: Readonly<Partial<Record<RootAttributeName, RootValue | null>>>;
  /** A null deletes its key; never `{}` on the wire, which would erase all keys. */
  readonly userMetadata: JsonMap;
  readonly appMetadata: JsonMap;
  /** Goes with every change of the address, so that nobody gets a mail unless asked for. */
  readonly verifyEmail: boolean | undefined;
  readonly password: string | undefined;
}

/**
 * The user to create: every value that is managed, in one call. What is to be absent is left out, since a new user has
 * it not (what Auth0 derives instead is seen in the answer and dealt with as any difference).
 */
export function newUserFrom(desired: DesiredUser, bareId: string | undefined, password: string | undefined): NewUser {
  const attributes: Partial<Record<RootAttributeName, RootValue>> = {};
  for (const { name } of ROOT_FIELDS) {
    const value = desired.attributes[name];
    if (value !== undefined && value !== null) attributes[name] = value;
  }
  return {
    connection: desired.connection,
    bareId,
    attributes,
    userMetadata: withoutNulls(desired.userMetadata),
    appMetadata: withoutNulls(desired.appMetadata),
    verifyEmail: desired.verifyEmail,
    password,
  };
}

function withoutNulls(metadata: JsonMap): JsonMap {
  return Object.fromEntries(
    Object.entries(metadata).filter((entry): entry is [string, JsonValue] => entry[1] !== null),
  );
}
