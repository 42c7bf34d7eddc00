/**
 * What a connection decides about its users: whether they can be created, which of their attributes can be written, what
 * a password must be. Known before a call, so that Auth0 is not asked for what it will refuse; what is not known raises no
 * objection, and Auth0's answer decides.
 */
import type { DesiredUser, RootAttributeName } from "./desired-user.ts";
import type { ConnectionName } from "./ids.ts";
import { ownConnection, type ObservedUser } from "./observed-user.ts";
import type { PasswordPolicy } from "./password-policy.ts";

/** `database`: Auth0's own store, or a custom database with import mode; a `custom database` has scripts that own its users. */
export type ConnectionKind = "database" | "custom database" | "passwordless" | "social" | "enterprise";

/** What can identify a user. */
export type IdentifierName = "email" | "phoneNumber" | "username";

export interface Connection {
  readonly name: ConnectionName;
  readonly kind: ConnectionKind;
  /** `auth0`, `email`, `sms`, `samlp`, `google-oauth2`, … */
  readonly strategy: string;
  /** Whether any application may use it; Auth0 creates nobody in a connection that is disabled. */
  readonly isEnabled: boolean;
  /** Whether the identity provider writes the profile attributes at each login, so that nobody else may. */
  readonly isSynced: boolean;
  /** What every user must have. */
  readonly required: readonly IdentifierName[];
  /** `undefined`: its users have none. */
  readonly username: { readonly minLength: number; readonly maxLength: number } | undefined;
  /** `undefined`: not known, or there are no passwords. */
  readonly passwordPolicy: PasswordPolicy | undefined;
}

/** The attributes that an identity provider may own. */
const PROFILE_ATTRIBUTES = ["givenName", "familyName", "name", "nickname", "picture"] as const;

/** Strategies of enterprise connections; those that are neither these nor Auth0's own are social. */
const ENTERPRISE: ReadonlySet<string> = new Set([
  "ad",
  "adfs",
  "auth0-adldap",
  "custom",
  "google-apps",
  "ip",
  "office365",
  "oidc",
  "okta",
  "pingfederate",
  "samlp",
  "sharepoint",
  "waad",
]);

/** By strategy alone; only its options tell a custom database from Auth0's own store. */
export function connectionKindOf(strategy: string): ConnectionKind {
  if (strategy === "auth0") return "database";
  if (strategy === "email" || strategy === "sms") return "passwordless";
  return ENTERPRISE.has(strategy) ? "enterprise" : "social";
}

/** Why no user can be created as declared, and what to do; `undefined` where nothing is known against it. */
export function findCreationObstacle(
  { name, kind, strategy, isEnabled, required, username }: Connection,
  { attributes }: DesiredUser,
): string | undefined {
  if (kind === "social" || kind === "enterprise") {
    return `users of connection ${name} (${strategy}) come from its identity provider and can't be created here: let the person log in once, then adopt the user by spec.userId`;
  }
  if (!isEnabled) return `connection ${name} is disabled: enable it for an application`;
  const missing = required.filter((one) => typeof attributes[one] !== "string");
  if (missing.length > 0) return `connection ${name} demands ${missing.join(", ")}: set it in the spec`;
  const declared = attributes.username;
  if (typeof declared !== "string") return undefined;
  if (username === undefined) return `connection ${name} has no usernames: take spec.username out`;
  const { minLength, maxLength } = username;
  if (declared.length >= minLength && declared.length <= maxLength) return undefined;
  return `connection ${name} takes usernames of ${String(minLength)} to ${String(maxLength)} characters: choose another spec.username`;
}

/** Whether the connection has to be known before it can be said which of the declared attributes can be written. */
export function needsConnection({ attributes }: DesiredUser, user: ObservedUser): boolean {
  return (
    isOfIdentityProvider(connectionKindOf(providerOf(user))) &&
    PROFILE_ATTRIBUTES.some((name) => attributes[name] !== undefined)
  );
}

/** Whether it is the connection that decides on this attribute, so that an earlier refusal says nothing any more. */
export function isDecidedBy(connection: Connection, path: string): boolean {
  return isProfileAttribute(path) && (isOfIdentityProvider(connection.kind) || connection.kind === "custom database");
}

/** Why Auth0 would refuse to change this attribute of `user`, and what to do; `undefined` where nothing is known against it. */
export function findWriteObstacle(
  path: RootAttributeName,
  user: ObservedUser,
  connection: Connection | undefined,
): string | undefined {
  const provider = providerOf(user);
  const name = ownConnection(user) ?? provider;
  if (path === "email" && provider !== "auth0") {
    return `connection ${name} is no database: the address belongs to the identity of its users`;
  }
  if (path === "emailVerified" && (provider === "sms" || connectionKindOf(provider) === "enterprise")) {
    return `connection ${name} confirms no addresses`;
  }
  if (path === "username" && user.attributes.username === undefined) {
    return "the user has none, and Auth0 adds none to a user that exists";
  }
  if (connection?.isSynced !== true || !isProfileAttribute(path)) return undefined;
  return `connection ${name} takes it from its identity provider at each login: set its option set_user_root_attributes to on_first_login`;
}

/** Whether users of this kind of connection have passwords at Auth0. */
export function hasPasswords(user: ObservedUser): boolean {
  return providerOf(user) === "auth0";
}

function isProfileAttribute(path: string): boolean {
  return PROFILE_ATTRIBUTES.some((name) => name === path);
}

function isOfIdentityProvider(kind: ConnectionKind): boolean {
  return kind === "social" || kind === "enterprise";
}

function providerOf(user: ObservedUser): string {
  return user.identities[0]?.provider ?? "";
}
