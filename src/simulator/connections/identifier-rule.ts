/** What a connection demands of the attributes that can identify a user, and of the password. */
import { isJsonObject, type JsonObject } from "../../runtime/json.ts";
import { isDatabase, type Connection } from "./connection.ts";

export type Identifier = "email" | "username" | "phone_number";

export const IDENTIFIERS: readonly Identifier[] = ["email", "username", "phone_number"];

export interface IdentifierRule {
  readonly use: "required" | "optional" | "refused";
  /** No second user of the connection may have the same. */
  readonly unique: boolean;
}

/** The identifier that a passwordless connection sends its codes to. */
const PASSWORDLESS: Readonly<Record<string, Identifier>> = { email: "email", sms: "phone_number" };

export function identifierRule(connection: Connection, identifier: Identifier): IdentifierRule {
  const { attributes } = connection.options;
  if (isDatabase(connection) && isJsonObject(attributes)) return flexibleRule(attributes[identifier], identifier);
  if (identifier === "username") {
    const required = isDatabase(connection) && connection.options["requires_username"] === true;
    return { use: required ? "required" : "refused", unique: true };
  }
  const required = isDatabase(connection) ? identifier === "email" : PASSWORDLESS[connection.strategy] === identifier;
  return { use: required ? "required" : "optional", unique: required };
}

/** Databases with `options.attributes` (flexible identifiers). */
function flexibleRule(attribute: unknown, identifier: Identifier): IdentifierRule {
  if (!isJsonObject(attribute)) return { use: identifier === "username" ? "refused" : "optional", unique: false };
  return {
    use: attribute["profile_required"] === true ? "required" : "optional",
    unique: attribute["unique"] !== false,
  };
}

/** Length of usernames, from either form of the options; 1 to 15 where they do not say (recorded, documented). */
export function usernameLength({ options }: Connection): { readonly min: number; readonly max: number } {
  const plain = at(options, "validation", "username");
  const flexible = at(options, "attributes", "username", "validation");
  return {
    min: firstNumber(flexible["min_length"], plain["min"]) ?? 1,
    max: firstNumber(flexible["max_length"], plain["max"]) ?? 15,
  };
}

/** A database may do without passwords only where its `authentication_methods` (recorded) say so. */
export function requiresPassword(connection: Connection): boolean {
  const password = at(connection.options, "authentication_methods", "password");
  return isDatabase(connection) && password["api_behavior"] !== "optional";
}

/** The object at a path of `object`; an empty one where there is none. */
function at(object: JsonObject, ...path: readonly string[]): JsonObject {
  let found: unknown = object;
  for (const key of path) found = isJsonObject(found) ? found[key] : undefined;
  return isJsonObject(found) ? found : {};
}

function firstNumber(...values: readonly unknown[]): number | undefined {
  return values.find((value) => typeof value === "number");
}
