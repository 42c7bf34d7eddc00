/** Somebody else's claim to a user: two resources never write to the same one. */
import type { UserId } from "../core/ids.ts";
import type { ObservedUser } from "../core/observed-user.ts";
import type { Marker } from "./marker.ts";
import { refused, type Refused } from "./outcome.ts";

/** The claim that the user bears of another operator, or of another resource. */
export function findForeignClaim(user: ObservedUser, marker: Marker): Refused | undefined {
  const claim = marker.findForeignClaim(user);
  return claim === undefined ? undefined : refused("DuplicateClaim", claim);
}

/** @param holder the resource that claims the user already */
export function duplicateClaim(id: UserId, holder: string): Refused {
  return refused("DuplicateClaim", `${id} belongs to Auth0User ${holder}, whose claim is older`);
}
