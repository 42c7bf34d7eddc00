/**
 * What is known of the objects of one kind: filled by a reflector, read by reconcilers, and ahead of the watch where our
 * own writes were answered.
 *
 * Who is woken is decided here. The owner says by a fingerprint what matters of an object; only where that changes are
 * listeners told. Our own writes are taken in by `write` and `absorb`, so that the watch event that each of them causes
 * is no news.
 *
 * An object is kept as JSON text and parsed when it is read: ten microseconds, against the milliseconds of what is done
 * with it then.
 */
import { hash } from "node:crypto";
import { abortable } from "../runtime/abort.ts";
import { findJsonObject, type JsonObject } from "../runtime/json.ts";
import { Arena, type Slot } from "./arena.ts";
import {
  compareResourceVersions,
  isGone,
  parseObjectIdentity,
  splitObjectKey,
  type ObjectIdentity,
  type ObjectKey,
} from "./object.ts";

export type ChangeCause = "added" | "changed" | "deleted";
export type ChangeListener = (key: ObjectKey, cause: ChangeCause) => void;

/** What the owner of a kind says about its objects, whose content nobody has checked. */
export interface StoreOptions<T> {
  /** The part of an object that is worth its memory. Name, namespace, uid and resourceVersion stay in it. */
  readonly slim: (object: JsonObject) => JsonObject;
  /** Of the slim part. Two states with the same fingerprint call for the same work. The uid need not be in it. */
  readonly fingerprint: (slim: JsonObject) => string;
  /** What readers get, made from the slim part. */
  readonly parse: (slim: JsonObject) => T;
}

/** The end of a store that a reflector fills, for the objects of one namespace or of all. */
export interface Feed {
  /** Begins a complete list as of this version: whatever has not been `put` when it ends is there no more. */
  beginList(resourceVersion: string): void;
  endList(): void;
  put(object: JsonObject): void;
  remove(object: JsonObject): void;
  /** All that happened up to this version has been told. */
  progress(resourceVersion: string): void;
}

interface Entry extends Slot {
  readonly uid: string;
  resourceVersion: string;
  /** Of the fingerprint. */
  hash: string;
  /** The last list that showed the object. */
  list: number;
}

export type StoredIdentity = Pick<ObjectIdentity, "uid" | "resourceVersion">;

interface FeedState {
  /** The number of the last list that was begun. */
  list: number;
  /** Up to where all has been told. */
  resourceVersion: string;
  hasSynced: boolean;
}

interface Change extends Versioned {
  readonly key: ObjectKey;
  readonly cause: ChangeCause;
}

interface Versioned {
  readonly resourceVersion: string;
}

export class Store<T> {
  readonly #options: StoreOptions<T>;
  readonly #arena = new Arena();
  readonly #entries = new Map<ObjectKey, Entry>();
  /** Entries without a text: an answer showed that the object is gone, the watch has not yet. */
  #buried = 0;
  readonly #feeds = new Map<string | undefined, FeedState>();
  #lists = 0;
  readonly #listeners: ChangeListener[] = [];
  /** By the key of an object that is being written: what has not been told meanwhile. */
  readonly #withheld = new Map<ObjectKey, Change[]>();
  readonly #synced = Promise.withResolvers<void>();

  constructor(options: StoreOptions<T>) {
    this.#options = options;
  }

  get(key: ObjectKey): T | undefined {
    const entry = this.#entries.get(key);
    return entry === undefined || isBuried(entry) ? undefined : this.#options.parse(this.#read(entry));
  }

  /** As much of what `get` gives as costs nothing. */
  identify(key: ObjectKey): StoredIdentity | undefined {
    const entry = this.#entries.get(key);
    return entry === undefined || isBuried(entry) ? undefined : entry;
  }

