/**
 * One user, once: observe → plan → apply → outcome. The same sequence whether a cluster or a directory of files declares
 * the user; the sides differ in what they hand in and in what they do with the outcome.
 */
import type { DesiredUser } from "../core/desired-user.ts";
import { bareId, type UserId } from "../core/ids.ts";
import { hasIdentity, ownConnection, type ObservedUser } from "../core/observed-user.ts";
import type { Owned, Ownership, Provenance } from "../core/ownership.ts";
import type { PlanHistory } from "../core/plan.ts";
import { newUserFrom } from "../core/writes.ts";
import type { Clock, EpochMs } from "../runtime/clock.ts";
import type { Remedy } from "../runtime/remedy.ts";
import { AssignmentWork } from "./assignment-work.ts";
import { findHolders, type Holders } from "./conflict.ts";
import { explainRefusal, findCreationObjection, type Objection } from "./creation-check.ts";
import { DirectoryError } from "./errors.ts";
import { MARKER_KEY, type Marker } from "./marker.ts";
import type { Memory, Outcome, Refused, Verdict } from "./outcome.ts";
import type { PasswordDeclaration } from "./password.ts";
import { canChooseId, type ClaimStore, type UserDirectory } from "./ports.ts";
import { REASON_OF, type Reason } from "./reasons.ts";
import { Rehearsal } from "./rehearsal.ts";
import { findUnapproved, plannedChangeFrom, type Approval, type ReviewedPlan } from "./review.ts";
import { UserWork } from "./user-work.ts";

/** Everything a side knows of one resource when its turn comes. */
export interface UserDeclaration {
  readonly desired: DesiredUser;
  readonly ownership: Ownership;
  /** The id a new user gets; absent where the connection does not let the caller choose. */
  readonly derivedId: UserId | undefined;
  readonly password: PasswordDeclaration;
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

export interface Ports {
  readonly directory: UserDirectory;
  readonly claims: ClaimStore;
  readonly clock: Clock;
}

/** How often a takeover that waits for a person is compared with the user as it is by then. */
const REVIEW_AGAIN_MS = 3_600_000;
/** A user that was missing once is looked for again after this long, since the search for linked users lags by seconds. */
const GONE_DOUBT_MS = 5_000;
/** Whoever deleted a user at Auth0 had a reason: so long it is not created again. */
const RECREATE_AFTER_MS = 3_600_000;
/** Auth0 may call a just-deleted address taken for some seconds; so long is a conflict without a holder not believed. */
const CONFLICT_DOUBT_MS = 60_000;

/** @throws only `signal.reason` and bugs; every failure of the far side is a verdict. */
export async function reconcileUser(declaration: UserDeclaration, ports: Ports, signal: AbortSignal): Promise<Outcome> {
  const pass = new Pass(declaration, ports, signal);
  try {
    return pass.end(await pass.run());
  } catch (error) {
    if (!(error instanceof DirectoryError)) throw error;
    return pass.end(refused(REASON_OF[error.code], error.message, error.remedy));
  }
}

/** How the user came into view in this pass. */
type Entry = "seen" | "Created" | "Recreated" | "Adopted";

type Found = { readonly user: ObservedUser; readonly entry: Entry } | Verdict;

/** The state of one pass: what it has learnt and done so far, so that a failure half-way loses nothing of it. */
class Pass {
  readonly #declaration: UserDeclaration;
  readonly #ports: Ports;
  readonly #signal: AbortSignal;
  #user: { userId: UserId; provenance: Provenance } | undefined;
  #lastSeen: Memory["lastSeen"];
  #goneSinceMs: EpochMs | undefined;
  #conflictSinceMs: EpochMs | undefined;
  #isCreated = false;
  #review: ReviewedPlan | undefined;
  #attemptedPassword: Memory["attemptedPassword"];
  readonly #work: UserWork;
  readonly #assignments: AssignmentWork;

  constructor(declaration: UserDeclaration, ports: Ports, signal: AbortSignal) {
    this.#declaration = declaration;
    this.#ports = ports;
    this.#signal = signal;
    const { memory, ownership } = declaration;
    this.#lastSeen = memory.lastSeen;
    this.#goneSinceMs = memory.goneSinceMs;
    this.#attemptedPassword = memory.attemptedPassword;
    this.#work = new UserWork(declaration, ports.directory, (user) => this.#see(user), signal);
    this.#assignments = new AssignmentWork(declaration, ports.directory.assignments, signal);
    if (ownership.kind === "owned") this.#user = { userId: ownership.userId, provenance: ownership.provenance };
  }

