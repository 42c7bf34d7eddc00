/** What one pass found and did; the only value that travels back from the sequence to a side. */
import type { RootAttributeName } from "../core/desired-user.ts";
import type { UserId } from "../core/ids.ts";
import type { ObservedUser } from "../core/observed-user.ts";
import type { Provenance } from "../core/ownership.ts";
import type { AttributePath, Settled } from "../core/plan.ts";
import type { EpochMs } from "../runtime/clock.ts";
import type { Remedy } from "../runtime/remedy.ts";
import type { Reason } from "./reasons.ts";
import type { ReviewedPlan } from "./review.ts";

/** What is worth remembering from one pass to the next. Losing it costs a call, never a user. */
export interface Memory {
  /** The user as an answer to us last showed it. */
  readonly lastSeen: Sighting | undefined;
  readonly settled: ReadonlyMap<AttributePath, Settled>;
  /** What differed after the last pass and was left alone: of a status that could not be written nobody else knows it. */
  readonly reported: readonly AttributePath[];
  /** Flags that were to rise when an answer was lost: that they rose is nobody else's doing. */
  readonly unanswered: readonly RootAttributeName[];
  /** The password that Auth0 refused: it is not sent again before it or the spec changes. */
  readonly refusedPassword: RefusedPassword | undefined;
  /** What was declared of roles and the like when they were last brought about, as JSON. */
  readonly settledAssignments: string | undefined;
  /** Since when a user that was ours has been missing. */
  readonly goneSinceMs: EpochMs | undefined;
  /** Since when Auth0 has been saying that a user exists whom nobody can find. */
  readonly conflictSinceMs: EpochMs | undefined;
}

export interface RefusedPassword {
  readonly version: string;
  readonly message: string;
}

export interface Sighting {
  readonly user: ObservedUser;
  readonly atMs: EpochMs;
}

export const NO_MEMORY: Memory = {
  lastSeen: undefined,
  settled: new Map(),
  reported: [],
  unanswered: [],
  refusedPassword: undefined,
  settledAssignments: undefined,
  goneSinceMs: undefined,
  conflictSinceMs: undefined,
};

/** It is not as declared, for this reason. */
export interface Refused {
  readonly kind: "refused";
  readonly reason: Reason;
  readonly message: string;
  readonly remedy: Remedy;
  /** Whether everything that can be is brought about, but for what is pending. */
  readonly isRestDone: boolean;
}

export function refused(reason: Reason, message: string, remedy: Remedy = { kind: "stall" }): Refused {
  return { kind: "refused", reason, message, remedy, isRestDone: false };
}

export type Verdict =
  /** The user is as declared. Without a reason nothing had to be done, and the reason that stands is still true. */
  | { readonly kind: "ready"; readonly reason: Reason | undefined; readonly message: string }
  | Refused
  /** Nothing can be said yet; look again then. */
  | { readonly kind: "undecided"; readonly untilMs: EpochMs };

/** Whether nothing more can come of trying again: all is as declared, or only a new spec or a person can help. */
export function isSettled(verdict: Verdict): boolean {
  return verdict.kind === "ready" || (verdict.kind === "refused" && verdict.remedy.kind === "stall");
}

/** Whether the spec was brought about, but for what was refused by itself. */
export function isBroughtAbout(verdict: Verdict): boolean {
  return verdict.kind === "ready" || (verdict.kind === "refused" && verdict.isRestDone);
}

export interface Outcome {
  readonly verdict: Verdict;
  /** The user that is ours, however the pass ended. */
  readonly user: { readonly userId: UserId; readonly provenance: Provenance } | undefined;
  /** Whether this pass created the user, with every attribute that is declared. */
  readonly isCreated: boolean;
  /** Whether a creation was begun, of which the answer may have been lost. */
  readonly isCreationBegun: boolean;
  /** Attributes that were changed at Auth0; not those of a creation. */
  readonly changed: readonly AttributePath[];
  /** Whether `changed` undoes somebody's edit at Auth0, rather than follows an edit of the spec. */
  readonly isDrift: boolean;
  /** What differs and is left alone. */
  readonly reported: readonly AttributePath[];
  readonly notWritable: readonly AttributePath[];
  /** What could not be brought about, and may be at the next look. */
  readonly pending: readonly AttributePath[];
  /** What this resource has given the user: `role:rol_…`, `organization:org_…`. */
  readonly assigned: readonly string[];
  readonly isPasswordSent: boolean;
  /** Why the password was not taken. */
  readonly passwordFailure: { readonly reason: Reason; readonly message: string } | undefined;
  /** The takeover that waits for a person's approval. */
  readonly review: ReviewedPlan | undefined;
  readonly memory: Memory;
}
