/** A valid spec → what the core works with. The one place that knows in which spellings a person may say "remove". */
import { ASSIGNMENT_KINDS, type DesiredAssignments } from "../core/assignments.ts";
import { ENFORCE_ALL, type DesiredUser, type RootAttributes, type Upkeep } from "../core/desired-user.ts";
import { connectionName, userId } from "../core/ids.ts";
import { isJsonMap, type JsonMap, type JsonValue } from "../core/json.ts";
import type { Auth0UserSpec } from "./auth0-user.ts";

/**
 * Removal is spelt, in this order of precedence: an explicit null; a name in `removeAttributes`; a null that
 * `kubectl apply` dropped and its annotation kept; a name that left the spec under `unsetPolicy: Remove`. A value
 * outweighs all of them.
 *
 * @param implied the removals of the last two kinds, in the spelling of `removeAttributes`
 */
export function desiredUserFrom(spec: Auth0UserSpec, implied: readonly string[]): DesiredUser {
  const removed = new Set([...(spec.removeAttributes ?? []), ...implied]);
  const orRemoved = <T>(name: string, value: T | undefined): T | null | undefined =>
    value === undefined && removed.has(name) ? null : value;
  const desired: DesiredUser = {
    connection: connectionName(spec.connection),
    adoptedId: spec.userId === undefined ? undefined : userId(spec.userId),
    attributes: {
      email: spec.email,
      phoneNumber: orRemoved("phoneNumber", spec.phoneNumber),
      username: spec.username,
      emailVerified: spec.emailVerified,
      phoneVerified: spec.phoneVerified,
      blocked: orRemoved("blocked", spec.blocked),
      givenName: orRemoved("givenName", spec.givenName),
      familyName: orRemoved("familyName", spec.familyName),
      name: orRemoved("name", spec.name),
      nickname: orRemoved("nickname", spec.nickname),
      picture: orRemoved("picture", spec.picture),
    },
    userMetadata: metadata("userMetadata", spec.userMetadata, removed),
    appMetadata: metadata("appMetadata", spec.appMetadata, removed),
    verifyEmail: spec.verifyEmail ?? false,
    upkeep: upkeepFrom(spec),
    assignments: assignmentsFrom(spec),
  };
  return spec.fieldPolicies === undefined ? desired : withPolicies(desired, spec.fieldPolicies);
}

function upkeepFrom({ driftPolicy: drift = "Enforce", unsetPolicy: unset = "Keep" }: Auth0UserSpec): Upkeep {
  return drift === "Enforce" && unset === "Keep" ? ENFORCE_ALL : { ...ENFORCE_ALL, drift, unset };
}

function assignmentsFrom(spec: Auth0UserSpec): DesiredAssignments | undefined {
  const { roles, permissions, organizations } = spec;
  if (roles === undefined && permissions === undefined && organizations === undefined) return undefined;
  const memberships = organizations?.map(({ id, name = "", roles: memberRoles }) => ({
    organization: id === undefined ? { name } : { id },
    roles: memberRoles,
  }));
  return {
    roles: roles && { items: roles, isExact: spec.rolesPolicy === "Exact" },
    permissions: permissions && { items: permissions, isExact: spec.permissionsPolicy === "Exact" },
    organizations: memberships && { items: memberships, isExact: spec.organizationsPolicy === "Exact" },
  };
}

type FieldPolicies = NonNullable<Auth0UserSpec["fieldPolicies"]>;

/** Attributes to ignore are as if they were not declared. A key's own policy outweighs that of its metadata. */
function withPolicies(desired: DesiredUser, policies: FieldPolicies): DesiredUser {
  const policyOf = (path: string): FieldPolicies[string] | undefined =>
    policies[path] ?? policies[path.split(".")[0] ?? ""];
  const isKept = (path: string): boolean => policyOf(path) !== "Ignore";
  const attributes: RootAttributes = Object.fromEntries(
    Object.entries(desired.attributes).filter(([name]) => isKept(name)),
  );
  const userMetadata = keysWhere(desired.userMetadata, (key) => isKept(`userMetadata.${key}`));
  const appMetadata = keysWhere(desired.appMetadata, (key) => isKept(`appMetadata.${key}`));
  const assignments = desired.assignments && {
    roles: isKept("roles") ? desired.assignments.roles : undefined,
    permissions: isKept("permissions") ? desired.assignments.permissions : undefined,
    organizations: isKept("organizations") ? desired.assignments.organizations : undefined,
  };
  const paths = [
    ...ASSIGNMENT_KINDS,
    ...Object.keys(attributes),
    ...Object.keys(userMetadata).map((key) => `userMetadata.${key}`),
    ...Object.keys(appMetadata).map((key) => `appMetadata.${key}`),
  ];
  const upkeep: Upkeep = {
    ...desired.upkeep,
    initOnly: new Set(paths.filter((path) => policyOf(path) === "InitOnly")),
    ignored: new Set(Object.keys(policies).filter((path) => !isKept(path))),
    enforced: new Set(paths.filter((path) => policyOf(path) === "Enforce")),
  };
  return { ...desired, attributes, userMetadata, appMetadata, assignments, upkeep };
}

function keysWhere(map: JsonMap, isWanted: (key: string) => boolean): JsonMap {
  return Object.fromEntries(Object.entries(map).filter(([key]) => isWanted(key)));
}

function metadata(kind: string, declared: unknown, removed: ReadonlySet<string>): JsonMap {
  const result: Record<string, JsonValue> = isJsonMap(declared) ? { ...declared } : {};
  for (const name of removed) {
    const key = name.startsWith(`${kind}.`) ? name.slice(kind.length + 1) : undefined;
    if (key !== undefined && !Object.hasOwn(result, key)) result[key] = null;
  }
  return result;
}
