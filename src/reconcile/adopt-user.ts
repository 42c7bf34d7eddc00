/** Takes over a user that exists: only where nobody else claims it, and with `Review` where a person approved. */
import type { UserId } from "../core/ids.ts";
import { duplicateClaim, findForeignClaim } from "./duplicate-claim.ts";
import { findOtherConnection } from "./other-connection.ts";
import { refused } from "./outcome.ts";
import type { Found, Pass } from "./pass.ts";
import { reviewTakeover } from "./review-takeover.ts";

/** Claims the user once nothing speaks against it; its attributes are brought in line later. */
export async function adoptUser(pass: Pass, id: UserId): Promise<Found> {
  const { desired, findObjection } = pass.declaration;
  const holder = await pass.ports.claims.reserve(id);
  if (holder !== undefined) return duplicateClaim(id, holder);
  const user = await pass.find(id);
  if (user === undefined) return refused("UserNotFound", `${id} is to be taken over, but does not exist at Auth0`);
  const maker = pass.ports.claims.findMaker(user);
  if (maker !== undefined) return duplicateClaim(id, maker);
  const elsewhere = findOtherConnection(user, desired.connection);
  if (elsewhere !== undefined) return elsewhere;
  const objection = findObjection(user);
  if (objection !== undefined) return refused("NotGranted", objection);
  const obstacle = findForeignClaim(user, pass.declaration.marker) ?? (await reviewTakeover(pass, user));
  if (obstacle !== undefined) return obstacle;
  await pass.ports.claims.record(id, "adopted", pass.signal);
  pass.user = { userId: id, provenance: "adopted" };
  return { user, entry: "Adopted" };
}
