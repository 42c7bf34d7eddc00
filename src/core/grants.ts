/**
 * What a namespace may declare at a tenant. Whoever may write an Auth0User must not thereby become an administrator of the
 * tenant: what identifies users is open unless narrowed, what gives power is closed unless listed. Checked twice: on the
 * declaration before any call, and on the observed user before any write to one that we did not create.
 */
import { ASSIGNMENT_KINDS, permissionKey, type AssignmentKind, type DesiredAssignments } from "./assignments.ts";
import type { DesiredUser } from "./desired-user.ts";
import { ownConnection, type ObservedUser } from "./observed-user.ts";

/** One grant, for a namespace that it names. What identifies selects the grant, and then its powers hold. */
export interface Grant {
  /** `undefined`: all. */
  readonly connections?: readonly string[];
  /** `undefined`: all, and users without an address, too. */
  readonly emailDomains?: readonly string[];
  /** By name or id, whichever the declaration uses. */
  readonly roles?: readonly string[];
  readonly organizations?: readonly string[];
  /** As `permissionKey` writes them. */
  readonly permissions?: readonly string[];
  readonly appMetadataKeys?: readonly string[];
  readonly emailVerified?: boolean;
  readonly adopt?: boolean;
  readonly passwordOnAdopted?: boolean;
}

/** `all`: whatever the tenant's own credentials allow. */
export type Grants = readonly Grant[] | "all";

/** What a resource asks for besides the user itself. */
export interface Asked {
  readonly desired: DesiredUser;
  /** Whether it may come to own a user that it did not create. */
  readonly adopts: boolean;
  readonly setsPassword: boolean;
}

/** Roles and organizations have a name, which may pass on to another one, and an id, which never does. */
const NAMED_KINDS = ["roles", "organizations"] as const;
type NamedKind = (typeof NAMED_KINDS)[number];

/** The ids behind names, as far as they were looked up. */
export type NamedIds = Readonly<Record<NamedKind, ReadonlyMap<string, string>>>;

const NOTHING_LOOKED_UP: NamedIds = { roles: new Map(), organizations: new Map() };

/** An id of Auth0's, which begins with its kind. */
const ID: Readonly<Record<NamedKind, RegExp>> = {
  roles: /^rol_[A-Za-z0-9]+$/,
  organizations: /^org_[A-Za-z0-9]+$/,
};

/**
 * The names whose ids decide: where one side names a role or organization, and the other side has it by its id. Where both
 * use names, or both ids, nothing has to be looked up.
 */
export function findNamesToLookUp(
  grants: Grants,
  desired: DesiredUser,
): Readonly<Record<NamedKind, readonly string[]>> {
  const namesOf = (kind: NamedKind): string[] => {
    if (grants === "all") return [];
    const found = identifying(grants, desired.connection, desired.attributes.email ?? undefined);
    const listed = found.kind === "granted" ? found.grants.flatMap((grant) => grant[kind] ?? []) : [];
    const missing = askedAssignments(desired.assignments)[kind].filter((one) => !lists(listed, one));
    const isId = (one: string): boolean => ID[kind].test(one);
    return [
      ...(missing.some(isId) ? listed.filter((one) => !isId(one)) : []),
      ...(listed.some(isId) ? missing.filter((one) => !isId(one)) : []),
    ];
  };
  return { roles: namesOf("roles"), organizations: namesOf("organizations") };
}

/** @returns what is not granted, a phrase each; empty: everything is */
export function findNotGranted(
  grants: Grants,
  { desired, adopts, setsPassword }: Asked,
  ids: NamedIds = NOTHING_LOOKED_UP,
): string[] {
  if (grants === "all") return [];
  const { attributes, appMetadata, connection } = desired;
  const found = identifying(grants, connection, attributes.email ?? undefined);
  if (found.kind === "refused") return [found.what];
  const has = (power: (grant: Grant) => boolean | undefined): boolean =>
    found.grants.some((grant) => power(grant) === true);
  const isListed = (power: Listed, name: string): boolean =>
    has((grant) => lists(grant[power], name, power === "roles" || power === "organizations" ? ids[power] : undefined));
  const keys = Object.keys(appMetadata).filter((key) => !isListed("appMetadataKeys", key));
  const isVerified = attributes.emailVerified === true || attributes.phoneVerified === true;
  return [
    ...assignmentsNotListed(desired.assignments, isListed),
    ...keys.map((key) => `spec.appMetadata.${key} (appMetadataKeys)`),
    ...(isVerified && !has(({ emailVerified }) => emailVerified)
      ? ["spec.emailVerified or phoneVerified: true (emailVerified)"]
      : []),
    ...(adopts && !has(({ adopt }) => adopt) ? ["taking over existing users (adopt)"] : []),
    ...(adopts && setsPassword && !has(({ passwordOnAdopted }) => passwordOnAdopted)
      ? ["spec.password on a user that is taken over (passwordOnAdopted)"]
      : []),
  ];
}

