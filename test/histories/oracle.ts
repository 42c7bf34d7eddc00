/**
 * What must never happen, known from the history alone: who made which user, which resource claims whom and since when, what
 * its author had declared. It watches every write of the operator to either side as it is done, and knows nothing of how the
 * operator decides; from the product it takes names only.
 */
import { CONFIRM_DELETION_ANNOTATION } from "../../src/api/names.ts";
import { FINALIZER, USER_ID_ANNOTATION } from "../../src/operator/names.ts";
import { MARKER_KEY } from "../../src/reconcile/marker.ts";
import type { JsonObject } from "../../src/runtime/json.ts";
import { annotationsOf, asObject, finalizersOf, metadataOf, type Write } from "./cluster.ts";
import type { Served, WireUser } from "./tenant-side.ts";

export type Provenance = "created" | "adopted";

/** A user of a tenant: `acme.example.com auth0|…`. */
export type UserKey = string;

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
  /** Since when the operator knows that it waits for a user. */
  waitsSince: number;
  /** The user that its status names, as far as the operator must know. */
  notedId: unknown;
  /** The user that it waited for last, and until when. */
  waited: { readonly userId: string; readonly untilStep: number } | undefined;
  object: JsonObject;
  isGone: boolean;
}

interface Claim {
  readonly uid: string;
  readonly provenance: Provenance;
  /** When it came back from a backup; -1 where the operator made it. One that it has not seen yet is no older one. */
  readonly restoredAt: number;
}

interface Made {
  /** Of the resource it was made for. */
  readonly uid: string;
}

export interface OracleParts {
  /** The tenant that such a resource's user is looked for in now. */
  readonly domainOf: (spec: JsonObject) => string;
  readonly find: (user: UserKey) => WireUser | undefined;
  readonly onViolation: (what: string) => void;
}

/** A user that was linked a shorter while ago may be deleted by what was seen before (`FRESH_MS` of deletions). */
const LINK_SEEN_MS = 10 * 60_000;

export class Oracle {
  readonly #parts: OracleParts;
  readonly resources = new Map<string, Known>();
  readonly #claims = new Map<UserKey, Claim[]>();
  readonly #made = new Map<UserKey, Made>();
  /** Users that nobody has to look after any more: why. */
  readonly #excused = new Map<UserKey, string>();
  /** Resources that somebody let go without the operator. */
  readonly #abandoned = new Set<string>();
  /** Claims that ended: the operator need not know it before things are quiet. */
  readonly #lapsed = new Map<UserKey, { readonly uid: string; readonly atStep: number }>();
  /** Every address that a user ever had. */
  readonly #emails = new Map<UserKey, Set<string>>();
  readonly #linkedAtMs = new Map<UserKey, number>();
  /** Claims as the operator wrote them, by `namespace/name`; only those can be proven. */
  readonly #authentic = new Map<string, Set<string>>();
  /** Markers that users were given, and those among them whose keys are lost: they look like another operator's. */
  readonly #markers = new Set<unknown>();
  readonly #lostMarkers = new Set<unknown>();
  /** Namespaces that may take over users of a tenant, and until when they could. */
  readonly #adopting = new Map<string, number>();
  step = 0;
  #quietSince = 0;

  constructor(parts: OracleParts) {
    this.#parts = parts;
  }

  // ---- what happens ----

  tick(): void {
    this.step++;
  }

  /** Everything that was declared so far has been seen by the operator. */
  noteQuiet(): void {
    this.#quietSince = this.step;
    for (const known of this.resources.values()) known.notedId = asObject(known.object["status"])["userId"];
  }

  noteGrant(domain: string, namespace: string, mayAdopt: boolean): void {
    this.#adopting.set(`${domain} ${namespace}`, mayAdopt ? Infinity : this.step);
  }

  noteLink(user: UserKey, atMs: number): void {
    this.#linkedAtMs.set(user, atMs);
  }

