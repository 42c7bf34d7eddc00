/** An Auth0User as the API server hands it over, read once into a narrow type; and the part of it that the store keeps. */
import type { Auth0UserStatus } from "../api/auth0-user.ts";
import { LAST_APPLIED_ANNOTATION } from "../api/last-applied.ts";
import { parseUserStatus } from "../api/validate.ts";
import { objectKey, type ObjectKey } from "../kubernetes/object.ts";
import type { EpochMs } from "../runtime/clock.ts";
import { isJsonObject, type JsonObject } from "../runtime/json.ts";
import { ANNOTATION_PREFIX } from "./names.ts";

export interface Auth0UserResource {
  readonly key: ObjectKey;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly isDeleting: boolean;
  /** When the resource was deleted, to the second. */
  readonly deletedAtMs: EpochMs | undefined;
  /** Who last wrote the spec, as far as managedFields tell; kept only where it is put on record. */
  readonly declaredBy: string | undefined;
  readonly finalizers: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
  /** Not yet validated: an older CRD may have let anything through. */
  readonly spec: JsonObject;
  readonly status: Auth0UserStatus;
}

export function parseAuth0UserResource(object: JsonObject): Auth0UserResource {
  const metadata = objectOf(object["metadata"]);
  const namespace = textOf(metadata["namespace"]);
  const name = textOf(metadata["name"]);
  const { finalizers, deletionTimestamp } = metadata;
  return {
    key: objectKey(namespace, name),
    namespace,
    name,
    uid: textOf(metadata["uid"]),
    resourceVersion: textOf(metadata["resourceVersion"]),
    generation: Number(metadata["generation"]),
    isDeleting: deletionTimestamp !== undefined,
    deletedAtMs: typeof deletionTimestamp === "string" ? Date.parse(deletionTimestamp) : undefined,
    declaredBy: typeof object["declaredBy"] === "string" ? object["declaredBy"] : undefined,
    finalizers: Array.isArray(finalizers) ? finalizers.map(textOf) : [],
    annotations: textsOf(metadata["annotations"]),
    spec: objectOf(object["spec"]),
    status: parseUserStatus(object["status"] ?? {}),
  };
}

/** The slim object, with whoever last wrote the spec: for the record of what is written to Auth0. */
export function slimWithDeclarer(object: JsonObject): JsonObject {
  return { ...slimAuth0User(object), declaredBy: lastWriterOf(object) };
}

/** Of those that wrote fields of the spec, the one that did so last. */
function lastWriterOf(object: JsonObject): string | undefined {
  const { managedFields } = objectOf(object["metadata"]);
  const entries = (Array.isArray(managedFields) ? managedFields : []).map(objectOf);
  const writers = entries.filter((entry) => Object.hasOwn(objectOf(entry["fieldsV1"]), "f:spec"));
  const last = writers.toSorted((a, b) => (textOf(a["time"]) < textOf(b["time"]) ? 1 : -1))[0];
  return last === undefined ? undefined : textOf(last["manager"]);
}

/** What is worth its memory: fifty thousand are kept. Foreign annotations and labels mean nothing here. */
export function slimAuth0User(object: JsonObject): JsonObject {
  const { name, namespace, uid, resourceVersion, generation, deletionTimestamp, finalizers, annotations } = objectOf(
    object["metadata"],
  );
  const kept = Object.entries(textsOf(annotations)).filter(
    ([key, value]) => key.startsWith(ANNOTATION_PREFIX) || (key === LAST_APPLIED_ANNOTATION && value.includes(":null")),
  );
  return {
    metadata: {
      name,
      namespace,
      uid,
      resourceVersion,
      generation,
      deletionTimestamp,
      finalizers,
      ...(kept.length > 0 && { annotations: Object.fromEntries(kept) }),
    },
    spec: object["spec"],
    status: object["status"],
  };
}

/**
 * What calls for a pass: a new generation, finalizers, deletion, our annotations, and the nulls that `kubectl apply`
 * dropped (they don't move the generation). Not: our own status, foreign annotations and labels.
 */
export function auth0UserFingerprint(slim: JsonObject): string {
  const { generation, deletionTimestamp, finalizers, annotations } = objectOf(slim["metadata"]);
  return JSON.stringify([generation, deletionTimestamp !== undefined, finalizers, annotations]);
}

function objectOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function textsOf(value: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(objectOf(value)).map(([key, text]) => [key, textOf(text)]));
}
