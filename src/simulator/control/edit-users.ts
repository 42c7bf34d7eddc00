/** Users as a person in the dashboard sees and edits them: no token, no limits, and none of the rules of a PATCH. */
import { isJsonObject, type JsonObject } from "../../runtime/json.ts";
import type { Call } from "../call.ts";
import type { Connection } from "../connections/connection.ts";
import { parseBody, type Answer } from "../http.ts";
import { textIn } from "../json.ts";
import { inexistentConnection, inexistentUser } from "../refusal.ts";
import type { Tenant } from "../tenant.ts";
import { withChanges } from "../users/attributes.ts";
import { addUser, identified, newUser } from "../users/new-user.ts";
import { historySize } from "../users/password-policy.ts";
import { removeUser } from "../users/read-users.ts";
import { checkUnused } from "../users/update-user.ts";
import { changedAtMs, wireUser, type User } from "../users/user.ts";

/**
 * Everyone; with `search` those whose id or a root attribute has the text in it, with `limit` as many of the newest. How
 * many there are is in `x-total-count`.
 */
export function showUsers({ tenant, query }: Call): Answer {
  const [search, limit] = [(query.get("search") ?? "").toLowerCase(), Number(query.get("limit") ?? NaN)];
  const users = Array.from(tenant.users.values()).filter((user) => search === "" || hasText(user, search));
  const shown = Number.isInteger(limit) ? users.slice(-limit).toReversed() : users;
  return { status: 200, body: shown.map(wireUser), headers: { "x-total-count": String(users.length) } };
}

function hasText({ userId, attributes }: User, text: string): boolean {
  if (userId.toLowerCase().includes(text)) return true;
  return Object.values(attributes).some((value) => typeof value === "string" && value.toLowerCase().includes(text));
}

export function showUser(call: Call): Answer {
  return { status: 200, body: wireUser(userOf(call)) };
}

export function enterUser({ tenant, request }: Call): Answer {
  return { status: 201, body: wireUser(seedUser(tenant, parseBody(request))) };
}

/**
 * Adds a user of any connection, also of those that the API cannot create users in, with any root attributes.
 *
 * @param body what POST /users takes, or what GET answers: `user_id` with or without prefix, the connection from
 *   `connection`, else from the first of `identities`, else the tenant's first
 * @throws Refusal when there is no such connection, or an identifier is taken
 */
export function seedUser(tenant: Tenant, body: JsonObject): User {
  const { user_id: userId, identities, created_at: createdAt, updated_at: updatedAt, ...sent } = body;
  const connection = connectionOf(tenant, sent["connection"] ?? firstConnection(identities));
  const prefix = `${connection.strategy}|`;
  const localId = typeof userId === "string" ? userId.slice(userId.startsWith(prefix) ? prefix.length : 0) : undefined;
  const user = newUser(tenant, connection, sent);
  const seeded = {
    ...user,
    ...(localId !== undefined && identified(connection, localId)),
    createdAtMs: epochMs(createdAt) ?? user.createdAtMs,
    updatedAtMs: epochMs(updatedAt) ?? user.updatedAtMs,
  };
  addUser(tenant, connection, seeded, textIn(body, "password"));
  return seeded;
}

function connectionOf({ connections }: Tenant, name: unknown): Connection {
  const [first] = connections.values();
  const found = typeof name === "string" ? connections.findByName(name) : first;
  if (!found) throw inexistentConnection(400);
  return found;
}

function firstConnection(identities: unknown): unknown {
  const [first]: readonly unknown[] = Array.isArray(identities) ? identities : [];
  return isJsonObject(first) ? first["connection"] : undefined;
}

function epochMs(time: unknown): number | undefined {
  const ms = typeof time === "string" ? Date.parse(time) : NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

/** null removes, metadata merge, everything else replaces, whatever the connection; a password is set unchecked. */
export function editUser(call: Call): Answer {
  const { tenant, request } = call;
  const user = userOf(call);
  const changes = withoutStructure(parseBody(request));
  const connection = connectionOf(tenant, user.identities[0].connection);
  checkUnused(tenant, user, connection, changes);
  const attributes = withChanges(user.attributes, changes, connection);
  const edited = { ...user, updatedAtMs: changedAtMs(user, tenant.now()), attributes };
  const password = textIn(changes, "password");
  if (password !== undefined) tenant.passwords.set(user.userId, password, historySize(connection));
  tenant.users.put(edited);
  return { status: 200, body: wireUser(edited) };
}

const STRUCTURE = new Set(["user_id", "identities", "created_at", "updated_at"]);

function withoutStructure(body: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([name]) => !STRUCTURE.has(name)));
}

export function dropUser({ tenant, params }: Call): Answer {
  removeUser(tenant, params["id"] ?? "");
  return { status: 204 };
}

/** Whether `candidate` is the user's password. */
export function checkCandidate(call: Call): Answer {
  const { userId } = userOf(call);
  return { status: 200, body: { matches: call.tenant.passwords.matches(userId, call.query.get("candidate") ?? "") } };
}

/** @throws Refusal 404 */
function userOf({ tenant, params }: Call): User {
  const user = tenant.users.find(params["id"] ?? "");
  if (!user) throw inexistentUser();
  return user;
}
