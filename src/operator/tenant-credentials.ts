/** The Secret that a tenant object names: read when it is needed, only with its consent, and kept in memory alone. */
import { SECRET_USE_CREDENTIALS, SECRET_USE_LABEL } from "../api/names.ts";
import { splitObjectKey, type ObjectKey } from "../kubernetes/object.ts";
import type { Reason } from "../reconcile/reasons.ts";
import type { Credentials } from "../reconcile/tenant-connections.ts";
import type { JsonObject } from "../runtime/json.ts";
import { consentsTo, type Secrets } from "./secrets.ts";

export type CredentialsReading =
  | { readonly kind: "read"; readonly credentials: Credentials }
  | { readonly kind: "missing"; readonly reason: Reason; readonly message: string };

/** @throws ApiError where the API server can't be asked */
export async function readCredentials(
  secretKey: ObjectKey,
  secrets: Secrets,
  signal: AbortSignal,
): Promise<CredentialsReading> {
  const { namespace = "", name } = splitObjectKey(secretKey);
  const reading = await secrets.read(
    { namespace, name },
    (metadata) => consentsTo(SECRET_USE_CREDENTIALS, metadata),
    signal,
  );
  switch (reading.kind) {
    case "read":
      return credentialsReadingFrom(reading.data, name);
    case "not found":
      return missing("SecretNotFound", `Secret ${name} does not exist in namespace ${namespace}`);
    case "forbidden":
      return missing(
        "SecretNotPermitted",
        `the operator may not read Secrets in namespace ${namespace}: grant it "get"`,
      );
    case "not meant":
      return missing(
        "SecretNotPermitted",
        `Secret ${name} does not consent to be read as credentials: kubectl -n ${namespace} label secret ${name} ${SECRET_USE_LABEL}=${SECRET_USE_CREDENTIALS}`,
      );
    default:
      return reading satisfies never;
  }
}

function credentialsReadingFrom(data: JsonObject, name: string): CredentialsReading {
  const credentials = credentialsIn(data);
  return credentials === undefined
    ? missing(
        "SecretKeyMissing",
        `Secret ${name} needs the keys clientId and clientSecret, or clientId and privateKey, or token, and only those of one kind`,
      )
    : { kind: "read", credentials };
}

function credentialsIn(data: JsonObject): Credentials | undefined {
  const text = (key: string): string => {
    const value = data[key];
    return typeof value === "string" ? Buffer.from(value, "base64").toString("utf8").trim() : "";
  };
  const [clientId, clientSecret, privateKey, token] = ["clientId", "clientSecret", "privateKey", "token"].map(text);
  const kinds = [clientSecret, privateKey, token].filter(Boolean).length;
  if (kinds !== 1) return undefined;
  if (token) return { kind: "token", token };
  if (!clientId) return undefined;
  if (clientSecret) return { kind: "client secret", clientId, clientSecret };
  return privateKey ? { kind: "private key", clientId, privateKey } : undefined;
}

function missing(reason: Reason, message: string): CredentialsReading {
  return { kind: "missing", reason, message };
}
