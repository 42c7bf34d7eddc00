/** Writes a status where it differs, and tells people once of what is news: an Event, a log line. */
import type { Auth0UserStatus } from "../api/auth0-user.ts";
import { isJsonMap, isSameJson, type JsonMap, type JsonValue } from "../core/json.ts";
import { findCondition } from "../kubernetes/conditions.ts";
import { API_VERSION, KIND } from "../api/auth0-user.ts";
import type { ObjectReference } from "../kubernetes/event-series.ts";
import type { Auth0UserResource } from "./auth0-user-resource.ts";
import { isApiError } from "../kubernetes/api-error.ts";
import { parseObjectIdentity } from "../kubernetes/object.ts";
import type { StoredIdentity } from "../kubernetes/store.ts";
import { auth0UserPath, type SharedParts } from "./user-parts.ts";

/** A person may edit the resource between its reading and our writing, rarely again. */
const MAX_TRIES = 3;

/**
 * A status proves whose user it is: another resource that took this one's name meanwhile must not get it, and the API
 * server heeds no `uid` there. So each try is for the version that is known to be this resource's.
 * @returns whether it is still there, and says what it should
 * @throws ApiError
 */
export async function writeStatus(
  resource: Auth0UserResource,
  next: Auth0UserStatus,
  { api, store, memories, reasons }: SharedParts,
  signal: AbortSignal,
): Promise<boolean> {
  reasons.set(resource.key, next);
  const patch = mergePatchBetween(resource.status, next);
  if (patch === undefined) return true;
  let known: StoredIdentity | undefined = store.identify(resource.key);
  for (let tries = 1; known?.uid === resource.uid; tries++) {
    try {
      const body = { metadata: { resourceVersion: known.resourceVersion }, status: patch };
      const answer = await api.mergePatch(auth0UserPath(resource, "status"), body, signal);
      store.absorb(answer);
      memories.noteWritten(resource.key, parseObjectIdentity(answer).resourceVersion);
      return true;
    } catch (error) {
      if (!isApiError(error, "conflict") || tries === MAX_TRIES) throw error;
    }
    known = parseObjectIdentity(await api.get(auth0UserPath(resource), {}, signal));
  }
  return false;
}

/** By RFC 7386: objects are merged, lists are replaced whole. `undefined` where nothing differs. */
export function mergePatchBetween(before: object, after: object): JsonMap | undefined {
  const [old, next]: [unknown, unknown] = [before, after];
  if (!isJsonMap(old) || !isJsonMap(next)) return undefined;
  const patch: Record<string, JsonValue> = {};
  for (const key of new Set([...Object.keys(old), ...Object.keys(next)])) {
    const [was, is] = [old[key], next[key]];
    if (isSameJson(was, is)) continue;
    patch[key] = isJsonMap(was) && isJsonMap(is) ? (mergePatchBetween(was, is) ?? {}) : (is ?? null);
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

/** Whether people have not been told this yet: the standing condition says something else. */
export function isNews(status: Auth0UserStatus, reason: string, message: string): boolean {
  const ready = findCondition(status.conditions ?? [], "Ready");
  return ready?.reason !== reason || ready.message !== message;
}

export function referenceTo({ namespace, name, uid }: Auth0UserResource): ObjectReference {
  return { apiVersion: API_VERSION, kind: KIND, namespace, name, uid };
}
