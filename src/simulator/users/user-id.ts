/** Ids of users: the provider, `|`, and an id of the provider's own. */
import { badRequest } from "../refusal.ts";

/**
 * The id that a path names.
 *
 * @throws Refusal 400 for one without a provider: no user could have it (reported)
 */
export function checkUserId(userId: string | undefined): string {
  if (userId !== undefined && /^[^|]+\|./s.test(userId)) return userId;
  throw badRequest(`Object didn't pass validation for format user-id: ${userId ?? ""}`, "invalid_uri");
}
