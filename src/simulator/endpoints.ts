/** Every endpoint of the tenant: a family of rows from each file that serves some. */
import { api, type ApiEndpoint, type AuthenticationEndpoint } from "./call.ts";
import { CLIENT_GRANT_ENDPOINTS } from "./clients/client-grants.ts";
import { CLIENT_ENDPOINTS } from "./clients/clients.ts";
import { CREDENTIAL_ENDPOINTS } from "./clients/credentials.ts";
import { CONNECTION_KEY_ENDPOINTS } from "./connections/keys.ts";
import { OPTIONS_SCOPE } from "./connections/read-connections.ts";
import { SCIM_ENDPOINTS } from "./connections/scim.ts";
import { CONNECTION_ENDPOINTS } from "./connections/write-connections.ts";
import { DELIVERY_ENDPOINTS } from "./event-streams/deliveries.ts";
import { EVENT_STREAM_ENDPOINTS } from "./event-streams/event-streams.ts";
import { subscribeEvents } from "./feed/subscribe-events.ts";
import { JOB_ENDPOINTS } from "./jobs/jobs.ts";
import { LOG_ENDPOINTS } from "./logs/read-logs.ts";
import { signUp } from "./oauth/signup.ts";
import { issueToken } from "./oauth/token.ts";
import { DISCOVERY_DOMAIN_ENDPOINTS } from "./organizations/discovery-domains.ts";
import { ENABLED_CONNECTION_ENDPOINTS } from "./organizations/enabled-connections.ts";
import { INVITATION_ENDPOINTS } from "./organizations/invitations.ts";
import { MEMBER_ENDPOINTS } from "./organizations/members.ts";
import { ORGANIZATION_ENDPOINTS } from "./organizations/organizations.ts";
import { RESOURCE_SERVER_ENDPOINTS } from "./resource-servers/resource-servers.ts";
import { PERMISSION_ENDPOINTS } from "./roles/permissions.ts";
import { ROLE_USER_ENDPOINTS } from "./roles/role-users.ts";
import { ROLE_ENDPOINTS } from "./roles/roles.ts";
import { listUsers } from "./search/list-users.ts";
import { SESSION_ENDPOINTS } from "./sessions/sessions.ts";
import { TENANT_ENDPOINTS } from "./tenant-endpoints.ts";
import { ACCOUNT_ENDPOINTS } from "./users/accounts.ts";
import { AUTHENTICATION_METHOD_ENDPOINTS } from "./users/authentication-methods.ts";
import { createUser } from "./users/create-user.ts";
import { linkIdentity, unlinkIdentity } from "./users/identities.ts";
import { deleteUser, getUser, listUsersByEmail } from "./users/read-users.ts";
import { SECOND_FACTOR_ENDPOINTS } from "./users/second-factors.ts";
import { TICKET_ENDPOINTS } from "./users/tickets.ts";
import { updateUser } from "./users/update-user.ts";
import { USER_BLOCK_ENDPOINTS } from "./users/user-blocks.ts";

const USER = "/users/{id}";

/** Scopes from the OpenAPI document; those for users' own tokens stand in the refusal's text only. */
const USER_ENDPOINTS: readonly ApiEndpoint[] = [
  api("GET", "/users", ["read:users", "read:user_idp_tokens"], listUsers, "readUsers"),
  api("POST", "/users", ["create:users"], createUser, "writeUsers"),
  api("GET", "/users-by-email", ["read:users"], listUsersByEmail, "readUsers"),
  api("GET", USER, ["read:users", "read:user_idp_tokens", "read:current_user"], getUser, "readUsers"),
  api(
    "PATCH",
    USER,
    ["update:users", "update:users_app_metadata", "update:current_user_metadata"],
    updateUser,
    "writeUsers",
  ),
  api("DELETE", USER, ["delete:users", "delete:current_user"], deleteUser, "deleteUsers"),
  api("POST", `${USER}/identities`, ["update:users", "update:current_user_identities"], linkIdentity),
  api(
    "DELETE",
    `${USER}/identities/{provider}/{user_id}`,
    ["update:users", "update:current_user_identities"],
    unlinkIdentity,
  ),
];

export const API_ENDPOINTS: readonly ApiEndpoint[] = [
  ...USER_ENDPOINTS,
  ...ROLE_ENDPOINTS,
  ...ROLE_USER_ENDPOINTS,
  ...PERMISSION_ENDPOINTS,
  ...ORGANIZATION_ENDPOINTS,
  ...MEMBER_ENDPOINTS,
  ...ENABLED_CONNECTION_ENDPOINTS,
  ...INVITATION_ENDPOINTS,
  ...DISCOVERY_DOMAIN_ENDPOINTS,
  ...RESOURCE_SERVER_ENDPOINTS,
  ...CLIENT_ENDPOINTS,
  ...CREDENTIAL_ENDPOINTS,
  ...CLIENT_GRANT_ENDPOINTS,
  ...CONNECTION_ENDPOINTS,
  ...SCIM_ENDPOINTS,
  ...CONNECTION_KEY_ENDPOINTS,
  ...JOB_ENDPOINTS,
  ...TICKET_ENDPOINTS,
  ...USER_BLOCK_ENDPOINTS,
  ...AUTHENTICATION_METHOD_ENDPOINTS,
  ...SECOND_FACTOR_ENDPOINTS,
  ...SESSION_ENDPOINTS,
  ...ACCOUNT_ENDPOINTS,
  ...LOG_ENDPOINTS,
  ...EVENT_STREAM_ENDPOINTS,
  ...DELIVERY_ENDPOINTS,
  ...TENANT_ENDPOINTS,
  api("GET", "/events", ["read:events"], subscribeEvents),
];

export const AUTHENTICATION_ENDPOINTS: readonly AuthenticationEndpoint[] = [
  { kind: "authentication", method: "POST", path: "/oauth/token", handle: issueToken },
  { kind: "authentication", method: "POST", path: "/dbconnections/signup", handle: signUp },
];

/**
 * What a client is granted that does not name its scopes: everything that is served, but for what belongs to users' own
 * tokens, and the identity providers' tokens, which nobody should ask for.
 */
export const ALL_SCOPES: readonly string[] = [
  ...new Set([...API_ENDPOINTS.flatMap(({ scopes }) => scopes), OPTIONS_SCOPE]),
].filter((scope) => scope !== "read:user_idp_tokens" && !scope.includes(":current_user"));
