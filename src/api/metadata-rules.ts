/** Rules on the keys of metadata: CEL can't reach into objects of anybody's shape, so these are the operator's alone. */
import type { Auth0UserSpec } from "./auth0-user.ts";
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

export function metadataIssues(spec: Auth0UserSpec): Issue[] {
  const issues: Issue[] = [];
  for (const kind of ["userMetadata", "appMetadata"] as const) {
    for (const [key, value] of Object.entries(spec[kind] ?? {})) {
      const path = `spec.${kind}.${key}`;
      if (key === "") issues.push({ path, message: "a key must not be empty" });
      if (key.includes(".") || key.startsWith("$")) {
        issues.push({ path, message: "Auth0 takes no keys that hold a dot or begin with $" });
      }
      if (value !== null && spec.removeAttributes?.includes(`${kind}.${key}`) === true) {
        issues.push({ path, message: "has a value and is named in removeAttributes: keep one of the two" });
      }
    }
  }
  const appKeys = [
    ...Object.keys(spec.appMetadata ?? {}),
    ...(spec.removeAttributes ?? []).filter((name) => name.startsWith("appMetadata.")).map((name) => name.slice(12)),
  ];
  for (const key of appKeys) {
    const path = `spec.appMetadata.${key}`;
    if (RESERVED_APP_METADATA.has(key))
      issues.push({ path, message: "Auth0 keeps this name to itself; choose another" });
    if (key === OWN_APP_METADATA)
      issues.push({ path, message: "the operator keeps this name to itself; choose another" });
  }
  return issues;
}
