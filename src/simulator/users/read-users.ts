/** Reading and deleting single users: `GET` and `DELETE /api/v2/users/{id}`, `GET /api/v2/users-by-email`. */
import type { ApiCall } from "../call.ts";
import { parseFields } from "../fields.ts";
import type { Answer } from "../http.ts";
import { inexistentUser } from "../refusal.ts";
import { checkQuery, type Schema } from "../schema.ts";
import type { Tenant } from "../tenant.ts";
import { shownUser } from "./shown-user.ts";
import { checkUserId } from "./user-id.ts";
import { identityKey } from "./user.ts";

/** Strongly consistent (documented). */
export function getUser({ tenant, params, query }: ApiCall): Answer {
  const pick = parseFields(query);
  const user = tenant.users.find(checkUserId(params["id"]));
  if (!user) throw inexistentUser();
  return { status: 200, body: pick(shownUser(tenant, user)) };
}

/** Exact and with regard to case, whatever the connection; strongly consistent, not paged (documented, recorded). */
export function listUsersByEmail({ tenant, query }: ApiCall): Answer {
  const pick = parseFields(query);
  checkQuery(query, BY_EMAIL_SCHEMA);
  const email = query.get("email") ?? "";
  const users = tenant.users.findByIdentifier("email", email).filter((user) => user.attributes["email"] === email);
  return { status: 200, body: users.map((user) => pick(shownUser(tenant, user))) };
}

const BY_EMAIL_SCHEMA: Schema = {
  required: ["email"],
  properties: { email: { type: "string", description: "Email address to search for (case-sensitive)." } },
};

/** 204 also for a user that is not there (recorded). Linked identities go with their user. */
export function deleteUser({ tenant, params }: ApiCall): Answer {
  removeUser(tenant, checkUserId(params["id"]));
  return { status: 204 };
}

export function removeUser({ users, passwords }: Tenant, userId: string): void {
  for (const identity of users.find(userId)?.identities ?? []) passwords.forget(identityKey(identity));
  users.delete(userId);
}
