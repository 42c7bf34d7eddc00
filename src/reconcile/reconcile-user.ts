/**
 * One user, once: observe → plan → apply → outcome. The same sequence whether a cluster or a directory of files declares
 * the user; the sides differ in what they hand in and in what they do with the outcome.
 */
import type { UserId } from "../core/ids.ts";
import type { ObservedUser } from "../core/observed-user.ts";
import { DirectoryError } from "./errors.ts";
import { judgePass } from "./judge-pass.ts";
import { observeUser } from "./observe-user.ts";
import { refused, type Outcome, type Verdict } from "./outcome.ts";
import { Pass, type Entry, type Ports } from "./pass.ts";
import { REASON_OF } from "./reasons.ts";
import { replaceVanished } from "./replace-vanished.ts";
import type { UserDeclaration } from "./user-declaration.ts";

/** @throws only `signal.reason` and bugs; every failure of the far side is a verdict. */
export async function reconcileUser(declaration: UserDeclaration, ports: Ports, signal: AbortSignal): Promise<Outcome> {
  const pass = new Pass(declaration, ports, signal);
  try {
    const found = await observeUser(pass);
    return pass.end("entry" in found ? await bringAbout(pass, found.user, found.entry) : found);
  } catch (error) {
    if (!(error instanceof DirectoryError)) throw error;
    return pass.end(refused(REASON_OF[error.code], error.message, error.remedy));
  }
}

async function bringAbout(pass: Pass, found: ObservedUser, entry: Entry): Promise<Verdict> {
  const provenance = pass.user?.provenance ?? "adopted";
  const standing = entry === "seen" ? "known" : entry === "Adopted" ? "adopted" : "new";
  const result = await pass.work.bringAbout(found, standing, provenance);
  if (result === "done") {
    await assign(pass, found.userId, entry);
    return judgePass(pass, entry);
  }
  const replaced = await replaceVanished(pass, found.userId, provenance);
  return "entry" in replaced ? bringAbout(pass, replaced.user, replaced.entry) : replaced;
}

async function assign(pass: Pass, userId: UserId, entry: Entry): Promise<void> {
  const { history } = pass.declaration;
  const isNew = entry === "Created" || entry === "Recreated";
  const isNewSpec = history.isNewSpec || entry !== "seen";
  await pass.assignments.bringAbout(userId, { isNew, isNewSpec, isInitial: isNew || history.isInitial });
}
