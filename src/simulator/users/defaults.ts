/** Attributes that Auth0 derives when nobody sends them (recorded in hundreds of creates). */
import { hash } from "node:crypto";
import type { JsonObject } from "../../runtime/json.ts";
import { textIn } from "../json.ts";

/** How each is derived, in the order to do it: a picture shows the name. */
export const DERIVED: ReadonlyMap<string, (attributes: JsonObject) => string | undefined> = new Map([
  ["name", defaultName],
  ["nickname", defaultNickname],
  ["picture", defaultPicture],
]);

/** The e-mail address; for users without one (not recorded) what else identifies them. */
function defaultName(attributes: JsonObject): string | undefined {
  return textIn(attributes, "email") ?? textIn(attributes, "username") ?? textIn(attributes, "phone_number");
}

/** The local part of the e-mail address. */
function defaultNickname(attributes: JsonObject): string | undefined {
  return defaultName(attributes)?.split("@", 1)[0]?.toLowerCase();
}

/** Gravatar's picture for the address, with the first two letters of the name as its own fallback. */
function defaultPicture(attributes: JsonObject): string | undefined {
  const identifier = defaultName(attributes);
  if (identifier === undefined) return undefined;
  const letters = Array.from((textIn(attributes, "name") ?? identifier).toWellFormed())
    .slice(0, 2)
    .join("")
    .toLowerCase();
  const fallback = encodeURIComponent(`https://cdn.auth0.com/avatars/${letters}.png`);
  // Joined, not a template: V8 keeps a template's parts as a tree, which for a hundred thousand users is 20 MB.
  const parts = ["https://s.gravatar.com/avatar/", hash("md5", identifier.toLowerCase()), "?s=480&r=pg&d=", fallback];
  return parts.join("");
}
