/**
 * The state of one pass over one user: what it has learnt and done so far, so that a failure half-way loses nothing of it.
 * What to do with it stands in the verbs beside: observe, create, adopt, judge.
 */
import type { UserId } from "../core/ids.ts";
import type { ObservedUser } from "../core/observed-user.ts";
import type { Creating, Provenance } from "../core/ownership.ts";
import type { Clock, EpochMs } from "../runtime/clock.ts";
import { AssignmentWork } from "./assignment-work.ts";
import { findCreated, findHolders, type Holders } from "./conflict.ts";
import { isBroughtAbout, type Memory, type Outcome, type Verdict } from "./outcome.ts";
import type { ClaimStore, UserDirectory } from "./ports.ts";
import type { ReviewedPlan } from "./review.ts";
import type { UserDeclaration } from "./user-declaration.ts";
import { UserWork } from "./user-work.ts";

export interface Ports {
  readonly directory: UserDirectory;
  readonly claims: ClaimStore;
  readonly clock: Clock;
}

/** How the user came into view in this pass. */
export type Entry = "seen" | "Created" | "Recreated" | "Adopted";

/** The user to bring in line; or why there is none, which ends the pass. */
export type Found = { readonly user: ObservedUser; readonly entry: Entry } | Verdict;

export class Pass {
  readonly declaration: UserDeclaration;
  readonly ports: Ports;
  readonly signal: AbortSignal;
  readonly work: UserWork;
  readonly assignments: AssignmentWork;
  /** The user that is ours. */
  user: { readonly userId: UserId; readonly provenance: Provenance } | undefined;
  lastSeen: Memory["lastSeen"];
  goneSinceMs: EpochMs | undefined;
  conflictSinceMs: EpochMs | undefined;
  isCreated = false;
  /** Whether a user was, or may have been, created: until everything is brought about it is a new one. */
  isCreationBegun = false;
  review: ReviewedPlan | undefined;

  constructor(declaration: UserDeclaration, ports: Ports, signal: AbortSignal) {
    this.declaration = declaration;
    this.ports = ports;
    this.signal = signal;
    const { memory, ownership } = declaration;
    this.lastSeen = memory.lastSeen;
    this.goneSinceMs = memory.goneSinceMs;
    this.work = new UserWork(declaration, ports.directory, (user) => this.see(user), signal);
    this.assignments = new AssignmentWork(declaration, ports.directory.assignments, signal);
    if (ownership.kind === "owned") this.user = { userId: ownership.userId, provenance: ownership.provenance };
  }

  async find(id: UserId): Promise<ObservedUser | undefined> {
    const user = await this.ports.directory.findUser(id, this.signal);
    if (user !== undefined) this.see(user);
    return user;
  }

  /** Who holds the address, username or number that is declared. */
  findHolders(): Promise<Holders> {
    const { desired, marker } = this.declaration;
    return findHolders(desired, marker, this.ports.directory, this.signal);
  }

  /** The user of a creation whose answer was lost, if it came to be. */
  findCreated(creating: Creating): Promise<ObservedUser | undefined> {
    const { desired, marker } = this.declaration;
    return findCreated(creating, desired.connection, marker, this.ports.directory, this.signal);
  }

  /** Notes the user as an answer of Auth0 shows it. */
  see(user: ObservedUser): void {
    this.goneSinceMs = undefined;
    this.lastSeen = { user, atMs: this.ports.clock.now() };
  }

  end(verdict: Verdict): Outcome {
    return {
      verdict,
      user: this.user,
      isCreated: this.isCreated,
      isCreationBegun: this.isCreated || this.isCreationBegun,
      changed: [...this.work.changed, ...this.assignments.changed],
      isDrift: this.work.isDrift || this.assignments.isDrift,
      reported: [...this.work.reported, ...this.assignments.reported],
      assigned: this.assignments.held,
      notWritable: [...this.work.notWritable.keys()],
      pending: isBroughtAbout(verdict)
        ? [...this.work.failures.keys(), ...this.assignments.pending]
        : [...this.declaration.history.pending],
      isPasswordSent: this.work.isPasswordSent,
      passwordFailure: this.work.passwordFailure,
      review: this.review,
      memory: {
        lastSeen: this.lastSeen,
        settled: this.work.settled,
        reported: this.work.reported,
        unanswered: [...this.work.unanswered],
        refusedPassword: this.work.refusedPassword,
        settledAssignments: this.assignments.settled,
        goneSinceMs: this.goneSinceMs,
        conflictSinceMs: this.conflictSinceMs,
      },
    };
  }
}
