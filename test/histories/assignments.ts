/** What users of a history are given beside their attributes: what people declare of it, and what the operator may therefore do. */
import { ASSIGNMENT_KINDS, type AssignmentKind } from "../../src/core/assignments.ts";
import type { JsonObject } from "../../src/runtime/json.ts";
import type { Chance } from "./chance.ts";
import { asObject } from "./cluster.ts";

/** What there is to give at each tenant, by name. */
export const ASSIGNABLE = {
  roles: ["reader", "writer", "admin"],
  permissions: ["read", "write"],
  organizations: ["blue", "green"],
} as const satisfies Record<AssignmentKind, readonly string[]>;

/** The API whose permissions they are. */
export const RESOURCE_SERVER = "https://api.example.com";

export interface Assignment {
  readonly kind: AssignmentKind;
  readonly name: string;
}

export function drawAssignment(chance: Chance): Assignment | undefined {
  const kind = chance.pick(ASSIGNMENT_KINDS);
  const name = kind && chance.pick<string>(ASSIGNABLE[kind]);
  return kind === undefined || name === undefined ? undefined : { kind, name };
}

/** @param isEdit whether what is not said takes back what was said before */
export function assignmentsSpec(chance: Chance, isEdit: boolean): JsonObject {
  const or = <T>(value: T | undefined): T | null | undefined => value ?? (isEdit ? null : undefined);
  const said = ASSIGNMENT_KINDS.flatMap((kind): [name: string, value: unknown][] => {
    const names = ASSIGNABLE[kind].filter(() => chance.happens(0.4));
    return [
      [kind, or(chance.happens(0.7) ? names.map((name) => written(kind, name)) : undefined)],
      [`${kind}Policy`, or(chance.pick([undefined, "Additive", "Exact"]))],
    ];
  });
  const unsetPolicy = or(chance.pick([undefined, "Keep", "Remove"]));
  const all: [name: string, value: unknown][] = [...said, ["unsetPolicy", unsetPolicy]];
  return Object.fromEntries(all.filter(([, value]) => value !== undefined));
}

function written(kind: AssignmentKind, name: string): unknown {
  if (kind === "roles") return name;
  return kind === "permissions" ? { resourceServer: RESOURCE_SERVER, name } : { name };
}

/** Those of a spec, by name; `undefined`: they are not looked after. */
export function assignedIn(spec: JsonObject, kind: AssignmentKind): readonly string[] | undefined {
  const declared = spec[kind];
  if (!Array.isArray(declared)) return undefined;
  return declared.map((one: unknown) => (typeof one === "string" ? one : String(asObject(one)["name"])));
}

/**
 * Whether it may be taken from a user.
 * @param specs that the operator may believe to be declared
 * @param former everything that was declared since the resource claims the user, those included
 */
export function mayTake(
  { kind, name }: Assignment,
  specs: readonly JsonObject[],
  former: readonly JsonObject[],
): boolean {
  const wasDeclared = former.some((spec) => assignedIn(spec, kind)?.includes(name) === true);
  return specs.some((spec) => {
    const declared = assignedIn(spec, kind);
    const isExact = declared !== undefined && spec[`${kind}Policy`] === "Exact";
    return declared?.includes(name) !== true && (isExact || (spec["unsetPolicy"] === "Remove" && wasDeclared));
  });
}

/** What is wrong with what a user is given, once everything has come to rest. */
export function findWrongAssignment(
  spec: JsonObject,
  givenOf: (kind: AssignmentKind) => readonly string[],
): string | undefined {
  for (const kind of ASSIGNMENT_KINDS) {
    const declared = assignedIn(spec, kind);
    if (declared === undefined) continue;
    const given = givenOf(kind);
    const isExact = spec[`${kind}Policy`] === "Exact";
    const isGiven = declared.every((name) => given.includes(name)) && (!isExact || given.length === declared.length);
    if (!isGiven) return `it says to be ready, and the ${kind} are ${given.join()}, not ${declared.join()}`;
  }
  return undefined;
}
