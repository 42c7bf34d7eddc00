/** Small readings of JSON objects. */
import { isJsonObject, type JsonObject } from "../runtime/json.ts";

/** The string under `name`; undefined where there is none or something else. */
export function textIn(object: JsonObject, name: string): string | undefined {
  const value = object[name];
  return typeof value === "string" ? value : undefined;
}

/** The object under `name`; undefined where there is none or something else. */
export function objectIn(object: JsonObject, name: string): JsonObject | undefined {
  const value = object[name];
  return isJsonObject(value) ? value : undefined;
}

/** The strings in the list under `name`; none where there is no list. */
export function textsIn(object: JsonObject, name: string): readonly string[] {
  const list: unknown = object[name];
  return Array.isArray(list) ? list.filter((item) => typeof item === "string") : [];
}

/** The objects in the list under `name`; none where there is no list. */
export function objectsIn(object: JsonObject, name: string): readonly JsonObject[] {
  const list: unknown = object[name];
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
}

/** `object` without the keys that are undefined. */
export function defined(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
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

/** A value nested deeper can be read, but not written again: the stack is finite. Auth0 names no figure. */
const MAX_DEPTH = 500;

/** @throws SyntaxError where the text is no JSON, or nested too deep */
export function parseJson(text: string): unknown {
  // A short text cannot be deep, and is not looked through.
  if (text.length > 2 * MAX_DEPTH && depthOf(text) > MAX_DEPTH) throw new SyntaxError("nested too deep");
  return JSON.parse(text);
}

/** Of brackets and braces outside of strings, in what may be JSON. */
function depthOf(text: string): number {
  let deepest = 0;
  let depth = 0;
  let isInString = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (isInString) {
      if (character === "\\") index++;
      else if (character === '"') isInString = false;
    } else if (character === '"') isInString = true;
    else if (character === "[" || character === "{") deepest = Math.max(deepest, ++depth);
    else if (character === "]" || character === "}") depth--;
  }
  return deepest;
}
