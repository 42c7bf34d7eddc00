/** Lists and watches as they come over the wire, checked as far as a reflector relies on them. */
import { findJsonObject, isJsonObject, type JsonObject } from "../runtime/json.ts";
import { ApiError } from "./api-error.ts";

export interface Page {
  readonly items: readonly JsonObject[];
  readonly resourceVersion: string;
  /** The token for the page that follows. */
  readonly next: string | undefined;
}

export function parsePage(answer: JsonObject, path: string): Page {
  const { items, metadata } = answer;
  const { continue: next, resourceVersion } = isJsonObject(metadata) ? metadata : {};
  if (!Array.isArray(items) || !items.every(isJsonObject) || typeof resourceVersion !== "string") {
    throw malformed(`list ${path}: not a list of objects`);
  }
  return { items, resourceVersion, next: typeof next === "string" && next !== "" ? next : undefined };
}

const EVENT_TYPES = ["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"] as const;

export interface WatchEvent {
  readonly type: (typeof EVENT_TYPES)[number];
  readonly object: JsonObject;
}

export function parseEvent(line: Buffer, path: string): WatchEvent {
  const { type: word, object } = findJsonObject(line.toString()) ?? {};
  const type = EVENT_TYPES.find((known) => known === word);
  if (type === undefined || !isJsonObject(object)) throw malformed(`watch ${path}: a line that is no event`);
  return { type, object };
}

export function resourceVersionOf({ metadata }: JsonObject, path: string): string {
  const resourceVersion = isJsonObject(metadata) ? metadata["resourceVersion"] : undefined;
  if (typeof resourceVersion !== "string") throw malformed(`watch ${path}: an event without resourceVersion`);
  return resourceVersion;
}

function malformed(message: string): ApiError {
  return new ApiError("malformed", message, { kind: "backoff" });
}