/** Whether this very user, which we did not create, may be taken over and written to. */
export function findNotGrantedOn(grants: Grants, user: ObservedUser): string | undefined {
  if (grants === "all") return undefined;
  const found = identifying(grants, ownConnection(user) ?? "", user.attributes.email);
  if (found.kind === "refused") return `${user.userId}: ${found.what}`;
  return found.grants.some(({ adopt }) => adopt) ? undefined : `taking over ${user.userId} (adopt)`;
}

type Listed = "roles" | "organizations" | "permissions" | "appMetadataKeys";

/** `Exact` takes away what is not declared, whatever it is: that needs the power over all of it. */
function assignmentsNotListed(
  assignments: DesiredAssignments | undefined,
  isListed: (power: Listed, name: string) => boolean,
): string[] {
  const asked = askedAssignments(assignments);
  return ASSIGNMENT_KINDS.flatMap((kind) => [
    ...asked[kind].filter((name) => !isListed(kind, name)).map((name) => `${name} (${kind})`),
    ...(assignments?.[kind]?.isExact === true && !isListed(kind, "*")
      ? [`spec.${kind}Policy: Exact (${kind}: ["*"])`]
      : []),
  ]);
}

function askedAssignments(
  assignments: DesiredAssignments | undefined,
): Readonly<Record<AssignmentKind, readonly string[]>> {
  const { roles, permissions, organizations } = assignments ?? {};
  const memberships = organizations?.items ?? [];
  return {
    roles: [...(roles?.items ?? []), ...memberships.flatMap((membership) => membership.roles ?? [])],
    organizations: memberships.map(({ organization }) => ("id" in organization ? organization.id : organization.name)),
    permissions: permissions?.items.map(permissionKey) ?? [],
  };
}

type Identified =
  { readonly kind: "granted"; readonly grants: readonly Grant[] } | { readonly kind: "refused"; readonly what: string };

/** The grants under which such a user may be declared at all. */
function identifying(grants: readonly Grant[], connection: string, email: string | undefined): Identified {
  if (grants.length === 0) return { kind: "refused", what: "anything at all (grants)" };
  const byConnection = grants.filter(
    ({ connections }) => connections === undefined || connections.some((one) => one === "*" || one === connection),
  );
  if (byConnection.length === 0) return { kind: "refused", what: `connection ${connection} (connections)` };
  const byEmail = byConnection.filter(
    ({ emailDomains }) => emailDomains === undefined || isWithin(email, emailDomains),
  );
  if (byEmail.length > 0) return { kind: "granted", grants: byEmail };
  const what = email === undefined ? "a user without an address" : `addresses in ${domainOf(email)}`;
  return { kind: "refused", what: `${what} (emailDomains)` };
}

function lists(listed: readonly string[] | undefined, name: string, ids?: ReadonlyMap<string, string>): boolean {
  const idOf = (one: string): string => ids?.get(one) ?? one;
  return listed?.some((one) => one === "*" || idOf(one) === idOf(name)) ?? false;
}

/** `*.example.com` is what lies below example.com, not the domain itself. */
function isWithin(email: string | undefined, domains: readonly string[]): boolean {
  if (email === undefined) return false;
  const domain = domainOf(email);
  return domains.some((one) => {
    const wanted = one.toLowerCase();
    return wanted === "*" || domain === wanted || (wanted.startsWith("*.") && domain.endsWith(wanted.slice(1)));
  });
}

function domainOf(email: string): string {
  return email.slice(email.lastIndexOf("@") + 1).toLowerCase();
}
