/** The Auth0Users of a measurement: made, edited and deleted through the API server, and watched until they are done. */
import { API_VERSION, KIND, type Auth0UserStatus } from "../src/api/auth0-user.ts";
import { abortable } from "../src/runtime/abort.ts";
import { SECRET_USE_LABEL, SECRET_USE_PASSWORD } from "../src/api/names.ts";
import { findCondition } from "../src/kubernetes/conditions.ts";
import { objectKey, type ObjectKey } from "../src/kubernetes/object.ts";
import { Reflector } from "../src/kubernetes/reflector.ts";
import { resourcePath } from "../src/kubernetes/resource.ts";
import { Store } from "../src/kubernetes/store.ts";
import { systemClock } from "../src/runtime/clock.ts";
import type { JsonObject } from "../src/runtime/json.ts";
import type { Log } from "../src/runtime/log.ts";
import { systemRandom } from "../src/runtime/random.ts";
import type { Stage } from "./stage.ts";

const NAMESPACE = "default";
const RESOURCE = { group: "auth0-user-operator.dev", version: "v1alpha1", plural: "auth0users" };
/** One password for all: what is measured is the work, and reading a Secret is part of it. */
const SECRET = "password";
/** What takes longer is not slow but broken: the operator's conditions say why. */
const PATIENCE_MS = 60_000;
/** Calls of this driver that are on their way at once. */
const PARALLEL = 32;

interface Seen {
  readonly generation: number;
  /** The generation that the user was last Ready at; 0: none. */
  readonly readyAt: number;
}

const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {}, with: () => SILENT };

export class Users {
  readonly names: readonly string[];
  readonly #stage: Stage;
  readonly #signal: AbortSignal;
  readonly #waiting = new Map<ObjectKey, { readonly isDone: (seen: Seen | undefined) => boolean; resolve(): void }>();
  readonly #store = new Store<Seen>({
    slim: ({ metadata, status }) => ({ metadata, status }),
    fingerprint: ({ metadata, status }) => JSON.stringify([(metadata as JsonObject)["generation"], status]),
    parse: seenIn,
  });

  constructor(stage: Stage, count: number, signal: AbortSignal) {
    this.#stage = stage;
    this.#signal = signal;
    this.names = Array.from({ length: count }, (_, index) => `user-${String(index)}`);
    this.#store.onChange((key) => {
      const waiter = this.#waiting.get(key);
      if (waiter === undefined || !waiter.isDone(this.#store.get(key))) return;
      this.#waiting.delete(key);
      waiter.resolve();
    });
  }

  /** Makes the password, and begins to watch; resolves when the list is in. */
  async prepare(): Promise<void> {
    const { api, metrics } = this.#stage;
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: SECRET, labels: { [SECRET_USE_LABEL]: SECRET_USE_PASSWORD } },
      stringData: { password: "Correct-Horse-Battery-Staple-1" },
    };
    await api.create(`/api/v1/namespaces/${NAMESPACE}/secrets`, secret, this.#signal);
    const reflector = new Reflector({
      api,
      metrics,
      resource: RESOURCE,
      namespaces: "all",
      store: this.#store,
      clock: systemClock,
      random: systemRandom,
      log: SILENT,
    });
    void reflector.run(this.#signal);
    await this.#store.whenSynced(this.#signal);
  }

  /** Milliseconds from the request until the user was seen to be Ready. */
  create(name: string): Promise<number> {
    const spec = {
      connection: "Username-Password-Authentication",
      password: { secretRef: { name: SECRET } },
      email: `${name}@example.com`,
      givenName: "Given",
      familyName: "Family",
      name: `Given Family ${name}`,
      nickname: name,
      picture: `https://example.com/${name}.png`,
    };
    const object = { apiVersion: API_VERSION, kind: KIND, metadata: { name, namespace: NAMESPACE }, spec };
    return this.#timed(name, isReadyAt(1), () => this.#stage.api.create(pathOf(), object, this.#signal));
  }

  /** Milliseconds from the request until the user was seen to be Ready at its new generation. */
  edit(name: string, nickname: string): Promise<number> {
    const generation = this.#store.get(keyOf(name))?.generation ?? 0;
    return this.#timed(name, isReadyAt(generation + 1), () => this.#patch(name, { spec: { nickname } }));
  }

  /** An annotation that is nobody's business. */
  async touch(name: string): Promise<void> {
    await this.#patch(name, { metadata: { annotations: { "example.com/touched": "yes" } } });
  }

  /** Milliseconds from the request until the resource was gone. */
  delete(name: string): Promise<number> {
    return this.#timed(
      name,
      (seen) => seen === undefined,
      () => this.#stage.api.delete(pathOf(name), {}, this.#signal),
    );
  }

  /** Does `work` for each user, many at once, and gives what each took. */
  async forAll<T>(work: (name: string) => Promise<T>, inFlight = PARALLEL): Promise<T[]> {
    const results: T[] = [];
    const names = this.names.values();
    const worker = async (): Promise<void> => {
      for (const name of names) results.push(await work(name));
    };
    await Promise.all(Array.from({ length: inFlight }, worker));
    return results;
  }

  async #timed(
    name: string,
    isDone: (seen: Seen | undefined) => boolean,
    send: () => Promise<unknown>,
  ): Promise<number> {
    const startedMs = performance.now();
    const done = new Promise<void>((resolve) => this.#waiting.set(keyOf(name), { isDone, resolve }));
    await send();
    await abortable(done, AbortSignal.any([this.#signal, AbortSignal.timeout(PATIENCE_MS)]));
    return performance.now() - startedMs;
  }

  #patch(name: string, patch: JsonObject): Promise<JsonObject> {
    return this.#stage.api.mergePatch(pathOf(name), patch, this.#signal);
  }
}

function pathOf(name?: string): string {
  return resourcePath(RESOURCE, { namespace: NAMESPACE, ...(name !== undefined && { name }) });
}

function keyOf(name: string): ObjectKey {
  return objectKey(NAMESPACE, name);
}

function isReadyAt(generation: number): (seen: Seen | undefined) => boolean {
  return (seen) => seen !== undefined && seen.readyAt >= generation;
}

function seenIn({ metadata, status }: JsonObject): Seen {
  const { generation } = metadata as { generation: number };
  const { conditions = [] } = (status ?? {}) as Auth0UserStatus;
  const ready = findCondition(conditions, "Ready");
  return { generation, readyAt: ready?.status === "True" ? ready.observedGeneration : 0 };
}
