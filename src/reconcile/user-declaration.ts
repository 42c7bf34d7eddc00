/** What a side hands in of one user: what is declared, what is known of it by now, and how its resource is to be kept. */
import type { DesiredUser } from "../core/desired-user.ts";
import type { UserId } from "../core/ids.ts";
import type { ObservedUser } from "../core/observed-user.ts";
import type { Ownership } from "../core/ownership.ts";
import type { PlanHistory } from "../core/plan.ts";
import type { Marker } from "./marker.ts";
import type { Memory } from "./outcome.ts";
import type { PasswordDeclaration } from "./password.ts";
import type { Approval } from "./review.ts";

/** Everything a side knows of one resource when its turn comes. */
export interface UserDeclaration {
  readonly desired: DesiredUser;
  readonly ownership: Ownership;
  /** The id a new user gets; absent where the connection does not let the caller choose. */
  readonly derivedId: UserId | undefined;
  readonly password: PasswordDeclaration;
  /** Version of the password that the creation carried which was begun last. */
  readonly begunPassword: string | undefined;
  /** Whether an existing user that holds the address is taken over; with `Review` once a person approved what would change. */
  readonly adoption: "Never" | "Review" | "Adopt";
  readonly approval: Approval;
  /** What becomes of a user that somebody deleted at Auth0; `undefined`: as its provenance says. */
  readonly recreation: "Recreate" | "Report" | undefined;
  /** How long a user that is gone is not created again; `undefined`: an hour. */
  readonly recreateAfterMs: number | undefined;
  /** Why this very user, which we did not create, must not be written to; `undefined`: it may. */
  readonly findObjection: (user: ObservedUser) => string | undefined;
  readonly history: Omit<PlanHistory, "settled">;
  readonly memory: Memory;
  /** What this resource has given the user so far (`Outcome.assigned`). */
  readonly assigned: readonly string[];
  /** Whether the last sighting may stand for a read: it is for an edit, not for a look after drift. */
  readonly isSightingEnough: boolean;
  readonly marker: Marker;
}