  /** The keys that sign claims are lost: nothing that was written before can be proven. */
  noteKeysLost(): void {
    this.#authentic.clear();
    for (const marker of this.#markers) this.#lostMarkers.add(marker);
  }

  /** The cluster was lost, and with it who looks after whom. */
  noteClusterLost(): void {
    for (const user of this.#claims.keys()) this.#excuse(user, "the cluster was lost");
    for (const [user] of this.#made) this.#excuse(user, "the cluster was lost");
    this.#claims.clear();
    for (const known of this.resources.values()) known.isGone = true;
    this.resources.clear();
  }

  noteUser(domain: string, user: WireUser): void {
    const emails = this.#emails.get(keyOf(domain, user.user_id)) ?? new Set();
    if (user.email !== undefined) emails.add(user.email.toLowerCase());
    this.#emails.set(keyOf(domain, user.user_id), emails);
  }

  /** Somebody gave the user another address at Auth0: whoever had it made, and has not learnt its id yet, can't find it again. */
  noteReaddressed(user: UserKey): void {
    const made = this.#made.get(user);
    const isLearnt = made === undefined || idIn(user) === `auth0|${made.uid}` || this.claimsOn(user).length > 0;
    if (!isLearnt) this.#excuse(user, "its address was changed before its id was known");
  }

  /** A write to an Auth0User. */
  noteWrite({ actor, before, after }: Write): void {
    const object = after ?? before;
    if (object === undefined) return;
    const uid = String(metadataOf(object)["uid"]);
    const known = this.resources.get(uid) ?? this.#meet(uid, object);
    this.#noteVersion(known, object);
    if (after !== undefined) known.object = after;
    const awaited = before && awaitedIn(before);
    if (awaited !== undefined && awaitedIn(object) !== awaited)
      known.waited = { userId: awaited, untilStep: this.step };
    const isHeld = after !== undefined && finalizersOf(after).includes(FINALIZER);
    const wasHeld = before !== undefined && finalizersOf(before).includes(FINALIZER);
    if (actor === "operator" && after !== undefined) this.#noteClaim(known, before, after);
    if (before === undefined && after !== undefined) this.#noteRestored(known, after);
    if ((wasHeld && !isHeld) || after === undefined) this.#noteRelease(known, actor === "operator" && wasHeld);
    known.isGone = after === undefined;
    const isDeleted = after === undefined || metadataOf(after)["deletionTimestamp"] !== undefined;
    if (isDeleted) known.deletedAt = Math.min(known.deletedAt, this.step);
  }

  /** The operator was answered, and so knows the object as it is now. */
  noteKnown(object: JsonObject): void {
    const known = this.resources.get(String(metadataOf(object)["uid"]));
    if (known === undefined) return;
    known.notedId = asObject(object["status"])["userId"];
    if (readyOf(object).reason === "DuplicateClaim") known.waitsSince = Math.min(known.waitsSince, this.step);
    else known.waitsSince = Infinity;
  }

  /** A write of the operator's to a tenant. */
  noteServed(served: Served): void {
    const { method, status, domain, answer } = served;
    if (status >= 300) return;
    if (method === "POST" && served.userId === undefined) this.#noteCreation(served);
    if (method === "PATCH") this.#checkUpdate(served);
    if (method === "DELETE") this.#checkDeletion(served);
    if (typeof answer["user_id"] === "string") this.noteUser(domain, answer as WireUser);
    this.#markers.add(asObject(answer["app_metadata"])[MARKER_KEY]);
  }

  // ---- what is asked of it ----

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

  /** Whether another resource names the user, in its status or by an annotation that it once had with right. */
  isNamedByAnother(user: UserKey, uid: string): boolean {
    return [...this.resources.values()].some((one) => {
      const { tenantDomain, userId } = asObject(one.object["status"]);
      const text = annotationsOf(one.object)[USER_ID_ANNOTATION] ?? "";
      const isClaiming = this.isProvable(one.key, text) && parseClaimText(text)?.user === user;
      const isNoting = keyOf(String(tenantDomain), String(userId)) === user;
      return one.uid !== uid && !one.isGone && (isNoting || isClaiming);
    });
  }

  /** Users that the operator made and that nobody looks after, though nobody said so. */
  orphans(): readonly UserKey[] {
    return [...this.#made.keys()].filter(
      (user) =>
        !this.#excused.has(user) &&
        !this.#abandoned.has(this.#made.get(user)?.uid ?? "") &&
        this.claimsOn(user).length === 0 &&
        this.#parts.find(user) !== undefined,
    );
  }

  // ---- claims ----

  #meet(uid: string, object: JsonObject): Known {
    const { namespace, name } = metadataOf(object);
    const known: Known = {
      uid,
      key: `${String(namespace)}/${String(name)}`,
      versions: [],
      deletedAt: Infinity,
      waitsSince: Infinity,
      notedId: undefined,
      waited: undefined,
      object,
      isGone: false,
    };
    this.resources.set(uid, known);
    return known;
  }

  #noteVersion({ versions }: Known, object: JsonObject): void {
    const spec = asObject(object["spec"]);
    const last = versions.at(-1);
    if (last !== undefined && JSON.stringify(last.spec) === JSON.stringify(spec)) return;
    if (last !== undefined) last.endedAt = this.step;
    versions.push({ spec, endedAt: Infinity });
  }

  #noteClaim(known: Known, before: JsonObject | undefined, after: JsonObject): void {
    const text = annotationsOf(after)[USER_ID_ANNOTATION];
    const former = before && annotationsOf(before)[USER_ID_ANNOTATION];
    const isTakingHold =
      finalizersOf(after).includes(FINALIZER) && before !== undefined && !finalizersOf(before).includes(FINALIZER);
    if (text === undefined || (text === former && !isTakingHold)) return;
    const texts = this.#authentic.get(known.key) ?? new Set();
    const standing = this.claimOf(known.uid);
    // Without keys the operator signs nothing, and can't prove it later.
    if (!text.endsWith(";unsigned")) texts.add(text);
    this.#authentic.set(known.key, texts);
    const claim = parseClaimText(text);
    if (claim === undefined) return;
    const { tenantDomain, userId } = asObject(after["status"]);
    const isProven =
      former === undefined ||
      keyOf(String(tenantDomain), String(userId)) === claim.user ||
      texts.has(former) ||
      standing?.user === claim.user ||
      claim.user.endsWith(`|${known.uid}`) ||
      this.#made.get(claim.user)?.uid === known.uid;
    if (!isProven && claim.provenance === "created") {
      this.#violate(
        `${known.key} claims ${claim.user} as its own though its annotation proves nothing: ${former ?? ""}`,
      );
    }
    if (standing?.user === claim.user) {
      this.#renewClaim(known, claim.user, claim.provenance, isTakingHold);
      return;
    }
    const others = this.claimsOn(claim.user);
    // Restored ones that the operator need not know yet, has told to wait, or is to leave alone.
    const idle = others.filter(({ uid, restoredAt }) => {
      const { object = {} } = this.resources.get(uid) ?? {};
      const isWaiting = awaitedIn(object) === idIn(claim.user) || asObject(object["spec"])["suspend"] === true;
      return restoredAt >= this.#quietSince || (restoredAt >= 0 && isWaiting);
    });
    if (others.length > idle.length) {
      this.#violate(`${known.key} claims ${claim.user}, which ${this.#nameOf(others[0]?.uid)} holds`);
    }
    if (claim.provenance === "adopted" && !this.#mayAdopt(known, claim.user)) {
      this.#violate(`${known.key} takes over ${claim.user} without the right to`);
    }
    if (standing !== undefined) this.#dropClaim(standing.user, known.uid);
    const { uid } = known;
    const seen = this.claimsOn(claim.user).filter((one) => !idle.includes(one));
    this.#claims.set(claim.user, [...seen, { uid, provenance: claim.provenance, restoredAt: -1 }, ...idle]);
    this.#excused.delete(claim.user);
  }

  /** A restored one that is taken hold of comes before one whose claim was written meanwhile, if nothing came of that yet. */
  #renewClaim(known: Known, user: UserKey, provenance: Provenance, isTakingHold: boolean): void {
    const claims = this.claimsOn(user).map((one) => (one.uid === known.uid ? { ...one, provenance } : one));
    const [first] = claims;
    const own = claims.find(({ uid }) => uid === known.uid);
    const firstId = asObject(this.resources.get(first?.uid ?? "")?.object["status"])["userId"];
    const isOpen = isTakingHold && firstId !== idIn(user) && (own?.restoredAt ?? -1) >= this.#quietSince;
    if (own !== undefined && isOpen) claims.sort((a, b) => Number(b === own) - Number(a === own));
    this.#claims.set(user, claims);
  }

  /** Somebody made a resource with a claim in it, from a backup or a copy; without keys it holds where it may be made anew. */
  #noteRestored(known: Known, object: JsonObject): void {
    const text = annotationsOf(object)[USER_ID_ANNOTATION];
    const claim = text === undefined ? undefined : parseClaimText(text);
    if (text === undefined || claim === undefined) return;
    const isNamed = asObject(object["spec"])["userId"] === idIn(claim.user);
    const isStanding = isNamed && text.endsWith(";unsigned") && finalizersOf(object).includes(FINALIZER);
    if (!this.isProvable(known.key, text) && !(isStanding && this.#mayAdopt(known, claim.user))) return;
    const restored = { uid: known.uid, provenance: claim.provenance, restoredAt: this.step };
    this.#claims.set(claim.user, [...this.claimsOn(claim.user), restored]);
  }

  /** @param isSure whatever of its declarations the operator has seen */
  #mayAdopt(known: Known, user: UserKey, isSure = false): boolean {
    const [domain = "", id = ""] = user.split(" ");
    const grantedUntil = this.#adopting.get(`${domain} ${namespaceOf(known)}`) ?? Infinity;
    const isOwnTenant = asObject(known.object["spec"])["tenantRef"] === undefined;
    if (grantedUntil < this.#quietSince && !isOwnTenant) return false;
    const emails = this.#emails.get(user) ?? new Set();
    const annotated = annotationsOf(known.object)[USER_ID_ANNOTATION]?.startsWith(`${id};`) === true;
    const isGiven = (spec: JsonObject): boolean => {
      if (spec["userId"] === id) return true;
      const isSame = emails.has(String(spec["email"]).toLowerCase()) || annotated;
      return spec["adoptionPolicy"] === "Adopt" && isSame;
    };
    const specs = this.#recentSpecs(known);
    return isSure ? specs.every(isGiven) : specs.some(isGiven);
  }

  #noteRelease(known: Known, isByOperator: boolean): void {
    const claim = this.claimOf(known.uid);
    if (!isByOperator) this.#abandoned.add(known.uid);
    if (claim === undefined) {
      for (const [user, { uid }] of this.#made)
        if (uid === known.uid) this.#letGo(known, user, "created", isByOperator);
      return;
    }
    const { user, provenance } = claim;
    this.#lapsed.set(user, { uid: known.uid, atStep: this.step });
    const isHolder = this.claimsOn(user)[0]?.uid === known.uid;
    this.#dropClaim(user, known.uid);
    if (isHolder || this.claimsOn(user).length === 0) this.#letGo(known, user, provenance, isByOperator && isHolder);
  }

  #letGo(known: Known, user: UserKey, provenance: Provenance, isByOperator: boolean): void {
    if (this.claimsOn(user).length > 0) return;
    // Who waits for the user that the resource began to create waits for the one that it took over instead, too.
    const users = [idIn(user), `auth0|${known.uid}`];
    const isAwaited = [...this.resources.values()].some(
      (other) =>
        other.deletedAt >= this.#quietSince &&
        this.#mayFollow(other, known) &&
        (users.some((one) => awaitedIn(other.object) === one) || this.#waitedLately(other, users)),
    );
    const isGiven = this.#effectivePolicies(known, provenance).every((one) => one === "Delete");
    const mustGo = isGiven && !isAwaited && this.#isProven(known, user);
    if (isByOperator && mustGo && !this.#excused.has(user) && this.#parts.find(user) !== undefined) {
      this.#violate(`${known.key} is let go, and its user ${user} stays though deletionPolicy is Delete`);
    }
    this.#excuse(user, `${known.key} was let go`);
  }

  /** The operator may have decided before it was told otherwise. */
  #waitedLately({ waited }: Known, users: readonly string[]): boolean {
    return waited !== undefined && users.includes(waited.userId) && waited.untilStep >= this.#quietSince;
  }

  /** By the status, by the id where it is looked for, or by a claim whose keys are not lost: what can't be proven stays. */
  #isProven({ uid, key, object }: Known, user: UserKey): boolean {
    const { tenantDomain, userId } = asObject(object["status"]);
    const isNoted = keyOf(String(tenantDomain), String(userId)) === user;
    const text = annotationsOf(object)[USER_ID_ANNOTATION] ?? "";
    const isHere = user.startsWith(`${this.#parts.domainOf(asObject(object["spec"]))} `);
    return isNoted || (user.endsWith(`|${uid}`) && isHere) || this.isProvable(key, text);
  }

  /** A user does not change its connection. */
  #mayFollow(heir: Known, { object }: Known): boolean {
    return asObject(heir.object["spec"])["connection"] === asObject(object["spec"])["connection"];
  }

  #dropClaim(user: UserKey, uid: string): void {
    const rest = this.claimsOn(user).filter((claim) => claim.uid !== uid);
    if (rest.length === 0) this.#claims.delete(user);
    else this.#claims.set(user, rest);
  }

  #excuse(user: UserKey, why: string): void {
    this.#excused.set(user, why);
  }

  // ---- writes to tenants ----

  #noteCreation({ domain, sent, answer }: Served): void {
    const user = keyOf(domain, String(answer["user_id"]));
    const uid = typeof sent["user_id"] === "string" ? sent["user_id"] : this.#uidByTag(sent);
    const known = this.resources.get(uid);
    if (known === undefined) {
      this.#violate(`${user} was created for nobody: ${JSON.stringify(sent)}`);
      return;
    }
    const claim = this.claimOf(uid);
    if (claim !== undefined && claim.user !== user && this.#parts.find(claim.user) !== undefined) {
      this.#violate(`${known.key} has ${claim.user}, and ${user} was created for it, too`);
    }
    for (const [other, made] of this.#made) {
      const isSecond = made.uid === uid && other !== user && !this.#excused.has(other);
      if (isSecond && this.#parts.find(other) !== undefined) {
        this.#violate(`${known.key}: ${other} was created for it before, and ${user} now`);
      }
    }
    const isReported =
      known.notedId === idIn(user) && this.#recentSpecs(known).every((spec) => spec["recreatePolicy"] === "Report");
    if (isReported) this.#violate(`${user} was created again though recreatePolicy is Report`);
    this.#made.set(user, { uid });
    this.#excused.delete(user);
    this.#linkedAtMs.delete(user);
  }

  #checkUpdate({ domain, userId = "", sent, before }: Served): void {
    if (before === undefined) return;
    const user = keyOf(domain, userId);
    const former = this.#formerHolderOf(user);
    const [known, ...more] = [this.#holderOf(user), former].filter((one) => one !== undefined);
    if (known === undefined) {
      this.#violate(`${user} was changed, and nobody claims it: ${JSON.stringify(sent)}`);
      return;
    }
    const isForeign = (one: Known): boolean =>
      Object.entries(sent).some(([name, value]) => !this.#isDeclared(one, name, value));
    if ([known, ...more].every(isForeign)) {
      this.#violate(`${user} of ${known.key} was given what it never declared: ${JSON.stringify(sent)}`);
    }
  }

  #isDeclared(known: Known, name: string, value: unknown): boolean {
    const specs = this.#recentSpecs(known);
    switch (name) {
      case "password":
        return specs.some((spec) => spec["password"] !== undefined);
      case "verify_email":
        return value === false;
      case "app_metadata":
        return true; // the marker, which nobody but the operator can write
      case "blocked": {
        const provenance = this.claimOf(known.uid)?.provenance ?? this.#provenanceByMaking(known);
        const isEnding = metadataOf(known.object)["deletionTimestamp"] !== undefined;
        const isDisabled = specs.some(
          (spec) => spec["deletionPolicy"] === "Disable" || spec["deleteAfter"] !== undefined,
        );
        const mayEnd = this.#effectivePolicies(known, provenance).some((one) => one !== "Retain");
        return specs.some((spec) => spec["blocked"] === value) || (isEnding && isDisabled && mayEnd && value === true);
      }
      case "user_metadata":
        return Object.entries(asObject(value)).every(([key, one]) =>
          specs.some((spec) => JSON.stringify(asObject(spec["userMetadata"])[key] ?? null) === JSON.stringify(one)),
        );
      default: {
        const field = name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
        return specs.some(
          (spec) => JSON.stringify(spec[field] ?? null).toLowerCase() === JSON.stringify(value).toLowerCase(),
        );
      }
    }
  }

  #checkDeletion({ domain, userId = "", before, sentAtStep }: Served): void {
    if (before === undefined) return;
    const user = keyOf(domain, userId);
    // Of what was restored meanwhile the operator need not know yet.
    const [first, ...others] = this.claimsOn(user).filter(({ restoredAt }) => restoredAt < this.#quietSince);
    const former = first === undefined ? this.#formerHolderOf(user) : undefined;
    const candidates = [this.#holderOf(user), former].filter((one) => one !== undefined);
    const isEnding = ({ object }: Known): boolean => metadataOf(object)["deletionTimestamp"] !== undefined;
    const known = candidates.find(isEnding) ?? candidates[0];
    if (known === undefined) {
      this.#violate(`${user} was deleted, and nobody claims it`);
      return;
    }
    const provenance = this.claimsOn(user).find(({ uid }) => uid === known.uid)?.provenance ?? "created";
    const what = `${user} of ${known.key} was deleted`;
    if (!isEnding(known)) this.#violate(`${what}, which nobody deleted`);
    if (!this.#effectivePolicies(known, provenance).includes("Delete")) this.#violate(`${what} against its policy`);
    if (others.length > 0) this.#violate(`${what}, though ${this.#nameOf(others[0]?.uid)} claims it, too`);
    const heir = [...this.resources.values()].find(
      (one) =>
        one !== known &&
        one.deletedAt === Infinity &&
        this.#mayFollow(one, known) &&
        awaitedIn(one.object) === idIn(user) &&
        // Whoever waited for a former holder is yet to learn of this one.
        readyOf(one.object).message.includes(`${known.key},`) &&
        one.waitsSince < sentAtStep,
    );
    if (heir !== undefined && this.#mayAdopt(heir, user, true))
      this.#violate(`${what}, though ${heir.key} waits for it`);
    const linkedAtMs = this.#linkedAtMs.get(user) ?? Infinity;
    const isConfirmed = annotationsOf(known.object)[CONFIRM_DELETION_ANNOTATION] === userId;
    if (before.identities.length > 1 && !isConfirmed && this.nowMs - linkedAtMs > LINK_SEEN_MS) {
      this.#violate(`${what} with all its linked identities`);
    }
  }

  nowMs = 0;

  /** The oldest claim holds; while Auth0 has chosen an id that is not noted yet, whoever it was made for. */
  #holderOf(user: UserKey): Known | undefined {
    const [first] = this.claimsOn(user);
    const maker = this.resources.get(this.#made.get(user)?.uid ?? "");
    return first === undefined ? (maker?.isGone === false ? maker : undefined) : this.resources.get(first.uid);
  }

  /** Who was let go, without the operator or by a call whose answer is lost: it may not know it yet. */
  #formerHolderOf(user: UserKey): Known | undefined {
    const lapsed = this.#lapsed.get(user);
    return lapsed !== undefined && lapsed.atStep >= this.#quietSince ? this.resources.get(lapsed.uid) : undefined;
  }

  #effectivePolicies(known: Known, provenance: Provenance): readonly string[] {
    return this.#recentSpecs(known).map((spec) => {
      if (spec["suspend"] === true) return "Retain";
      const { deletionPolicy } = spec;
      return typeof deletionPolicy === "string" ? deletionPolicy : provenance === "created" ? "Delete" : "Retain";
    });
  }

  #provenanceByMaking({ uid }: Known): Provenance {
    return [...this.#made.values()].some((made) => made.uid === uid) ? "created" : "adopted";
  }

  /** What the operator may still believe to be declared. */
  #recentSpecs({ versions }: Known): readonly JsonObject[] {
    return versions.filter(({ endedAt }) => endedAt >= this.#quietSince).map(({ spec }) => spec);
  }

  /** Every resource declares its own name in `user_metadata`. */
  #uidByTag(sent: JsonObject): string {
    const tag = asObject(sent["user_metadata"])["by"];
    const known = [...this.resources.values()].findLast((one) => one.key === tag);
    return known?.uid ?? "";
  }

  #nameOf(uid: string | undefined): string {
    return this.resources.get(uid ?? "")?.key ?? "somebody";
  }

  #violate(what: string): void {
    this.#parts.onViolation(what);
  }
}

