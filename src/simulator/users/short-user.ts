/** A user as a member of something: the few attributes that such lists show (recorded). */
import type { JsonObject } from "../../runtime/json.ts";
import { defined } from "../json.ts";
import type { User } from "./user.ts";

export function shortUser({ userId, attributes }: User): JsonObject {
  const { email, picture, name } = attributes;
  return defined({ user_id: userId, email, picture, name });
}
