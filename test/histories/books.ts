/**
 * What is known from the history alone: who made which user, which resource claims whom and since when, what its author had
 * declared, and what of it the operator need not know yet. Of the product it knows names only.
 */
import { FINALIZER, USER_ID_ANNOTATION } from "../../src/operator/names.ts";
import { MARKER_KEY } from "../../src/reconcile/marker.ts";
import type { JsonObject } from "../../src/runtime/json.ts";
import { ActionBooks } from "./actions.ts";
import { Approvals } from "./approvals.ts";
import { annotationsOf, asObject, finalizersOf, metadataOf, type Write } from "./cluster.ts";
import { Passwords } from "./passwords.ts";
import { Protection } from "./protection.ts";
import { awaitedIn, idIn, keyOf, parseClaimText, readyOf, type Provenance, type UserKey } from "./reading.ts";
import type { WireUser } from "./tenant-side.ts";
import { LastWrites, type Standing } from "./upkeep.ts";

interface Version {
  readonly spec: JsonObject;
  /** When it was replaced by another one. */
  endedAt: number;
}

/** One incarnation of a resource. */
export interface Known {
  readonly uid: string;
  /** `namespace/name`. */
  readonly key: string;
  readonly versions: Version[];
  /** When somebody deleted it. */
  deletedAt: number;
  /** Since when the operator knows that it waits for a user, and would take it over. */
  waitsSince: number;
  /** Its status as far as the operator must know it, and since when it does. */
  noted: { readonly status: JsonObject; readonly atStep: number };
  /** The user that it waited for last, and until when. */
  waited: { readonly userId: string; readonly untilStep: number } | undefined;
  object: JsonObject;
  isGone: boolean;
}

export interface Claim {
  readonly uid: string;
  readonly provenance: Provenance;
  /** When it came back from a backup; -1 where the operator made it. One that it has not seen yet is no older one. */
  readonly restoredAt: number;
}

export interface BooksParts {
  /** The tenant that such a resource's user is looked for in now. */
  readonly domainOf: (spec: JsonObject) => string;
  readonly find: (user: UserKey) => WireUser | undefined;
  /** `undefined`: more than a history has. */
  readonly maxDeletesPerHour: number | undefined;
}

export class Books {
  readonly #parts: BooksParts;
  readonly resources = new Map<string, Known>();
  readonly protection: Protection;
  readonly passwords = new Passwords();
  readonly actions = new ActionBooks();
  readonly lastWrites = new LastWrites();
  readonly #approvals = new Approvals();
  readonly #claims = new Map<UserKey, readonly Claim[]>();
  /** The uid of the resource that a user was made for. */
  readonly #madeFor = new Map<UserKey, string>();
  readonly #madeAt = new Map<UserKey, number>();
  /** When a resource first claimed a user: `uid user`. */
  readonly #claimedSince = new Map<string, number>();
  /** Users that nobody has to look after any more: why. */
  readonly #excused = new Map<UserKey, string>();
  /** Resources that somebody let go without the operator. */
  readonly #abandoned = new Set<string>();
  /** Claims that ended: the operator need not know it before things are quiet. */
  readonly #lapsed = new Map<UserKey, { readonly uid: string; readonly atStep: number }>();
  /** Every address that a user ever had. */
  readonly #emails = new Map<UserKey, Set<string>>();
  readonly #readdressedAtMs = new Map<UserKey, number>();
  readonly #linkedAtMs = new Map<UserKey, number>();
  readonly #unlinkedAt = new Map<UserKey, number>();
  /** Claims as the operator wrote them, by `namespace/name`; only those can be proven. */
  readonly #authentic = new Map<string, Set<string>>();
  /** Markers that users were given, and those among them whose keys are lost: they look like another operator's. */
  readonly #markers = new Set<unknown>();
  readonly #lostMarkers = new Set<unknown>();
  /** Namespaces that may take over users of a tenant, and until when they could. */
  readonly #adopting = new Map<string, number>();
  #step = 0;
  #quietSince = 0;

