/** What a database's options may not say together; texts as Auth0's Go SDK expects them of the real API. */
import { isJsonObject, type JsonObject } from "../../runtime/json.ts";
import { objectIn } from "../json.ts";
import { badRequest } from "../refusal.ts";

/** @throws Refusal 400 */
export function checkOptions(strategy: string, options: JsonObject | undefined): void {
  const attributes = options && objectIn(options, "attributes");
  if (strategy !== "auth0" || !attributes) return;
  for (const name of ["requires_username", "validation"]) {
    if (options[name] !== undefined) throw invalid(`Cannot set both options.attributes and options.${name}`);
  }
  const entries = Object.entries(attributes).filter((entry): entry is [string, JsonObject] => isJsonObject(entry[1]));
  if (!entries.some(([, attribute]) => objectIn(attribute, "identifier")?.["active"] === true)) {
    throw invalid("attributes must contain one active identifier");
  }
  const odd = entries.find(
    ([, attribute]) =>
      attribute["profile_required"] === true && objectIn(attribute, "signup")?.["status"] === "inactive",
  );
  if (odd) throw invalid(`attribute ${odd[0]} must also be required on signup`);
}

function invalid(message: string): Error {
  return badRequest(message, "invalid_body");
}
