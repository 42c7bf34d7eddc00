/**
 * Roles, direct permissions and organizations: what a user is given beside its attributes. They are sets, each looked
 * after as a whole: what is declared is given, and what else is there is left (`Additive`) or taken away (`Exact`).
 */

export const ASSIGNMENT_KINDS = ["roles", "permissions", "organizations"] as const;
export type AssignmentKind = (typeof ASSIGNMENT_KINDS)[number];

/** What is declared of one kind. */
export interface Wanted<T> {
  readonly items: readonly T[];
  /** Whether what is there and not declared is taken away. */
  readonly isExact: boolean;
}

/** A scope of an API, given to the user itself. */
export interface Permission {
  /** The identifier (audience) of the API. */
  readonly resourceServer: string;
  readonly name: string;
}

export interface Membership {
  readonly organization: { readonly id: string } | { readonly name: string };
  /** By name or id; `undefined`: the member's roles are not looked after. */
  readonly roles: readonly string[] | undefined;
}

/** A kind that is `undefined` is not looked after. */
export interface DesiredAssignments {
  readonly roles: Wanted<string> | undefined;
  readonly permissions: Wanted<Permission> | undefined;
  readonly organizations: Wanted<Membership> | undefined;
}

export interface AssignmentPlan {
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

/**
 * @param wanted `undefined`: nothing is declared any more, and only what was ours may go
 * @param present what the user has
 * @param given what this resource gave it, and takes back where it is declared no more
 */
export function planAssignments(
  wanted: { readonly keys: ReadonlySet<string>; readonly isExact: boolean } | undefined,
  present: ReadonlySet<string>,
  given: ReadonlySet<string>,
): AssignmentPlan {
  const keys = wanted?.keys ?? new Set();
  const mayGo = (key: string): boolean => !keys.has(key) && (wanted?.isExact === true || given.has(key));
  return { add: [...keys].filter((key) => !present.has(key)), remove: [...present].filter(mayGo) };
}

/** A permission as one key: neither an API's identifier nor a scope holds a blank. */
export function permissionKey({ resourceServer, name }: Permission): string {
  return `${resourceServer} ${name}`;
}

export function permissionFrom(key: string): Permission {
  const blank = key.lastIndexOf(" ");
  return { resourceServer: key.slice(0, blank), name: key.slice(blank + 1) };
}
