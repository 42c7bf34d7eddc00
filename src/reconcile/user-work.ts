/**
 * Plan and apply: the only writes to a user that exists. What was learnt and done is kept here as it comes about, so that
 * a failure half-way loses nothing of it; and what can't be done of one attribute does not keep the others from being done.
 */
import { findWriteObstacle, hasPasswords, isDecidedBy, needsConnection, type Connection } from "../core/connection.ts";
import type { DesiredUser, RootAttributeName } from "../core/desired-user.ts";
import { ROOT_FIELDS } from "../core/fields.ts";
import type { UserId } from "../core/ids.ts";
import type { ObservedUser } from "../core/observed-user.ts";
import { isStandIn, type Provenance } from "../core/ownership.ts";
import {
  isSentBy,
  planUpdate,
  unmetChanges,
  type AttributePath,
  type Change,
  type PlanHistory,
  type Settled,
  type UpdatePlan,
} from "../core/plan.ts";
import type { UserPatch } from "../core/writes.ts";
import { findPasswordObjection, type Objection } from "./creation-check.ts";
import { DirectoryError } from "./errors.ts";
import { MARKER_PATH } from "./marker.ts";
import type { RefusedPassword } from "./outcome.ts";
import type { UserDirectory } from "./ports.ts";
import { REASON_OF } from "./reasons.ts";
import type { UserDeclaration } from "./user-declaration.ts";

/** How the user stands to the resource: `new` was created in this pass, `adopted` taken over in it. */
type Standing = "known" | "adopted" | "new";

/** A plan made from memory may need a second round against the answer; a third would be a fight. */
const MAX_ROUNDS = 2;
const NONE: ReadonlySet<AttributePath> = new Set();

export class UserWork {
  readonly #declaration: UserDeclaration;
  readonly #directory: UserDirectory;
  readonly #see: (user: ObservedUser) => void;
  readonly #signal: AbortSignal;
  readonly settled: Map<AttributePath, Settled>;
  readonly changed = new Set<AttributePath>();
  /** What Auth0 lets nobody change, to why as far as it is known. */
  readonly notWritable: Map<AttributePath, string | undefined>;
  /** Attributes that could not be set, though they can be: an address that another user has. */
  readonly failures = new Map<AttributePath, Objection>();
  passwordFailure: Objection | undefined;
  refusedPassword: RefusedPassword | undefined;
  reported: readonly AttributePath[];
  isPasswordSent = false;
  isDrift = false;
  /** As in `Memory`. */
  readonly unanswered: Set<RootAttributeName>;

  /** @param see is told of the user in each answer */
  constructor(
    declaration: UserDeclaration,
    directory: UserDirectory,
    see: (user: ObservedUser) => void,
    signal: AbortSignal,
  ) {
    this.#declaration = declaration;
    this.#directory = directory;
    this.#see = see;
    this.#signal = signal;
    const { memory, history } = declaration;
    this.settled = new Map(memory.settled);
    this.refusedPassword = memory.refusedPassword;
    this.notWritable = new Map([...history.notWritable].map((path) => [path, undefined]));
    this.unanswered = new Set(memory.unanswered);
    this.reported = [...new Set([...history.reported, ...memory.reported])];
  }

  /** @throws DirectoryError where nothing more can be done in this pass */
  async bringAbout(observed: ObservedUser, standing: Standing, provenance: Provenance): Promise<"done" | "vanished"> {
    const { history, memory } = this.#declaration;
    const isNewSpec = history.isNewSpec || standing !== "known";
    const isInitial = history.isInitial || standing === "new";
    const risen = risenFlags(memory.lastSeen?.user ?? observed, observed).filter((flag) => !this.unanswered.has(flag));
    this.unanswered.clear();
    const reported = new Set([...this.reported, ...risen]);
    // What was removed was removed of the user that the status tells of.
    const removed = standing === "known" ? history.removed : NONE;
    const facts = { isNewSpec, isInitial, reported, removed };
    let user = observed;
    const connection = await this.#connectionOf(user);
    let password = this.isPasswordSent ? undefined : await this.#passwordToSend(user);
    for (let round = 1; round <= MAX_ROUNDS; round++) {
      const plan = this.#plan(this.#marked(user, provenance, facts), user, facts, password, connection);
      this.reported = plan.reported;
      if (plan.patches.length === 0) break;
      const updated = await this.#update(user, plan);
      if (updated === "vanished") return "vanished";
      const isNews = facts.isNewSpec && round === 1;
      if (!isNews && plan.changes.some((change) => isOfUser(change) && !history.pending.has(change.path))) {
        this.isDrift = true;
      }
      for (const flag of risenFlags(user, updated)) reported.add(flag);
      user = updated;
      password = undefined;
    }
    return "done";
  }

