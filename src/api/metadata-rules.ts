/** Rules on the keys of metadata: CEL can't reach into objects of anybody's shape, so these are the operator's alone. */
import { MAX_KEY_LENGTH, type Auth0UserSpec } from "./auth0-user.ts";
import type { Issue } from "./validate.ts";

/** Names that Auth0 keeps to itself in `app_metadata` (docs: manage-users/user-accounts/metadata/metadata-fields-data). */
const RESERVED_APP_METADATA: ReadonlySet<string> = new Set([
  "__tenant",
  "_id",
  "blocked",
  "clientID",
  "created_at",
  "email_verified",
  "email",
  "globalClientID",
  "global_client_id",
  "identities",
  "lastIP",
  "lastLogin",
  "loginsCount",
  "metadata",
  "multifactor_last_modified",
  "multifactor",
  "updated_at",
  "user_id",
]);

/** The key that the operator itself uses, to know its own users again. */
const OWN_APP_METADATA = "auth0_user_operator";

/**
 * What a profile may weigh, metadata included (docs: entity-limit-policy; announced in August 2026, refused from March
 * 2027 on). Names and addresses take little of it, so metadata alone are held to it.
 */
const MAX_METADATA_BYTES = 10_240;
/** Auth0 documents none; its search index, Elasticsearch, takes 20 levels. */
const MAX_DEPTH = 20;

export function metadataIssues(spec: Auth0UserSpec): Issue[] {
  const issues = boundIssues(spec);
  for (const kind of ["userMetadata", "appMetadata"] as const) {
    for (const [key, value] of Object.entries(spec[kind] ?? {})) {
      const path = `spec.${kind}.${key}`;
      if (key.length > MAX_KEY_LENGTH) {
        issues.push({ path, message: `a key must not have more than ${String(MAX_KEY_LENGTH)} characters` });
      }
      if (key === "") issues.push({ path, message: "a key must not be empty" });
      if (key.includes(".") || key.startsWith("$")) {
        issues.push({ path, message: "Auth0 takes no keys that hold a dot or begin with $" });
      }
      if (value !== null && spec.removeAttributes?.includes(`${kind}.${key}`) === true) {
        issues.push({ path, message: "has a value and is named in removeAttributes: keep one of the two" });
      }
    }
  }
  for (const kind of ["userMetadata", "appMetadata"] as const) {
    const removed = (spec.removeAttributes ?? []).filter((name) => name.startsWith(`${kind}.`));
    const keys = [...Object.keys(spec[kind] ?? {}), ...removed.map((name) => name.slice(kind.length + 1))];
    for (const key of keys) {
      const fault = findKeyFault(kind, key);
      if (fault !== undefined) issues.push({ path: `spec.${kind}.${key}`, message: `${fault}; choose another` });
    }
  }
  return issues;
}

/** Why a key is none that a manifest may name, not even to remove it; `undefined`: it is one. */
export function findKeyFault(kind: "userMetadata" | "appMetadata", key: string): string | undefined {
  if (key === "__proto__") return "JavaScript, which Auth0 is written in, does not keep a key of this name";
  if (kind === "userMetadata") return undefined;
  if (RESERVED_APP_METADATA.has(key)) return "Auth0 keeps this name to itself";
  return key === OWN_APP_METADATA ? "the operator keeps this name to itself" : undefined;
}

/** The depth first: what is too deep may be too deep to be written as text, too. */
function boundIssues({ userMetadata, appMetadata }: Auth0UserSpec): Issue[] {
  const metadata = Object.entries({ userMetadata, appMetadata }).filter(([, value]) => value !== undefined);
  if (metadata.length === 0) return [];
  const tooDeep = metadata.filter(([, value]) => isDeeperThan(value, MAX_DEPTH));
  if (tooDeep.length > 0) {
    return tooDeep.map(([kind]) => ({
      path: `spec.${kind}`,
      message: `is nested deeper than ${String(MAX_DEPTH)} levels: make it flatter`,
    }));
  }
  const unsayable = metadata.filter(([, value]) => holdsUnsayableNumber(value));
  if (unsayable.length > 0) {
    return unsayable.map(([kind]) => ({
      path: `spec.${kind}`,
      message:
        "holds a number that JSON or JavaScript can't keep (.nan, .inf, or whole and beyond 2^53): write it as a string",
    }));
  }
  const bytes = metadata.reduce((sum, [, value]) => sum + Buffer.byteLength(JSON.stringify(value)), 0);
  if (bytes <= MAX_METADATA_BYTES) return [];
  const message = `userMetadata and appMetadata have ${String(bytes)} bytes as JSON, and Auth0 takes ${String(MAX_METADATA_BYTES)} a user: keep large data elsewhere and its id here`;
  return metadata.map(([kind]) => ({ path: `spec.${kind}`, message }));
}

/** JSON makes a null of it, which deletes the key, or it is rounded on its way. */
function holdsUnsayableNumber(value: unknown): boolean {
  if (typeof value === "number")
    return !Number.isFinite(value) || Number.isInteger(value) !== Number.isSafeInteger(value);
  return typeof value === "object" && value !== null && Object.values(value).some(holdsUnsayableNumber);
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((one) => isDeeperThan(one, levels - 1));
}
