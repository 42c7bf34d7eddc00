/**
 * The operator's own keys, in a Secret of its own namespace. They are made once, when nothing has been claimed yet, and
 * never again while resources carry claims: whoever lost them restores the Secret from a backup, or creates it empty to
 * say that new keys may be made. Without keys the operator goes on: what is proven by an id or by its status stays proven.
 */
import { ApiError } from "../kubernetes/api-error.ts";
import type { KubernetesCalls } from "../kubernetes/kubernetes-api.ts";
import { resourcePath } from "../kubernetes/resource.ts";
import { Keyring } from "../reconcile/keyring.ts";
import type { Clock } from "../runtime/clock.ts";
import { isJsonObject, type JsonObject } from "../runtime/json.ts";
import type { Log } from "../runtime/log.ts";
import type { Random } from "../runtime/random.ts";
import { STATE_SECRET } from "./names.ts";
import { SECRETS } from "./secrets.ts";

const KEY_BYTES = 32;
/** How often the Secret is looked for while it is missing. */
const LOOK_AGAIN_MS = 30_000;

interface Parts {
  readonly api: KubernetesCalls;
  readonly namespace: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export class StateKeys {
  readonly #parts: Parts;
  #keyring = new Keyring(new Map());
  #isLoaded = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get keyring(): Keyring {
    return this.#keyring;
  }

  /**
   * Reads the keys, or makes them where that is safe.
   * @param areClaimsKept whether any resource carries a claim that lost keys may have signed
   */
  async load(areClaimsKept: boolean, signal: AbortSignal): Promise<void> {
    const { api, namespace, log } = this.#parts;
    const secret = await this.#find(signal);
    const keys = secret === undefined ? new Map<string, Buffer>() : keysIn(secret);
    if (keys.size > 0) {
      this.#use(keys);
      return;
    }
    if (secret === undefined && areClaimsKept) {
      log.error("the Secret with the operator's keys is missing; claims can't be signed or verified", {
        object: `${namespace}/${STATE_SECRET}`, // a value named "secret" would be struck out
        advice: "restore it from a backup, or create it empty to have new keys made",
      });
      return;
    }
    const [id, key] = this.#newKey();
    const data = { [id]: key.toString("base64") };
    try {
      if (secret === undefined) {
        const metadata = {
          name: STATE_SECRET,
          namespace,
          labels: { "app.kubernetes.io/managed-by": "auth0-user-operator" },
        };
        await api.create(
          resourcePath(SECRETS, { namespace }),
          { apiVersion: "v1", kind: "Secret", metadata, data },
          signal,
        );
      } else {
        await api.mergePatch(resourcePath(SECRETS, { namespace, name: STATE_SECRET }), { data }, signal);
      }
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "already_exists") throw error;
      await this.load(areClaimsKept, signal); // another replica was quicker
      return;
    }
    this.#use(new Map([[id, key]]));
  }

  /** Looks for keys that are missing, until it is told to end. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts;
    while (!signal.aborted) {
      await clock.sleep(LOOK_AGAIN_MS, signal).catch(() => {});
      if (signal.aborted || this.#isLoaded) continue;
      await this.load(true, signal).catch((error: unknown) => {
        if (!signal.aborted) log.warn("the operator's keys can't be read", { error });
      });
    }
  }

  async #find(signal: AbortSignal): Promise<JsonObject | undefined> {
    const { api, namespace } = this.#parts;
    try {
      return await api.get(resourcePath(SECRETS, { namespace, name: STATE_SECRET }), {}, signal);
    } catch (error) {
      if (error instanceof ApiError && error.code === "not_found") return undefined;
      throw error;
    }
  }

  #newKey(): [id: string, key: Buffer] {
    const { clock, random } = this.#parts;
    const day = new Date(clock.now()).toISOString().slice(0, 10).replaceAll("-", "");
    return [`${day}-${random.bytes(3).toString("hex")}`, random.bytes(KEY_BYTES)];
  }

  #use(keys: Map<string, Buffer>): void {
    this.#keyring = new Keyring(keys);
    this.#isLoaded = true;
  }
}

/** Keys too short to be ours are left out: nothing is signed with a guess. */
function keysIn(secret: JsonObject): Map<string, Buffer> {
  const data = isJsonObject(secret["data"]) ? secret["data"] : {};
  return new Map(
    Object.entries(data).flatMap(([id, text]): [string, Buffer][] => {
      const key = Buffer.from(typeof text === "string" ? text : "", "base64");
      return key.length >= KEY_BYTES ? [[id, key]] : [];
    }),
  );
}
