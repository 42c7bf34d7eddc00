/**
 * What the API server refuses beyond types: one row a rule, its CEL and its twin in TypeScript side by side, since an
 * object may reach the operator past the API server's rules (an older CRD, a file). Rules on keys of metadata have no CEL:
 * CEL can't look into objects of anybody's shape.
 */
import type { Auth0UserSpec } from "./auth0-user.ts";
import { ASSIGNMENT_KINDS } from "../core/assignments.ts";
import { REMOVABLE_ATTRIBUTES, ROOT_FIELDS } from "../core/fields.ts";
import { MIN_SYNC_INTERVAL_MS, MAX_SYNC_INTERVAL_MS, parseDurationMs, syncIntervalRule } from "./duration.ts";

export interface UserRule {
  readonly rule: string;
  readonly message: string;
  /** Where the problem is shown. */
  readonly path: string;
  /** Whether `spec` obeys. Rules on transitions obey where there is no `old`. */
  holds(spec: Auth0UserSpec, old: Auth0UserSpec | undefined): boolean;
}

/** What `fieldPolicies` may name. */
const POLICY_PATTERN = `^(${[...ROOT_FIELDS.map(({ name }) => name), ...ASSIGNMENT_KINDS].join("|")}|(userMetadata|appMetadata)([.][^.$][^.]*)?)$`;

const POLICY_NAME = new RegExp(POLICY_PATTERN);

export const USER_RULES: readonly UserRule[] = [
  {
    rule: "self.connection == oldSelf.connection",
    message:
      "connection is immutable: a user can't move; declare the user of the other connection in a resource of its own",
    path: "connection",
    holds: (spec, old) => old === undefined || spec.connection === old.connection,
  },
  {
    rule: "has(self.tenantRef) == has(oldSelf.tenantRef) && (!has(self.tenantRef) || self.tenantRef == oldSelf.tenantRef)",
    message: "tenantRef is immutable: a user can't move; declare the user of the other tenant in a resource of its own",
    path: "tenantRef",
    holds: (spec, old) =>
      old === undefined ||
      (spec.tenantRef?.kind === old.tenantRef?.kind && spec.tenantRef?.name === old.tenantRef?.name),
  },
  {
    rule: "!has(oldSelf.userId) || (has(self.userId) && self.userId == oldSelf.userId)",
    message: "userId is immutable once set",
    path: "userId",
    holds: (spec, old) => old?.userId === undefined || spec.userId === old.userId,
  },
  {
    rule: "has(self.email) || has(self.username) || has(self.phoneNumber) || has(self.userId)",
    message: "a user needs an email, a username or a phoneNumber, or a userId to adopt",
    path: "email",
    holds: ({ email, username, phoneNumber, userId }) =>
      [email, username, phoneNumber ?? undefined, userId].some((one) => one !== undefined),
  },
  {
    rule: "self.connection != 'sms' || has(self.phoneNumber) || has(self.userId)",
    message: "users of connection sms are known by their phoneNumber",
    path: "phoneNumber",
    holds: ({ connection, phoneNumber, userId }) =>
      connection !== "sms" || typeof phoneNumber === "string" || userId !== undefined,
  },
  {
    rule: `!has(self.fieldPolicies) || self.fieldPolicies.all(name, name.matches('${POLICY_PATTERN}'))`,
    message:
      "fieldPolicies names a field that does not exist: it takes the attributes of the spec, roles, permissions, organizations, userMetadata, appMetadata, userMetadata.KEY and appMetadata.KEY",
    path: "fieldPolicies",
    holds: ({ fieldPolicies = {} }) => Object.keys(fieldPolicies).every((name) => POLICY_NAME.test(name)),
  },
  {
    rule: "!has(self.password) || has(self.password.secretRef) != has(self.password.generate)",
    message: "password takes either secretRef or generate",
    path: "password",
    holds: ({ password }) =>
      password === undefined || (password.secretRef === undefined) !== (password.generate === undefined),
  },
  {
    rule: "!has(self.organizations) || self.organizations.all(one, has(one.name) != has(one.id))",
    message: "an organization is named either by name or by id",
    path: "organizations",
    holds: ({ organizations = [] }) =>
      organizations.every(({ name, id }) => (name === undefined) !== (id === undefined)),
  },
  ...REMOVABLE_ATTRIBUTES.map((name): UserRule => ({
    rule: `!has(self.removeAttributes) || !has(self.${name}) || !('${name}' in self.removeAttributes)`,
    message: `${name} has a value and is named in removeAttributes: keep one of the two`,
    path: name,
    holds: (spec) => (spec[name] ?? undefined) === undefined || !(spec.removeAttributes ?? []).includes(name),
  })),
  {
    ...syncIntervalRule("syncInterval"),
    path: "syncInterval",
    holds: ({ syncInterval }) => {
      if (syncInterval === undefined) return true;
      const ms = parseDurationMs(syncInterval);
      return ms !== undefined && ms >= MIN_SYNC_INTERVAL_MS && ms <= MAX_SYNC_INTERVAL_MS;
    },
  },
];
