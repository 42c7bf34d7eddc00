/**
 * Secrets by name. The contents of one that does not consent are not even asked for: its metadata are read first. One that
 * consented before is read at once, and forgotten when it consents no more.
 */
import { SECRET_USE_LABEL } from "../api/names.ts";
import { isApiError } from "../kubernetes/api-error.ts";
import type { KubernetesCalls } from "../kubernetes/kubernetes-api.ts";
import { resourcePath, type Resource } from "../kubernetes/resource.ts";
import { isJsonObject, type JsonObject } from "../runtime/json.ts";

export const SECRETS: Resource = { group: "", version: "v1", plural: "secrets" };

export type SecretReading =
  | { readonly kind: "read"; readonly metadata: JsonObject; readonly data: JsonObject }
  | { readonly kind: "not meant" }
  | { readonly kind: "not found" }
  /** The operator has no right to read Secrets there. */
  | { readonly kind: "forbidden" };

/** Names remembered: an installation has a Secret a user at most. */
const MAX_KNOWN = 50_000;

export class Secrets {
  readonly #api: KubernetesCalls;
  readonly #meant = new Set<string>();

  constructor(api: KubernetesCalls) {
    this.#api = api;
  }

  /**
   * @param isMeant whether a Secret with these metadata may be read, asked again of the very object that was read
   * @throws ApiError where the API server can't be asked
   */
  async read(
    { namespace, name }: { readonly namespace: string; readonly name: string },
    isMeant: (metadata: JsonObject) => boolean,
    signal: AbortSignal,
  ): Promise<SecretReading> {
    const path = resourcePath(SECRETS, { namespace, name });
    try {
      if (!this.#meant.has(path) && !isMeant(objectIn(await this.#api.getMetadata(path, signal), "metadata"))) {
        return { kind: "not meant" };
      }
      const secret = await this.#api.get(path, {}, signal);
      const metadata = objectIn(secret, "metadata");
      if (!isMeant(metadata)) {
        this.#meant.delete(path);
        return { kind: "not meant" };
      }
      if (this.#meant.size >= MAX_KNOWN) this.#meant.clear();
      this.#meant.add(path);
      return { kind: "read", metadata, data: objectIn(secret, "data") };
    } catch (error) {
      if (isApiError(error, "not_found")) return { kind: "not found" };
      if (isApiError(error, "forbidden")) return { kind: "forbidden" };
      throw error;
    }
  }
}

export function objectIn(object: JsonObject, key: string): JsonObject {
  const value = object[key];
  return isJsonObject(value) ? value : {};
}

/** Whether a Secret consents, by its label, to be read for this. */
export function consentsTo(use: string, metadata: JsonObject): boolean {
  return objectIn(metadata, "labels")[SECRET_USE_LABEL] === use;
}
