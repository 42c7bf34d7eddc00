/** The operator's way to the cluster of a history: every call goes over the wire, every event of a watch waits for its turn. */
import { ApiError } from "../../src/kubernetes/api-error.ts";
import type { DeleteOptions, KubernetesCalls, Query } from "../../src/kubernetes/kubernetes-api.ts";
import type { JsonObject } from "../../src/runtime/json.ts";
import { refusal, type Cluster, type Watch } from "./cluster.ts";
import type { Method, Rights } from "./rights.ts";
import type { Mishap, Wire } from "./wire.ts";

export interface ClusterCallsParts {
  readonly cluster: Cluster;
  readonly wire: Wire;
  readonly rights: Rights;
  /** Is told the path of each write once the operator knows that it was done. */
  readonly onAnswered: (path: string) => void;
  /** Is told of each call that no role allows. */
  readonly onForbidden: (what: string) => void;
}

const EVENTS = "/apis/events.k8s.io/";

export class ClusterCalls implements KubernetesCalls {
  readonly #cluster: Cluster;
  readonly #parts: ClusterCallsParts;

  constructor(parts: ClusterCallsParts) {
    this.#cluster = parts.cluster;
    this.#parts = parts;
  }

  get(path: string, _query: Query, _signal: AbortSignal): Promise<JsonObject> {
    return this.#send("GET", path, () => this.#cluster.get(path));
  }

  getMetadata(path: string, _signal: AbortSignal): Promise<JsonObject> {
    return this.#send("GET", path, () => this.#cluster.get(path));
  }

  create(path: string, object: JsonObject, _signal: AbortSignal): Promise<JsonObject> {
    // Nothing depends on Events.
    if (path.startsWith(EVENTS)) return Promise.resolve(object);
    return this.#send("POST", path, () => this.#cluster.create(path, object, "operator"));
  }

  async mergePatch(path: string, patch: JsonObject, _signal: AbortSignal): Promise<JsonObject> {
    if (path.startsWith(EVENTS)) return patch;
    const answer = await this.#send("PATCH", path, () => this.#cluster.mergePatch(path, patch, "operator"));
    this.#parts.onAnswered(path);
    return answer;
  }

  delete(path: string, _options: DeleteOptions, _signal: AbortSignal): Promise<void> {
    return this.#send("DELETE", path, () => {
      this.#cluster.delete(path, "operator");
    });
  }

  async *watch(path: string, query: Query, signal: AbortSignal): AsyncGenerator<Buffer, void> {
    const version = Number(query["resourceVersion"]);
    const watch = await this.#openWatch(path, version);
    const onAbort = (): void => {
      watch.wake();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      for (;;) {
        await new Promise<void>((resolve) => {
          watch.wake = resolve;
          if (signal.aborted) resolve();
        });
        signal.throwIfAborted();
        if (watch.hasEnded) return;
        for (; watch.allowed > 0; watch.allowed--) {
          const line = watch.waiting.shift();
          if (line !== undefined) yield Buffer.from(line);
        }
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#cluster.watches.delete(watch);
    }
  }

  close(): void {}

  async #openWatch(path: string, version: number): Promise<Watch> {
    const opened: Watch[] = [];
    try {
      return await this.#send("WATCH", path, () => {
        const watch = this.#cluster.watch(path, version);
        opened.push(watch);
        return watch;
      });
    } catch (error) {
      for (const watch of opened) this.#cluster.watches.delete(watch);
      throw error;
    }
  }

  #send<T>(method: Method, path: string, serve: () => T): Promise<T> {
    const { wire, rights, onForbidden } = this.#parts;
    const what = `${method} ${path.replace(/^\/apis?\/(?:[^/]+\/)?v1(?:alpha1)?/, "")}`;
    const answer = (_: number, mishap: Mishap | undefined): T => {
      if (!rights.allow(method, path)) {
        onForbidden(what);
        throw refusal(method, path, 403, "Forbidden", "no role allows it");
      }
      if (mishap === undefined) return serve();
      if (mishap.isDone) serve();
      throw refusal(method, path, mishap.status, "", "it is not well");
    };
    return wire.send(what, answer, () => new ApiError("timeout", `${what}: no answer`, { kind: "backoff" }));
  }
}
