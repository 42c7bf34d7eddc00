/** What is asked of namespaces: their labels, for grants, and whether they are being deleted. */
import { isApiError } from "../kubernetes/api-error.ts";
import type { KubernetesCalls } from "../kubernetes/kubernetes-api.ts";
import { resourcePath, type Resource } from "../kubernetes/resource.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { isJsonObject } from "../runtime/json.ts";

const NAMESPACES: Resource = { group: "", version: "v1", plural: "namespaces" };
/** A label that was taken away counts for so long. */
const STANDS_MS = 30_000;
/** Namespaces remembered. */
const MAX_KNOWN = 1_000;

export interface Namespace {
  readonly uid: string;
  readonly labels: Readonly<Record<string, unknown>>;
  readonly isTerminating: boolean;
}

export class Namespaces {
  readonly #api: KubernetesCalls;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #known = new Map<string, { readonly namespace: Namespace; readonly atMs: number }>();

  constructor(api: KubernetesCalls, clock: Clock, log: Log) {
    this.#api = api;
    this.#log = log;
    this.#clock = clock;
  }

  /** As it was within the last half minute. `undefined`: it is not there, or may not be read. */
  async find(name: string, signal: AbortSignal): Promise<Namespace | undefined> {
    const known = this.#known.get(name);
    if (known !== undefined && this.#clock.monotonicMs() - known.atMs < STANDS_MS) return known.namespace;
    try {
      const { metadata } = await this.#api.get(resourcePath(NAMESPACES, { name }), {}, signal);
      const { uid, labels, deletionTimestamp } = isJsonObject(metadata) ? metadata : {};
      const namespace = {
        uid: String(uid),
        labels: isJsonObject(labels) ? labels : {},
        isTerminating: deletionTimestamp !== undefined,
      };
      if (this.#known.size >= MAX_KNOWN) this.#known.clear();
      this.#known.set(name, { namespace, atMs: this.#clock.monotonicMs() });
      return namespace;
    } catch (error) {
      if (!isApiError(error, "not_found", "forbidden")) throw error;
      if (error.code === "forbidden") this.#log.warn("a namespace can't be read", { error });
      return undefined;
    }
  }
}
