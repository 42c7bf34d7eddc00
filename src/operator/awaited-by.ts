/**
 * Who waits for the user of a resource, noted on that resource: when it goes, the user passes on to the first of them that
 * may have it, and nobody has to be searched for. One line each, the longest waiting first: `NAMESPACE/NAME USER_ID`.
 */
import { findCondition } from "../kubernetes/conditions.ts";
import type { KubernetesCalls } from "../kubernetes/kubernetes-api.ts";
import { objectKey, type ObjectKey } from "../kubernetes/object.ts";
import type { Store } from "../kubernetes/store.ts";
import { isAboutUser } from "../reconcile/duplicate-claim.ts";
import type { Auth0UserResource } from "./auth0-user-resource.ts";
import { AWAITED_BY_ANNOTATION } from "./names.ts";
import type { HeldUser } from "./resource-claims.ts";
import { auth0UserPath } from "./user-parts.ts";

/** More are not noted: the oldest make room. */
const MAX_WAITING = 20;

type Resources = Pick<Store<Auth0UserResource>, "get">;

export class AwaitedBy {
  readonly #api: Pick<KubernetesCalls, "mergePatch">;
  readonly #store: Pick<Store<Auth0UserResource>, "get" | "absorb">;
  #turn: Promise<void> = Promise.resolve();

  constructor(api: Pick<KubernetesCalls, "mergePatch">, store: Pick<Store<Auth0UserResource>, "get" | "absorb">) {
    this.#api = api;
    this.#store = store;
  }

  /**
   * Has the holder remember who waits for its user. One note is made after the other: of two that come at the same moment
   * none overwrites the other's line.
   * @throws ApiError, or `signal.reason`
   */
  note(waiting: Auth0UserResource, held: HeldUser, signal: AbortSignal): Promise<void> {
    const noted = this.#turn.then(() => this.#write(waiting, held, signal));
    this.#turn = noted.catch(() => {});
    return noted;
  }

  async #write({ key, spec }: Auth0UserResource, held: HeldUser, signal: AbortSignal): Promise<void> {
    const holder = this.#store.get(held.holder);
    if (holder === undefined || holder.spec["connection"] !== spec["connection"]) return;
    const awaited = noteWaiting(holder, key, held.userId, this.#store);
    if (awaited === undefined) return;
    // Refused where another resource has taken the holder's name: the waiting one looks again.
    const { resourceVersion } = holder;
    const patch = { metadata: { resourceVersion, annotations: { [AWAITED_BY_ANNOTATION]: awaited } } };
    this.#store.absorb(await this.#api.mergePatch(auth0UserPath(holder), patch, signal));
  }
}

/** The annotation's new text, in which those that are gone are left out; `undefined`: it says so already. */
function noteWaiting(holder: Auth0UserResource, key: ObjectKey, userId: string, store: Resources): string | undefined {
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
  const lines = linesOf(holder).filter((line) => userIds.includes(userIdIn(line)));
  return lines.map((line) => findWaiting(line, holder, store)).find((heir) => heir !== undefined);
}

/** Everybody who ever came to wait for the resource's user, the longest waiting first. */
export function waitingFor(holder: Auth0UserResource): readonly ObjectKey[] {
  return linesOf(holder).map(keyIn);
}

function linesOf({ annotations }: Auth0UserResource): readonly string[] {
  return (annotations[AWAITED_BY_ANNOTATION] ?? "").split("\n").filter((line) => line !== "");
}

function userIdIn(line: string): string {
  return line.slice(line.indexOf(" ") + 1);
}

function keyIn(line: string): ObjectKey {
  const [namespace = "", name = ""] = line.slice(0, line.indexOf(" ")).split("/");
  return objectKey(namespace, name);
}

/** It may wait for another user by now. What a resource of another connection waits for it can't have. */
function findWaiting(line: string, { spec }: Auth0UserResource, store: Resources): ObjectKey | undefined {
  const key = keyIn(line);
  const resource = store.get(key);
  const ready = findCondition(resource?.status.conditions ?? [], "Ready");
  const isWaiting = ready?.reason === "DuplicateClaim" && isAboutUser(ready.message, userIdIn(line));
  return resource?.isDeleting === false && isWaiting && resource.spec["connection"] === spec["connection"]
    ? key
    : undefined;
}
