/** What is to be said of a user that was brought in line as far as it went. */
import type { Remedy } from "../runtime/remedy.ts";
import { refused, type Verdict } from "./outcome.ts";
import type { Entry, Pass } from "./pass.ts";

const MESSAGE_OF = {
  Created: "the user was created",
  Recreated: "the user was gone from Auth0 and was created again",
  Adopted: "the existing user was taken over",
} as const satisfies Record<Exclude<Entry, "seen">, string>;

/** The first objection gives the reason, all of them the message. */
export function judgePass(pass: Pass, entry: Entry): Verdict {
  const { password, history } = pass.declaration;
  const { isPasswordSent } = pass.work;
  const missing = password.kind === "missing" ? [password] : [];
  const objections = [...missing, ...pass.work.objections(), ...pass.assignments.objections];
  const [first] = objections;
  if (first !== undefined) {
    const message = [...objections.map((one) => one.message), "everything else is as declared"].join("; ");
    // A Secret may come at any moment; everything else waits for a person, or for the next look.
    const remedy: Remedy = { kind: missing.length > 0 ? "backoff" : "stall" };
    return { ...refused(first.reason, message, remedy), isRestDone: true };
  }
  if (entry !== "seen") return { kind: "ready", reason: entry, message: MESSAGE_OF[entry] };
  const changed = [...pass.work.changed, ...pass.assignments.changed, ...(isPasswordSent ? ["password"] : [])].join(
    ", ",
  );
  if (changed === "") {
    const isNews = history.isNewSpec || pass.work.reported.length + pass.assignments.reported.length > 0;
    return { kind: "ready", reason: isNews ? "InSync" : undefined, message: "the user is as declared" };
  }
  return (pass.work.isDrift || pass.assignments.isDrift) && !isPasswordSent
    ? { kind: "ready", reason: "DriftCorrected", message: `set back what was changed at Auth0: ${changed}` }
    : { kind: "ready", reason: "Updated", message: `changed at Auth0: ${changed}` };
}