  *keys(): Generator<ObjectKey, void> {
    for (const [key, entry] of this.#entries) if (!isBuried(entry)) yield key;
  }

  get size(): number {
    return this.#entries.size - this.#buried;
  }

  /** Whether every feed has brought a complete list: from then on, what is not here is not there. */
  get hasSynced(): boolean {
    return this.#feeds.size > 0 && this.#feeds.values().every(({ hasSynced }) => hasSynced);
  }

  whenSynced(signal: AbortSignal): Promise<void> {
    return abortable(this.#synced.promise, signal);
  }

  /**
   * Tells from now on of each key whose fingerprint changed. The cause is a hint for metrics and memory kept elsewhere:
   * the object to act on is what `get` gives. An object that was deleted and made again is both, deleted and added.
   */
  onChange(listener: ChangeListener): void {
    this.#listeners.push(listener);
  }

  /**
   * Takes in what the server answered to an unconditional write of ours. Since it may show somebody else's change as
   * well, listeners are told if the fingerprint is another one.
   */
  absorb(answer: JsonObject): void {
    const identity = parseObjectIdentity(answer);
    const entry = this.#entries.get(identity.key);
    if (isGone(answer)) {
      if (entry !== undefined && isNewer(identity, entry)) this.#bury(entry, identity);
    } else if (entry !== undefined) {
      if (isNewer(identity, entry)) this.#update(entry, answer, identity);
    } else if (this.#isAheadOfWatch(identity)) {
      this.#add(answer, identity, 0);
    }
  }

  /**
   * Makes a write of ours that is conditional on the version `basedOn`, and takes in the answer. Listeners are not told
   * of what it changed: between that version and the answer there is nobody else's doing. As its watch event may come
   * before its answer, changes of the object are told after the write only, when it is known whose they are.
   *
   * @throws what `send` throws
   */
  async write(key: ObjectKey, basedOn: string, send: () => Promise<JsonObject>): Promise<JsonObject> {
    const withheld: Change[] = [];
    const isUpToDate = this.#entries.get(key)?.resourceVersion === basedOn;
    let oursUpTo = basedOn;
    this.#withheld.set(key, withheld);
    try {
      const answer = await send();
      if (isUpToDate) oursUpTo = parseObjectIdentity(answer).resourceVersion;
      this.absorb(answer);
      return answer;
    } finally {
      if (this.#withheld.get(key) === withheld) this.#withheld.delete(key);
      for (const change of withheld) {
        const isOurs = change.cause === "changed" && !isNewer(change, { resourceVersion: oursUpTo });
        if (!isOurs) this.#tell(change);
      }
    }
  }

  /** The end for a reflector; one for each namespace that is read, or a single one, undefined, for all of them. */
  feed(namespace: string | undefined): Feed {
    const state: FeedState = { list: 0, resourceVersion: "0", hasSynced: false };
    this.#feeds.set(namespace, state);
    return {
      beginList: (resourceVersion) => {
        this.#beginList(namespace, state, resourceVersion);
      },
      endList: () => {
        this.#prune(namespace, state);
        state.hasSynced = true;
        if (this.hasSynced) this.#synced.resolve();
      },
      put: (object) => {
        this.#put(object, state.list);
      },
      remove: (object) => {
        this.#remove(parseObjectIdentity(object));
      },
      progress: (resourceVersion) => {
        state.resourceVersion = resourceVersion;
      },
    };
  }

  #put(object: JsonObject, list: number): void {
    const identity = parseObjectIdentity(object);
    const entry = this.#entries.get(identity.key);
    if (entry === undefined) {
      this.#add(object, identity, list);
      this.#tell({ ...identity, cause: "added" });
      return;
    }
    entry.list = list;
    if (isNewer(identity, entry)) this.#update(entry, object, identity);
  }

  #remove(identity: ObjectIdentity): void {
    const entry = this.#entries.get(identity.key);
    if (entry !== undefined && !isOlder(identity, entry)) this.#drop(identity.key, entry, identity.resourceVersion);
  }

  #beginList(namespace: string | undefined, state: FeedState, resourceVersion: string): void {
    if (isOlder({ resourceVersion }, state)) {
      // A list is never behind what was told before, unless the server was set back to a backup: versions count anew.
      for (const [, entry] of this.#entriesOf(namespace)) entry.resourceVersion = "0";
    }
    state.list = ++this.#lists;
    state.resourceVersion = resourceVersion;
  }

  #prune(namespace: string | undefined, state: FeedState): void {
    for (const [key, entry] of this.#entriesOf(namespace)) {
      // What was absorbed after the list was taken is not missing from it.
      if (entry.list !== state.list && !isOlder(state, entry)) this.#drop(key, entry, state.resourceVersion);
    }
  }