  constructor(parts: BooksParts) {
    this.#parts = parts;
    this.protection = new Protection(parts.maxDeletesPerHour);
  }

  get step(): number {
    return this.#step;
  }

  /** Since when there may be what the operator has not seen yet. */
  get quietSince(): number {
    return this.#quietSince;
  }

  // ---- what happens ----

  tick(): void {
    this.#step++;
  }

  /** A write to an Auth0User; what it does to claims is noted by `claim`, `renewClaim`, `noteRestored` and `endClaim`. */
  noteWrite(write: Write, object: JsonObject): Known {
    const { before, after } = write;
    this.#approvals.note(write, this.#parts.domainOf(asObject(object["spec"])));
    const uid = String(metadataOf(object)["uid"]);
    const known = this.resources.get(uid) ?? this.#meet(uid, object);
    this.#noteVersion(known, object);
    if (after !== undefined) known.object = after;
    this.lastWrites.noteStatus(uid, asObject(object["status"]));
    this.actions.note(known.key, write, this.step);
    const awaited = before && awaitedIn(before);
    if (awaited !== undefined && awaitedIn(object) !== awaited)
      known.waited = { userId: awaited, untilStep: this.step };
    known.isGone = after === undefined;
    const isDeleted = after === undefined || metadataOf(after)["deletionTimestamp"] !== undefined;
    if (isDeleted) known.deletedAt = Math.min(known.deletedAt, this.step);
    return known;
  }

  /** Everything that was declared so far has been seen by the operator. */
  noteQuiet(): void {
    this.#quietSince = this.step;
    for (const known of this.resources.values()) this.#noteStatus(known, known.object);
  }

  noteGrant(domain: string, namespace: string, mayAdopt: boolean): void {
    this.#adopting.set(`${domain} ${namespace}`, mayAdopt ? Infinity : this.step);
  }

  noteLink(user: UserKey, atMs: number): void {
    this.#linkedAtMs.set(user, atMs);
  }

  /** The account is a user of its own again. */
  noteUnlinked(user: UserKey): void {
    this.#unlinkedAt.set(user, this.step);
  }

