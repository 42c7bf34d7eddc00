/**
 * What a PATCH may not do to a user. Texts are those of the OpenAPI document, or of reports where it has none; each rule
 * throws its 400.
 */
import type { JsonObject } from "../../runtime/json.ts";
import { isDatabase, kindOf, syncsAttributes, type Connection } from "../connections/connection.ts";
import { IDENTIFIERS, identifierRule, usernameLength } from "../connections/identifier-rule.ts";
import { operationNotSupported } from "../refusal.ts";
import { additionalProperties, checkBody, missingProperty, refusePayload } from "../schema.ts";
import type { Switches } from "../switches.ts";
import { METADATA_HINT, updateUserSchema, usernameSchema } from "./schemas.ts";
import type { Identity, User } from "./user.ts";

/** The identity that a request means, and its connection. */
export interface UpdateTarget {
  readonly identity: Identity;
  readonly connection: Connection;
}

/** The attributes of a profile that an identity provider may own. */
export const PROFILE_ATTRIBUTES = ["family_name", "given_name", "name", "nickname", "picture"];

/** Pairs that one request must not hold, as the text orders them. */
const EXCLUSIVE = [
  ["password", "email"],
  ["password", "email_verified"],
  ["username", "email"],
  ["username", "email_verified"],
  ["username", "password"],
] as const;

/** Attributes that the tenant alone writes. */
const READ_ONLY = new Set(
  (
    "user_id identities created_at updated_at last_login last_ip logins_count last_password_reset multifactor " +
    "multifactor_last_modified"
  ).split(" "),
);

export function checkUpdate(user: User, target: UpdateTarget, body: JsonObject, switches: Switches): void {
  checkProperties(body, switches);
  checkExclusive(body);
  checkProfileAttributes(user, target, body, switches);
  checkConnection(target, body);
  checkIdentifiers(user, target, body);
}

/** `body` without what the tenant alone writes; under the other setting of the switch such a body was refused. */
export function withoutReadOnly(body: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([name]) => !READ_ONLY.has(name)));
}

/** The schema is open so that foreign attributes can be removed; to set one was refused when it was last reported. */
function checkProperties(body: JsonObject, switches: Switches): void {
  const names = Object.keys(body);
  if (names.length === 0 && switches.emptyPatch === "refused") {
    refusePayload(["'Too few properties defined (0), minimum 1'"]);
  }
  const { properties } = updateUserSchema(switches);
  const refused = names.filter((name) => {
    if (READ_ONLY.has(name)) return switches.readOnlyAttributeInPatch === "refused";
    return !Object.hasOwn(properties, name) && body[name] !== null;
  });
  if (refused.length > 0) refusePayload([`${additionalProperties(refused)}${METADATA_HINT}`]);
}

function checkExclusive(body: JsonObject): void {
  for (const [one, other] of EXCLUSIVE) {
    if (body[one] === undefined || body[other] === undefined) continue;
    throw operationNotSupported(`Cannot update ${one} and ${other} simultaneously.`);
  }
}

function checkProfileAttributes(user: User, target: UpdateTarget, body: JsonObject, switches: Switches): void {
  const { connection, identity } = target;
  const sent = PROFILE_ATTRIBUTES.filter((name) => body[name] !== undefined);
  if (sent.length === 0) return;
  const refused = `The following user attributes cannot be updated: ${sent.join(", ")}.`;
  if (identity !== user.identities[0]) {
    throw operationNotSupported(`${refused} The specified connection belongs to a secondary identity.`);
  }
  if (syncsAttributes(connection)) {
    throw operationNotSupported(
      `${refused} The connection (${connection.name}) must either be a database connection (using the Auth0 store), ` +
        "a passwordless connection (email or sms) or has disabled 'Sync user profile attributes at each login'. " +
        "For more information, see https://auth0.com/docs/dashboard/guides/connections/configure-connection-sync",
    );
  }
  const nulls = sent.filter((name) => body[name] === null);
  const kind = kindOf(connection);
  if (nulls.length === 0 || switches.nullRootAttribute !== "refused") return;
  if (kind !== "database" && kind !== "passwordless") return;
  throw operationNotSupported(
    `The following user attributes cannot be removed: ${nulls.join(", ")}. The connection (${connection.name}) must ` +
      "either be a custom database connection with import mode disabled, a social or enterprise connection.",
  );
}

function checkConnection({ connection }: UpdateTarget, body: JsonObject): void {
  const changesEmail = body["email"] !== undefined;
  const changesPassword = body["password"] !== undefined;
  if (changesEmail && !isDatabase(connection)) {
    throw operationNotSupported("Cannot update email for non-database user.");
  }
  if (changesPassword && !isDatabase(connection)) {
    throw operationNotSupported("Connection is not supported for this operation.");
  }
  if ((changesEmail || changesPassword) && connection.enabledClients.length === 0) {
    throw operationNotSupported("Cannot change email or password for users in a disabled connection.");
  }
  if (body["email_verified"] !== undefined && (kindOf(connection) === "enterprise" || connection.strategy === "sms")) {
    throw operationNotSupported("Email verification is not supported for enterprise users.");
  }
}

/** What identifies a user can be removed only where the connection can do without (modelled; documented for none). */
function checkIdentifiers(user: User, { identity, connection }: UpdateTarget, body: JsonObject): void {
  const profile = identity === user.identities[0] ? user.attributes : (identity.profileData ?? {});
  if (typeof body["username"] === "string" && profile["username"] === undefined) {
    throw operationNotSupported("Cannot update username for users without an username already set.");
  }
  const demanded = IDENTIFIERS.filter((identifier) => identifierRule(connection, identifier).use === "required");
  refusePayload([...demanded, "password"].filter((name) => body[name] === null).map(missingProperty));
  checkBody(body, { properties: { username: usernameSchema(usernameLength(connection)) } });
}
