/** What every Kubernetes object has in common, read from JSON that nobody has checked yet. */
import { isJsonObject, type JsonObject } from "../runtime/json.ts";

declare const objectKeyBrand: unique symbol;

/** `namespace/name`, or `name` alone for an object of the cluster: the identity by which stores and queues know it. */
export type ObjectKey = string & { readonly [objectKeyBrand]: true };

export function objectKey(namespace: string | undefined, name: string): ObjectKey {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- this is where the brand is made
  return (namespace === undefined ? name : `${namespace}/${name}`) as ObjectKey;
}

export function splitObjectKey(key: ObjectKey): { readonly namespace: string | undefined; readonly name: string } {
  const slash = key.indexOf("/");
  return slash < 0
    ? { namespace: undefined, name: key }
    : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** The part of `metadata` that a store needs in order to keep an object. */
export interface ObjectIdentity {
  readonly key: ObjectKey;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

/** @throws an Error that names what is missing, for JSON that is no stored object */
export function parseObjectIdentity(object: JsonObject): ObjectIdentity {
  const { metadata } = object;
  if (!isJsonObject(metadata)) throw new Error("an object without metadata");
  const { name, namespace, uid, resourceVersion } = metadata;
  if (typeof name !== "string") throw new Error("an object without metadata.name");
  if (namespace !== undefined && typeof namespace !== "string")
    throw new Error(`${name}: metadata.namespace is no text`);
  if (typeof uid !== "string" || typeof resourceVersion !== "string") {
    throw new Error(`${name}: an object without metadata.uid or metadata.resourceVersion`);
  }
  return { key: objectKey(namespace, name), namespace, name, uid, resourceVersion };
}

/** Whether the object is deleted and nothing holds it any more: an answer may still show it, the server has it no more. */
export function isGone({ metadata }: JsonObject): boolean {
  if (!isJsonObject(metadata) || typeof metadata["deletionTimestamp"] !== "string") return false;
  const { finalizers } = metadata;
  const gracePeriod = metadata["deletionGracePeriodSeconds"];
  const held = Array.isArray(finalizers) && finalizers.length > 0;
  return !held && (gracePeriod === undefined || gracePeriod === 0);
}

/** The object without `metadata.managedFields`, which is often larger than all the rest and read by nobody here. */
export function withoutManagedFields(object: JsonObject): JsonObject {
  const { metadata } = object;
  if (!isJsonObject(metadata) || metadata["managedFields"] === undefined) return object;
  const { managedFields: _, ...kept } = metadata;
  return { ...object, metadata: kept };
}

/**
 * Orders two resource versions of one resource: negative when `a` is older, 0 when equal. They are decimal integers of
 * any size (KEP-5504, promised since Kubernetes 1.35 and true of every server that stores in etcd), so the longer one
 * is the larger one. What is no decimal integer can't be ordered and counts as newer than anything else.
 */
export function compareResourceVersions(a: string, b: string): number {
  if (a === b) return 0;
  if (!DECIMAL.test(a) || !DECIMAL.test(b)) return 1;
  return a.length - b.length || (a < b ? -1 : 1);
}
const DECIMAL = /^\d+$/;
