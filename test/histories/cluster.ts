/**
 * A Kubernetes API server in memory, faithful where an operator depends on it: resource versions and conflicts, uids,
 * generations, finalizers and deletion, the status subresource, lists, and watches that lag behind. What it knows of kinds is
 * only which have a status of their own.
 */
import { apiErrorFromRefusal, type ApiError } from "../../src/kubernetes/api-error.ts";
import { isJsonObject, type JsonObject } from "../../src/runtime/json.ts";
import type { Random } from "../../src/runtime/random.ts";
import type { Time } from "./time.ts";

export type Actor = "operator" | "person";

/** `before` and `after` of a stored object; absent where there was none, or is none any more. */
export interface Write {
  readonly actor: Actor;
  readonly before: JsonObject | undefined;
  readonly after: JsonObject | undefined;
}

interface Target {
  readonly collection: string;
  readonly namespace: string | undefined;
  readonly plural: string;
  readonly name: string | undefined;
  readonly isStatus: boolean;
}

interface Stored {
  readonly target: Target;
  readonly object: JsonObject;
}

/** One watch: what it has not been told yet waits here until it is allowed to pass. */
export class Watch {
  readonly collection: string;
  readonly waiting: string[];
  allowed = 0;
  hasEnded = false;
  wake: () => void = () => {};

  constructor(collection: string, missed: readonly string[]) {
    this.collection = collection;
    this.waiting = [...missed];
  }

  /** So many events more may pass. */
  tell(events: number): void {
    this.allowed += events;
    this.wake();
  }

  /** Whoever watches is gone; what waits for more would be kept for ever. */
  end(): void {
    this.hasEnded = true;
    this.wake();
  }
}

const STATUS_KINDS = new Set(["auth0users", "auth0tenants", "clusterauth0tenants"]);

export class Cluster {
  readonly #time: Time;
  readonly #random: Random;
  readonly #onWrite: (write: Write) => void;
  #objects = new Map<string, Stored>();
  #version = 100;
  readonly #changes: { readonly version: number; readonly collection: string; readonly line: string }[] = [];
  readonly watches = new Set<Watch>();

  constructor(parts: { readonly time: Time; readonly random: Random; readonly onWrite: (write: Write) => void }) {
    this.#time = parts.time;
    this.#random = parts.random;
    this.#onWrite = parts.onWrite;
  }

  get(path: string): JsonObject {
    const target = parsePath(path);
    if (target.name === undefined) return this.#list(target);
    return this.#stored(path).object;
  }

  find(path: string): JsonObject | undefined {
    return this.#objects.get(path)?.object;
  }