  async run(): Promise<Verdict> {
    const found = await this.#observe();
    if (!("entry" in found)) return found;
    return this.#bringAbout(found.user, found.entry);
  }

  end(verdict: Verdict): Outcome {
    return {
      verdict,
      user: this.#user,
      isCreated: this.#isCreated,
      changed: [...this.#work.changed, ...this.#assignments.changed],
      isDrift: this.#work.isDrift || this.#assignments.isDrift,
      reported: [...this.#work.reported, ...this.#assignments.reported],
      assigned: this.#assignments.held,
      notWritable: [...this.#work.notWritable.keys()],
      isPasswordSent: this.#work.isPasswordSent,
      passwordFailure: this.#work.passwordFailure,
      review: this.#review,
      memory: {
        lastSeen: this.#lastSeen,
        settled: this.#work.settled,
        attemptedPassword: this.#work.isPasswordSent ? undefined : this.#attemptedPassword,
        refusedPassword: this.#work.refusedPassword,
        settledAssignments: this.#assignments.settled,
        goneSinceMs: this.#goneSinceMs,
        conflictSinceMs: this.#conflictSinceMs,
      },
    };
  }

  // ---- observe: the only reads of Auth0 ----

  async #observe(): Promise<Found> {
    const { ownership, desired } = this.#declaration;
    switch (ownership.kind) {
      case "none":
        return this.#create("Created");
      case "creating":
        return this.#resumeCreation(ownership.userId);
      case "adopting":
        return this.#adopt(ownership.userId);
      case "owned":
        return this.#read(ownership);
      case "unproven":
        if (ownership.userId !== undefined && this.#mayAdopt) return this.#adopt(ownership.userId);
        return refused(
          "UserConflict",
          `nothing proves that ${ownership.userId ?? "the user that the annotation claims"} is this resource's own: name it in spec.userId to take it over, or restore the key that its claim was signed with`,
        );
      case "contradicted":
        return refused(
          "UserConflict",
          `spec.userId names ${ownership.adoptedId}, but this resource owns ${ownership.userId}: take spec.userId back, or declare the other user in a resource of its own`,
        );
      case "elsewhere":
        return refused(
          "TenantChanged",
          `the user lives in tenant ${ownership.tenantDomain}, the operator is connected to ${this.#ports.directory.tenantDomain}: nothing was read or written`,
        );
      case "moved":
        return refused(
          "ValidationFailed",
          `spec.connection is immutable: the user lives in ${ownership.connection}, the spec names ${desired.connection}`,
        );
      default:
        return ownership satisfies never;
    }
  }

  async #read({ userId, provenance, isClaimed, isNoted }: Owned): Promise<Found> {
    const { memory, isSightingEnough } = this.#declaration;
    const holder = isNoted ? undefined : await this.#ports.claims.reserve(userId);
    if (holder !== undefined) {
      this.#user = undefined;
      return duplicate(userId, holder);
    }
    if (!isClaimed) await this.#ports.claims.record(userId, provenance, this.#signal);
    // Others look after a user that was taken over, too: what was seen of it a while ago may be old.
    const seen = isSightingEnough && provenance === "created" ? memory.lastSeen?.user : undefined;
    const user = seen ?? (await this.#find(userId));
    if (user === undefined) return this.#replaceVanished(userId, provenance);
    const objection = provenance === "adopted" ? this.#declaration.findObjection(user) : undefined;
    if (objection !== undefined) return refused("NotGranted", objection);
    return this.#findForeignClaim(user) ?? { user, entry: "seen" };
  }

  async #adopt(id: UserId): Promise<Found> {
    const { desired, findObjection } = this.#declaration;
    const holder = await this.#ports.claims.reserve(id);
    if (holder !== undefined) return duplicate(id, holder);
    const user = await this.#find(id);
    if (user === undefined) return refused("UserNotFound", `${id} is to be taken over, but does not exist at Auth0`);
    const connection = ownConnection(user);
    if (connection !== desired.connection) {
      return refused(
        "UserConflict",
        `${id} belongs to connection ${connection ?? "(none)"}, not to ${desired.connection}: mend spec.connection`,
      );
    }
    const objection = findObjection(user);
    if (objection !== undefined) return refused("NotGranted", objection);
    const obstacle = this.#findForeignClaim(user) ?? (await this.#findUnapproved(user));
    if (obstacle !== undefined) return obstacle;
    await this.#ports.claims.record(id, "adopted", this.#signal);
    this.#user = { userId: id, provenance: "adopted" };
    return { user, entry: "Adopted" };
  }

  #findForeignClaim(user: ObservedUser): Refused | undefined {
    const claim = this.#declaration.marker.findForeignClaim(user);
    return claim === undefined ? undefined : refused("DuplicateClaim", claim);
  }

  get #mayAdopt(): boolean {
    return this.#declaration.adoption !== "Never";
  }

