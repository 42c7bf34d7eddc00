/** Links that Auth0 would mail to a person: `/api/v2/tickets`. Nobody can follow them here. */
import { api, type ApiCall, type ApiEndpoint } from "../call.ts";
import { parseBody, type Answer } from "../http.ts";
import { alphanumeric } from "../made-up.ts";
import { textIn } from "../json.ts";
import { badRequest, inexistentConnection, inexistentUser } from "../refusal.ts";
import { checkBody, type Property, type Schema } from "../schema.ts";
import type { Tenant } from "../tenant.ts";
import type { User } from "./user.ts";
import { checkUserId } from "./user-id.ts";

export const TICKET_ENDPOINTS: readonly ApiEndpoint[] = [
  api("POST", "/tickets/email-verification", ["create:user_tickets"], createVerificationTicket),
  api("POST", "/tickets/password-change", ["create:user_tickets"], createPasswordTicket),
];

const COMMON: Readonly<Record<string, Property>> = {
  result_url: { type: "string", description: "URL the user will be redirected to once the ticket is used." },
  user_id: { type: "string", description: "user_id of for whom the ticket should be created." },
  client_id: { type: "string", description: "ID of the client (application)." },
  organization_id: { type: "string", description: "(Optional) Organization ID – the ID of the Organization." },
  ttl_sec: { type: "integer", minimum: 0, description: "Number of seconds for which the ticket is valid." },
  includeEmailInRedirect: { type: "boolean", description: "Whether to include the email address in the returnUrl." },
  identity: { type: "object", required: ["user_id", "provider"], description: "The identity to be verified." },
};

const VERIFICATION: Schema = { additional: { hint: "" }, required: ["user_id"], properties: COMMON };

const PASSWORD: Schema = {
  additional: { hint: "" },
  properties: {
    ...COMMON,
    connection_id: { type: "string", pattern: /^con_[A-Za-z0-9]{16}$/, description: "ID of the connection." },
    email: { type: "string", format: "email", description: "Email address of the user." },
    mark_email_as_verified: { type: "boolean", description: "Whether to set the email_verified attribute to true." },
  },
};

function createVerificationTicket({ tenant, request }: ApiCall): Answer {
  const body = parseBody(request);
  checkBody(body, VERIFICATION);
  const user = tenant.users.find(checkUserId(textIn(body, "user_id")));
  if (!user) throw inexistentUser();
  return ticket(tenant, tenant.domainOf(request), user, "email-verification");
}

/** For a user by id, or by connection and e-mail address. */
function createPasswordTicket({ tenant, request }: ApiCall): Answer {
  const body = parseBody(request);
  checkBody(body, PASSWORD);
  const connectionId = textIn(body, "connection_id");
  const user =
    connectionId === undefined
      ? tenant.users.find(checkUserId(textIn(body, "user_id")))
      : userByEmail(tenant, connectionId, textIn(body, "email") ?? "");
  if (!user) throw inexistentUser();
  if (user.identities[0].provider !== "auth0") {
    throw badRequest("The user's main connection does not support this operation.");
  }
  return ticket(tenant, tenant.domainOf(request), user, "reset-password");
}

function userByEmail({ users, connections }: Tenant, connectionId: string, email: string): User | undefined {
  const connection = connections.findById(connectionId);
  if (!connection) throw inexistentConnection(400);
  return users.findHolder(connection.name, "email", email);
}

/** In the form that is recorded. */
function ticket({ random }: Tenant, domain: string, { attributes }: User, page: string): Answer {
  if (attributes["email"] === undefined) throw badRequest("The user does not have an email address.");
  const id = alphanumeric(random, TICKET_LENGTH);
  return { status: 201, body: { ticket: `https://${domain}/u/${page}?ticket=${id}#` } };
}

const TICKET_LENGTH = 32;
