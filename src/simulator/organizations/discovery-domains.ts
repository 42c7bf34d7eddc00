/** `/api/v2/organizations/{id}/discovery-domains`: domains of e-mail addresses by which an organization is found at login. */
import type { JsonObject } from "../../runtime/json.ts";
import { api, type ApiCall, type ApiEndpoint } from "../call.ts";
import { parseBody, type Answer } from "../http.ts";
import { newId } from "../made-up.ts";
import { textIn } from "../json.ts";
import { checkpointAnswer } from "../paging.ts";
import { refusal } from "../refusal.ts";
import { checkBody, type Property } from "../schema.ts";
import { organizationId } from "./organizations.ts";

const PATH = "/organizations/{id}/discovery-domains";
const ITEM_PATH = `${PATH}/{domain_id}`;

export const DISCOVERY_DOMAIN_ENDPOINTS: readonly ApiEndpoint[] = [
  api("GET", PATH, ["read:organization_discovery_domains"], listDomains),
  api("POST", PATH, ["create:organization_discovery_domains"], createDomain),
  api("GET", `${PATH}/name/{name}`, ["read:organization_discovery_domains"], getDomainByName),
  api("GET", ITEM_PATH, ["read:organization_discovery_domains"], (call) => ({ status: 200, body: domainOf(call) })),
  api("PATCH", ITEM_PATH, ["update:organization_discovery_domains"], updateDomain),
  api("DELETE", ITEM_PATH, ["delete:organization_discovery_domains"], deleteDomain),
];

const SETTINGS: Readonly<Record<string, Property>> = {
  status: {
    type: "string",
    enum: ["pending", "verified"],
    description: "The verification status of the discovery domain.",
  },
  use_for_organization_discovery: {
    type: "boolean",
    description: "Indicates whether this discovery domain should be used for organization discovery.",
  },
};

const DOMAIN: Property = {
  type: "string",
  minLength: 3,
  maxLength: 255,
  description: "The domain name to associate with the organization e.g. acme.com.",
};

function listDomains(call: ApiCall): Answer {
  const domains = call.tenant.organizations.domains.of(organizationId(call));
  return checkpointAnswer(call.query, "domains", domains, (domain) => domain, {
    position: (domain) => textIn(domain, "id") ?? "",
  });
}

/** Pending until somebody says otherwise: no record is ever looked up. */
function createDomain(call: ApiCall): Answer {
  const { tenant } = call;
  const organization = organizationId(call);
  const body = parseBody(call.request);
  checkBody(body, { required: ["domain"], properties: { domain: DOMAIN, ...SETTINGS }, additional: { hint: "" } });
  const domain = (textIn(body, "domain") ?? "").toLowerCase();
  if (findByName(call, domain)) throw refusal(409, "A discovery domain with this name already exists.");
  const id = newId("ord", tenant.random, 22);
  const made = {
    id,
    domain,
    status: body["status"] ?? "pending",
    verification_host: `_ss-verification.${organization}.${domain}`,
    verification_txt: tenant.random.bytes(16).toString("hex"),
    use_for_organization_discovery: body["use_for_organization_discovery"] ?? true,
  };
  tenant.organizations.domains.put(organization, id, made);
  return { status: 201, body: made };
}

function findByName(call: ApiCall, name: string): JsonObject | undefined {
  return call.tenant.organizations.domains.of(organizationId(call)).find(({ domain }) => domain === name);
}

function getDomainByName(call: ApiCall): Answer {
  const found = findByName(call, (call.params["name"] ?? "").toLowerCase());
  if (!found) throw refusal(404, "No organization domain found by that name");
  return { status: 200, body: found };
}

/** @throws Refusal 404, without an errorCode (recorded) */
function domainOf(call: ApiCall): JsonObject {
  const found = call.tenant.organizations.domains.find(organizationId(call), call.params["domain_id"] ?? "");
  if (!found) throw refusal(404, "No organization domain found by that id");
  return found;
}

function updateDomain(call: ApiCall): Answer {
  const before = domainOf(call);
  const body = parseBody(call.request);
  checkBody(body, { properties: SETTINGS, additional: { hint: "" } });
  const changed = { ...before, ...body };
  call.tenant.organizations.domains.put(organizationId(call), textIn(before, "id") ?? "", changed);
  return { status: 200, body: changed };
}

/** 204 also for one that is not there (recorded). */
function deleteDomain(call: ApiCall): Answer {
  call.tenant.organizations.domains.delete(organizationId(call), call.params["domain_id"] ?? "");
  return { status: 204 };
}
