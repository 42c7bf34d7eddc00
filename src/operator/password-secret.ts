/** The Secret that a password comes from: read when it is needed, only with its consent, and never kept. */
import { SECRET_USE_LABEL, SECRET_USE_PASSWORD } from "../api/names.ts";
import type { PasswordDeclaration } from "../reconcile/password.ts";
import type { JsonObject } from "../runtime/json.ts";
import { consentsTo, type Secrets } from "./secrets.ts";

export interface SecretKeyRef {
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
}

export type Missing = Extract<PasswordDeclaration, { kind: "missing" }>;

/** @throws ApiError where the API server can't be asked */
export async function readPassword(
  { namespace, name, key }: SecretKeyRef,
  secrets: Secrets,
  signal: AbortSignal,
): Promise<string | Missing> {
  const reading = await secrets.read(
    { namespace, name },
    (metadata) => consentsTo(SECRET_USE_PASSWORD, metadata),
    signal,
  );
  switch (reading.kind) {
    case "read":
      return passwordIn(reading.data, name, key);
    case "not found":
      return missing("SecretNotFound", `Secret ${name} does not exist in namespace ${namespace}`);
    case "forbidden":
      return mayNotRead(namespace);
    case "not meant":
      return missing(
        "SecretNotPermitted",
        `Secret ${name} does not consent to be read as a password: kubectl -n ${namespace} label secret ${name} ${SECRET_USE_LABEL}=${SECRET_USE_PASSWORD}`,
      );
    default:
      return reading satisfies never;
  }
}

export function passwordIn(data: JsonObject, name: string, key: string): string | Missing {
  const value = data[key];
  if (typeof value === "string" && value !== "") return Buffer.from(value, "base64").toString("utf8");
  return missing("SecretKeyMissing", `Secret ${name} has no key "${key}", or the key is empty`);
}

export function mayNotRead(namespace: string): Missing {
  return missing(
    "SecretNotPermitted",
    `the operator may not read Secrets in namespace ${namespace}: grant it "get" there`,
  );
}

export function missing(reason: Missing["reason"], message: string): Missing {
  return { kind: "missing", reason, message };
}
