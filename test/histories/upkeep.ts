/**
 * How resources of a history look after attributes: what people declare of it, and what the operator may therefore write.
 * Attributes are named as in manifests, metadata by key.
 */
import type { JsonObject } from "../../src/runtime/json.ts";
import type { Chance } from "./chance.ts";
import { asObject } from "./cluster.ts";

const POLICIES = ["Enforce", "InitOnly", "Ignore"] as const;
/** Not the address, without which nobody is created, nor the key of metadata that tells whose creation it is. */
const WITH_POLICY = ["givenName", "familyName", "nickname", "userMetadata.edit", "blocked"] as const;

/** @param isEdit whether what is not said takes back what was said before */
export function upkeepSpec(chance: Chance, isEdit: boolean, edit: string): JsonObject {
  const or = <T>(value: T | undefined): T | null | undefined => value ?? (isEdit ? null : undefined);
  const fieldPolicies = WITH_POLICY.map(
    (path) => [path, or(chance.happens(0.2) ? chance.pick(POLICIES) : undefined)] as const,
  );
  const how = chance.pick(["set", "set", "leave", "remove"]);
  return {
    ...said("driftPolicy", or(chance.pick([undefined, undefined, "Enforce", "Detect"]))),
    ...said("unsetPolicy", or(chance.pick([undefined, "Keep", "Remove", "Remove"]))),
    fieldPolicies: Object.fromEntries(fieldPolicies.filter(([, policy]) => policy !== undefined)),
    ...said("familyName", or(how === "set" ? `family ${edit}` : undefined)),
    ...said("removeAttributes", or(how === "remove" ? ["familyName"] : undefined)),
    ...(isEdit && chance.happens(0.3) && { nickname: null }),
    ...(isEdit && chance.happens(0.3) && { userMetadata: { edit: null } }),
  };
}

function said(name: string, value: unknown): JsonObject {
  return value === undefined ? {} : { [name]: value };
}

export function policyOf(spec: JsonObject, path: string): unknown {
  const policies = asObject(spec["fieldPolicies"]);
  return policies[path] ?? policies[path.split(".")[0] ?? ""];
}

/** `undefined`: the spec does not speak of it. `null`: it is to be absent. */
export function declaredIn(spec: JsonObject, path: string): unknown {
  const [root = "", key] = path.split(".");
  const value = key === undefined ? spec[root] : asObject(spec[root])[key];
  const { removeAttributes } = spec;
  if (value !== undefined) return value;
  return Array.isArray(removeAttributes) && removeAttributes.includes(path) ? null : undefined;
}

/** What the operator must know of a resource and the user that an update is sent to. */
export interface Standing {
  /** That it may believe to be declared. */
  readonly specs: readonly JsonObject[];
  /** Everything that was declared since the resource claims the user, or ever where it made the user; those included. */
  readonly former: readonly JsonObject[];
  /** That the spec was brought about at this very user, and not edited since. */
  readonly isBroughtAbout: boolean;
  /** That a spec was brought about at this very user. */
  readonly isInitialised: boolean;
  /** That these could not be brought about when the rest was. */
  readonly pending: readonly unknown[];
  /** That these differ at Auth0 and were left alone. */
  readonly reported: readonly unknown[];
}

/** Whether an update may set the attribute to the value, or remove it by null. */
export function mayUpdate(path: string, value: unknown, standing: Standing): boolean {
  return standing.specs.some((spec) => {
    const policy = policyOf(spec, path);
    const isPending = standing.pending.includes(path);
    const isBroughtAbout = standing.isBroughtAbout && !isPending;
    if (policy === "Ignore" || (policy === "InitOnly" && standing.isInitialised && !isPending)) return false;
    if (spec["driftPolicy"] === "Detect" && isBroughtAbout) return false;
    const isLowering = path === "blocked" && value === false && policy !== "Enforce";
    if (isLowering && (isBroughtAbout || standing.reported.includes(path))) return false;
    const declared = declaredIn(spec, path);
    if (declared !== undefined) return isSame(declared, value);
    const wasSet = standing.former.some((one) => (declaredIn(one, path) ?? null) !== null);
    return value === null && spec["unsetPolicy"] === "Remove" && wasSet;
  });
}

