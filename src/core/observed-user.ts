/** What Auth0 has, as far as this program looks at it. */
import type { ConnectionName, UserId } from "./ids.ts";
import type { JsonMap } from "./json.ts";

/** One login of a user. The first is the user's own; others were linked to it. */
export interface Identity {
  readonly connection: ConnectionName;
  /** `auth0`, `email`, `sms`, `google-oauth2`, … */
  readonly provider: string;
  /** Without the provider's prefix. */
  readonly id: string;
}

export interface ObservedAttributes {
  readonly email?: string;
  readonly phoneNumber?: string;
  readonly username?: string;
  /** Absent at Auth0 means false. */
  readonly emailVerified: boolean;
  /** Absent at Auth0 means false. */
  readonly phoneVerified: boolean;
  /** Absent at Auth0 means false. */
  readonly blocked: boolean;
  readonly givenName?: string;
  readonly familyName?: string;
  readonly name?: string;
  readonly nickname?: string;
  readonly picture?: string;
}

export interface ObservedUser {
  readonly userId: UserId;
  readonly attributes: ObservedAttributes;
  /** Absent at Auth0 means `{}`. */
  readonly userMetadata: JsonMap;
  readonly appMetadata: JsonMap;
  readonly identities: readonly Identity[];
}

/** The connection a user belongs to: that of the first identity. */
export function ownConnection(user: ObservedUser): ConnectionName | undefined {
  return user.identities[0]?.connection;
}

/** Whether `id` is one of the user's logins, be it the first or a linked one. */
export function hasIdentity(user: ObservedUser, id: UserId): boolean {
  return user.identities.some((identity) => `${identity.provider}|${identity.id}` === id);
}
