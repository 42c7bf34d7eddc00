/**
 * What must never happen. It watches every write of the operator to either side as it is done, judges it by what the books
 * tell, enters it there, and knows nothing of how the operator decides; from the product it takes names only.
 */
import type { Action } from "../../src/api/actions.ts";
import { CONFIRM_DELETION_ANNOTATION } from "../../src/api/names.ts";
import { FINALIZER, USER_ID_ANNOTATION } from "../../src/operator/names.ts";
import type { JsonObject } from "../../src/runtime/json.ts";
import { mayFollow, type Books, type Known } from "./books.ts";
import { annotationsOf, asObject, finalizersOf, metadataOf, type Write } from "./cluster.ts";
import { assignedIn, mayTake, type Assignment } from "./assignments.ts";
import { awaitedIn, idIn, keyOf, parseClaimText, readyOf, type Provenance, type UserKey } from "./reading.ts";
import type { Served, WireUser } from "./tenant-side.ts";
import { fieldOf, mayCreate, mayUpdate } from "./upkeep.ts";

/** A user that was linked a shorter while ago may be deleted by what was seen before (`FRESH_MS` of deletions). */
const LINK_SEEN_MS = 10 * 60_000;

/** What a creation brings along. */
const CREATED_WITH: readonly (readonly [path: string, valueIn: (sent: JsonObject) => unknown])[] = [
  ["givenName", (sent) => sent["given_name"]],
  ["familyName", (sent) => sent["family_name"]],
  ["nickname", (sent) => sent["nickname"]],
  ["userMetadata.by", (sent) => asObject(sent["user_metadata"])["by"]],
  ["userMetadata.edit", (sent) => asObject(sent["user_metadata"])["edit"]],
];

export class Oracle {
  readonly #books: Books;
  readonly #onViolation: (what: string) => void;

  constructor(books: Books, onViolation: (what: string) => void) {
    this.#books = books;
    this.#onViolation = onViolation;
  }

  /** A write to an Auth0User. */
  noteWrite(write: Write): void {
    const { actor, before, after } = write;
    const object = after ?? before;
    if (object === undefined) return;
    this.#objectTo(this.#books.protection.noteWrite(write));
    this.#books.passwords.note(write);
    const known = this.#books.noteWrite(write, object);
    const isHeld = after !== undefined && finalizersOf(after).includes(FINALIZER);
    const wasHeld = before !== undefined && finalizersOf(before).includes(FINALIZER);
    if (actor === "operator" && after !== undefined) this.#noteClaim(known, before, after);
    if (actor === "person" && before !== undefined && after !== undefined)
      this.#books.noteReplaced(known, before, after);
    if (before === undefined && after !== undefined) this.#books.noteRestored(known, after);
    if ((wasHeld && !isHeld) || after === undefined) this.#noteRelease(known, actor === "operator" && wasHeld);
  }

  /** A write of the operator's to a tenant. */
  noteServed(served: Served, nowMs: number): void {
    const { method, status, domain, answer } = served;
    if (status >= 300) return;
    if (served.action !== undefined) {
      this.#checkAction(served, served.action);
      return;
    }
    if (served.assignments !== undefined) {
      this.#checkAssignments(served, served.assignments);
      return;
    }
    if (method === "POST" && served.userId === undefined) this.#noteCreation(served);
    if (method === "PATCH") this.#checkUpdate(served, nowMs);
    if (method === "DELETE") this.#checkDeletion(served, nowMs);
    if (typeof answer["user_id"] === "string") this.#books.noteUser(domain, answer as WireUser);
    this.#books.noteMarker(answer);
  }

