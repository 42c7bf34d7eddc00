/** A user as the tenant keeps it: a value that is replaced, never changed, and how the API shows it. */
import { Ajv } from "ajv";
import type { EpochMs } from "../../runtime/clock.ts";
import type { JsonObject } from "../../runtime/json.ts";
import { parserFrom, SCHEMA_OPTIONS } from "../parser.ts";

/** One account in one connection. `profileData` is what a linked account's own profile said (recorded). */
export interface Identity {
  readonly connection: string;
  /** Without the provider's prefix. */
  readonly user_id: string;
  readonly provider: string;
  readonly isSocial: boolean;
  readonly profileData?: JsonObject;
}

export interface User {
  /** Provider, `|`, and the id of the first identity. */
  readonly userId: string;
  readonly createdAtMs: EpochMs;
  readonly updatedAtMs: EpochMs;
  /** The first is the primary one; the others are linked. */
  readonly identities: readonly [Identity, ...Identity[]];
  /** Everything else by the API's own names; an attribute that is not there is absent, never undefined. */
  readonly attributes: JsonObject;
}

const SCHEMA = {
  type: "object",
  additionalProperties: false,
  required: ["userId", "createdAtMs", "updatedAtMs", "identities", "attributes"],
  properties: {
    userId: { type: "string" },
    createdAtMs: { type: "number" },
    updatedAtMs: { type: "number" },
    identities: {
      type: "array",
      minItems: 1,
      items: {
        type: "object",
        additionalProperties: false,
        required: ["connection", "user_id", "provider", "isSocial"],
        properties: {
          connection: { type: "string" },
          user_id: { type: "string" },
          provider: { type: "string" },
          isSocial: { type: "boolean" },
          profileData: { type: "object" },
        },
      },
    },
    attributes: { type: "object" },
  },
};

/** A user as it was saved. @throws InvalidInput */
export const parseUser = parserFrom(new Ajv(SCHEMA_OPTIONS).compile<User>(SCHEMA), "user");

/** `auth0|<user_id>`: what an identity would be called as a user of its own. */
export function identityKey({ provider, user_id }: Pick<Identity, "provider" | "user_id">): string {
  return `${provider}|${user_id}`;
}

/** The user in the shape of the Management API. */
export function wireUser({ userId, createdAtMs, updatedAtMs, identities, attributes }: User): JsonObject {
  return {
    created_at: new Date(createdAtMs).toISOString(),
    ...attributes,
    identities,
    updated_at: new Date(updatedAtMs).toISOString(),
    user_id: userId,
  };
}

/** When a change made now counts as made: later than the one before, even within one millisecond (recorded: always). */
export function changedAtMs(user: User, now: EpochMs): EpochMs {
  return Math.max(now, user.updatedAtMs + 1);
}

/** What an identity says of itself: the first one's attributes are the user's. */
export function profileOf(user: User, identity: Identity): JsonObject {
  return identity === user.identities[0] ? user.attributes : (identity.profileData ?? {});
}
