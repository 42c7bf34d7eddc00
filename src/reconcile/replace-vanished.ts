/** What becomes of a user that was ours and is not there any more. */
import type { UserId } from "../core/ids.ts";
import type { Provenance } from "../core/ownership.ts";
import { LATEST_MS } from "../runtime/clock.ts";
import { createUser } from "./create-user.ts";
import { findLinked } from "./find-linked.ts";
import { recogniseOwn } from "./find-taken.ts";
import { refused } from "./outcome.ts";
import type { Found, Pass } from "./pass.ts";

/** A user that was missing once is looked for again after this long, since the search for linked users lags by seconds. */
const GONE_DOUBT_MS = 5_000;
/** Whoever deleted a user at Auth0 had a reason: so long it is not created again. */
const RECREATE_AFTER_MS = 3_600_000;

/** A user that was ours is not there: linked into another account, or deleted behind our back. */
export async function replaceVanished(pass: Pass, id: UserId, provenance: Provenance): Promise<Found> {
  pass.lastSeen = undefined;
  const linked = await findLinked(pass, id);
  if (linked !== undefined) return linked;
  const nowMs = pass.ports.clock.now();
  pass.goneSinceMs ??= nowMs;
  if (nowMs - pass.goneSinceMs < GONE_DOUBT_MS) {
    return { kind: "undecided", untilMs: pass.goneSinceMs + GONE_DOUBT_MS };
  }
  const { desired, ownership, recreation = provenance === "created" ? "Recreate" : "Report" } = pass.declaration;
  const begun = ownership.kind === "owned" ? ownership.begun : undefined;
  const created = begun && (await pass.findCreated(begun));
  if (created !== undefined) return recogniseOwn(pass, created);
  if (recreation === "Report" || desired.adoptedId !== undefined) {
    const which = provenance === "adopted" ? ", which was adopted," : "";
    return refused("UserNotFound", `${id}${which} does not exist at Auth0 any more`);
  }
  const untilMs = Math.min(pass.goneSinceMs + (pass.declaration.recreateAfterMs ?? RECREATE_AFTER_MS), LATEST_MS);
  if (nowMs < untilMs) {
    const message = `${id} was deleted at Auth0; it is created again after ${new Date(untilMs).toISOString()} (recreateAfter), unless recreatePolicy is Report`;
    return refused("RecreationScheduled", message, { kind: "wait", untilMs });
  }
  return createUser(pass, "Recreated");
}
