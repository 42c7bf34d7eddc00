/** Kubernetes objects as the API server sends them, and as kubectl takes them. */
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

/** Many objects as one document: kubectl 1.32 reads no JSON after the first `---`. */
export function listOf(items: readonly object[]): string {
  return JSON.stringify({ apiVersion: "v1", kind: "List", items });
}