  /** With `Review` nothing is written, not even a claim, before a person approved what would be. */
  async #findUnapproved(user: ObservedUser): Promise<Refused | undefined> {
    const { adoption, approval, password } = this.#declaration;
    if (adoption !== "Review") return undefined;
    const { directory, clock } = this.#ports;
    const { changes, sendsPassword } = await this.#work.rehearse(user);
    const rehearsal = new Rehearsal(directory.assignments);
    const assignments = new AssignmentWork(this.#declaration, rehearsal, this.#signal);
    await assignments.bringAbout(user.userId, { isNew: false, isNewSpec: true, isInitial: false });
    const version = password.kind === "given" ? password.version : undefined;
    const planned = [
      ...changes.map(plannedChangeFrom),
      ...(sendsPassword
        ? [{ field: "password", change: "Set", from: undefined, to: version, isShown: false } as const]
        : []),
      ...rehearsal.changes,
    ];
    this.#review = findUnapproved(user.userId, directory.tenantDomain, planned, approval);
    if (this.#review === undefined) return undefined;
    const fields = [...new Set(planned.map(({ field }) => field))].join(", ");
    return refused(
      "AwaitingApproval",
      `taking over ${user.userId} would ${fields === "" ? "change nothing" : `change ${fields}`}; nothing is written until the annotation auth0-user-operator.dev/approve-plan is ${this.#review.hash}`,
      { kind: "wait", untilMs: clock.now() + REVIEW_AGAIN_MS },
    );
  }

  /** A creation was begun: its answer may have been lost. Looks before it leaps. */
  async #resumeCreation(id: UserId | undefined): Promise<Found> {
    if (this.#isKnownTaken) return (await this.#findTaken()) ?? this.#nobodyFound("Auth0 said that such a user exists");
    const found = id === undefined ? (await this.#holders()).marked : await this.#find(id);
    if (found === undefined) return this.#create("Created");
    return this.#recogniseOwn(found);
  }

  async #create(entry: "Created" | "Recreated"): Promise<Found> {
    const { desired, derivedId, password, marker } = this.#declaration;
    if (password.kind === "missing" || password.kind === "unneeded") {
      return refused(password.reason, password.message, { kind: "backoff" });
    }
    const value = password.kind === "given" ? password.value : undefined;
    const { connections } = this.#ports.directory;
    // Whoever wants to review a takeover wants to know of the user before anything is tried.
    const existing = this.#declaration.adoption === "Review" ? await this.#findTaken() : undefined;
    if (existing !== undefined) return existing;
    const objection = await findCreationObjection(desired, value, connections, this.#signal);
    if (objection !== undefined) return this.#object(objection);
    if (this.#declaration.ownership.kind !== "creating") {
      await this.#ports.claims.record(derivedId, "created", this.#signal);
    }
    const mark = marker.textFor("created");
    const newUser = newUserFrom(
      mark === undefined ? desired : { ...desired, appMetadata: { ...desired.appMetadata, [MARKER_KEY]: mark } },
      derivedId === undefined ? undefined : bareId(derivedId),
      value,
    );
    this.#attemptedPassword = password.kind === "given" ? password.version : undefined;
    try {
      const user = await this.#ports.directory.createUser(newUser, this.#signal);
      this.#attemptedPassword = undefined;
      this.#work.isPasswordSent = newUser.password !== undefined;
      this.#isCreated = true;
      this.#see(user);
      this.#user = { userId: user.userId, provenance: "created" };
      if (user.userId !== derivedId) await this.#ports.claims.record(user.userId, "created", this.#signal);
      return { user, entry };
    } catch (error) {
      if (!(error instanceof DirectoryError)) throw error;
      if (error.code === "already_exists") return this.#resolveConflict(error);
      if (error.remedy.kind !== "stall") throw error;
      const explanation =
        error.code === "connection_not_found"
          ? undefined
          : await explainRefusal(desired, value, connections, this.#signal);
      return this.#object(explanation ?? { reason: REASON_OF[error.code], message: error.message });
    }
  }

  #object(objection: Objection): Refused {
    if (objection.reason === "PasswordRejected") this.#work.passwordFailure = objection;
    return refused(objection.reason, objection.message);
  }

  /** Somebody holds the id, address or username: ourselves from an attempt whose answer was lost, or another user. */
  async #resolveConflict(conflict: DirectoryError): Promise<Found> {
    const { derivedId } = this.#declaration;
    const own = derivedId === undefined ? undefined : await this.#find(derivedId);
    if (own !== undefined) return this.#recogniseOwn(own);
    const taken = await this.#findTaken();
    if (taken !== undefined) return taken;
    return this.#nobodyFound(conflict.message);
  }

  #nobodyFound(conflict: string): Refused {
    const nowMs = this.#ports.clock.now();
    this.#conflictSinceMs = this.#declaration.memory.conflictSinceMs ?? nowMs;
    const isDoubtful = nowMs - this.#conflictSinceMs < CONFLICT_DOUBT_MS;
    return refused(
      "UserConflict",
      `${conflict}; no such user can be found${isDoubtful ? ", it may have been deleted a moment ago: trying again" : ""}`,
      { kind: isDoubtful ? "backoff" : "stall" },
    );
  }

