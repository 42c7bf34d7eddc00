/** The Secret that a password comes from: read when it is needed, only with its consent, and never kept. */
import { SECRET_USE_LABEL, SECRET_USE_PASSWORD } from "../api/names.ts";
import { ApiError } from "../kubernetes/api-error.ts";
import type { KubernetesApi } from "../kubernetes/kubernetes-api.ts";
import { resourcePath, type Resource } from "../kubernetes/resource.ts";
import type { PasswordDeclaration } from "../reconcile/password.ts";
import { isJsonObject } from "../runtime/json.ts";

export const SECRETS: Resource = { group: "", version: "v1", plural: "secrets" };

export interface SecretKeyRef {
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
}

type Missing = Extract<PasswordDeclaration, { kind: "missing" }>;

/** @throws ApiError where the API server can't be asked */
export async function readPassword(
  { namespace, name, key }: SecretKeyRef,
  api: KubernetesApi,
  signal: AbortSignal,
): Promise<string | Missing> {
  const secret = await api.get(resourcePath(SECRETS, { namespace, name }), {}, signal).catch((error: unknown) => {
    if (error instanceof ApiError && error.code === "not_found") return undefined;
    if (error instanceof ApiError && error.code === "forbidden") return "forbidden" as const;
    throw error;
  });
  if (secret === undefined) {
    return missing("SecretNotFound", `Secret ${name} does not exist in namespace ${namespace}`);
  }
  if (secret === "forbidden") {
    return missing(
      "SecretNotPermitted",
      `the operator may not read Secrets in namespace ${namespace}: grant it "get" there`,
    );
  }
  const metadata = isJsonObject(secret["metadata"]) ? secret["metadata"] : {};
  const labels = isJsonObject(metadata["labels"]) ? metadata["labels"] : {};
  if (labels[SECRET_USE_LABEL] !== SECRET_USE_PASSWORD) {
    return missing(
      "SecretNotPermitted",
      `Secret ${name} does not consent to be read as a password: kubectl -n ${namespace} label secret ${name} ${SECRET_USE_LABEL}=${SECRET_USE_PASSWORD}`,
    );
  }
  const data = isJsonObject(secret["data"]) ? secret["data"][key] : undefined;
  if (typeof data !== "string" || data === "") {
    return missing("SecretKeyMissing", `Secret ${name} has no key "${key}", or the key is empty`);
  }
  return Buffer.from(data, "base64").toString("utf8");
}

function missing(reason: Missing["reason"], message: string): Missing {
  return { kind: "missing", reason, message };
}
