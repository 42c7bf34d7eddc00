/** `PATCH /api/v2/users/{id}`. */
import type { JsonObject } from "../../runtime/json.ts";
import type { ApiCall } from "../call.ts";
import { normalizedIdentifier, type Connection } from "../connections/connection.ts";
import { IDENTIFIERS, identifierRule } from "../connections/identifier-rule.ts";
import { parseBody, type Answer } from "../http.ts";
import { textIn } from "../json.ts";
import { badRequest, inexistentConnection, inexistentUser, refusal } from "../refusal.ts";
import { checkBody } from "../schema.ts";
import type { Tenant } from "../tenant.ts";
import { forgetOf } from "./accounts.ts";
import { withChanges, withDerived } from "./attributes.ts";
import { checkMetadata } from "./metadata.ts";
import { usernameTaken } from "./new-user.ts";
import { checkPassword, historySize } from "./password-policy.ts";
import { updateUserSchema } from "./schemas.ts";
import { shownUser } from "./shown-user.ts";
import { checkUpdate, PROFILE_ATTRIBUTES, withoutReadOnly, type UpdateTarget } from "./update-rules.ts";
import { checkUserId } from "./user-id.ts";
import { changedAtMs, identityKey, profileOf, type User } from "./user.ts";

export function updateUser({ tenant, request, params, caller }: ApiCall): Answer {
  const userId = checkUserId(params["id"]);
  const body = parseBody(request);
  const schema = updateUserSchema(tenant.switches);
  checkBody(body, schema);
  checkMetadata(body, schema);
  checkScopes(caller.scopes, body);
  const user = tenant.users.find(userId);
  if (!user) throw inexistentUser();
  const target = targetOf(tenant, user, body);
  checkUpdate(user, target, body, tenant.switches);
  checkUnused(tenant, user, target.connection, body);
  const updated = changedUser(tenant, user, target, withoutReadOnly(body));
  setPassword(tenant, updated, target, textIn(body, "password"));
  tenant.users.put(updated);
  if (endsSessions(tenant, profileOf(user, target.identity), body)) forgetOf(tenant.sessions.sessions, userId);
  return { status: 200, body: shownUser(tenant, updated) };
}

/** `update:users_app_metadata` alone allows nothing else (the text is quoted in one report). */
function checkScopes(scopes: ReadonlySet<string>, body: JsonObject): void {
  if (scopes.has("update:users")) return;
  const refused = Object.keys(body).filter((name) => name !== "app_metadata");
  if (refused.length === 0) return;
  throw refusal(403, `You cannot update the following fields: ${refused.join(", ")}`, "insufficient_scope");
}

/** The first identity, unless `connection` names that of another. */
function targetOf({ connections }: Tenant, user: User, body: JsonObject): UpdateTarget {
  const name = textIn(body, "connection") ?? user.identities[0].connection;
  const identity = user.identities.find((each) => each.connection === name);
  const connection = connections.findByName(name);
  if (!identity || !connection) throw inexistentConnection(400);
  return { identity, connection };
}

/** No other user of the connection may have the new identifier; the texts differ from those of a create (reported). */
export function checkUnused({ users }: Tenant, user: User, connection: Connection, body: JsonObject): void {
  for (const identifier of IDENTIFIERS) {
    const sent = textIn(body, identifier);
    if (sent === undefined || !identifierRule(connection, identifier).unique) continue;
    const value = identifier === "phone_number" ? sent : normalizedIdentifier(connection, sent);
    const holder = users.findHolder(connection.name, identifier, value);
    if (!holder || holder.userId === user.userId) continue;
    if (identifier === "username") throw usernameTaken();
    const what = identifier === "email" ? "email" : "phone number";
    throw badRequest(`The specified new ${what} already exists`, "auth0_idp_error");
  }
}

/** What belongs to one identity, and goes to the profile of a linked one when `connection` names it. */
const IDENTITY_ATTRIBUTES = new Set(["email", "email_verified", "username", "phone_number", "phone_verified"]);

/** Always newer than before, even when every value is as it was (recorded). */
function changedUser(tenant: Tenant, user: User, { identity, connection }: UpdateTarget, body: JsonObject): User {
  const updatedAtMs = changedAtMs(user, tenant.now());
  const reset =
    textIn(body, "password") === undefined ? {} : { last_password_reset: new Date(updatedAtMs).toISOString() };
  const changes = { ...body, ...verification(tenant, profileOf(user, identity), body), ...reset };
  if (identity === user.identities[0]) {
    const attributes = withChanges(user.attributes, changes, connection);
    return { ...user, updatedAtMs, attributes: regenerated(tenant, attributes, body) };
  }
  const [ofIdentity, ofUser] = parted(changes, (name) => IDENTITY_ATTRIBUTES.has(name));
  const profileData = withChanges(identity.profileData ?? {}, ofIdentity, connection);
  const [first, ...others] = user.identities;
  return {
    ...user,
    updatedAtMs,
    identities: [first, ...others.map((each) => (each === identity ? { ...identity, profileData } : each))],
    attributes: withChanges(user.attributes, ofUser, connection),
  };
}

/** A new address is no longer verified, where the switch says so and the request does not say otherwise. */
function verification({ switches }: Tenant, profile: JsonObject, body: JsonObject): JsonObject {
  const email = textIn(body, "email");
  if (email === undefined || email.toLowerCase() === textIn(profile, "email")?.toLowerCase()) return {};
  if (body["email_verified"] !== undefined || switches.emailVerifiedOnEmailChange === "kept") return {};
  return { email_verified: false };
}

/** Name, nickname and picture derived anew for a null, where the switch says so. */
function regenerated({ switches }: Tenant, attributes: JsonObject, body: JsonObject): JsonObject {
  if (switches.nullRootAttribute !== "regenerated") return attributes;
  return withDerived(
    attributes,
    PROFILE_ATTRIBUTES.filter((name) => body[name] === null),
  );
}

/** Whether a PATCH logs the user out: a new password always, identifiers as the switch says. */
function endsSessions({ switches }: Tenant, profile: JsonObject, body: JsonObject): boolean {
  if (body["password"] !== undefined) return true;
  const sent = [...IDENTITY_ATTRIBUTES].filter((name) => body[name] !== undefined);
  if (switches.endsSessions === "everything-sent") return sent.length > 0;
  return sent.some((name) => body[name] !== profile[name] && !(name === "email_verified" && body[name] === true));
}

function setPassword(tenant: Tenant, user: User, target: UpdateTarget, password: string | undefined): void {
  if (password === undefined) return;
  const { passwords } = tenant;
  const key = identityKey(target.identity);
  checkPassword(password, target.connection, user.attributes, { passwords, identityKey: key });
  passwords.set(key, password, historySize(target.connection));
}

function parted(object: JsonObject, belongs: (name: string) => boolean): readonly [JsonObject, JsonObject] {
  const entries = Object.entries(object);
  return [
    Object.fromEntries(entries.filter(([name]) => belongs(name))),
    Object.fromEntries(entries.filter(([name]) => !belongs(name))),
  ];
}