export function keyOf(domain: string, userId: string): UserKey {
  return `${domain} ${userId}`;
}

export function readyOf(object: JsonObject): {
  readonly status: string;
  readonly reason: string;
  readonly message: string;
} {
  const { conditions } = asObject(object["status"]);
  const ready = (Array.isArray(conditions) ? conditions : []).map(asObject).find(({ type }) => type === "Ready");
  const { status = "Unknown", reason = "", message = "" } = ready ?? {};
  return { status: String(status), reason: String(reason), message: String(message) };
}

/** The id of the user that the resource says to wait for. */
function awaitedIn(object: JsonObject): string | undefined {
  const { reason, message } = readyOf(object);
  return reason === "DuplicateClaim" ? message.slice(0, message.indexOf(" ")) : undefined;
}

function idIn(user: UserKey): string {
  return user.slice(user.indexOf(" ") + 1);
}

function namespaceOf({ key }: Known): string {
  return key.slice(0, key.indexOf("/"));
}

/** `USER_ID;TENANT_DOMAIN;PROVENANCE;SIGNATURE`; `undefined` while Auth0 has yet to choose the id. */
function parseClaimText(text: string): { readonly user: UserKey; readonly provenance: Provenance } | undefined {
  const [id = "", domain = "", provenance] = text.split(";");
  if (id.startsWith("?")) return undefined;
  return { user: keyOf(domain, id), provenance: provenance === "created" ? "created" : "adopted" };
}
