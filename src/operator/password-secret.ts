/** The Secret that a password comes from: read when it is needed, only with its consent, and never kept. */
import { SECRET_USE_LABEL, SECRET_USE_PASSWORD } from "../api/names.ts";
import { isApiError } from "../kubernetes/api-error.ts";
import type { KubernetesCalls } from "../kubernetes/kubernetes-api.ts";
import { resourcePath, type Resource } from "../kubernetes/resource.ts";
import type { PasswordDeclaration } from "../reconcile/password.ts";
import { isJsonObject, type JsonObject } from "../runtime/json.ts";

export const SECRETS: Resource = { group: "", version: "v1", plural: "secrets" };

export interface SecretKeyRef {
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
}

export type Missing = Extract<PasswordDeclaration, { kind: "missing" }>;

/** @throws ApiError where the API server can't be asked */
export async function readPassword(
  { namespace, name, key }: SecretKeyRef,
  api: KubernetesCalls,
  signal: AbortSignal,
): Promise<string | Missing> {
  const secret = await findSecret(namespace, name, api, signal);
  if (secret === undefined) {
    return missing("SecretNotFound", `Secret ${name} does not exist in namespace ${namespace}`);
  }
  if (secret === "forbidden") return mayNotRead(namespace);
  const labels = objectIn(objectIn(secret, "metadata"), "labels");
  if (labels[SECRET_USE_LABEL] !== SECRET_USE_PASSWORD) {
    return missing(
      "SecretNotPermitted",
      `Secret ${name} does not consent to be read as a password: kubectl -n ${namespace} label secret ${name} ${SECRET_USE_LABEL}=${SECRET_USE_PASSWORD}`,
    );
  }
  return passwordIn(secret, name, key);
}

/** @throws ApiError */
export async function findSecret(
  namespace: string,
  name: string,
  api: KubernetesCalls,
  signal: AbortSignal,
): Promise<JsonObject | "forbidden" | undefined> {
  try {
    return await api.get(resourcePath(SECRETS, { namespace, name }), {}, signal);
  } catch (error) {
    if (isApiError(error, "not_found")) return undefined;
    if (isApiError(error, "forbidden")) return "forbidden";
    throw error;
  }
}

export function passwordIn(secret: JsonObject, name: string, key: string): string | Missing {
  const data = objectIn(secret, "data")[key];
  if (typeof data === "string" && data !== "") return Buffer.from(data, "base64").toString("utf8");
  return missing("SecretKeyMissing", `Secret ${name} has no key "${key}", or the key is empty`);
}

export function mayNotRead(namespace: string): Missing {
  return missing(
    "SecretNotPermitted",
    `the operator may not read Secrets in namespace ${namespace}: grant it "get" there`,
  );
}

export function objectIn(object: JsonObject, key: string): JsonObject {
  const value = object[key];
  return isJsonObject(value) ? value : {};
}

export function missing(reason: Missing["reason"], message: string): Missing {
  return { kind: "missing", reason, message };
}
