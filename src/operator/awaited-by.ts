/**
 * Who waits for the user of a resource, noted on that resource: when it goes, the user passes on to the first of them that
 * may have it, and nobody has to be searched for. One line each, the longest waiting first: `NAMESPACE/NAME USER_ID`.
 */
import { findCondition } from "../kubernetes/conditions.ts";
import { objectKey, type ObjectKey } from "../kubernetes/object.ts";
import type { Store } from "../kubernetes/store.ts";
import type { Auth0UserResource } from "./auth0-user-resource.ts";
import { AWAITED_BY_ANNOTATION } from "./names.ts";

/** More are not noted: the oldest make room. */
const MAX_WAITING = 20;

type Resources = Pick<Store<Auth0UserResource>, "get">;

/** The annotation's new text, in which those that are gone are left out; `undefined`: it says so already. */
export function noteWaiting(
  holder: Auth0UserResource,
  key: ObjectKey,
  userId: string,
  store: Resources,
): string | undefined {
  const line = `${key} ${userId}`;
  const lines = linesOf(holder);
  if (lines.includes(line)) return undefined;
  const others = lines.filter((one) => keyIn(one) !== key && store.get(keyIn(one))?.isDeleting === false);
  return [...others, line].slice(-MAX_WAITING).join("\n");
}

/** The first that waits for one of these users, and may have it. */
export function findHeir(
  holder: Auth0UserResource,
  userIds: readonly (string | undefined)[],
  store: Resources,
): ObjectKey | undefined {
  const lines = linesOf(holder).filter((line) => userIds.includes(line.slice(line.indexOf(" ") + 1)));
  return lines.map((line) => findWaiting(line, holder, store)).find((heir) => heir !== undefined);
}

function linesOf({ annotations }: Auth0UserResource): readonly string[] {
  return (annotations[AWAITED_BY_ANNOTATION] ?? "").split("\n").filter((line) => line !== "");
}

function keyIn(line: string): ObjectKey {
  const [namespace = "", name = ""] = line.slice(0, line.indexOf(" ")).split("/");
  return objectKey(namespace, name);
}

/** What a resource of another connection waits for it can't have. */
function findWaiting(line: string, { spec }: Auth0UserResource, store: Resources): ObjectKey | undefined {
  const key = keyIn(line);
  const resource = store.get(key);
  const isWaiting = findCondition(resource?.status.conditions ?? [], "Ready")?.reason === "DuplicateClaim";
  return resource?.isDeleting === false && isWaiting && resource.spec["connection"] === spec["connection"]
    ? key
    : undefined;
}
