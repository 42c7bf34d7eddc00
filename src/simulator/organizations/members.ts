/** Who belongs to an organization and with which roles, and the organizations of a user. */
import type { JsonObject } from "../../runtime/json.ts";
import { api, type ApiCall, type ApiEndpoint } from "../call.ts";
import { parseFields } from "../fields.ts";
import { parseBody, type Answer } from "../http.ts";
import { textsIn } from "../json.ts";
import { checkpointAnswer, isCheckpointed, listAnswer } from "../paging.ts";
import { inexistentUser, refusal } from "../refusal.ts";
import { linkPosition, roleListSchema } from "../roles/role-users.ts";
import { findRole, shownRole, sortedRoles } from "../roles/roles.ts";
import { checkBody, type Schema } from "../schema.ts";
import type { Link } from "../state/links.ts";
import type { Tenant } from "../tenant.ts";
import { shortUser } from "../users/short-user.ts";
import { userOf } from "../users/user-of.ts";
import { membershipKey, organizationId } from "./organizations.ts";

const MEMBERS_PATH = "/organizations/{id}/members";
const ROLES_PATH = `${MEMBERS_PATH}/{user_id}/roles`;

export const MEMBER_ENDPOINTS: readonly ApiEndpoint[] = [
  api("GET", MEMBERS_PATH, ["read:organization_members"], listMembers, "readMembers"),
  api("POST", MEMBERS_PATH, ["create:organization_members"], addMembers, "writeMembers"),
  api("DELETE", MEMBERS_PATH, ["delete:organization_members"], removeMembers, "writeMembers"),
  api("GET", ROLES_PATH, ["read:organization_member_roles"], listMemberRoles, "readMembers"),
  api("POST", ROLES_PATH, ["create:organization_member_roles"], addMemberRoles, "writeMembers"),
  api("DELETE", ROLES_PATH, ["delete:organization_member_roles"], removeMemberRoles, "writeMembers"),
  api("GET", "/users/{id}/organizations", ["read:organizations"], listUserOrganizations),
];

/** Roles are shown where `fields` asks for them. Until 2026-08 `next` also stood on the last page (recorded). */
function listMembers(call: ApiCall): Answer {
  const { tenant, query } = call;
  const organization = organizationId(call);
  const pick = parseFields(query);
  const withRoles = (query.get("fields") ?? "").split(",").includes("roles");
  const show = ({ to }: Link): JsonObject => {
    const user = tenant.users.find(to);
    const roles = withRoles ? { roles: rolesOf(tenant, organization, to).map(({ id, name }) => ({ id, name })) } : {};
    return pick({ ...(user ? shortUser(user) : { user_id: to }), ...roles });
  };
  const links = tenant.organizations.members.from(organization);
  if (!isCheckpointed(query)) return listAnswer(query, "members", links, show);
  return checkpointAnswer(query, "members", links, show, {
    position: linkPosition,
    always: !tenant.isSince("2026-08"),
  });
}

function rolesOf({ roles, organizations }: Tenant, organization: string, user: string): readonly JsonObject[] {
  const links = organizations.memberRoles.from(membershipKey(organization, user));
  return sortedRoles(links.map(({ to }) => findRole(roles, to)));
}

const MEMBERS: Schema = {
  required: ["members"],
  properties: {
    members: {
      type: "array",
      minItems: 1,
      items: { type: "string" },
      description: "List of user IDs to add to the organization as members.",
    },
  },
};

function sentMembers({ request }: ApiCall): readonly string[] {
  const body = parseBody(request);
  checkBody(body, MEMBERS);
  return textsIn(body, "members");
}

function addMembers(call: ApiCall): Answer {
  const { tenant } = call;
  const organization = organizationId(call);
  const members = sentMembers(call);
  if (members.some((id) => !tenant.users.find(id))) throw inexistentUser();
  for (const member of members) tenant.organizations.members.add(organization, member, tenant.now());
  return { status: 204 };
}

function removeMembers(call: ApiCall): Answer {
  const organization = organizationId(call);
  for (const member of sentMembers(call)) call.tenant.organizations.removeMember(organization, member);
  return { status: 204 };
}

function listMemberRoles(call: ApiCall): Answer {
  const { tenant, query } = call;
  const { userId } = userOf(call, "user_id");
  return listAnswer(query, "roles", rolesOf(tenant, organizationId(call), userId), shownRole);
}

const TO_ASSIGN = roleListSchema("List of roles IDs to associated with the user.");
const TO_REMOVE = roleListSchema("List of roles IDs associated with the organization member to remove.");

/** As many roles as a member may have (documented). */
const MAX_ROLES = 50;

/** Also to a user who is no member yet (recorded). */
function addMemberRoles(call: ApiCall): Answer {
  const { tenant } = call;
  const { membership, roles } = membershipAndRoles(call, TO_ASSIGN);
  const before = tenant.organizations.memberRoles.from(membership).map(({ to }) => to);
  if (new Set([...before, ...roles]).size > MAX_ROLES) {
    throw refusal(409, "No more roles can be assigned to this organization member.");
  }
  for (const role of roles) tenant.organizations.memberRoles.add(membership, role, tenant.now());
  return { status: 204 };
}

function removeMemberRoles(call: ApiCall): Answer {
  const { membership, roles } = membershipAndRoles(call, TO_REMOVE);
  for (const role of roles) call.tenant.organizations.memberRoles.remove(membership, role);
  return { status: 204 };
}

function membershipAndRoles(
  call: ApiCall,
  schema: Schema,
): { readonly membership: string; readonly roles: readonly string[] } {
  const { tenant, request } = call;
  const body = parseBody(request);
  checkBody(body, schema);
  const organization = organizationId(call);
  const { userId } = userOf(call, "user_id");
  const roles = textsIn(body, "roles");
  for (const role of roles) findRole(tenant.roles, role);
  return { membership: membershipKey(organization, userId), roles };
}

/** In August 2026 the total was 0, whatever there was (recorded). */
function listUserOrganizations(call: ApiCall): Answer {
  const { tenant, query } = call;
  const found = tenant.organizations.members
    .to(userOf(call).userId)
    .map(({ from }) => tenant.organizations.byId.find(from))
    .filter((organization) => organization !== undefined);
  const total = tenant.isSince("2026-08") ? 0 : found.length;
  return listAnswer(query, "organizations", found, (organization) => organization, total);
}
