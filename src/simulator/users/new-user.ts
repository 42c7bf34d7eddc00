/** A new user: made from what was sent, and added to the tenant if nothing stands in its way. */
import type { JsonObject } from "../../runtime/json.ts";
import { kindOf, type Connection } from "../connections/connection.ts";
import { IDENTIFIERS, identifierRule } from "../connections/identifier-rule.ts";
import { newObjectId } from "../made-up.ts";
import { textIn } from "../json.ts";
import { badRequest, conflict, type Refusal } from "../refusal.ts";
import type { Tenant } from "../tenant.ts";
import { withChanges, withDerived } from "./attributes.ts";
import { historySize } from "./password-policy.ts";
import type { User } from "./user.ts";

/** The user that `body` asks for; nothing is changed yet. Ids can be chosen in databases of Auth0's own store only. */
export function newUser(tenant: Tenant, connection: Connection, body: JsonObject): User {
  const { user_id: chosen, ...sent } = body;
  const mayChoose = kindOf(connection) === "database" && typeof chosen === "string" && chosen !== "";
  const attributes = withChanges({}, sent, connection);
  const verification = attributes["email"] === undefined ? {} : { email_verified: false };
  const now = tenant.now();
  return {
    ...identified(connection, mayChoose ? chosen : newObjectId(tenant.random)),
    createdAtMs: now,
    updatedAtMs: now,
    attributes: withDerived({ ...verification, ...attributes }),
  };
}

/** @param localId without the provider's prefix */
export function identified(connection: Connection, localId: string): Pick<User, "userId" | "identities"> {
  const { name, strategy } = connection;
  return {
    userId: `${strategy}|${localId}`,
    identities: [{ connection: name, user_id: localId, provider: strategy, isSocial: kindOf(connection) === "social" }],
  };
}

/** @throws Refusal 409, or 400 for a username, when another user has the id or an identifier that must be unique */
export function addUser(tenant: Tenant, connection: Connection, user: User, password: string | undefined): void {
  const { users, passwords, recentDeletions } = tenant;
  if (users.findByIdentity(user.userId)) throw userExists();
  for (const identifier of IDENTIFIERS) {
    const value = textIn(user.attributes, identifier);
    if (value === undefined || !identifierRule(connection, identifier).unique) continue;
    if (users.findHolder(connection.name, identifier, value)) {
      throw identifier === "username" ? usernameTaken() : userExists();
    }
    if (identifier === "email" && recentDeletions.blocks(connection.name, value)) throw userExists();
  }
  if (password !== undefined) passwords.set(user.userId, password, historySize(connection));
  users.put(user);
}

/** Reported by many. */
function userExists(): Refusal {
  return conflict("The user already exists.", "auth0_idp_error");
}

/** Reported by several, as 400; its errorCode was never quoted and is that of a used e-mail address. */
export function usernameTaken(): Refusal {
  return badRequest("The username provided is in use already.", "auth0_idp_error");
}
