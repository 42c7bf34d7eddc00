/**
 * Which resource holds which user, so that two never hold one: the older claim stands, whoever comes later waits. Nobody
 * pays for this who takes over no users: the index is made when somebody first does.
 */
import { connectionName, type TenantDomain, type UserId } from "../core/ids.ts";
import type { ObjectKey } from "../kubernetes/object.ts";
import type { Store } from "../kubernetes/store.ts";
import { parseClaim } from "../reconcile/claim.ts";
import type { Clock } from "../runtime/clock.ts";
import { TimeSlice } from "../runtime/time-slice.ts";
import type { Auth0UserResource } from "./auth0-user-resource.ts";
import { FINALIZER, USER_ID_ANNOTATION } from "./names.ts";
import type { StateKeys } from "./state-keys.ts";
import { derivedIdOf } from "./user-ownership.ts";

export interface UserHoldersOptions {
  readonly store: Store<Auth0UserResource>;
  readonly stateKeys: Pick<StateKeys, "keyring">;
  readonly clock: Clock;
}

/** Going over all users gives way to others after so long. */
const SLICE_MS = 5;

/** A resource has three entries at most, mostly two. */
const ENTRIES_EACH = 4;
const ENTRIES_SPARE = 1_000;

/** In the place of a domain that nothing proves. */
const SOME_TENANT = "*";

type Index = ReadonlyMap<string, ObjectKey>;

export class UserHolders {
  readonly #options: UserHoldersOptions;
  #index: Promise<Map<string, ObjectKey>> | undefined;
  /** Passes under way that are about to claim a user. */
  readonly #reserved = new Map<string, ObjectKey>();
  /** Claims that were written down without a signature, and that no status tells of yet: only we know that they are right. */
  readonly #unproven = new Map<string, ObjectKey>();

