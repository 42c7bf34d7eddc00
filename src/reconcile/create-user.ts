/**
 * Creates a user, looking before it leaps: the answer to an earlier attempt may have been lost, and the id, address,
 * username or number may be somebody else's.
 */
import { bareId } from "../core/ids.ts";
import type { Creating } from "../core/ownership.ts";
import { newUserFrom } from "../core/writes.ts";
import { claimOwn } from "./duplicate-claim.ts";
import { identifierOf } from "./conflict.ts";
import { explainRefusal, findCreationObjection, type Objection } from "./creation-check.ts";
import { DirectoryError } from "./errors.ts";
import { findLinked } from "./find-linked.ts";
import { findTaken, recogniseOwn } from "./find-taken.ts";
import { refused, type Refused } from "./outcome.ts";
import type { Found, Pass } from "./pass.ts";
import { canChooseId } from "./ports.ts";
import type { PasswordDeclaration } from "./password.ts";
import { REASON_OF } from "./reasons.ts";
import type { UserDeclaration } from "./user-declaration.ts";

/** Auth0 may call a just-deleted address taken for some seconds; so long is a conflict without a holder not believed. */
const CONFLICT_DOUBT_MS = 60_000;

/**
 * The claim is on record before the user exists, so that a lost answer is recognised by the next pass (`resumeCreation`).
 *
 * @throws DirectoryError, or `signal.reason`
 */
export async function createUser(pass: Pass, entry: "Created" | "Recreated"): Promise<Found> {
  const { desired, derivedId, marker } = pass.declaration;
  const password = await passwordOf(pass.declaration);
  if (password.kind === "missing" || password.kind === "unneeded") {
    return refused(password.reason, password.message, { kind: "backoff" });
  }
  const value = password.kind === "given" ? password.value : undefined;
  const { connections } = pass.ports.directory;
  // Whoever wants to review a takeover wants to know of the user before anything is tried.
  const existing = pass.declaration.adoption === "Review" ? await findTaken(pass) : undefined;
  if (existing !== undefined) return existing;
  const objection = await findCreationObjection(desired, value, connections, pass.signal);
  if (objection !== undefined) return refuseCreation(pass, objection);
  pass.isCreationBegun = true;
  await pass.ports.claims.begin(
    derivedId ?? { begunWith: identifierOf(desired) },
    carriedBy(pass, password),
    pass.signal,
  );
  const newUser = newUserFrom(
    marker.addTo(desired, "created"),
    derivedId === undefined ? undefined : bareId(derivedId),
    value,
  );
  try {
    const user = await pass.ports.directory.createUser(newUser, pass.signal);
    pass.work.isPasswordSent = newUser.password !== undefined;
    pass.isCreated = true;
    pass.see(user);
    return (await claimOwn(pass, user.userId, "created")) ?? { user, entry };
  } catch (error) {
    if (!(error instanceof DirectoryError)) throw error;
    if (error.code === "already_exists") return resolveConflict(pass, error);
    if (error.remedy.kind !== "stall") throw error;
    const explanation =
      error.code === "connection_not_found"
        ? undefined
        : await explainRefusal(desired, value, connections, pass.signal);
    return refuseCreation(pass, explanation ?? { reason: REASON_OF[error.code], message: error.message });
  }
}

/** The password for a new user: another one is made where the former's is gone, and can be. */
async function passwordOf({ password }: UserDeclaration): Promise<PasswordDeclaration> {
  return password.kind === "unneeded" && password.renew !== undefined ? password.renew() : password;
}

/** Names no password. */
const UNKNOWN = "unknown";

/** Another password may be the user's in the end, where a creation that was begun with it is still to arrive. */
function carriedBy(
  { declaration: { ownership, begunPassword } }: Pass,
  password: PasswordDeclaration,
): string | undefined {
  const version = password.kind === "given" ? password.version : undefined;
  const isBegun = ownership.kind === "creating" || (ownership.kind === "owned" && ownership.begun !== undefined);
  return isBegun && begunPassword !== version ? UNKNOWN : version;
}

/** A creation was begun: its answer may have been lost. Looks before it leaps. */
export async function resumeCreation(pass: Pass, creating: Creating): Promise<Found> {
  if (isKnownTaken(pass)) return (await findTaken(pass)) ?? nobodyFound(pass, "Auth0 said that such a user exists");
  const found = await pass.findCreated(creating);
  if (found === undefined) return createUser(pass, "Created");
  return recogniseOwn(pass, found);
}

function refuseCreation(pass: Pass, objection: Objection): Refused {
  if (objection.reason === "PasswordRejected") pass.work.passwordFailure = objection;
  return refused(objection.reason, objection.message);
}

/** Somebody holds the id, address or username: ourselves from an attempt whose answer was lost, or another user. */
async function resolveConflict(pass: Pass, conflict: DirectoryError): Promise<Found> {
  const { derivedId } = pass.declaration;
  const own = derivedId === undefined ? undefined : await pass.find(derivedId);
  if (own !== undefined) return recogniseOwn(pass, own);
  const taken = await findTaken(pass);
  if (taken !== undefined) return taken;
  return nobodyFound(pass, conflict.message);
}

async function nobodyFound(pass: Pass, conflict: string): Promise<Refused> {
  const nowMs = pass.ports.clock.now();
  const { memory, derivedId } = pass.declaration;
  pass.conflictSinceMs = memory.conflictSinceMs ?? nowMs;
  const what = `${conflict}; no such user can be found`;
  if (nowMs - pass.conflictSinceMs < CONFLICT_DOUBT_MS) {
    const why = "it may have been deleted a moment ago: trying again";
    return refused("UserConflict", `${what}, ${why}`, { kind: "backoff" });
  }
  const linked = derivedId && (await findLinked(pass, derivedId));
  const why =
    "it may be an account that was linked into another user's: unlink it there, or choose another address or username";
  return linked ?? refused("UserConflict", `${what}, ${why}`);
}

/** A number is looked up by a search that lags: for a while a conflict is believed, and searched for rather than tried again. */
function isKnownTaken(pass: Pass): boolean {
  const { memory, desired } = pass.declaration;
  const sinceMs = memory.conflictSinceMs;
  const isSearched = !canChooseId(desired.connection) && typeof desired.attributes.email !== "string";
  return isSearched && sinceMs !== undefined && pass.ports.clock.now() - sinceMs < CONFLICT_DOUBT_MS;
}
