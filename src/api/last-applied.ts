/**
 * Nulls that `kubectl apply` (client-side) drops: the API server never sees them, but the annotation with the last applied
 * configuration keeps them. They are obeyed only while the rest of that annotation agrees with the object; otherwise
 * somebody else has changed the object since, and the annotation is history.
 */
import { isJsonMap, isSameJson, type JsonMap, type JsonValue } from "../core/json.ts";
import { findKeyFault } from "./metadata-rules.ts";

export const LAST_APPLIED_ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration";

const NULLABLE = ["phoneNumber", "givenName", "familyName", "name", "nickname", "picture"] as const;

/**
 * @param annotation the annotation's text, where there is one
 * @returns attributes to remove, in the spelling of `removeAttributes`
 */
export function findRecoveredNulls(spec: Readonly<Record<string, unknown>>, annotation: string | undefined): string[] {
  // Nearly every annotation is without a null, and parsing costs more than looking.
  if (annotation === undefined || !annotation.includes(":null")) return [];
  const applied = appliedSpec(annotation);
  if (applied === undefined || !isJsonMap(spec) || !isSameJson(withoutNulls(applied), withoutNulls(spec))) return [];
  const root = NULLABLE.filter((name) => applied[name] === null && !Object.hasOwn(spec, name));
  return [...root, ...droppedKeys("userMetadata", applied, spec), ...droppedKeys("appMetadata", applied, spec)];
}

function droppedKeys(kind: "userMetadata" | "appMetadata", applied: JsonMap, spec: JsonMap): string[] {
  const [before, now] = [applied[kind], spec[kind]];
  if (!isJsonMap(before)) return [];
  const standing = isJsonMap(now) ? now : {};
  return Object.keys(before).flatMap((key) =>
    before[key] === null && !Object.hasOwn(standing, key) && findKeyFault(kind, key) === undefined
      ? [`${kind}.${key}`]
      : [],
  );
}

function appliedSpec(annotation: string): JsonMap | undefined {
  try {
    const document: unknown = JSON.parse(annotation);
    return isJsonMap(document) && isJsonMap(document["spec"]) ? document["spec"] : undefined;
  } catch {
    return undefined;
  }
}

/** An object that held nothing but nulls stays, empty: so does the API server leave it. */
function withoutNulls(value: JsonValue): JsonValue {
  if (!isJsonMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, one]) => (one === null ? [] : [[key, withoutNulls(one)]])),
  );
}