  constructor(options: UserHoldersOptions) {
    this.#options = options;
    // A claim whose answer was lost comes back by the watch.
    options.store.onChange((key) => {
      void this.#index?.then((index) => {
        this.#enter(index, key);
        // What is gone stays entered, and holds nothing: when that is most of it, the index is made anew.
        if (index.size > ENTRIES_EACH * options.store.size + ENTRIES_SPARE) this.#index = undefined;
      });
    });
  }

  /** Another resource that holds the user, or is about to. */
  async find(domain: TenantDomain, id: UserId, self: ObjectKey): Promise<ObjectKey | undefined> {
    return this.#holderOf(await (this.#index ??= this.#build()), domain, id, self);
  }

  /** As `find`, and where nobody does, the user is reserved until `release`: of two at once only one comes through. */
  async reserve(domain: TenantDomain, id: UserId, self: ObjectKey): Promise<ObjectKey | undefined> {
    const index = await (this.#index ??= this.#build());
    // NOTE: nothing may be awaited from here on: two that waited for the index go on one right after the other.
    const holder = this.#holderOf(index, domain, id, self);
    if (holder === undefined) this.#reserved.set(entryOf(domain, id), self);
    return holder;
  }

  #holderOf(index: Index, domain: TenantDomain, id: UserId, self: ObjectKey): ObjectKey | undefined {
    // Under which of the two it was entered last may be older than what is known of it: a status wakes nobody.
    const entries = [entryOf(domain, id), entryOf(SOME_TENANT, id)];
    return entries.map((entry) => this.#holderIn(index, entry, entries, self)).find((holder) => holder !== undefined);
  }

  /** @param entries what the resource that is entered there must hold by now, one of them */
  #holderIn(
    index: Index,
    entry: string,
    entries: readonly string[],
    self: ObjectKey | undefined,
  ): ObjectKey | undefined {
    const reserving = this.#reserved.get(entry);
    if (reserving !== undefined && reserving !== self) return reserving;
    return [index.get(entry), this.#unproven.get(entry)].find(
      (holder) => holder !== undefined && holder !== self && this.#isHeldBy(holder, entry, entries),
    );
  }

  /**
   * The pass is over: what `self` claims by now is known before anybody else comes through.
   * @param isClaimed whether the pass wrote a claim down
   */
  release(domain: TenantDomain, id: UserId, self: ObjectKey, isClaimed: boolean): void {
    const entry = entryOf(domain, id);
    if (this.#index === undefined) {
      // It is made anew when it is next asked for, of what the resources say.
      this.#reserved.delete(entry);
      if (isClaimed) this.#unproven.set(entry, self);
    }
    void this.#index?.then((index) => {
      this.#enter(index, self);
      this.#reserved.delete(entry);
      const mustHold = isClaimed || this.#unproven.get(entry) === self;
      this.#unproven.delete(entry);
      if (mustHold && this.#holderIn(index, entry, [entry], undefined) === undefined) this.#unproven.set(entry, self);
    });
  }

  /** A claim was written down. */
  note(domain: TenantDomain, id: UserId, holder: ObjectKey): void {
    void this.#index?.then((index) => index.set(entryOf(domain, id), holder));
  }

  async #build(): Promise<Map<string, ObjectKey>> {
    const { store, clock } = this.#options;
    const index = new Map<string, ObjectKey>();
    const slice = new TimeSlice(clock, SLICE_MS);
    for (const key of store.keys()) {
      this.#enter(index, key);
      await slice.breathe();
    }
    return index;
  }

  /** A claim that the status does not tell of may be a restored one: who has noted the user since is its holder. */
  #enter(index: Map<string, ObjectKey>, key: ObjectKey): void {
    const resource = this.#options.store.get(key);
    if (resource === undefined || !isHolding(resource)) return;
    const noted = notedEntryOf(resource);
    if (noted !== undefined) index.set(noted, key);
    const own = ownEntryOf(resource);
    if (own !== undefined && (noted === undefined || idIn(noted) !== idIn(own))) index.set(own, key);
    const claimed = this.#claimedEntryOf(resource);
    if (claimed !== undefined && this.#holderIn(index, claimed, [claimed], key) === undefined) index.set(claimed, key);
  }

  #isHeldBy(key: ObjectKey, entry: string, entries: readonly string[]): boolean {
    const resource = this.#options.store.get(key);
    if (resource === undefined || !isHolding(resource)) return false;
    const text = resource.annotations[USER_ID_ANNOTATION] ?? "";
    if (this.#unproven.get(entry) === key && text.startsWith(`${idIn(entry)};`)) return true;
    const held = [notedEntryOf(resource), ownEntryOf(resource), this.#claimedEntryOf(resource)];
    return held.some((one) => one !== undefined && entries.includes(one));
  }

  /** Of another user than it has noted, by a claim that verifies: one was created in the noted one's stead, or taken over. */
  #claimedEntryOf(resource: Auth0UserResource): string | undefined {
    const { status, annotations } = resource;
    const text = annotations[USER_ID_ANNOTATION] ?? "";
    if (text.startsWith(`${String(status.userId)};`)) return undefined;
    const claim = parseClaim(text, resource, this.#options.stateKeys.keyring);
    if (typeof claim !== "object" || claim.userId === undefined || !claim.isSigned) return undefined;
    return entryOf(claim.tenantDomain, claim.userId);
  }
}

/**
 * Of the user that only this resource can create, whatever its claim says, and before it has one: the creation may be under
 * way, and who names that user can only have copied its id. At which tenant is known once its status tells.
 */
function ownEntryOf(resource: Auth0UserResource): string | undefined {
  const derivedId = derivedIdOf(resource, connectionName(String(resource.spec["connection"])));
  return derivedId === undefined ? undefined : `${resource.status.tenantDomain ?? SOME_TENANT} ${derivedId}`;
}

/** Of a resource that is deleted and not held any more the user has been dealt with. */
function isHolding({ isDeleting, finalizers }: Auth0UserResource): boolean {
  return !isDeleting || finalizers.includes(FINALIZER);
}

function notedEntryOf({ status: { userId, tenantDomain } }: Auth0UserResource): string | undefined {
  return userId === undefined ? undefined : `${tenantDomain ?? ""} ${userId}`;
}

function entryOf(domain: TenantDomain | typeof SOME_TENANT, id: UserId): string {
  return `${domain} ${id}`;
}

function idIn(entry: string): string {
  return entry.slice(entry.indexOf(" ") + 1);
}
