/** What a resource asks for, in one value: no document, no Secret, no cluster in it. */
import type { ConnectionName, UserId } from "./ids.ts";
import type { JsonMap } from "./json.ts";

/** `undefined`: not managed, never compared. `null`: to be cleared. A value: to be exactly this. */
export type Managed<T> = T | null | undefined;

/** The attributes at a user's root, by the name they have in a manifest. */
export interface RootAttributes {
  readonly email?: Managed<string>;
  readonly username?: Managed<string>;
  readonly emailVerified?: Managed<boolean>;
  readonly blocked?: Managed<boolean>;
  readonly givenName?: Managed<string>;
  readonly familyName?: Managed<string>;
  readonly name?: Managed<string>;
  readonly nickname?: Managed<string>;
  readonly picture?: Managed<string>;
}

export type RootAttributeName = keyof RootAttributes;

export interface DesiredUser {
  readonly connection: ConnectionName;
  /** The user that shall be taken over; such a resource never creates one. */
  readonly adoptedId: UserId | undefined;
  readonly attributes: RootAttributes;
  /** Managed first-level keys only; a null deletes its key. Keys that are not here belong to somebody else. */
  readonly userMetadata: JsonMap;
  readonly appMetadata: JsonMap;
  /** Whether Auth0 may mail the person when the address is set or changed. */
  readonly verifyEmail: boolean;
}