  /** The keys that sign claims are lost: nothing that was written before can be proven. */
  noteKeysLost(): void {
    this.#authentic.clear();
    this.#approvals.noteKeysLost();
    for (const marker of this.#markers) this.#lostMarkers.add(marker);
  }

  /** The cluster was lost, and with it who looks after whom. */
  noteClusterLost(): void {
    for (const user of this.#claims.keys()) this.excuse(user, "the cluster was lost");
    for (const user of this.#madeFor.keys()) this.excuse(user, "the cluster was lost");
    this.#claims.clear();
    for (const known of this.resources.values()) known.isGone = true;
    this.resources.clear();
  }

  noteUser(domain: string, user: WireUser): void {
    const emails = this.#emails.get(keyOf(domain, user.user_id)) ?? new Set();
    if (user.email !== undefined) emails.add(user.email.toLowerCase());
    this.#emails.set(keyOf(domain, user.user_id), emails);
  }

  /** The operator gave the user another address. */
  noteNewAddress(user: UserKey, atMs: number): void {
    this.#readdressedAtMs.set(user, atMs);
  }

  /** Somebody gave the user another address at Auth0: whoever had it made, and has not learnt its id yet, can't find it again. */
  noteReaddressed(user: UserKey): void {
    const made = this.#madeFor.get(user);
    const isLearnt = made === undefined || idIn(user) === `auth0|${made}` || this.claimsOn(user).length > 0;
    if (!isLearnt) this.excuse(user, "its address was changed before its id was known");
  }

  /** The operator was answered, and so knows the object as it is now. */
  noteKnown(object: JsonObject): void {
    const known = this.resources.get(String(metadataOf(object)["uid"]));
    if (known === undefined) return;
    this.#noteStatus(known, object);
    const { adoptionPolicy, userId } = asObject(object["spec"]);
    const takesOver = userId !== undefined || (adoptionPolicy ?? "Never") !== "Never";
    if (readyOf(object).reason === "DuplicateClaim" && takesOver)
      known.waitsSince = Math.min(known.waitsSince, this.step);
    else known.waitsSince = Infinity;
  }

  /** The operator made the user for a resource. */
  noteMade(user: UserKey, uid: string): void {
    this.#madeFor.set(user, uid);
    this.#madeAt.set(user, this.step);
    this.#excused.delete(user);
    this.#linkedAtMs.delete(user);
  }

  /** What the operator wrote to an annotation. Without keys it signs nothing, and can't prove it later. */
  noteText({ key }: Known, text: string): void {
    if (!text.endsWith(";unsigned")) this.#authentic.set(key, (this.#authentic.get(key) ?? new Set()).add(text));
  }

  noteMarker(user: JsonObject): void {
    this.#markers.add(asObject(user["app_metadata"])[MARKER_KEY]);
  }

  /** The operator had the resource claim the user. @param idle claims that stand behind it */
  claim({ uid }: Known, user: UserKey, provenance: Provenance, idle: readonly Claim[]): void {
    const standing = this.claimOf(uid);
    if (standing !== undefined) this.#dropClaim(standing.user, uid);
    const seen = this.claimsOn(user).filter((one) => !idle.includes(one));
    this.#claims.set(user, [...seen, { uid, provenance, restoredAt: -1 }, ...idle]);
    const mark = `${uid} ${user}`;
    this.#claimedSince.set(mark, this.#claimedSince.get(mark) ?? this.step);
    this.#excused.delete(user);
  }

  /** Somebody made a resource with a claim in it, from a backup or a copy; without keys it holds where it may be made anew. */
  noteRestored(known: Known, object: JsonObject): void {
    const text = annotationsOf(object)[USER_ID_ANNOTATION];
    const claim = text === undefined ? undefined : parseClaimText(text);
    if (text === undefined || claim === undefined) return;
    const isNamed = asObject(object["spec"])["userId"] === idIn(claim.user);
    const isStanding = isNamed && text.endsWith(";unsigned") && finalizersOf(object).includes(FINALIZER);
    if (!this.isProvable(known.key, text) && !(isStanding && this.mayAdopt(known, claim.user))) return;
    const standing = this.claimsOn(claim.user);
    if (standing.some(({ uid }) => uid === known.uid)) return;
    const restored = { uid: known.uid, provenance: claim.provenance, restoredAt: this.step };
    this.#claims.set(claim.user, [...standing, restored]);
  }

  /** A restored one that is taken hold of comes before one whose claim was written meanwhile, if nothing came of that yet. */
  renewClaim(known: Known, user: UserKey, provenance: Provenance, isTakingHold: boolean): void {
    const claims = this.claimsOn(user).map((one) => (one.uid === known.uid ? { ...one, provenance } : one));
    const [first] = claims;
    const own = claims.find(({ uid }) => uid === known.uid);
    const firstId = asObject(this.resources.get(first?.uid ?? "")?.object["status"])["userId"];
    const isOpen = isTakingHold && firstId !== idIn(user) && (own?.restoredAt ?? -1) >= this.#quietSince;
    if (own !== undefined && isOpen) claims.sort((a, b) => Number(b === own) - Number(a === own));
    this.#claims.set(user, claims);
  }

  /**
   * Somebody wrote another claim over the one that stood. Of a restored one that the operator had not taken hold of it may
   * never have seen anything; one that can be proven is as good as restored.
   */
  noteReplaced(known: Known, before: JsonObject, after: JsonObject): void {
    const text = annotationsOf(after)[USER_ID_ANNOTATION];
    if (text === annotationsOf(before)[USER_ID_ANNOTATION]) return;
    const standing = this.claimOf(known.uid);
    const { restoredAt = -1 } = this.claimsOn(standing?.user ?? "").find(({ uid }) => uid === known.uid) ?? {};
    const isWaiting = awaitedIn(before) === idIn(standing?.user ?? "");
    const isUnseen = restoredAt >= 0 && (isWaiting || !finalizersOf(before).includes(FINALIZER));
    const isNoted = asObject(after["status"])["userId"] === idIn(standing?.user ?? "");
    const isNobody = standing !== undefined && !isNoted && this.find(standing.user) === undefined;
    if (standing !== undefined && (isUnseen || isNobody)) this.endClaim(known, standing.user);
    if (text !== undefined && this.isProvable(known.key, text)) this.noteRestored(known, after);
  }

  /** The resource claims the user no more. */
  endClaim({ uid }: Known, user: UserKey): void {
    this.#lapsed.set(user, { uid, atStep: this.step });
    this.#dropClaim(user, uid);
  }

  /** Somebody let the resource go without the operator. */
  abandon({ uid }: Known): void {
    this.#abandoned.add(uid);
  }

  excuse(user: UserKey, why: string): void {
    this.#excused.set(user, why);
  }

  #dropClaim(user: UserKey, uid: string): void {
    const rest = this.claimsOn(user).filter((claim) => claim.uid !== uid);
    if (rest.length === 0) this.#claims.delete(user);
    else this.#claims.set(user, rest);
  }

  // ---- what is asked ----

  find(user: UserKey): WireUser | undefined {
    return this.#parts.find(user);
  }

  isExcused(user: UserKey): boolean {
    return this.#excused.has(user);
  }

  /** The users that were made for the resource, also those that are gone. */
  madeFor(uid: string): readonly UserKey[] {
    return [...this.#madeFor].filter(([, one]) => one === uid).map(([user]) => user);
  }

  /** Whether the user was made for another resource, which is still there. */
  isMadeForAnother(user: UserKey, uid: string): boolean {
    const maker = this.resources.get(this.#madeFor.get(user) ?? uid);
    return maker !== undefined && maker.uid !== uid && !maker.isGone;
  }

  /** Whether the operator gave the user another address since: who waits for the former one may not have looked again yet. */
  wasReaddressed(user: UserKey, sinceMs: number): boolean {
    return (this.#readdressedAtMs.get(user) ?? -Infinity) >= sinceMs;
  }

  linkedAtMs(user: UserKey): number {
    return this.#linkedAtMs.get(user) ?? Infinity;
  }

  /** Whether a look a moment ago may have found no such user, since it was part of another one. */
  wasUnlinkedLately(user: UserKey): boolean {
    return (this.#unlinkedAt.get(user) ?? -1) >= this.#quietSince;
  }

  claimsOn(user: UserKey): readonly Claim[] {
    return this.#claims.get(user) ?? [];
  }

  /** The user that the resource claims. */
  claimOf(uid: string): { readonly user: UserKey; readonly provenance: Provenance } | undefined {
    for (const [user, claims] of this.#claims) {
      const claim = claims.find((one) => one.uid === uid);
      if (claim !== undefined) return { user, provenance: claim.provenance };
    }
    return undefined;
  }

  isProvable(key: string, text: string): boolean {
    return this.#authentic.get(key)?.has(text) === true;
  }

  /** Whether the user's marker was made with keys that are lost. */
  isMarkedByLostKeys(user: WireUser): boolean {
    const marker = asObject(user["app_metadata"])[MARKER_KEY];
    return marker !== undefined && this.#lostMarkers.has(marker);
  }

  /** Whether another resource names the user, in its status, by an annotation that it once had with right, or by its own uid. */
  isNamedByAnother(user: UserKey, uid: string): boolean {
    return [...this.resources.values()].some((one) => {
      const { tenantDomain, userId } = asObject(one.object["status"]);
      const text = annotationsOf(one.object)[USER_ID_ANNOTATION] ?? "";
      const isClaiming = this.isProvable(one.key, text) && parseClaimText(text)?.user === user;
      const isNoting = keyOf(String(tenantDomain), String(userId)) === user;
      // Nobody else can have made it, and whether it did the operator can't tell from a spoilt claim.
      const mayHaveMade = user.endsWith(` auth0|${one.uid}`);
      return one.uid !== uid && !one.isGone && (isNoting || isClaiming || mayHaveMade);
    });
  }

  /** Users that the operator made and that nobody looks after, though nobody said so. */
  orphans(): readonly UserKey[] {
    return [...this.#madeFor.keys()].filter(
      (user) =>
        !this.#excused.has(user) &&
        !this.#abandoned.has(this.#madeFor.get(user) ?? "") &&
        this.claimsOn(user).length === 0 &&
        this.#parts.find(user) !== undefined,
    );
  }

  /** @param isSure whatever of its declarations the operator has seen */
  mayAdopt(known: Known, user: UserKey, isSure = false): boolean {
    const [domain = "", id = ""] = user.split(" ");
    const grantedUntil = this.#adopting.get(`${domain} ${namespaceOf(known)}`) ?? Infinity;
    const isOwnTenant = asObject(known.object["spec"])["tenantRef"] === undefined;
    if (grantedUntil < this.#quietSince && !isOwnTenant) return false;
    const emails = this.#emails.get(user) ?? new Set();
    const annotated = annotationsOf(known.object)[USER_ID_ANNOTATION]?.startsWith(`${id};`) === true;
    const isGiven = ({ adoptionPolicy, userId, email }: JsonObject): boolean => {
      const isMeant = userId === id || emails.has(String(email).toLowerCase()) || annotated;
      if (adoptionPolicy === "Review") return isMeant && this.#approvals.has(known, user);
      return userId === id || (adoptionPolicy === "Adopt" && isMeant);
    };
    const specs = this.recentSpecs(known);
    return isSure ? specs.every(isGiven) : specs.some(isGiven);
  }

  /** The operator may have decided before it was told otherwise. */
  waitedLately({ waited }: Known, users: readonly string[]): boolean {
    return waited !== undefined && users.includes(waited.userId) && waited.untilStep >= this.#quietSince;
  }

  /**
   * By the status, by the id where it is looked for, or by a claim whose keys are not lost, on this user or on one that was
   * begun: what can't be proven stays.
   */
  isProven({ uid, key, object }: Known, user: UserKey): boolean {
    const { tenantDomain, userId } = asObject(object["status"]);
    const isNoted = keyOf(String(tenantDomain), String(userId)) === user;
    const text = annotationsOf(object)[USER_ID_ANNOTATION] ?? "";
    const isHere = user.startsWith(`${this.#parts.domainOf(asObject(object["spec"]))} `);
    const isClaimed = this.isProvable(key, text) && (parseClaimText(text)?.user ?? user) === user;
    return isNoted || (user.endsWith(`|${uid}`) && isHere) || isClaimed;
  }

  /** The oldest claim holds; while Auth0 has chosen an id that is not noted yet, whoever it was made for. */
  holderOf(user: UserKey): Known | undefined {
    const [first] = this.claimsOn(user);
    const maker = this.resources.get(this.#madeFor.get(user) ?? "");
    return first === undefined ? (maker?.isGone === false ? maker : undefined) : this.resources.get(first.uid);
  }

  /** Who was let go, without the operator or by a call whose answer is lost: it may not know it yet. */
  formerHolderOf(user: UserKey): Known | undefined {
    const lapsed = this.#lapsed.get(user);
    return lapsed !== undefined && lapsed.atStep >= this.#quietSince ? this.resources.get(lapsed.uid) : undefined;
  }

  effectivePolicies(known: Known, provenance: Provenance): readonly string[] {
    return this.recentSpecs(known).map((spec) => {
      if (spec["suspend"] === true) return "Retain";
      const { deletionPolicy } = spec;
      return typeof deletionPolicy === "string" ? deletionPolicy : provenance === "created" ? "Delete" : "Retain";
    });
  }

  provenanceByMaking({ uid }: Known): Provenance {
    return this.madeFor(uid).length > 0 ? "created" : "adopted";
  }

  /** What the operator may still believe to be declared. */
  recentSpecs({ versions }: Known): readonly JsonObject[] {
    return versions.filter(({ endedAt }) => endedAt >= this.#quietSince).map(({ spec }) => spec);
  }

  /** What was declared while the resource claims the user, and what the operator may have believed to be. */
  specsSinceClaim({ uid, versions }: Known, user: UserKey): readonly JsonObject[] {
    const since = this.#claimedSince.get(`${uid} ${user}`) ?? 0;
    return versions.filter(({ endedAt }) => endedAt >= Math.min(since, this.#quietSince)).map(({ spec }) => spec);
  }

  /** What the operator must know of a resource and a user that it may write to. */
  standingOf(known: Known, user: UserKey): Standing {
    const { status, atStep } = known.noted;
    const { tenantDomain, userId, syncedGeneration, driftedAttributes, pendingAttributes } = status;
    const madeAt = this.#madeAt.get(user) ?? -1;
    const isNoted = keyOf(String(tenantDomain), String(userId)) === user && madeAt <= atStep;
    // In a former life.
    const { restoredAt = -1 } = this.claimsOn(user).find(({ uid }) => uid === known.uid) ?? {};
    const isRestored = userId === undefined && restoredAt > madeAt;
    return {
      specs: this.recentSpecs(known),
      // Of a user made in the stead of one that is gone, what left the spec before is taken away, too.
      former: this.#madeFor.get(user) === known.uid ? allSpecs(known) : this.specsSinceClaim(known, user),
      isBroughtAbout: isRestored || (isNoted && syncedGeneration === metadataOf(known.object)["generation"]),
      isInitialised: isRestored || (isNoted && syncedGeneration !== undefined),
      pending: Array.isArray(pendingAttributes) ? pendingAttributes : [],
      reported: isNoted && Array.isArray(driftedAttributes) ? driftedAttributes : [],
    };
  }

  /** Every resource declares its own name in `user_metadata`. */
  uidByTag(sent: JsonObject): string {
    const tag = asObject(sent["user_metadata"])["by"];
    const named = [...this.resources.values()].filter(({ key }) => key === tag);
    // A creation may arrive when another resource has taken the name.
    const isOf = ({ versions }: Known): boolean =>
      versions.some(({ spec }) => spec["connection"] === sent["connection"] && spec["email"] === sent["email"]);
    return (named.findLast(isOf) ?? named.at(-1))?.uid ?? "";
  }

  nameOf(uid: string | undefined): string {
    return this.resources.get(uid ?? "")?.key ?? "somebody";
  }

  #meet(uid: string, object: JsonObject): Known {
    const { namespace, name } = metadataOf(object);
    const known: Known = {
      uid,
      key: `${String(namespace)}/${String(name)}`,
      versions: [],
      deletedAt: Infinity,
      waitsSince: Infinity,
      noted: { status: {}, atStep: -1 },
      waited: undefined,
      object,
      isGone: false,
    };
    this.resources.set(uid, known);
    return known;
  }

  #noteStatus(known: Known, object: JsonObject): void {
    known.noted = { status: asObject(object["status"]), atStep: this.step };
  }

  #noteVersion({ versions }: Known, object: JsonObject): void {
    const spec = asObject(object["spec"]);
    const last = versions.at(-1);
    if (last !== undefined && JSON.stringify(last.spec) === JSON.stringify(spec)) return;
    if (last !== undefined) last.endedAt = this.step;
    versions.push({ spec, endedAt: Infinity });
  }
}

/** A user does not change its connection. */
export function mayFollow(heir: Known, { object }: Known): boolean {
  return asObject(heir.object["spec"])["connection"] === asObject(object["spec"])["connection"];
}

function namespaceOf({ key }: Known): string {
  return key.slice(0, key.indexOf("/"));
}

function allSpecs({ versions }: Known): readonly JsonObject[] {
  return versions.map(({ spec }) => spec);
}
