/** `user_metadata` and `app_metadata`: how they merge and which keys are refused. */
import { isJsonObject, type JsonObject } from "../../runtime/json.ts";
import { additionalProperties, onProperty, refusePayload, type Schema } from "../schema.ts";

const METADATA = ["user_metadata", "app_metadata"] as const;

/** Names that `app_metadata` does not take (documented). */
const RESERVED = new Set(
  (
    "__tenant _id blocked clientID created_at email_verified email globalClientID global_client_id identities lastIP " +
    "lastLogin loginsCount metadata multifactor_last_modified multifactor updated_at user_id"
  ).split(" "),
);

/** Throws the 400 for keys that metadata must not have (documented; the text is modelled on that for other keys). */
export function checkMetadata(body: JsonObject, { properties }: Schema): void {
  refusePayload(
    METADATA.flatMap((name) => {
      const metadata = body[name];
      const property = properties[name];
      if (!property || !isJsonObject(metadata)) return [];
      const refused = Object.keys(metadata).filter(
        (key) => key.includes(".") || key.startsWith("$") || (name === "app_metadata" && RESERVED.has(key)),
      );
      return refused.length === 0 ? [] : [onProperty(additionalProperties(refused), name, property)];
    }),
  );
}

/** Merged one level deep: null deletes a key, other values replace it whole, and `{}` empties everything (recorded). */
export function mergedMetadata(current: unknown, changes: JsonObject): JsonObject {
  const kept = Object.keys(changes).length > 0 && isJsonObject(current) ? current : {};
  return withoutNulls({ ...kept, ...changes });
}

function withoutNulls(metadata: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== null));
}