  /** A number is looked up by a search that lags: for a while a conflict is believed, and searched for rather than tried again. */
  get #isKnownTaken(): boolean {
    const { memory, desired } = this.#declaration;
    const sinceMs = memory.conflictSinceMs;
    const isSearched = !canChooseId(desired.connection) && typeof desired.attributes.email !== "string";
    return isSearched && sinceMs !== undefined && this.#ports.clock.now() - sinceMs < CONFLICT_DOUBT_MS;
  }

  /** The user that holds the address, username or number, and what that means; `undefined`: nobody does. */
  async #findTaken(): Promise<Found | undefined> {
    const { marked, others } = await this.#holders();
    if (marked !== undefined) return this.#recogniseOwn(marked);
    const [holder, ...more] = others;
    if (holder === undefined) return undefined;
    const foreign = this.#findForeignClaim(holder);
    if (foreign !== undefined) return foreign;
    if (this.#mayAdopt && more.length === 0) return this.#adopt(holder.userId);
    const claimant = await this.#ports.claims.findHolder(holder.userId);
    if (claimant !== undefined) return duplicate(holder.userId, claimant);
    return refused(
      "UserConflict",
      `${holder.userId} in ${this.#declaration.desired.connection} already holds this address, username or number: to take it over, set spec.userId to it; else choose another`,
    );
  }

