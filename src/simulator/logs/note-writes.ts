/** What each successful write leaves in the log (recorded: `sapi` for all, `ss` and `sdu` besides for users). */
import { isJsonObject, type JsonObject } from "../../runtime/json.ts";
import type { ApiCall, ApiEndpoint, Call } from "../call.ts";
import { keptBody, withoutSecrets } from "../calls.ts";
import { findHeader, type Answer, type SimulatorRequest } from "../http.ts";
import { textIn } from "../json.ts";
import type { User } from "../users/user.ts";

/** As recorded, or as the OpenAPI document names the operation. */
const DESCRIPTIONS: Readonly<Record<string, string>> = {
  "POST /users": "Create a User",
  "PATCH /users/{id}": "Update a User",
  "DELETE /users/{id}": "Delete a User",
  "POST /users/{id}/roles": "Assign roles to a user",
  "DELETE /users/{id}/roles": "Remove roles from a user",
  "POST /users/{id}/permissions": "Assign Permissions to a User",
  "DELETE /users/{id}/permissions": "Remove Permissions from a User",
  "POST /roles": "Create a role",
  "PATCH /roles/{id}": "Update a role",
  "DELETE /roles/{id}": "Delete a role",
  "POST /roles/{id}/users": "Assign users to a role",
  "POST /organizations": "Create an Organization",
  "PATCH /organizations/{id}": "Modify an Organization",
  "DELETE /organizations/{id}": "Delete organization",
  "POST /organizations/{id}/members": "Add members to an organization",
  "DELETE /organizations/{id}/members": "Delete members from an organization",
  "POST /clients": "Create a client",
  "PATCH /clients/{id}": "Update a client",
  "DELETE /clients/{id}": "Delete a client",
  "POST /clients/{id}/rotate-secret": "Rotate a client secret",
  "POST /client-grants": "Create client grant",
  "PATCH /client-grants/{id}": "Update client grant",
  "DELETE /client-grants/{id}": "Delete client grant",
  "POST /connections": "Create a connection",
  "PATCH /connections/{id}": "Update a connection",
  "DELETE /connections/{id}": "Delete a connection",
  "POST /jobs/users-imports": "Create import users job",
  "POST /jobs/users-exports": "Create export users job",
  "POST /jobs/verification-email": "Send an email address verification email",
};

/** Reads leave nothing unless they are refused (documented: `mgmt_api_read` is off by default). */
export function noteWrite(call: ApiCall, endpoint: ApiEndpoint, answer: Answer): void {
  if (endpoint.method === "GET" || answer.status >= 300) return;
  const { tenant, caller, params } = call;
  const route = `${endpoint.method} ${endpoint.path.slice("/api/v2".length)}`;
  const request = keptRequest(call.request);
  const { clientId } = caller;
  tenant.logs.note(tenant.now(), () => {
    const scopes = tenant.clients.find(clientId)?.scopes ?? [];
    return apiOperation(request, { clientId, scopes }, DESCRIPTIONS[route] ?? route, answer);
  });
  const userId = params["id"] ?? "";
  if (route === "DELETE /users/{id}") tenant.logs.note(tenant.now(), () => deletion(userId, clientId));
}

/** What an entry tells of a request, and no more: thousands are held, and a token alone is some kilobytes. */
type KeptRequest = Pick<SimulatorRequest, "method" | "target" | "body" | "headers">;

function keptRequest(request: SimulatorRequest): KeptRequest {
  const { method, target, body } = request;
  const [type, agent] = [findHeader(request, "content-type"), findHeader(request, "user-agent")];
  return { method, target, body, headers: { "content-type": type, "user-agent": agent } };
}

const NOTHING: JsonObject = {
  description: "",
  connection: null,
  connection_id: null,
  organization_id: null,
  organization_name: null,
  client_id: "",
  client_name: "",
  ip: "203.0.113.1",
  hostname: null,
  details: null,
  user_id: null,
  user_name: null,
  user_agent: "Other 0.0.0 / Other 0.0.0",
  audience: null,
  strategy: null,
  strategy_type: null,
  isMobile: false,
  location_info: null,
};

function apiOperation(
  request: KeptRequest,
  { clientId, scopes }: { readonly clientId: string; readonly scopes: readonly string[] },
  description: string,
  { status, body }: Answer,
): JsonObject {
  const [path = "", query = ""] = request.target.split("?", 2);
  return {
    ...NOTHING,
    type: "sapi",
    description,
    client_id: clientId,
    details: {
      request: {
        auth: { credentials: { scopes }, strategy: "jwt", user: {} },
        body: keptBody(request) ?? {},
        channel: "api",
        ip: NOTHING["ip"],
        method: request.method.toLowerCase(),
        path,
        query: Object.fromEntries(new URLSearchParams(query)),
        userAgent: findHeader(request, "user-agent") ?? "",
      },
      response: { body: isJsonObject(body) ? withoutSecrets(body) : (body ?? {}), statusCode: status },
    },
  };
}

/** The id stands in the description, without its prefix (recorded). */
function deletion(userId: string, clientId: string): JsonObject {
  const description = `user_id: ${userId.slice(userId.indexOf("|") + 1)}`;
  return { ...NOTHING, type: "sdu", description, client_id: clientId, user_id: "", user_name: "" };
}

/** Somebody has an account now, by the API or by signing up. */
export function noteSignup({ tenant, request }: Call, user: User, clientId: string): void {
  const { connection, provider } = user.identities[0];
  const domain = tenant.domainOf(request);
  const kept = keptRequest(request);
  tenant.logs.note(tenant.now(), () => ({
    ...NOTHING,
    type: "ss",
    connection,
    connection_id: tenant.connections.findByName(connection)?.id ?? "",
    client_id: clientId,
    details: { body: { ...keptBody(kept), client_id: clientId, tenant: tenantName(domain) } },
    user_id: user.userId,
    user_name: textIn(user.attributes, "username") ?? textIn(user.attributes, "email") ?? "",
    strategy: provider,
    strategy_type: provider === "auth0" ? "database" : "passwordless",
  }));
}

export function noteLogin({ tenant }: Call, user: User): void {
  const { connection, provider } = user.identities[0];
  const name = textIn(user.attributes, "email") ?? "";
  tenant.logs.note(tenant.now(), () => ({
    ...NOTHING,
    type: "s",
    description: "Successful login",
    connection,
    user_id: user.userId,
    user_name: name,
    strategy: provider,
  }));
}

/** What a tenant is called: the first label of its domain. */
export function tenantName(domain: string): string {
  return domain.split(/[.:]/, 1)[0] ?? domain;
}