  /** Every object of a collection, in the order in which they were made. */
  objects(collection: string): readonly JsonObject[] {
    return [...this.#objects.values()].filter(({ target }) => isIn(target, collection)).map(({ object }) => object);
  }

  create(collectionPath: string, object: JsonObject, actor: Actor): JsonObject {
    const { name, annotations, labels, finalizers, ownerReferences } = metadataOf(object);
    const path = `${collectionPath}/${String(name)}`;
    const target = parsePath(path);
    if (this.#objects.has(path)) throw refusal("post", path, 409, "AlreadyExists", "already exists");
    const { status, stringData, ...rest } = object;
    const created = {
      ...rest,
      ...(stringData !== undefined && { data: encoded(asObject(stringData)) }),
      ...(status !== undefined && !STATUS_KINDS.has(target.plural) && { status }),
      metadata: {
        name,
        ...(target.namespace !== undefined && { namespace: target.namespace }),
        uid: this.#newUid(),
        generation: 1,
        creationTimestamp: this.#seconds(),
        ...(annotations !== undefined && { annotations }),
        ...(labels !== undefined && { labels }),
        ...(finalizers !== undefined && { finalizers }),
        ...(ownerReferences !== undefined && { ownerReferences }),
      },
    };
    const stored = this.#store(path, target, created, undefined, actor);
    const owner = ownerOf(stored);
    const isOwnerThere = [...this.#objects.values()].some((one) => metadataOf(one.object)["uid"] === owner);
    if (owner !== undefined && !isOwnerThere) this.delete(path, "person");
    return stored;
  }

  mergePatch(path: string, patch: JsonObject, actor: Actor): JsonObject {
    const target = parsePath(path);
    const objectPath = target.isStatus ? path.slice(0, path.lastIndexOf("/")) : path;
    const { object: before } = this.#stored(objectPath);
    const { resourceVersion } = metadataOf(patch);
    if (resourceVersion !== undefined && resourceVersion !== metadataOf(before)["resourceVersion"]) {
      throw refusal("patch", path, 409, "Conflict", "the object has been modified");
    }
    const { uid } = metadataOf(patch);
    if (uid !== undefined && uid !== metadataOf(before)["uid"] && !target.isStatus) {
      throw refusal("patch", path, 422, "Invalid", "metadata.uid: field is immutable");
    }
    const merged = asObject(merge(before, patch));
    const hasStatus = STATUS_KINDS.has(target.plural);
    const kept: JsonObject = target.isStatus
      ? { ...before, status: merged["status"] }
      : { ...merged, ...(hasStatus && { status: before["status"] }) };
    const identity = metadataOf(before);
    const metadata = {
      ...metadataOf(kept),
      uid: identity["uid"],
      generation: identity["generation"],
      deletionTimestamp: identity["deletionTimestamp"],
      resourceVersion: identity["resourceVersion"],
    };
    const { deletionTimestamp, generation } = identity;
    if (
      deletionTimestamp !== undefined &&
      finalizersOf({ metadata }).some((one) => !finalizersOf(before).includes(one))
    )
      throw refusal("patch", path, 422, "Invalid", "no new finalizers can be added if the object is being deleted");
    const hasNewSpec = JSON.stringify(kept["spec"]) !== JSON.stringify(before["spec"]);
    const after = { ...kept, metadata: { ...metadata, ...(hasNewSpec && { generation: Number(generation) + 1 }) } };
    if (JSON.stringify(after) === JSON.stringify(before)) return before;
    return this.#store(objectPath, { ...target, isStatus: false }, after, before, actor);
  }

  delete(path: string, actor: Actor): void {
    const { target, object } = this.#stored(path);
    const metadata = metadataOf(object);
    if (metadata["deletionTimestamp"] !== undefined) return;
    const after = {
      ...object,
      metadata: { ...metadata, deletionTimestamp: this.#seconds(), generation: Number(metadata["generation"]) + 1 },
    };
    this.#store(path, target, after, object, actor);
  }

  /** The store of the server is set back: what is not among these objects was never there. Their versions go on. */
  reset(objects: ReadonlyMap<string, JsonObject>): void {
    this.#objects = new Map();
    for (const [path, object] of objects) this.#objects.set(path, { target: parsePath(path), object });
  }

  /** Everything, by path. */
  snapshot(): ReadonlyMap<string, JsonObject> {
    return new Map([...this.#objects].map(([path, { object }]) => [path, object]));
  }

  watch(path: string, resourceVersion: number): Watch {
    const { collection } = parsePath(path);
    const missed = this.#changes.filter(
      (change) => change.version > resourceVersion && change.collection === collection,
    );
    const watch = new Watch(
      collection,
      missed.map(({ line }) => line),
    );
    this.watches.add(watch);
    return watch;
  }

  #store(path: string, target: Target, object: JsonObject, before: JsonObject | undefined, actor: Actor): JsonObject {
    const version = ++this.#version;
    const stored = { ...object, metadata: { ...metadataOf(object), resourceVersion: String(version) } };
    const isGone = metadataOf(stored)["deletionTimestamp"] !== undefined && finalizersOf(stored).length === 0;
    if (isGone) this.#objects.delete(path);
    else this.#objects.set(path, { target, object: stored });
    const type = isGone ? "DELETED" : before === undefined ? "ADDED" : "MODIFIED";
    const line = JSON.stringify({ type, object: stored });
    const collections = new Set([target.collection, allNamespaces(target)]);
    for (const collection of collections) this.#changes.push({ version, collection, line });
    for (const watch of this.watches) if (collections.has(watch.collection)) watch.waiting.push(line);
    this.#onWrite({ actor, before, after: isGone ? undefined : stored });
    if (isGone) this.#collect(String(metadataOf(stored)["uid"]));
    return stored;
  }

  /** What belongs to an object that is gone goes, too; the controller manager would take a while. */
  #collect(ownerUid: string): void {
    for (const [path, { object }] of this.#objects) {
      if (ownerOf(object) === ownerUid) this.delete(path, "person");
    }
  }

  #list(target: Target): JsonObject {
    const items = this.objects(target.collection);
    return { items, metadata: { resourceVersion: String(this.#version) } };
  }

  #stored(path: string): Stored {
    const stored = this.#objects.get(path);
    if (stored === undefined) throw refusal("get", path, 404, "NotFound", "not found");
    return stored;
  }

  #newUid(): string {
    const hex = this.#random.bytes(16).toString("hex");
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  }

  #seconds(): string {
    return new Date(this.#time.nowMs).toISOString().replace(/\.\d+/, "");
  }
}

export function metadataOf(object: JsonObject): JsonObject {
  return asObject(object["metadata"]);
}

export function finalizersOf(object: JsonObject): readonly string[] {
  const { finalizers } = metadataOf(object);
  return Array.isArray(finalizers) ? finalizers.map(String) : [];
}

export function annotationsOf(object: JsonObject): Readonly<Record<string, string>> {
  return asObject(metadataOf(object)["annotations"]) as Record<string, string>;
}

/** The uid of what the object was made for. */
export function ownerOf(object: JsonObject): string | undefined {
  const { ownerReferences } = metadataOf(object);
  const [owner] = Array.isArray(ownerReferences) ? ownerReferences.map(asObject) : [];
  return owner && String(owner["uid"]);
}

export function asObject(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

const PATH = /^(\/api\/v1|\/apis\/[^/]+\/[^/]+)(?:\/namespaces\/([^/]+))?\/([a-z0-9]+)(?:\/([^/]+))?(\/status)?$/;

export function parsePath(path: string): Target {
  const [, root = "", namespace, plural = "", name, status] = PATH.exec(path) ?? [];
  if (plural === "") throw new Error(`no path of an API server: ${path}`);
  const scope = namespace === undefined ? "" : `/namespaces/${namespace}`;
  return { collection: `${root}${scope}/${plural}`, namespace, plural, name, isStatus: status !== undefined };
}

function allNamespaces({ collection, namespace }: Target): string {
  return namespace === undefined ? collection : collection.replace(`/namespaces/${namespace}`, "");
}

function isIn(target: Target, collection: string): boolean {
  return target.collection === collection || allNamespaces(target) === collection;
}

function encoded(texts: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, Buffer.from(String(text)).toString("base64")]),
  );
}

/** RFC 7386. */
function merge(value: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) return patch;
  const merged: Record<string, unknown> = { ...asObject(value) };
  for (const [key, change] of Object.entries(patch)) {
    if (change === null) delete merged[key];
    else if (change !== undefined) merged[key] = merge(merged[key], change);
  }
  return merged;
}

export function refusal(verb: string, path: string, httpStatus: number, reason: string, message: string): ApiError {
  const status = { kind: "Status", reason, message };
  return apiErrorFromRefusal({
    doing: `${verb} ${path}`,
    httpStatus,
    status,
    retryAfter: undefined,
    confidential: false,
    now: 0,
  });
}
