/**
 * A password that the operator makes, in a Secret that belongs to the resource. The Secret is written before the password
 * is sent, so that a crash between the two loses nothing: the next pass finds the Secret and goes on with it.
 */
import { API_VERSION, KIND } from "../api/auth0-user.ts";
import { DEFAULT_PASSWORD_KEY, SECRET_USE_LABEL, SECRET_USE_PASSWORD } from "../api/names.ts";
import { connectionName } from "../core/ids.ts";
import { isApiError } from "../kubernetes/api-error.ts";
import { resourcePath } from "../kubernetes/resource.ts";
import { DirectoryError } from "../reconcile/errors.ts";
import { DEFAULT_PASSWORD_LENGTH, generatePassword } from "../reconcile/generate-password.ts";
import { REASON_OF } from "../reconcile/reasons.ts";
import { isJsonObject, type JsonObject } from "../runtime/json.ts";
import type { Auth0UserResource } from "./auth0-user-resource.ts";
import { mayNotRead, missing, passwordIn, type Missing } from "./password-secret.ts";
import { SECRETS, consentsTo } from "./secrets.ts";
import { referenceTo } from "./status-writer.ts";
import type { UserParts } from "./user-parts.ts";

export interface Generation {
  readonly secretName: string;
  readonly length?: number;
  readonly connection: string;
  /** Whether one may be made where there is none. */
  readonly mayMake: boolean;
}

/** @throws ApiError */
export async function ensureGeneratedPassword(
  generation: Generation,
  resource: Auth0UserResource,
  parts: UserParts,
  signal: AbortSignal,
): Promise<string | Missing> {
  const { namespace, uid } = resource;
  const { secretName: name, mayMake } = generation;
  const isMeant = (metadata: JsonObject): boolean =>
    isOwnedBy(uid, metadata) && consentsTo(SECRET_USE_PASSWORD, metadata);
  const reading = await parts.secrets.read({ namespace, name }, isMeant, signal);
  switch (reading.kind) {
    case "read":
      if (reading.metadata["deletionTimestamp"] === undefined)
        return passwordIn(reading.data, name, DEFAULT_PASSWORD_KEY);
      return missing("SecretNotFound", `Secret ${name} is being deleted: a new password is made when it is gone`);
    case "not found":
      if (mayMake) return makePassword(generation, resource, parts, signal);
      return missing("SecretNotFound", `Secret ${name} does not exist in namespace ${namespace}, and none is made now`);
    case "forbidden":
      return mayNotRead(namespace);
    case "not meant":
      return missing(
        "SecretNotOwned",
        `Secret ${name} exists and was not made for this resource, or has lost its label ${SECRET_USE_LABEL}=${SECRET_USE_PASSWORD}, so it is neither read nor overwritten: put the label back, name another in password.generate.secretName, or refer to it by password.secretRef`,
      );
    default:
      return reading satisfies never;
  }
}

async function makePassword(
  { secretName: name, length = DEFAULT_PASSWORD_LENGTH, connection }: Generation,
  resource: Auth0UserResource,
  { api, directory, random, recorder, log }: UserParts,
  signal: AbortSignal,
): Promise<string | Missing> {
  const { namespace, key } = resource;
  try {
    const known = await directory.connections.read(connectionName(connection), signal);
    const password = generatePassword(length, known?.passwordPolicy, random);
    await api.create(resourcePath(SECRETS, { namespace }), secretWith(password, name, resource), signal);
    const note = `a password was made into Secret ${name}`;
    recorder.event({
      regarding: referenceTo(resource),
      type: "Normal",
      reason: "PasswordGenerated",
      action: "Reconcile",
      note,
    });
    log.info("password generated", { key, secretName: name });
    return password;
  } catch (error) {
    if (error instanceof DirectoryError) return missing(REASON_OF[error.code], error.message);
    if (isApiError(error, "already_exists")) {
      return missing("SecretNotFound", `Secret ${name} was made by somebody else a moment ago: looking again`);
    }
    if (!isApiError(error, "forbidden")) throw error;
    return missing(
      "SecretNotPermitted",
      `the operator may not create Secrets in namespace ${namespace}: grant it "create" there, or use password.secretRef`,
    );
  }
}

function secretWith(password: string, name: string, resource: Auth0UserResource): JsonObject {
  const owner = { apiVersion: API_VERSION, kind: KIND, name: resource.name, uid: resource.uid, controller: true };
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name,
      namespace: resource.namespace,
      labels: { [SECRET_USE_LABEL]: SECRET_USE_PASSWORD, "app.kubernetes.io/managed-by": "auth0-user-operator" },
      ownerReferences: [owner],
    },
    stringData: { [DEFAULT_PASSWORD_KEY]: password },
  };
}

function isOwnedBy(uid: string, metadata: JsonObject): boolean {
  const owners: readonly unknown[] = Array.isArray(metadata["ownerReferences"]) ? metadata["ownerReferences"] : [];
  return owners.some((owner) => isJsonObject(owner) && owner["uid"] === uid);
}
