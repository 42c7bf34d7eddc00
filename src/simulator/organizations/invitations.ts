/** `/api/v2/organizations/{id}/invitations`. No mail is sent, and nobody can accept one. */
import { api, type ApiCall, type ApiEndpoint } from "../call.ts";
import { parseFields } from "../fields.ts";
import { parseBody, type Answer } from "../http.ts";
import { alphanumeric, newId } from "../made-up.ts";
import { textIn, textsIn } from "../json.ts";
import { listAnswer } from "../paging.ts";
import { badRequest, refusal } from "../refusal.ts";
import { findRole } from "../roles/roles.ts";
import { checkBody, type Schema } from "../schema.ts";
import { organizationId, organizationOf } from "./organizations.ts";

const PATH = "/organizations/{id}/invitations";
const ITEM_PATH = `${PATH}/{invitation_id}`;

export const INVITATION_ENDPOINTS: readonly ApiEndpoint[] = [
  api("GET", PATH, ["read:organization_invitations"], listInvitations),
  api("POST", PATH, ["create:organization_invitations"], createInvitation),
  api("GET", ITEM_PATH, ["read:organization_invitations"], getInvitation),
  api("DELETE", ITEM_PATH, ["delete:organization_invitations"], deleteInvitation),
];

const DEFAULT_TTL_SECONDS = 604_800;

const SCHEMA: Schema = {
  additional: { hint: "" },
  required: ["client_id", "invitee", "inviter"],
  properties: {
    inviter: {
      type: "object",
      required: ["name"],
      properties: { name: { type: "string", minLength: 1, maxLength: 300 } },
      description: "Information about the inviter.",
    },
    invitee: {
      type: "object",
      required: ["email"],
      properties: { email: { type: "string", format: "email" } },
      description: "Information about the invitee.",
    },
    client_id: { type: "string", description: "Auth0 client ID. Used to resolve the application's login initiation." },
    connection_id: { type: "string", description: "The id of the connection to force invitee to authenticate with." },
    app_metadata: { type: "object", description: "Data related to the user that does affect the core functionality." },
    user_metadata: { type: "object", description: "Data related to the user that does not affect the core." },
    ttl_sec: {
      type: "integer",
      minimum: 0,
      maximum: 2_592_000,
      description: "Number of seconds for which the invitation is valid before expiration.",
    },
    roles: { type: "array", minItems: 1, items: { type: "string" }, description: "List of roles IDs." },
    send_invitation_email: {
      type: "boolean",
      description: "Whether the user will receive an invitation email (true) or no email (false), true by default.",
    },
  },
};

function listInvitations(call: ApiCall): Answer {
  const pick = parseFields(call.query);
  return listAnswer(call.query, "invitations", call.tenant.organizations.invitations.of(organizationId(call)), pick);
}

const TICKET_LENGTH = 32;

function createInvitation(call: ApiCall): Answer {
  const { tenant, request } = call;
  const organization = organizationOf(call);
  const organizationName = textIn(organization, "name") ?? "";
  const body = parseBody(request);
  checkBody(body, SCHEMA);
  const client = tenant.clients.find(textIn(body, "client_id") ?? "");
  if (!client) throw badRequest("The client does not exist", "inexistent_client");
  for (const role of textsIn(body, "roles")) findRole(tenant.roles, role);
  const owner = textIn(organization, "id") ?? "";
  const [id, ticket] = [newId("uinv", tenant.random), alphanumeric(tenant.random, TICKET_LENGTH)];
  const nowMs = tenant.now();
  const { ttl_sec: ttl = DEFAULT_TTL_SECONDS, send_invitation_email: _send, ...sent } = body;
  const login = textIn(client.more ?? {}, "initiate_login_uri") ?? `https://${tenant.domainOf(request)}/login`;
  const invitation = {
    id,
    ...sent,
    invitation_url: `${login}?invitation=${ticket}&organization=${owner}&organization_name=${organizationName}`,
    ticket_id: ticket,
    created_at: new Date(nowMs).toISOString(),
    expires_at: new Date(nowMs + Number(ttl) * 1000).toISOString(),
    organization_id: owner,
  };
  tenant.organizations.invitations.put(owner, id, invitation);
  return { status: 201, body: invitation };
}

/** 404 as recorded. */
function getInvitation(call: ApiCall): Answer {
  const found = call.tenant.organizations.invitations.find(organizationId(call), call.params["invitation_id"] ?? "");
  if (!found) throw refusal(404, "The invitation does not exist.", "inexistent_invitation");
  return { status: 200, body: parseFields(call.query)(found) };
}

/** 204 also for one that is not there (modelled). */
function deleteInvitation(call: ApiCall): Answer {
  call.tenant.organizations.invitations.delete(organizationId(call), call.params["invitation_id"] ?? "");
  return { status: 204 };
}
