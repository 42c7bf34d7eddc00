/** The user that a path names. */
import type { Call } from "../call.ts";
import { inexistentUser } from "../refusal.ts";
import { checkUserId } from "./user-id.ts";
import type { User } from "./user.ts";

/** @throws Refusal 400 for what cannot be an id, 404 where there is no such user */
export function userOf({ tenant, params }: Call, param = "id"): User {
  const user = tenant.users.find(checkUserId(params[param]));
  if (!user) throw inexistentUser();
  return user;
}