/** Whether a creation with the value is as declared by some of the specs. */
export function mayCreate(path: string, value: unknown, specs: readonly JsonObject[]): boolean {
  return specs.some((spec) => {
    const declared = policyOf(spec, path) === "Ignore" ? undefined : declaredIn(spec, path);
    return isSame(declared ?? null, value ?? null);
  });
}

/** Why a user that is said to be as declared is not. */
export function whyNotKept(path: string, found: unknown, spec: JsonObject, reported: unknown): string | undefined {
  const declared = declaredIn(spec, path);
  const policy = policyOf(spec, path);
  if (declared === undefined || policy === "Ignore" || policy === "InitOnly") return undefined;
  const isReported = Array.isArray(reported) && reported.includes(path);
  const isRaised = path === "blocked" && declared === false && policy !== "Enforce";
  const isLeft = (spec["driftPolicy"] === "Detect" || isRaised) && isReported;
  if (isSame(declared, found ?? null) || isLeft) return undefined;
  return `${path} is ${JSON.stringify(found)}, not ${JSON.stringify(declared)}, and this is not reported`;
}

/** Addresses are stored in lower case. */
function isSame(declared: unknown, found: unknown): boolean {
  return JSON.stringify(declared).toLowerCase() === JSON.stringify(found).toLowerCase();
}

/** Whether an attribute that the last of these specs does not speak of left it to be removed, as far as anybody can tell. */
export function mustBeRemoved(path: string, specs: readonly JsonObject[]): boolean {
  const isLeftToPeople = (spec: JsonObject): boolean => ["InitOnly", "Ignore"].includes(String(policyOf(spec, path)));
  const last = specs.findLastIndex((spec) => declaredIn(spec, path) !== undefined);
  const since = specs.slice(last);
  if (last < 0 || since.length === 1 || since.some(isLeftToPeople)) return false;
  const [declaring = {}, ...later] = since;
  return declaredIn(declaring, path) !== null && later.every((spec) => spec["unsetPolicy"] === "Remove");
}

interface LastWrite {
  /** Of the resource that the operator wrote it for. */
  readonly uid: string;
  readonly value: unknown;
  /** Whether a status tells of it: what was set and not noted nobody can know to have been set. */
  isNoted: boolean;
}

/** Who wrote what of a user last. */
export class LastWrites {
  readonly #writes = new Map<string, LastWrite>();

  /** @param uid `undefined`: a person did */
  note(user: string, wire: JsonObject, uid: string | undefined): void {
    for (const [path, value] of pathsIn(wire)) {
      if (uid === undefined) this.#writes.delete(`${user} ${path}`);
      else this.#writes.set(`${user} ${path}`, { uid, value, isNoted: false });
    }
  }

  noteStatus(uid: string, { managedAttributes }: JsonObject): void {
    if (!Array.isArray(managedAttributes)) return;
    for (const [key, write] of this.#writes) {
      if (write.uid === uid && managedAttributes.some((path) => key.endsWith(` ${String(path)}`))) write.isNoted = true;
    }
  }

  /** Whether the value was written for this resource, which knows it, and by nobody since. */
  isOf(uid: string, user: string, path: string, value: unknown): boolean {
    const write = this.#writes.get(`${user} ${path}`);
    return write?.uid === uid && write.isNoted && write.value === value;
  }
}

/** What a user, or a change of one, has by the names of manifests. */
function pathsIn(wire: JsonObject): readonly (readonly [path: string, value: unknown])[] {
  const { user_metadata: metadata, ...attributes } = wire;
  return [
    ...Object.entries(attributes).map(([name, value]) => [fieldOf(name), value] as const),
    ...Object.entries(asObject(metadata)).map(([key, value]) => [`userMetadata.${key}`, value] as const),
  ];
}

/** `given_name` is `givenName` in a manifest. */
export function fieldOf(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
