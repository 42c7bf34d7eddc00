/** Values that start valid and take only what a test is about. */
import { ENFORCE_ALL, type DesiredUser, type RootAttributes } from "../../src/core/desired-user.ts";
import { connectionName, tenantDomain, userId } from "../../src/core/ids.ts";
import type { ObservedAttributes, ObservedUser } from "../../src/core/observed-user.ts";
import type { OwnershipFacts } from "../../src/core/ownership.ts";
import type { PlanHistory } from "../../src/core/plan.ts";

export const DATABASE = connectionName("Username-Password-Authentication");

export function aDesiredUser(
  attributes: RootAttributes = {},
  rest: Partial<Omit<DesiredUser, "attributes">> = {},
): DesiredUser {
  return {
    connection: DATABASE,
    adoptedId: undefined,
    attributes: { email: "jane@example.com", ...attributes },
    userMetadata: {},
    appMetadata: {},
    verifyEmail: false,
    upkeep: ENFORCE_ALL,
    assignments: undefined,
    ...rest,
  };
}

export function anObservedUser(
  attributes: Partial<ObservedAttributes> = {},
  rest: Partial<Omit<ObservedUser, "attributes">> = {},
): ObservedUser {
  return {
    userId: userId("auth0|jane"),
    attributes: {
      email: "jane@example.com",
      emailVerified: false,
      phoneVerified: false,
      blocked: false,
      ...attributes,
    },
    userMetadata: {},
    appMetadata: {},
    identities: [{ connection: DATABASE, provider: "auth0", id: "jane" }],
    ...rest,
  };
}

export function aHistory(rest: Partial<PlanHistory> = {}): PlanHistory {
  return {
    isNewSpec: false,
    isInitial: false,
    reported: new Set(),
    removed: new Set(),
    settled: new Map(),
    notWritable: new Set(),
    pending: new Set(),
    ...rest,
  };
}

export function ownershipFacts(rest: Partial<OwnershipFacts> = {}): OwnershipFacts {
  return {
    tenantDomain: tenantDomain("acme.auth0.com"),
    connection: DATABASE,
    derivedId: userId("auth0|uid-1"),
    adoptedId: undefined,
    claim: undefined,
    isHeld: true,
    record: { userId: undefined, tenantDomain: undefined, connection: undefined, provenance: "created" },
    ...rest,
  };
}
