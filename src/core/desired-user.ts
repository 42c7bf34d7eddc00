/** What a resource asks for, in one value: no document, no Secret, no cluster in it. */
import type { DesiredAssignments } from "./assignments.ts";
import type { ConnectionName, UserId } from "./ids.ts";
import type { JsonMap } from "./json.ts";

/** `undefined`: not managed, never compared. `null`: to be cleared. A value: to be exactly this. */
export type Managed<T> = T | null | undefined;

/** The attributes at a user's root, by the name they have in a manifest. */
export interface RootAttributes {
  readonly email?: Managed<string>;
  readonly phoneNumber?: Managed<string>;
  readonly username?: Managed<string>;
  readonly emailVerified?: Managed<boolean>;
  readonly phoneVerified?: Managed<boolean>;
  readonly blocked?: Managed<boolean>;
  readonly givenName?: Managed<string>;
  readonly familyName?: Managed<string>;
  readonly name?: Managed<string>;
  readonly nickname?: Managed<string>;
  readonly picture?: Managed<string>;
}

export type RootAttributeName = keyof RootAttributes;

/** What becomes of attributes once they are set; those that it does not name are kept as declared. */
export interface Upkeep {
  /** By attribute path: set when the user is created, then left to people. */
  readonly initOnly: ReadonlySet<string>;
  /** By attribute path, or by kind of assignments: left to people whatever is declared. */
  readonly ignored: ReadonlySet<string>;
  /** One-way flags that are set back like any attribute. */
  readonly enforced: ReadonlySet<string>;
  /** Whether a difference is set back, or reported only until the spec changes. */
  readonly drift: "Enforce" | "Detect";
  /** What becomes of what this resource gave the user (roles and the like) when it is declared no more. */
  readonly unset: "Keep" | "Remove";
}

export const ENFORCE_ALL: Upkeep = {
  initOnly: new Set(),
  ignored: new Set(),
  enforced: new Set(),
  drift: "Enforce",
  unset: "Keep",
};

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
  readonly upkeep: Upkeep;
  /** `undefined`: nothing is declared of what the user is given. */
  readonly assignments: DesiredAssignments | undefined;
}