  #noteClaim(known: Known, before: JsonObject | undefined, after: JsonObject): void {
    const text = annotationsOf(after)[USER_ID_ANNOTATION];
    const former = before && annotationsOf(before)[USER_ID_ANNOTATION];
    const isTakingHold =
      finalizersOf(after).includes(FINALIZER) && before !== undefined && !finalizersOf(before).includes(FINALIZER);
    if (text === undefined || (text === former && !isTakingHold)) return;
    const standing = this.#books.claimOf(known.uid);
    const wasProvable = former !== undefined && this.#books.isProvable(known.key, former);
    this.#books.noteText(known, text);
    const claim = parseClaimText(text);
    if (claim === undefined) return;
    const { tenantDomain, userId } = asObject(after["status"]);
    const isProven =
      former === undefined ||
      keyOf(String(tenantDomain), String(userId)) === claim.user ||
      wasProvable ||
      standing?.user === claim.user ||
      claim.user.endsWith(`|${known.uid}`) ||
      this.#books.madeFor(known.uid).includes(claim.user);
    if (!isProven && claim.provenance === "created") {
      this.#violate(
        `${known.key} claims ${claim.user} as its own though its annotation proves nothing: ${former ?? ""}`,
      );
    }
    if (standing?.user === claim.user) {
      this.#books.renewClaim(known, claim.user, claim.provenance, isTakingHold);
      return;
    }
    const others = this.#books.claimsOn(claim.user);
    // Restored ones that the operator need not know yet, has told to wait, or is to leave alone; and a takeover whose claim
    // somebody wrote over before any status told of it.
    const idle = others.filter(({ uid, restoredAt, provenance }) => {
      const other = this.#books.resources.get(uid);
      if (provenance === "adopted" && other !== undefined && !this.#books.isProven(other, claim.user)) return true;
      const { object = {} } = other ?? {};
      const isWaiting = awaitedIn(object) === idIn(claim.user) || asObject(object["spec"])["suspend"] === true;
      return restoredAt >= this.#books.quietSince || (restoredAt >= 0 && isWaiting);
    });
    if (others.length > idle.length) {
      this.#violate(`${known.key} claims ${claim.user}, which ${this.#books.nameOf(others[0]?.uid)} holds`);
    }
    if (claim.provenance === "adopted" && !this.#books.mayAdopt(known, claim.user)) {
      this.#violate(`${known.key} takes over ${claim.user} without the right to`);
    }
    this.#books.claim(known, claim.user, claim.provenance, idle);
  }

  #noteRelease(known: Known, isByOperator: boolean): void {
    const claim = this.#books.claimOf(known.uid);
    if (!isByOperator) this.#books.abandon(known);
    // Of a creation in the stead of the claimed user the id need not be written down yet.
    for (const user of this.#books.madeFor(known.uid)) {
      if (user === claim?.user) continue;
      if (this.#books.claimsOn(user).length === 0) this.#books.endClaim(known, user);
      this.#letGo(known, user, "created", isByOperator);
    }
    if (claim === undefined) return;
    const { user, provenance } = claim;
    const isHolder = this.#books.claimsOn(user)[0]?.uid === known.uid;
    this.#books.endClaim(known, user);
    if (isHolder || this.#books.claimsOn(user).length === 0)
      this.#letGo(known, user, provenance, isByOperator && isHolder);
  }

  #letGo(known: Known, user: UserKey, provenance: Provenance, isByOperator: boolean): void {
    if (this.#books.claimsOn(user).length > 0) return;
    // Who waits for the user that the resource began to create waits for the one that it took over instead, too.
    const users = [idIn(user), `auth0|${known.uid}`];
    const isAwaited = [...this.#books.resources.values()].some(
      (other) =>
        other.deletedAt >= this.#books.quietSince &&
        mayFollow(other, known) &&
        (users.some((one) => awaitedIn(other.object) === one) || this.#books.waitedLately(other, users)),
    );
    const isGiven = this.#books.effectivePolicies(known, provenance).every((one) => one === "Delete");
    const mustGo = isGiven && !isAwaited && this.#books.isProven(known, user);
    const isExcused = this.#books.isExcused(user) || this.#books.wasUnlinkedLately(user);
    if (isByOperator && mustGo && !isExcused && this.#books.find(user) !== undefined) {
      this.#violate(`${known.key} is let go, and its user ${user} stays though deletionPolicy is Delete`);
    }
    this.#books.excuse(user, `${known.key} was let go`);
  }

  #noteCreation({ domain, sent, answer }: Served): void {
    const user = keyOf(domain, String(answer["user_id"]));
    const uid = typeof sent["user_id"] === "string" ? sent["user_id"] : this.#books.uidByTag(sent);
    const known = this.#books.resources.get(uid);
    if (known === undefined) {
      this.#violate(`${user} was created for nobody: ${JSON.stringify(sent)}`);
      return;
    }
    if (sent["password"] !== undefined && !this.#books.passwords.isOf(known, sent["password"])) {
      this.#violate(`${user} was created with a password that is not ${known.key}'s`);
    }
    const foreign = CREATED_WITH.filter(
      ([path, value]) => !mayCreate(path, value(sent), this.#books.recentSpecs(known)),
    );
    if (foreign.length > 0) {
      const what = foreign.map(([path]) => path).join();
      this.#violate(`${user} was created for ${known.key} with another ${what}: ${JSON.stringify(sent)}`);
    }
    const claim = this.#books.claimOf(uid);
    if (claim !== undefined && claim.user !== user && this.#books.find(claim.user) !== undefined) {
      this.#violate(`${known.key} has ${claim.user}, and ${user} was created for it, too`);
    }
    for (const other of this.#books.madeFor(uid)) {
      const isSecond = other !== user && !this.#books.isExcused(other);
      if (isSecond && this.#books.find(other) !== undefined) {
        this.#violate(`${known.key}: ${other} was created for it before, and ${user} now`);
      }
    }
    const isReported =
      known.noted.status["userId"] === idIn(user) &&
      this.#books.recentSpecs(known).every((spec) => spec["recreatePolicy"] === "Report");
    if (isReported) this.#violate(`${user} was created again though recreatePolicy is Report`);
    this.#books.noteMade(user, uid);
    this.#books.lastWrites.note(user, sent, uid);
  }

  #checkAction({ domain, userId = "" }: Served, action: Action): void {
    const user = keyOf(domain, userId);
    const holders = [this.#books.holderOf(user), this.#books.formerHolderOf(user)].filter((one) => one !== undefined);
    const known = holders.find(({ uid }) => this.#books.actions.isAsked(uid, action, this.#books.quietSince));
    if (known === undefined) {
      this.#violate(`${action} was done to ${user} of ${String(holders[0]?.key)}, which did not ask for it`);
      return;
    }
    if (this.#books.recentSpecs(known).every((spec) => spec["suspend"] === true))
      this.#violate(`${action} was done to ${user} of ${known.key}, which is suspended`);
    if (!this.#books.actions.noteDone(known.key, user, action))
      this.#violate(`${action} was done to ${user} of ${known.key} more often than it was asked for`);
  }

  #checkAssignments({ domain, userId = "", method }: Served, assignments: readonly Assignment[]): void {
    const user = keyOf(domain, userId);
    const holders = [this.#books.holderOf(user), this.#books.formerHolderOf(user)].filter((one) => one !== undefined);
    const isMeant = (known: Known, assignment: Assignment): boolean => {
      const specs = this.#books.recentSpecs(known);
      return method === "POST"
        ? specs.some((spec) => assignedIn(spec, assignment.kind)?.includes(assignment.name))
        : mayTake(assignment, specs, this.#books.specsSinceClaim(known, user));
    };
    for (const assignment of assignments) {
      if (holders.some((known) => isMeant(known, assignment))) continue;
      const what = `${method === "POST" ? "was given" : "lost"} ${assignment.name} of ${assignment.kind}`;
      this.#violate(`${user} of ${String(holders[0]?.key)} ${what}, against what is declared`);
    }
  }

  #checkUpdate({ domain, userId = "", sent, before }: Served, nowMs: number): void {
    if (before === undefined) return;
    const user = keyOf(domain, userId);
    if (sent["email"] !== undefined) this.#books.noteNewAddress(user, nowMs);
    const former = this.#books.formerHolderOf(user);
    const [known, ...more] = [this.#books.holderOf(user), former].filter((one) => one !== undefined);
    if (known === undefined) {
      this.#violate(`${user} was changed, and nobody claims it: ${JSON.stringify(sent)}`);
      return;
    }
    const isForeign = (one: Known): boolean =>
      Object.keys(sent).some((name) => !this.#isDeclared(one, user, sent, name));
    if ([known, ...more].every(isForeign)) {
      this.#violate(`${user} of ${known.key} was given what it never declared: ${JSON.stringify(sent)}`);
    }
    this.#books.lastWrites.note(user, sent, known.uid);
  }

  #isDeclared(known: Known, user: UserKey, sent: JsonObject, name: string): boolean {
    const value = sent[name];
    const standing = this.#books.standingOf(known, user);
    switch (name) {
      case "password":
        return (
          standing.specs.some((spec) => spec["password"] !== undefined) && this.#books.passwords.isOf(known, value)
        );
      case "verify_email":
        return value === false;
      case "email_verified":
        return (value === false && sent["email"] !== undefined) || mayUpdate(fieldOf(name), value, standing);
      case "app_metadata":
        return true; // the marker, which nobody but the operator can write
      case "blocked":
        return mayUpdate(name, value, standing) || (value === true && this.#mayDisable(known));
      case "user_metadata":
        return Object.entries(asObject(value)).every(([key, one]) => mayUpdate(`userMetadata.${key}`, one, standing));
      default:
        return mayUpdate(fieldOf(name), value, standing);
    }
  }

  /** Whether the user may be blocked in the place of being deleted, or before. */
  #mayDisable(known: Known): boolean {
    if (metadataOf(known.object)["deletionTimestamp"] === undefined) return false;
    const isDisabled = this.#books
      .recentSpecs(known)
      .some((spec) => spec["deletionPolicy"] === "Disable" || spec["deleteAfter"] !== undefined);
    const provenance = this.#books.claimOf(known.uid)?.provenance ?? this.#books.provenanceByMaking(known);
    return isDisabled && this.#books.effectivePolicies(known, provenance).some((one) => one !== "Retain");
  }

  #checkDeletion({ domain, userId = "", before, sentAtStep }: Served, nowMs: number): void {
    const user = keyOf(domain, userId);
    if (before === undefined) {
      // It may have been linked into another one, of which nobody was told, and come back.
      this.#books.excuse(user, "it was not there when it was deleted");
      return;
    }
    // Of what was restored meanwhile the operator need not know yet.
    const [first, ...others] = this.#books
      .claimsOn(user)
      .filter(({ restoredAt }) => restoredAt < this.#books.quietSince);
    const former = first === undefined ? this.#books.formerHolderOf(user) : undefined;
    const candidates = [this.#books.holderOf(user), former].filter((one) => one !== undefined);
    const isEnding = ({ object }: Known): boolean => metadataOf(object)["deletionTimestamp"] !== undefined;
    const known = candidates.find(isEnding) ?? candidates[0];
    if (known === undefined) {
      this.#violate(`${user} was deleted, and nobody claims it`);
      return;
    }
    const provenance = this.#books.claimsOn(user).find(({ uid }) => uid === known.uid)?.provenance ?? "created";
    const what = `${user} of ${known.key} was deleted`;
    if (!isEnding(known)) this.#violate(`${what}, which nobody deleted`);
    if (!this.#books.effectivePolicies(known, provenance).includes("Delete"))
      this.#violate(`${what} against its policy`);
    // Who was told to wait, and is deleted itself, claims it no more; who is suspended waits for nothing.
    const isIdle = (uid: string): boolean => {
      const other = this.#books.resources.get(uid);
      const isSuspended = asObject(other?.object["spec"])["suspend"] === true;
      return isSuspended || (other !== undefined && isEnding(other) && awaitedIn(other.object) === idIn(user));
    };
    if (others.some(({ uid }) => !isIdle(uid)))
      this.#violate(`${what}, though ${this.#books.nameOf(others[0]?.uid)} claims it, too`);
    const heir = [...this.#books.resources.values()].find(
      (one) =>
        one !== known &&
        one.deletedAt === Infinity &&
        mayFollow(one, known) &&
        awaitedIn(one.object) === idIn(user) &&
        // Whoever waited for a former holder is yet to learn of this one.
        readyOf(one.object).message.includes(`${known.key},`) &&
        one.waitsSince < sentAtStep,
    );
    if (heir !== undefined && this.#books.mayAdopt(heir, user, true))
      this.#violate(`${what}, though ${heir.key} waits for it`);
    this.#objectTo(this.#books.protection.noteDeletion(known.object, nowMs));
    const linkedAtMs = this.#books.linkedAtMs(user);
    const isConfirmed = annotationsOf(known.object)[CONFIRM_DELETION_ANNOTATION] === userId;
    if (before.identities.length > 1 && !isConfirmed && nowMs - linkedAtMs > LINK_SEEN_MS) {
      this.#violate(`${what} with all its linked identities`);
    }
  }

  #objectTo(wrong: string | undefined): void {
    if (wrong !== undefined) this.#violate(wrong);
  }

  #violate(what: string): void {
    this.#onViolation(what);
  }
}
