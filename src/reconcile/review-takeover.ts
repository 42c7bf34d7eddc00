/** Rehearses a takeover and holds it back until a person approved exactly what it would write. */
import type { ObservedUser } from "../core/observed-user.ts";
import { AssignmentWork } from "./assignment-work.ts";
import { refused, type Refused } from "./outcome.ts";
import type { Pass } from "./pass.ts";
import { Rehearsal } from "./rehearsal.ts";
import { findUnapproved, plannedChangeFrom } from "./review.ts";

/** How often a takeover that waits for a person is compared with the user as it is by then. */
const REVIEW_AGAIN_MS = 3_600_000;
/** How often one that can't be approved for want of a key looks for one. */
const KEYS_AGAIN_MS = 60_000;

/** With `Review` nothing is written, not even a claim, before a person approved what would be. */
export async function reviewTakeover(pass: Pass, user: ObservedUser): Promise<Refused | undefined> {
  const { adoption, approval, password } = pass.declaration;
  if (adoption !== "Review") return undefined;
  const { directory, clock } = pass.ports;
  const { changes, sendsPassword } = await pass.work.rehearse(user);
  const rehearsal = new Rehearsal(directory.assignments);
  const assignments = new AssignmentWork(pass.declaration, rehearsal, pass.signal);
  await assignments.bringAbout(user.userId, { isNew: false, isNewSpec: true, isInitial: false });
  const version = password.kind === "given" ? password.version : undefined;
  const planned = [
    ...changes.map(plannedChangeFrom),
    ...(sendsPassword
      ? [{ field: "password", change: "Set", from: undefined, to: version, isShown: false } as const]
      : []),
    ...rehearsal.changes,
  ];
  pass.review = findUnapproved(user.userId, directory.tenantDomain, planned, approval);
  if (pass.review === undefined) return undefined;
  const { hash } = pass.review;
  const fields = [...new Set(planned.map(({ field }) => field))].join(", ");
  const wouldBe = `taking over ${user.userId} would ${fields === "" ? "change nothing" : `change ${fields}`}`;
  const [next, againMs] =
    hash === undefined
      ? [
          "it can't be approved while the operator's keys are missing: restore its state Secret, or create that empty to have new ones made",
          KEYS_AGAIN_MS,
        ]
      : [`nothing is written until the annotation auth0-user-operator.dev/approve-plan is ${hash}`, REVIEW_AGAIN_MS];
  return refused("AwaitingApproval", `${wouldBe}; ${next}`, { kind: "wait", untilMs: clock.now() + againMs });
}
