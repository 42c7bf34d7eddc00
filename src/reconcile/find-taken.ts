/** Who holds the address, username or number that is declared: ourselves, a user to take over, or somebody else. */
import type { ObservedUser } from "../core/observed-user.ts";
import { adoptUser } from "./adopt-user.ts";
import { claimOwn, duplicateClaim, findForeignClaim } from "./duplicate-claim.ts";
import { findOtherConnection } from "./other-connection.ts";
import { refused } from "./outcome.ts";
import type { Found, Pass } from "./pass.ts";

/** The user that holds the address, username or number, and what that means; `undefined`: nobody does. */
export async function findTaken(pass: Pass): Promise<Found | undefined> {
  const { marked, others } = await pass.findHolders();
  if (marked !== undefined) return recogniseOwn(pass, marked);
  const [holder, ...more] = others;
  if (holder === undefined) return undefined;
  const foreign = findForeignClaim(holder, pass.declaration.marker);
  if (foreign !== undefined) return foreign;
  if (pass.declaration.adoption !== "Never" && more.length === 0) return adoptUser(pass, holder.userId);
  const claimant = await pass.ports.claims.findHolder(holder.userId);
  if (claimant !== undefined) return duplicateClaim(holder.userId, claimant);
  return refused(
    "UserConflict",
    `${holder.userId} in ${pass.declaration.desired.connection} already holds this address, username or number: to take it over, set spec.userId to it; else choose another`,
  );
}

/** A user that bears our id or marker: a creation whose answer was lost, or a takeover whose record was. */
export async function recogniseOwn(pass: Pass, user: ObservedUser): Promise<Found> {
  const { desired, marker, findObjection } = pass.declaration;
  const elsewhere = findOtherConnection(user, desired.connection);
  if (elsewhere !== undefined) return elsewhere;
  const foreign = findForeignClaim(user, marker);
  if (foreign !== undefined) return foreign;
  const reading = marker.read(user);
  const provenance = reading.kind === "own" ? reading.provenance : "created";
  const objection = provenance === "adopted" ? findObjection(user) : undefined;
  if (objection !== undefined) return refused("NotGranted", objection);
  pass.see(user);
  const obstacle = await claimOwn(pass, user.userId, provenance);
  if (obstacle !== undefined) return obstacle;
  if (provenance === "adopted") return { user, entry: "seen" };
  pass.isCreated = true;
  const { password, begunPassword } = pass.declaration;
  // The creation whose answer was lost carried the password of its day: the Secret may have changed since.
  pass.work.isPasswordSent = password.kind === "given" && password.version === begunPassword;
  return { user, entry: "Created" };
}