  /** What taking over this user would change about it; nothing is sent. */
  async rehearse(observed: ObservedUser): Promise<{ changes: readonly Change[]; sendsPassword: boolean }> {
    const connection = await this.#connectionOf(observed);
    const password = await this.#passwordToSend(observed);
    const { reported } = this.#declaration.history;
    const facts = { isNewSpec: true, isInitial: false, reported, removed: NONE };
    const desired = this.#marked(observed, "adopted", facts);
    const { changes } = this.#plan(desired, observed, facts, password, connection);
    return { changes, sendsPassword: password !== undefined };
  }

  /** Everything that could not be brought about, what was refused together in one sentence. */
  objections(): Objection[] {
    const objections = [...this.failures.values()];
    if (this.passwordFailure !== undefined) objections.push(this.passwordFailure);
    for (const [why, entries] of Map.groupBy(this.notWritable, ([, reason]) => reason)) {
      const names = entries.map(([path]) => path).join(", ");
      const message = why === undefined ? `Auth0 refuses to change ${names}` : `${names} can't be changed: ${why}`;
      objections.push({ reason: "AttributeNotWritable", message });
    }
    return objections;
  }

  /** Read where only it can say what is writable. What it decides is decided anew, now that it may have been changed. */
  async #connectionOf(user: ObservedUser): Promise<Connection | undefined> {
    const { desired } = this.#declaration;
    const { connections } = this.#directory;
    const connection = needsConnection(desired, user)
      ? await connections.read(desired.connection, this.#signal)
      : connections.find(desired.connection);
    if (connection === undefined) return undefined;
    for (const path of this.notWritable.keys()) if (isDecidedBy(connection, path)) this.notWritable.delete(path);
    return connection;
  }

  /** A password whose content changed, unless it is known that it would be refused. */
  async #passwordToSend(user: ObservedUser): Promise<string | undefined> {
    const { password, desired, history, ownership } = this.#declaration;
    if (password.kind !== "given") return undefined;
    const isDue = password.standing === "same" ? isStandIn(ownership, user.userId) : password.standing === "changed";
    if (!isDue) return undefined;
    if (!hasPasswords(user)) {
      const message = `connection ${desired.connection} keeps no passwords: take spec.password out`;
      this.passwordFailure = { reason: "AttributeNotWritable", message };
      return undefined;
    }
    if (!history.isNewSpec && password.version !== undefined && password.version === this.refusedPassword?.version) {
      this.passwordFailure = { reason: "PasswordRejected", message: this.refusedPassword.message };
      return undefined;
    }
    this.passwordFailure = await findPasswordObjection(
      password.value,
      { ...user.attributes, ...definedOf(desired.attributes) },
      desired.connection,
      this.#directory.connections,
      this.#signal,
    );
    return this.passwordFailure === undefined ? password.value : undefined;
  }

  /** What is declared, and the marker where one is due and the user does not bear it yet. */
  #marked(user: ObservedUser, provenance: Provenance, { isNewSpec }: Pick<PlanHistory, "isNewSpec">): DesiredUser {
    const { desired, marker } = this.#declaration;
    const reading = marker.read(user);
    if (reading.kind === "own" && reading.provenance === provenance) return desired;
    return desired.upkeep.drift === "Detect" && !isNewSpec ? desired : marker.addTo(desired, provenance);
  }

  /** The plan without what is known to be refused. */
  #plan(
    desired: DesiredUser,
    user: ObservedUser,
    facts: Pick<PlanHistory, "isNewSpec" | "isInitial" | "reported" | "removed">,
    password: string | undefined,
    connection: Connection | undefined,
  ): UpdatePlan {
    const { history } = this.#declaration;
    const plan = (): UpdatePlan => {
      const isFree = this.notWritable.size + this.failures.size === 0;
      const notWritable = isFree ? NONE : new Set([...this.notWritable.keys(), ...this.failures.keys()]);
      return planUpdate(desired, user, { ...history, ...facts, settled: this.settled, notWritable }, password);
    };
    const first = plan();
    const before = this.notWritable.size;
    for (const change of first.changes) {
      const obstacle = change.kind === "root" ? findWriteObstacle(change.path, user, connection) : undefined;
      if (obstacle !== undefined) this.notWritable.set(change.path, obstacle);
    }
    return this.notWritable.size === before ? first : plan();
  }

  /** Sends a plan's patches in order. */
  async #update(before: ObservedUser, plan: UpdatePlan): Promise<ObservedUser | "vanished"> {
    let user = before;
    for (const patch of plan.patches) {
      try {
        const answer = await this.#send(before.userId, patch);
        if (answer === undefined) continue;
        user = answer;
        const sent = plan.changes.filter(({ path }) => !this.#isRefused(path));
        for (const [path, settled] of unmetChanges(sent, patch, answer)) this.settled.set(path, settled);
        // Noted at once: the next patch may fail.
        for (const change of sent) if (isSentBy(patch, change) && isOfUser(change)) this.changed.add(change.path);
      } catch (error) {
        if (error instanceof DirectoryError && error.code === "user_not_found") return "vanished";
        if (isAnswerLost(error)) for (const flag of raisedBy(patch)) this.unanswered.add(flag);
        throw error;
      }
    }
    return user;
  }

  #isRefused(path: AttributePath): boolean {
    return this.notWritable.has(path) || this.failures.has(path);
  }

  /** What Auth0 refuses is dropped, one thing after the other, and the rest is sent once more. */
  async #send(id: UserId, patch: UserPatch): Promise<ObservedUser | undefined> {
    for (let rest = patch; !isEmpty(rest);) {
      try {
        return await this.#sendOnce(id, rest);
      } catch (error) {
        if (!(error instanceof DirectoryError) || error.remedy.kind !== "stall") throw error;
        rest = this.#withoutRefused(rest, error);
      }
    }
    return undefined;
  }

  /**
   * Notes what was refused: what the refusal names, else what sets this patch apart from the others.
   * @returns less than `patch`
   * @throws `error` where neither can be told
   */
  #withoutRefused(patch: UserPatch, error: DirectoryError): UserPatch {
    const objection = { reason: REASON_OF[error.code], message: error.message };
    const named = error.attributes.filter((path) => Object.hasOwn(patch.attributes, path));
    if (error.code === "attribute_not_writable") {
      this.#directory.connections.doubt(this.#declaration.desired.connection);
      if (named.length === 0) throw error;
      for (const path of named) this.notWritable.set(path, undefined);
      return without(patch, named.flatMap(withCompanion));
    }
    if (patch.password !== undefined && named.length === 0 && error.code !== "already_exists") {
      this.passwordFailure = objection;
      this.#noteRefusedPassword(error.message);
      return { ...patch, password: undefined };
    }
    const suspects = named.length > 0 ? named.flatMap(withCompanion) : APART;
    const refused = suspects.filter((path) => Object.hasOwn(patch.attributes, path));
    if (refused.length === 0) throw error;
    for (const path of refused) if (this.#isDeclared(path)) this.failures.set(path, objection);
    return without(patch, refused);
  }

  /** What goes with a new address or number without being declared is of no concern to anybody. */
  #isDeclared(path: AttributePath): boolean {
    const { attributes } = this.#declaration.desired;
    return Object.entries(attributes).some(([name, value]) => name === path && value !== undefined);
  }

  #noteRefusedPassword(message: string): void {
    const { password } = this.#declaration;
    this.#directory.connections.doubt(this.#declaration.desired.connection);
    if (password.kind !== "given" || password.version === undefined) return;
    this.refusedPassword = { version: password.version, message };
  }

  async #sendOnce(id: UserId, patch: UserPatch): Promise<ObservedUser> {
    const user = await this.#directory.updateUser(id, patch, this.#signal);
    this.#see(user);
    if (patch.password !== undefined) {
      this.isPasswordSent = true;
      this.refusedPassword = undefined;
    }
    return user;
  }
}

