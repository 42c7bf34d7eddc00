/**
 * A user on the wire. What comes in is read leniently (types drift: numbers as ids, "true" for true, dates as objects)
 * and only as far as it is used; what goes out is exactly what was planned.
 */
import { connectionName, userId } from "../core/ids.ts";
import type { RootAttributeName } from "../core/desired-user.ts";
import { isJsonMap, type JsonMap, type JsonValue } from "../core/json.ts";
import type { Identity, ObservedUser } from "../core/observed-user.ts";
import type { NewUser, UserPatch } from "../core/writes.ts";
import { isJsonObject } from "../runtime/json.ts";

/** The table of spellings: ours → Auth0's. */
const WIRE_NAMES = {
  email: "email",
  phoneNumber: "phone_number",
  username: "username",
  emailVerified: "email_verified",
  phoneVerified: "phone_verified",
  blocked: "blocked",
  givenName: "given_name",
  familyName: "family_name",
  name: "name",
  nickname: "nickname",
  picture: "picture",
} as const satisfies Record<RootAttributeName, string>;

const ATTRIBUTE_NAMES: ReadonlyMap<string, RootAttributeName> = new Map(
  rootAttributes().map((name) => [WIRE_NAMES[name], name]),
);

/** The attribute that Auth0 calls `wireName`; `undefined` where we have none. */
export function attributeNameOf(wireName: string): RootAttributeName | undefined {
  return ATTRIBUTE_NAMES.get(wireName);
}

/** @returns `undefined` where `value` is no user: it has no id */
export function parseWireUser(value: unknown): ObservedUser | undefined {
  if (!isJsonObject(value) || typeof value["user_id"] !== "string") return undefined;
  return {
    userId: userId(value["user_id"]),
    attributes: {
      ...texts(value),
      emailVerified: isTrue(value["email_verified"]),
      phoneVerified: isTrue(value["phone_verified"]),
      blocked: isTrue(value["blocked"]),
    },
    userMetadata: metadata(value["user_metadata"]),
    appMetadata: metadata(value["app_metadata"]),
    identities: Array.isArray(value["identities"]) ? value["identities"].flatMap(parseIdentity) : [],
  };
}

export function createBody(user: NewUser): JsonMap {
  return {
    connection: user.connection,
    ...(user.bareId !== undefined && { user_id: user.bareId }),
    ...wireAttributes(user.attributes),
    ...(hasKeys(user.userMetadata) && { user_metadata: user.userMetadata }),
    ...(hasKeys(user.appMetadata) && { app_metadata: user.appMetadata }),
    ...(user.attributes.email !== undefined && { verify_email: user.verifyEmail }),
    ...(user.password !== undefined && { password: user.password }),
  };
}

export function updateBody(patch: UserPatch): JsonMap {
  return {
    ...wireAttributes(patch.attributes),
    ...(hasKeys(patch.userMetadata) && { user_metadata: patch.userMetadata }),
    ...(hasKeys(patch.appMetadata) && { app_metadata: patch.appMetadata }),
    ...(patch.verifyEmail !== undefined && { verify_email: patch.verifyEmail }),
    // A new number would be sent a text otherwise, where the connection verifies numbers.
    ...(typeof patch.attributes.phoneNumber === "string" && { verify_phone_number: false }),
    ...(patch.password !== undefined && { password: patch.password }),
  };
}

function wireAttributes(attributes: UserPatch["attributes"]): Record<string, JsonValue> {
  const wire: Record<string, JsonValue> = {};
  for (const name of rootAttributes()) {
    const value = attributes[name];
    if (value !== undefined) wire[WIRE_NAMES[name]] = value;
  }
  return wire;
}

function texts(value: Readonly<Record<string, unknown>>): Partial<Record<TextName, string>> {
  const result: Partial<Record<TextName, string>> = {};
  for (const name of TEXT_NAMES) {
    const text = value[WIRE_NAMES[name]];
    if (typeof text === "string") result[name] = text;
  }
  return result;
}

const TEXT_NAMES = [
  "email",
  "phoneNumber",
  "username",
  "givenName",
  "familyName",
  "name",
  "nickname",
  "picture",
] as const;
type TextName = (typeof TEXT_NAMES)[number];

function isTrue(value: unknown): boolean {
  return value === true || value === "true";
}

function metadata(value: unknown): JsonMap {
  return isJsonMap(value) ? value : {};
}

function parseIdentity(value: unknown): Identity[] {
  if (!isJsonObject(value)) return [];
  return [
    {
      connection: connectionName(String(value["connection"])),
      provider: String(value["provider"]),
      id: String(value["user_id"]),
    },
  ];
}

function hasKeys(map: JsonMap): boolean {
  return Object.keys(map).length > 0;
}

function rootAttributes(): RootAttributeName[] {
  return Object.keys(WIRE_NAMES).filter((name): name is RootAttributeName => name in WIRE_NAMES);
}