  async #recogniseOwn(user: ObservedUser): Promise<Found> {
    const { desired, derivedId, marker, findObjection } = this.#declaration;
    const connection = ownConnection(user);
    if (connection !== desired.connection) {
      return refused(
        "UserConflict",
        `${user.userId} belongs to connection ${connection ?? "(none)"}, not to ${desired.connection}`,
      );
    }
    const foreign = this.#findForeignClaim(user);
    if (foreign !== undefined) return foreign;
    const reading = marker.read(user);
    const provenance = reading.kind === "own" ? reading.provenance : "created";
    const objection = provenance === "adopted" ? findObjection(user) : undefined;
    if (objection !== undefined) return refused("NotGranted", objection);
    this.#see(user);
    this.#user = { userId: user.userId, provenance };
    if (user.userId !== derivedId) await this.#ports.claims.record(user.userId, provenance, this.#signal);
    if (provenance === "adopted") return { user, entry: "seen" };
    this.#isCreated = true;
    const { password, memory } = this.#declaration;
    // The creation whose answer was lost carried the password of its day: the Secret may have changed since.
    const isAsAttempted = password.kind === "given" && [undefined, password.version].includes(memory.attemptedPassword);
    this.#work.isPasswordSent = isAsAttempted;
    return { user, entry: "Created" };
  }

  /** A user that was ours is not there: linked into another account, or deleted behind our back. */
  async #replaceVanished(id: UserId, provenance: Provenance): Promise<Found> {
    this.#lastSeen = undefined;
    const linkedTo = (await this.#ports.directory.searchUsersByIdentity(id, this.#signal)).find(
      (user) => user.userId !== id && hasIdentity(user, id),
    );
    if (linkedTo !== undefined) {
      return refused("UserLinked", `${id} was linked into ${linkedTo.userId}: it is neither created again nor deleted`);
    }
    const nowMs = this.#ports.clock.now();
    this.#goneSinceMs ??= nowMs;
    if (nowMs - this.#goneSinceMs < GONE_DOUBT_MS) {
      return { kind: "undecided", untilMs: this.#goneSinceMs + GONE_DOUBT_MS };
    }
    const { desired, recreation = provenance === "created" ? "Recreate" : "Report" } = this.#declaration;
    if (recreation === "Report" || desired.adoptedId !== undefined) {
      const which = provenance === "adopted" ? ", which was adopted," : "";
      return refused("UserNotFound", `${id}${which} does not exist at Auth0 any more`);
    }
    const untilMs = this.#goneSinceMs + (this.#declaration.recreateAfterMs ?? RECREATE_AFTER_MS);
    if (nowMs < untilMs) {
      const message = `${id} was deleted at Auth0; it is created again after ${new Date(untilMs).toISOString()} (recreateAfter), unless recreatePolicy is Report`;
      return refused("RecreationScheduled", message, { kind: "wait", untilMs });
    }
    return this.#create("Recreated");
  }

  async #find(id: UserId): Promise<ObservedUser | undefined> {
    const user = await this.#ports.directory.findUser(id, this.#signal);
    if (user !== undefined) this.#see(user);
    return user;
  }

  #holders(): Promise<Holders> {
    const { desired, marker } = this.#declaration;
    return findHolders(desired, marker, this.#ports.directory, this.#signal);
  }

  #see(user: ObservedUser): void {
    this.#goneSinceMs = undefined;
    this.#lastSeen = { user, atMs: this.#ports.clock.now() };
  }

  // ---- plan and apply ----

  async #bringAbout(found: ObservedUser, entry: Entry): Promise<Verdict> {
    const provenance = this.#user?.provenance ?? "adopted";
    const standing = entry === "seen" ? "known" : entry === "Adopted" ? "adopted" : "new";
    const result = await this.#work.bringAbout(found, standing, provenance);
    if (result === "done") {
      await this.#assign(found.userId, entry);
      return this.#judge(entry);
    }
    const replaced = await this.#replaceVanished(found.userId, provenance);
    return "entry" in replaced ? this.#bringAbout(replaced.user, replaced.entry) : replaced;
  }

  async #assign(userId: UserId, entry: Entry): Promise<void> {
    const { history } = this.#declaration;
    const isNew = entry === "Created" || entry === "Recreated";
    const isNewSpec = history.isNewSpec || entry !== "seen";
    await this.#assignments.bringAbout(userId, { isNew, isNewSpec, isInitial: isNew || history.isInitial });
  }

  #judge(entry: Entry): Verdict {
    const { password, history } = this.#declaration;
    const { isPasswordSent } = this.#work;
    const missing = password.kind === "missing" ? [password] : [];
    const objections = [...missing, ...this.#work.objections(), ...this.#assignments.objections];
    const [first] = objections;
    if (first !== undefined) {
      const message = [...objections.map((one) => one.message), "everything else is as declared"].join("; ");
      // A Secret may come at any moment; everything else waits for a person, or for the next look.
      const remedy: Remedy = { kind: missing.length > 0 ? "backoff" : "stall" };
      const isRestDone = this.#work.failures.size + this.#assignments.objections.length === 0;
      return { ...refused(first.reason, message, remedy), isRestDone };
    }
    if (entry !== "seen") return { kind: "ready", reason: entry, message: MESSAGE_OF[entry] };
    const changed = [...this.#work.changed, ...this.#assignments.changed, ...(isPasswordSent ? ["password"] : [])].join(
      ", ",
    );
    if (changed === "") {
      const isNews = history.isNewSpec || this.#work.reported.length + this.#assignments.reported.length > 0;
      return { kind: "ready", reason: isNews ? "InSync" : undefined, message: "the user is as declared" };
    }
    return (this.#work.isDrift || this.#assignments.isDrift) && !isPasswordSent
      ? { kind: "ready", reason: "DriftCorrected", message: `set back what was changed at Auth0: ${changed}` }
      : { kind: "ready", reason: "Updated", message: `changed at Auth0: ${changed}` };
  }
}

const MESSAGE_OF = {
  Created: "the user was created",
  Recreated: "the user was gone from Auth0 and was created again",
  Adopted: "the existing user was taken over",
} as const satisfies Record<Exclude<Entry, "seen">, string>;

function duplicate(id: UserId, holder: string): Refused {
  return refused("DuplicateClaim", `${id} belongs to Auth0User ${holder}, whose claim is older`);
}

function refused(reason: Reason, message: string, remedy: Remedy = { kind: "stall" }): Refused {
  return { kind: "refused", reason, message, remedy, isRestDone: false };
}
