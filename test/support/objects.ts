/** Kubernetes objects as the API server sends them. */
import type { JsonObject } from "../../src/runtime/json.ts";

export interface ObjectParts {
  readonly name?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly version?: number | string;
  readonly metadata?: JsonObject;
  readonly spec?: unknown;
}

/** `a/x` of uid `u` at version 1, unless said otherwise. */
export function anObject({
  name = "x",
  namespace = "a",
  uid = "u",
  version = 1,
  metadata = {},
  spec = {},
}: ObjectParts = {}): JsonObject {
  return { metadata: { name, namespace, uid, resourceVersion: String(version), ...metadata }, spec };
}
