/** A valid spec → what the core works with. The one place that knows in which spellings a person may say "remove". */
import type { DesiredUser } from "../core/desired-user.ts";
import { connectionName, userId } from "../core/ids.ts";
import { isJsonMap, type JsonMap, type JsonValue } from "../core/json.ts";
import type { Auth0UserSpec } from "./auth0-user.ts";

/**
 * Removal is spelt, in this order of precedence: an explicit null; a name in `removeAttributes`; a null that
 * `kubectl apply` dropped and its annotation kept. A value outweighs all of them.
 *
 * @param recovered the nulls of the last kind, in the spelling of `removeAttributes`
 */
export function desiredUserFrom(spec: Auth0UserSpec, recovered: readonly string[]): DesiredUser {
  const removed = new Set([...(spec.removeAttributes ?? []), ...recovered]);
  const orRemoved = <T>(name: string, value: T | undefined): T | null | undefined =>
    value === undefined && removed.has(name) ? null : value;
  return {
    connection: connectionName(spec.connection),
    adoptedId: spec.userId === undefined ? undefined : userId(spec.userId),
    attributes: {
      email: spec.email,
      username: spec.username,
      emailVerified: spec.emailVerified,
      blocked: orRemoved("blocked", spec.blocked),
      givenName: orRemoved("givenName", spec.givenName),
      familyName: orRemoved("familyName", spec.familyName),
      name: orRemoved("name", spec.name),
      nickname: orRemoved("nickname", spec.nickname),
      picture: orRemoved("picture", spec.picture),
    },
    userMetadata: metadata("userMetadata", spec.userMetadata, removed),
    appMetadata: metadata("appMetadata", spec.appMetadata, removed),
    verifyEmail: spec.verifyEmail ?? false,
  };
}

function metadata(kind: string, declared: unknown, removed: ReadonlySet<string>): JsonMap {
  const result: Record<string, JsonValue> = isJsonMap(declared) ? { ...declared } : {};
  for (const name of removed) {
    const key = name.startsWith(`${kind}.`) ? name.slice(kind.length + 1) : undefined;
    if (key !== undefined && !Object.hasOwn(result, key)) result[key] = null;
  }
  return result;
}