  *#entriesOf(namespace: string | undefined): Generator<readonly [ObjectKey, Entry], void> {
    for (const pair of this.#entries) {
      if (namespace === undefined || splitObjectKey(pair[0]).namespace === namespace) yield pair;
    }
  }

  #add(object: JsonObject, { key, uid, resourceVersion }: ObjectIdentity, list: number): void {
    const slim = this.#options.slim(object);
    const newHash = this.#hash(slim);
    const entry: Entry = { block: undefined, start: 0, bytes: 0, uid, resourceVersion, hash: newHash, list };
    this.#keep(entry, slim);
    this.#entries.set(key, entry);
  }

  /** Takes in a newer state. The object may be another one: the watch can have been cut while it was replaced. */
  #update(entry: Entry, object: JsonObject, identity: ObjectIdentity): void {
    const { key, uid, resourceVersion } = identity;
    if (isBuried(entry) || entry.uid !== uid) {
      this.#drop(key, entry, resourceVersion);
      this.#add(object, identity, entry.list);
      this.#tell({ key, resourceVersion, cause: "added" });
      return;
    }
    const slim = this.#options.slim(object);
    const newHash = this.#hash(slim);
    const hasChanged = newHash !== entry.hash;
    entry.resourceVersion = resourceVersion;
    entry.hash = newHash;
    this.#keep(entry, slim);
    if (hasChanged) this.#tell({ key, resourceVersion, cause: "changed" });
  }

  /** Makes the entry invisible, and keeps it so that older events of the object, still on their way, don't revive it. */
  #bury(entry: Entry, { key, resourceVersion }: ObjectIdentity): void {
    if (isBuried(entry)) return;
    this.#arena.free(entry);
    entry.resourceVersion = resourceVersion;
    this.#buried++;
    this.#tell({ key, resourceVersion, cause: "deleted" });
  }

  #drop(key: ObjectKey, entry: Entry, resourceVersion: string): void {
    this.#entries.delete(key);
    if (isBuried(entry)) {
      this.#buried--;
    } else {
      this.#arena.free(entry);
      this.#tell({ key, resourceVersion, cause: "deleted" });
    }
  }

  /** Whether the watch has yet to come to this state of an object; else, since it is not here, it is deleted already. */
  #isAheadOfWatch({ namespace, resourceVersion }: ObjectIdentity): boolean {
    const feed = this.#feeds.get(namespace) ?? this.#feeds.get(undefined);
    return feed !== undefined && isNewer({ resourceVersion }, feed);
  }

  #tell(change: Change): void {
    const withheld = this.#withheld.get(change.key);
    if (withheld !== undefined) withheld.push(change);
    else for (const listener of this.#listeners) listener(change.key, change.cause);
  }

  #keep(entry: Entry, slim: JsonObject): void {
    this.#arena.write(entry, JSON.stringify(slim));
  }

  #read(entry: Entry): JsonObject {
    const object = findJsonObject(this.#arena.read(entry));
    if (object === undefined) throw new Error("the store holds something that it did not write");
    return object;
  }

  #hash(slim: JsonObject): string {
    return hash("sha256", this.#options.fingerprint(slim), "binary");
  }
}

function isBuried({ block }: Entry): boolean {
  return block === undefined;
}

function isNewer(a: Versioned, b: Versioned): boolean {
  return compareResourceVersions(a.resourceVersion, b.resourceVersion) > 0;
}

function isOlder(a: Versioned, b: Versioned): boolean {
  return compareResourceVersions(a.resourceVersion, b.resourceVersion) < 0;
}
