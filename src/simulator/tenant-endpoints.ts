/** What clients ask of the tenant itself: its settings, custom domains, and tickets for second factors. */
import { api, type ApiCall, type ApiEndpoint } from "./call.ts";
import { parseFields } from "./fields.ts";
import { parseBody, type Answer } from "./http.ts";
import { alphanumeric } from "./made-up.ts";
import { textIn } from "./json.ts";
import { inexistentUser } from "./refusal.ts";
import { tenantName } from "./logs/note-writes.ts";
import { checkBody } from "./schema.ts";

export const TENANT_ENDPOINTS: readonly ApiEndpoint[] = [
  api("GET", "/tenants/settings", ["read:tenant_settings"], getSettings),
  api("GET", "/custom-domains", ["read:custom_domains"], listCustomDomains),
  api("POST", "/guardian/enrollments/ticket", ["create:guardian_enrollment_tickets"], createEnrollmentTicket),
];

function getSettings({ tenant, request, query }: ApiCall): Answer {
  const settings = { friendly_name: tenantName(tenant.domainOf(request)), enabled_locales: ["en"], flags: {} };
  return { status: 200, body: parseFields(query)(settings) };
}

function listCustomDomains({ tenant }: ApiCall): Answer {
  const domains = tenant.customDomains.map((domain, index) => ({
    custom_domain_id: `cd_${String(index).padStart(16, "0")}`,
    domain,
    primary: false,
    status: "ready",
    type: "auth0_managed_certs",
    verification: { methods: [] },
  }));
  return { status: 200, body: domains };
}

const TICKET_LENGTH = 32;

function createEnrollmentTicket({ tenant, request }: ApiCall): Answer {
  const body = parseBody(request);
  checkBody(body, {
    required: ["user_id"],
    properties: {
      user_id: { type: "string", description: "user_id for the enrollment ticket." },
      email: {
        type: "string",
        format: "email",
        description: "Alternate email to which the enrollment email will be sent.",
      },
      send_mail: { type: "boolean", description: "Send an email to the user to start the enrollment." },
    },
  });
  if (!tenant.users.find(textIn(body, "user_id") ?? "")) throw inexistentUser();
  const id = alphanumeric(tenant.random, TICKET_LENGTH);
  const url = `https://${tenant.domainOf(request)}/u/mfa-enrollment?ticket=${id}`;
  return { status: 200, body: { ticket_id: id, ticket_url: url } };
}
