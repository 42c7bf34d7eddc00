/** Every endpoint of the tenant, a row each. */
import type { ApiEndpoint, AuthenticationEndpoint } from "./call.ts";
import { getConnection, listConnections, OPTIONS_SCOPE } from "./connections/read-connections.ts";
import { subscribeEvents } from "./feed/subscribe-events.ts";
import { issueToken } from "./oauth/token.ts";
import { listUsers } from "./search/list-users.ts";
import { createUser } from "./users/create-user.ts";
import { linkIdentity, unlinkIdentity } from "./users/identities.ts";
import { deleteUser, getUser, listUsersByEmail } from "./users/read-users.ts";
import { updateUser } from "./users/update-user.ts";

/** Scopes from the OpenAPI document; those for users' own tokens stand in the refusal's text only. */
export const API_ENDPOINTS: readonly ApiEndpoint[] = [
  {
    kind: "api",
    method: "GET",
    path: "/api/v2/users",
    scopes: ["read:users", "read:user_idp_tokens"],
    bucket: "readUsers",
    handle: listUsers,
  },
  {
    kind: "api",
    method: "POST",
    path: "/api/v2/users",
    scopes: ["create:users"],
    bucket: "writeUsers",
    handle: createUser,
  },
  {
    kind: "api",
    method: "GET",
    path: "/api/v2/users-by-email",
    scopes: ["read:users"],
    bucket: "readUsers",
    handle: listUsersByEmail,
  },
  {
    kind: "api",
    method: "GET",
    path: "/api/v2/users/{id}",
    scopes: ["read:users", "read:user_idp_tokens", "read:current_user"],
    bucket: "readUsers",
    handle: getUser,
  },
  {
    kind: "api",
    method: "PATCH",
    path: "/api/v2/users/{id}",
    scopes: ["update:users", "update:users_app_metadata", "update:current_user_metadata"],
    bucket: "writeUsers",
    handle: updateUser,
  },
  {
    kind: "api",
    method: "DELETE",
    path: "/api/v2/users/{id}",
    scopes: ["delete:users", "delete:current_user"],
    bucket: "deleteUsers",
    handle: deleteUser,
  },
  {
    kind: "api",
    method: "POST",
    path: "/api/v2/users/{id}/identities",
    scopes: ["update:users", "update:current_user_identities"],
    bucket: "other",
    handle: linkIdentity,
  },
  {
    kind: "api",
    method: "DELETE",
    path: "/api/v2/users/{id}/identities/{provider}/{user_id}",
    scopes: ["update:users", "update:current_user_identities"],
    bucket: "other",
    handle: unlinkIdentity,
  },
  {
    kind: "api",
    method: "GET",
    path: "/api/v2/connections",
    scopes: ["read:connections"],
    bucket: "connections",
    handle: listConnections,
  },
  {
    kind: "api",
    method: "GET",
    path: "/api/v2/connections/{id}",
    scopes: ["read:connections"],
    bucket: "connections",
    handle: getConnection,
  },
  {
    kind: "api",
    method: "GET",
    path: "/api/v2/events",
    scopes: ["read:events"],
    bucket: "other",
    handle: subscribeEvents,
  },
];

export const AUTHENTICATION_ENDPOINTS: readonly AuthenticationEndpoint[] = [
  { kind: "authentication", method: "POST", path: "/oauth/token", handle: issueToken },
];

/**
 * What a client is granted that does not name its scopes: everything that is served, but for what belongs to users' own
 * tokens, and the identity providers' tokens, which nobody should ask for.
 */
export const ALL_SCOPES: readonly string[] = [
  ...new Set([...API_ENDPOINTS.flatMap(({ scopes }) => scopes), OPTIONS_SCOPE]),
].filter((scope) => scope !== "read:user_idp_tokens" && !scope.includes(":current_user"));
