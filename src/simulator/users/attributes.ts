/** How what is sent becomes a user's attributes. */
import { isJsonObject, type JsonObject } from "../../runtime/json.ts";
import { normalizedIdentifier, type Connection } from "../connections/connection.ts";
import { DERIVED } from "./defaults.ts";
import { mergedMetadata } from "./metadata.ts";

/** Parts of a request that say what to do, and are no attributes. */
const DIRECTIONS = new Set(["connection", "client_id", "verify_email", "verify_phone_number", "password"]);

/**
 * `attributes` after `changes`: null removes, metadata merge, anything else replaces. Empty `app_metadata` vanish while
 * empty `user_metadata` stay (both recorded).
 */
export function withChanges(attributes: JsonObject, changes: JsonObject, connection: Connection): JsonObject {
  const next = new Map(Object.entries(attributes));
  for (const [name, value] of Object.entries(changes)) {
    if (DIRECTIONS.has(name)) continue;
    if (value === null) next.delete(name);
    else next.set(name, newValue(name, value, attributes, connection));
  }
  if (isEmpty(next.get("app_metadata"))) next.delete("app_metadata");
  return Object.fromEntries(next);
}

function newValue(name: string, value: unknown, attributes: JsonObject, connection: Connection): unknown {
  if (typeof value === "string" && (name === "email" || name === "username")) {
    return normalizedIdentifier(connection, value);
  }
  if ((name === "user_metadata" || name === "app_metadata") && isJsonObject(value)) {
    return mergedMetadata(attributes[name], value);
  }
  return value;
}

function isEmpty(value: unknown): boolean {
  return isJsonObject(value) && Object.keys(value).length === 0;
}

/** `attributes` with those of `names` derived that are absent. */
export function withDerived(attributes: JsonObject, names: readonly string[] = [...DERIVED.keys()]): JsonObject {
  let next = attributes;
  for (const [name, derive] of DERIVED) {
    const value = names.includes(name) && next[name] === undefined ? derive(next) : undefined;
    if (value !== undefined) next = { ...next, [name]: value };
  }
  return next;
}
