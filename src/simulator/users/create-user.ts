/** `POST /api/v2/users`. */
import type { JsonObject } from "../../runtime/json.ts";
import type { ApiCall } from "../call.ts";
import { kindOf, type Connection } from "../connections/connection.ts";
import { IDENTIFIERS, identifierRule, requiresPassword, usernameLength } from "../connections/identifier-rule.ts";
import { findHeader, parseBody, type Answer, type SimulatorRequest } from "../http.ts";
import { textIn } from "../json.ts";
import { noteSignup } from "../logs/note-writes.ts";
import { conflict, inexistentConnection, operationNotSupported } from "../refusal.ts";
import { checkBody, missingProperty, refusePayload } from "../schema.ts";
import type { Tenant } from "../tenant.ts";
import { checkMetadata } from "./metadata.ts";
import { addUser, newUser } from "./new-user.ts";
import { checkPassword } from "./password-policy.ts";
import { createUserSchema, usernameSchema } from "./schemas.ts";
import { shownUser } from "./shown-user.ts";

export function createUser(call: ApiCall): Answer {
  const { tenant, request } = call;
  const body = parseBody(request);
  const schema = createUserSchema(tenant.switches);
  checkBody(body, schema);
  checkMetadata(body, schema);
  const connection = tenant.connections.findByName(textIn(body, "connection") ?? "");
  if (!connection) throw inexistentConnection(400);
  checkConnection(connection, body);
  checkCustomDomain(tenant, request);
  const user = newUser(tenant, connection, body);
  const password = kindOf(connection) === "passwordless" ? undefined : textIn(body, "password");
  if (password !== undefined) checkPassword(password, connection, user.attributes);
  addUser(tenant, connection, user, password);
  noteSignup(call, user, call.caller.clientId);
  return { status: 201, body: shownUser(tenant, user) };
}

/** What the connection says about the request; texts from the OpenAPI document and reports. */
function checkConnection(connection: Connection, body: JsonObject): void {
  const kind = kindOf(connection);
  if (kind === "social" || kind === "enterprise") {
    throw operationNotSupported(
      "Connection does not support user creation through the API. It must either be a database or passwordless connection.",
    );
  }
  if (connection.enabledClients.length === 0) throw operationNotSupported("Connection is disabled.");
  if (body["username"] !== undefined && identifierRule(connection, "username").use === "refused") {
    throw operationNotSupported("Cannot set username for connection without requires_username");
  }
  const required = IDENTIFIERS.filter((identifier) => identifierRule(connection, identifier).use === "required");
  const demanded = requiresPassword(connection) ? [...required, "password"] : required;
  refusePayload(demanded.filter((name) => body[name] === undefined).map(missingProperty));
  checkBody(body, { properties: { username: usernameSchema(usernameLength(connection)) } });
}

/** With several verified domains, and no default among them, each create has to name one (recorded). */
function checkCustomDomain({ customDomains }: Tenant, request: SimulatorRequest): void {
  if (customDomains.length < 2) return;
  if (customDomains.includes(findHeader(request, "auth0-custom-domain") ?? "")) return;
  throw conflict("The tenant has multiple verified custom domains.", "custom_domain_conflict");
}
