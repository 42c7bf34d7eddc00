/** Roles of a history: what people declare of them, and what the operator may therefore do. */
import type { JsonObject } from "../../src/runtime/json.ts";
import type { Chance } from "./chance.ts";

export const ROLES = ["reader", "writer", "admin"] as const;

/** @param isEdit whether what is not said takes back what was said before */
export function rolesSpec(chance: Chance, isEdit: boolean): JsonObject {
  const roles = ROLES.filter(() => chance.happens(0.4));
  const one = (...values: readonly (string | undefined)[]): string | null | undefined =>
    chance.pick(values) ?? (isEdit ? null : undefined);
  const [rolesPolicy, unsetPolicy] = [one(undefined, "Additive", "Exact"), one(undefined, "Keep", "Remove")];
  return {
    ...(chance.happens(0.8) ? { roles } : isEdit ? { roles: null } : {}),
    ...(rolesPolicy !== undefined && { rolesPolicy }),
    ...(unsetPolicy !== undefined && { unsetPolicy }),
  };
}

/** The roles of a spec; `undefined`: they are not looked after. */
export function rolesIn({ roles }: JsonObject): readonly string[] | undefined {
  return Array.isArray(roles) ? roles.map(String) : undefined;
}

/**
 * Whether the role may be taken from a user.
 * @param specs that the operator may believe to be declared
 * @param former everything that was declared since the resource claims the user, those included
 */
export function mayTake(role: string, specs: readonly JsonObject[], former: readonly JsonObject[]): boolean {
  const wasDeclared = former.some((spec) => rolesIn(spec)?.includes(role) === true);
  return specs.some((spec) => {
    const declared = rolesIn(spec);
    const isExact = declared !== undefined && spec["rolesPolicy"] === "Exact";
    return declared?.includes(role) !== true && (isExact || (spec["unsetPolicy"] === "Remove" && wasDeclared));
  });
}
