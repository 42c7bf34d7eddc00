/** What leaves the spec under `unsetPolicy: Remove`. */
import { REMOVABLE_ATTRIBUTES } from "../core/fields.ts";
import { isJsonMap } from "../core/json.ts";
import type { Auth0UserSpec } from "./auth0-user.ts";

/**
 * Attributes that were set for this resource before and that the spec mentions no more: each is removed once, then no
 * longer looked after. What was not set by us is never among them.
 *
 * @param managed the attributes that the spec managed when it was last brought about
 * @param removed those of them that it removed: there is nothing of ours left to remove
 * @returns names in the spelling of `removeAttributes`
 */
export function findUnset(
  spec: Auth0UserSpec,
  { managed, removed }: { readonly managed: readonly string[]; readonly removed: readonly string[] },
): string[] {
  if (spec.unsetPolicy !== "Remove") return [];
  const named = new Set(spec.removeAttributes);
  return managed.filter(
    (path) => !removed.includes(path) && !named.has(path) && isRemovable(path) && isUnset(path, spec),
  );
}

function isRemovable(path: string): boolean {
  return path.includes(".") || REMOVABLE_ATTRIBUTES.some((name) => name === path);
}

function isUnset(path: string, spec: Readonly<Record<string, unknown>>): boolean {
  const dot = path.indexOf(".");
  if (dot < 0) return spec[path] === undefined;
  const metadata = spec[path.slice(0, dot)];
  return !isJsonMap(metadata) || !Object.hasOwn(metadata, path.slice(dot + 1));
}
