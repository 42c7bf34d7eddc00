/** Sessions and refresh tokens of users, which a login makes (`/_simulator/users/{id}/login`) and revocation ends. */
import type { JsonObject } from "../../runtime/json.ts";
import { api, type ApiCall, type ApiEndpoint, type Call } from "../call.ts";
import { parseBody, type Answer } from "../http.ts";
import { alphanumeric } from "../made-up.ts";
import { textIn } from "../json.ts";
import { checkpointAnswer } from "../paging.ts";
import { checkBody } from "../schema.ts";
import type { Collection } from "../state/collection.ts";
import { parseObject, type State } from "../state/state.ts";
import type { Tenant } from "../tenant.ts";
import { forgetOf, itemsOf } from "../users/accounts.ts";
import { userOf } from "../users/user-of.ts";
import { changedAtMs, wireUser } from "../users/user.ts";
import type { Users } from "../users/users.ts";

export class Sessions {
  readonly sessions: Collection<JsonObject>;
  readonly refreshTokens: Collection<JsonObject>;

  constructor(state: State, users: Users) {
    this.sessions = state.collection("sessions", parseObject);
    this.refreshTokens = state.collection("refreshTokens", parseObject);
    users.subscribe((before, after) => {
      if (!before || after) return;
      forgetOf(this.sessions, before.userId);
      forgetOf(this.refreshTokens, before.userId);
    });
  }
}

export const SESSION_ENDPOINTS: readonly ApiEndpoint[] = [
  api("GET", "/users/{id}/sessions", ["read:sessions"], (call) =>
    list(call, "sessions", call.tenant.sessions.sessions),
  ),
  api("DELETE", "/users/{id}/sessions", ["delete:sessions"], endSessions),
  api("GET", "/users/{id}/refresh-tokens", ["read:refresh_tokens"], (call) =>
    list(call, "tokens", call.tenant.sessions.refreshTokens),
  ),
  api("DELETE", "/users/{id}/refresh-tokens", ["delete:refresh_tokens"], endRefreshTokens),
  api("POST", "/users/{id}/revoke-access", ["delete:sessions", "delete:refresh_tokens"], revokeAccess),
];

function list(call: ApiCall, name: string, items: Collection<JsonObject>): Answer {
  const found = itemsOf(items, userOf(call).userId);
  return checkpointAnswer(call.query, name, found, (item) => item, { position: (item) => textIn(item, "id") ?? "" });
}

/** Accepted, not done (202, recorded); here it is done at once. */
const ACCEPTED: Answer = { status: 202, body: {} };

function endSessions(call: ApiCall): Answer {
  forgetOf(call.tenant.sessions.sessions, userOf(call).userId);
  return ACCEPTED;
}

function endRefreshTokens(call: ApiCall): Answer {
  forgetOf(call.tenant.sessions.refreshTokens, userOf(call).userId);
  return ACCEPTED;
}

/** One session with its refresh tokens, or all of them. */
function revokeAccess(call: ApiCall): Answer {
  const { sessions, refreshTokens } = call.tenant.sessions;
  const body = call.request.body.length === 0 ? {} : parseBody(call.request);
  checkBody(body, {
    additional: { hint: "" },
    properties: {
      session_id: { type: "string", maxLength: 50, description: "ID of the session to revoke." },
      preserve_refresh_tokens: {
        type: "boolean",
        description: "Whether to preserve the refresh tokens of the session.",
      },
    },
  });
  const { userId } = userOf(call);
  const only = textIn(body, "session_id");
  const isRevoked = (sessionId: unknown): boolean => only === undefined || sessionId === only;
  if (body["preserve_refresh_tokens"] !== true) {
    for (const token of itemsOf(refreshTokens, userId)) {
      if (isRevoked(token["session_id"])) refreshTokens.delete(textIn(token, "id") ?? "");
    }
  }
  for (const session of itemsOf(sessions, userId)) {
    if (isRevoked(session["id"])) sessions.delete(textIn(session, "id") ?? "");
  }
  return ACCEPTED;
}

const SESSION_SECONDS = 3 * 24 * 3600;

/** As if the person had logged in: a session, a refresh token, and the user's `last_login`, `last_ip` and `logins_count`. */
export function logIn(call: Call): Answer {
  const { tenant } = call;
  const user = userOf(call);
  const nowMs = changedAtMs(user, tenant.now());
  const now = new Date(nowMs).toISOString();
  const count = user.attributes["logins_count"];
  const counted = typeof count === "number" ? count + 1 : 1;
  const login = { last_login: now, last_ip: "203.0.113.1", logins_count: counted };
  const changed = { ...user, updatedAtMs: nowMs, attributes: { ...user.attributes, ...login } };
  tenant.users.put(changed);
  addSession(tenant, user.userId, now, new Date(nowMs + SESSION_SECONDS * 1000).toISOString());
  return { status: 201, body: wireUser(changed) };
}

function addSession({ random, sessions }: Tenant, userId: string, now: string, until: string): void {
  const id = alphanumeric(random, 32);
  const times = { user_id: userId, created_at: now, expires_at: until };
  sessions.sessions.put(id, { id, ...times, authenticated_at: now, updated_at: now, idle_expires_at: until });
  const token = alphanumeric(random, 32);
  sessions.refreshTokens.put(token, { id: token, ...times, session_id: id, rotating: false });
}
