/** Two resources never write to the same user: somebody else's claim to it, and what is done before ours is written down. */
import type { UserId } from "../core/ids.ts";
import type { ObservedUser } from "../core/observed-user.ts";
import type { Provenance } from "../core/ownership.ts";
import type { Marker } from "./marker.ts";
import { refused, type Refused } from "./outcome.ts";
import type { Pass } from "./pass.ts";

/** The claim that the user bears of another operator, or of another resource. */
export function findForeignClaim(user: ObservedUser, marker: Marker): Refused | undefined {
  const claim = marker.findForeignClaim(user);
  return claim === undefined ? undefined : refused("DuplicateClaim", claim);
}

/** @param holder the resource that claims the user already */
export function duplicateClaim(id: UserId, holder: string): Refused {
  return refused("DuplicateClaim", `${id} belongs to Auth0User ${holder}, whose claim is older`);
}

/** Whether a resource that says so waits for this very user. */
export function isAboutUser(message: string, id: string): boolean {
  return message.startsWith(`${id} `);
}

/** Writes down whose the user is, unless its id is not this resource's alone and another was faster. */
export async function claimOwn(pass: Pass, id: UserId, provenance: Provenance): Promise<Refused | undefined> {
  const { declaration, ports, signal } = pass;
  const holder = id === declaration.derivedId ? undefined : await ports.claims.reserve(id);
  if (holder !== undefined) return duplicateClaim(id, holder);
  pass.user = { userId: id, provenance };
  await ports.claims.record(id, provenance, signal);
  return undefined;
}
