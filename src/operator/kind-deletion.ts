/**
 * Whether the definition of Auth0User is being deleted: then the API server deletes every resource of it, and nobody
 * meant to delete the users. Asked before each deletion at Auth0, in the company of others who ask at the same time.
 */
import { GROUP, PLURAL } from "../api/auth0-user.ts";
import { isApiError } from "../kubernetes/api-error.ts";
import type { KubernetesCalls } from "../kubernetes/kubernetes-api.ts";
import { resourcePath, type Resource } from "../kubernetes/resource.ts";
import type { Clock } from "../runtime/clock.ts";
import { isJsonObject } from "../runtime/json.ts";

const DEFINITIONS: Resource = { group: "apiextensions.k8s.io", version: "v1", plural: "customresourcedefinitions" };
/** The definition is large, and the API server takes it apart for each answer: a mass deletion asks no more often. */
const BETWEEN_MS = 100;
const never = new AbortController().signal;

export class KindDeletion {
  readonly #api: Pick<KubernetesCalls, "getMetadata">;
  readonly #clock: Clock;
  #askedAtMs = -Infinity;
  #last: Promise<unknown> = Promise.resolve();
  /** A question that has not been put yet: whoever asks now may wait for its answer. */
  #next: Promise<boolean> | undefined;

  constructor(api: Pick<KubernetesCalls, "getMetadata">, clock: Clock) {
    this.#api = api;
    this.#clock = clock;
  }

  /**
   * The definition is marked before its resources are, so an answer to a question that is put after a resource was seen to
   * be deleted can be relied on; an older answer can't.
   *
   * @throws ApiError where the API server can't be asked: nothing may be deleted then
   */
  isUnderWay(): Promise<boolean> {
    if (this.#next !== undefined) return this.#next;
    const next = this.#last.then(async () => {
      const waitMs = this.#askedAtMs + BETWEEN_MS - this.#clock.monotonicMs();
      if (waitMs > 0) await this.#clock.sleep(waitMs, never);
      this.#next = undefined;
      this.#askedAtMs = this.#clock.monotonicMs();
      return this.#look();
    });
    this.#next = next;
    this.#last = next.catch(() => {});
    return next;
  }

  async #look(): Promise<boolean> {
    try {
      const { metadata } = await this.#api.getMetadata(
        resourcePath(DEFINITIONS, { name: `${PLURAL}.${GROUP}` }),
        never,
      );
      return isJsonObject(metadata) && metadata["deletionTimestamp"] !== undefined;
    } catch (error) {
      if (isApiError(error, "not_found")) return true;
      throw error;
    }
  }
}
