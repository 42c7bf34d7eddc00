/** Small readings of JSON objects. */
import type { JsonObject } from "../runtime/json.ts";

/** The string under `name`; undefined where there is none or something else. */
export function textIn(object: JsonObject, name: string): string | undefined {
  const value = object[name];
  return typeof value === "string" ? value : undefined;
}

/** Any value as one text; undefined for null and undefined. */
export function textFrom(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Characters of a text as people and JSON Schema count them, not UTF-16 units. */
export function lengthOf(text: string): number {
  return Array.from(text).length;
}