const ONE_WAY = ROOT_FIELDS.filter(({ isOneWay }) => isOneWay).map(({ name }) => name);

/**
 * One-way flags that rose since the user was last seen: somebody raised them for a reason, and whoever edits a nickname in
 * that moment does not mean to lower them.
 */
function risenFlags(before: ObservedUser, now: ObservedUser): RootAttributeName[] {
  return ONE_WAY.filter((name) => before.attributes[name] === false && now.attributes[name] === true);
}

function raisedBy({ attributes }: UserPatch): RootAttributeName[] {
  return ONE_WAY.filter((name) => attributes[name] === true);
}

/** Whether a write may have been done although nothing came back. */
function isAnswerLost(error: unknown): boolean {
  return !(error instanceof DirectoryError) || (error.code === "unavailable" && !error.isUnsent);
}

/** What a spec does not mention may be there and undefined. */
function definedOf(attributes: DesiredUser["attributes"]): DesiredUser["attributes"] {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}

/** The marker is the operator's own affair. */
function isOfUser({ path }: Change): boolean {
  return path !== MARKER_PATH;
}

/** The attributes for whose sake a patch is split off (`core/split.ts`). */
const APART: readonly AttributePath[] = ["username", "email", "emailVerified"];

/** What is said of an address or a number goes with it. */
function withCompanion(path: AttributePath): readonly AttributePath[] {
  if (path === "email") return [path, "emailVerified"];
  return path === "phoneNumber" ? [path, "phoneVerified"] : [path];
}

function without(patch: UserPatch, names: readonly string[]): UserPatch {
  const attributes = Object.fromEntries(Object.entries(patch.attributes).filter(([name]) => !names.includes(name)));
  return { ...patch, attributes, verifyEmail: Object.hasOwn(attributes, "email") ? patch.verifyEmail : undefined };
}

function isEmpty(patch: UserPatch): boolean {
  return (
    patch.password === undefined &&
    [patch.attributes, patch.userMetadata, patch.appMetadata].every((part) => Object.keys(part).length === 0)
  );
}
