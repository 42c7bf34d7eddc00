/** The query parameters `fields` and `include_fields`, which many endpoints have. */
import type { JsonObject } from "../runtime/json.ts";
import { checkQuery, type Schema } from "./schema.ts";

const SCHEMA: Schema = {
  properties: {
    fields: {
      type: "string",
      description:
        "Comma-separated list of fields to include or exclude (based on value provided for include_fields) in the result. " +
        "Leave empty to retrieve all fields.",
    },
    include_fields: {
      type: "boolean",
      description: "Whether specified fields are to be included (true) or excluded (false).",
    },
  },
};

/** Reduces an object to what the query asks for. @throws Refusal 400 for a malformed parameter */
export function parseFields(query: URLSearchParams): (object: JsonObject) => JsonObject {
  checkQuery(query, SCHEMA);
  const names = new Set((query.get("fields") ?? "").split(",").filter((name) => name !== ""));
  if (names.size === 0) return (object) => object;
  const include = query.get("include_fields") !== "false";
  return (object) => Object.fromEntries(Object.entries(object).filter(([name]) => names.has(name) === include));
}
