/** `/api/v2/clients/{id}/credentials`: keys and certificates by which an application proves who it is. */
import { createPublicKey, hash, X509Certificate } from "node:crypto";
import type { JsonObject } from "../../runtime/json.ts";
import { api, type ApiCall, type ApiEndpoint } from "../call.ts";
import { parseBody, type Answer } from "../http.ts";
import { objectIn, objectsIn, textIn } from "../json.ts";
import { newId } from "../made-up.ts";
import { badRequest, refusal } from "../refusal.ts";
import { checkBody, type Property, type Schema } from "../schema.ts";
import type { Tenant } from "../tenant.ts";
import { clientOf } from "./client-of.ts";

const PATH = "/clients/{id}/credentials";
const ITEM_PATH = `${PATH}/{credential_id}`;

export const CREDENTIAL_ENDPOINTS: readonly ApiEndpoint[] = [
  api("GET", PATH, ["read:client_credentials"], listCredentials),
  api("POST", PATH, ["create:client_credentials"], createCredential),
  api("GET", ITEM_PATH, ["read:client_credentials"], (call) => ({ status: 200, body: shown(credentialOf(call)) })),
  api("PATCH", ITEM_PATH, ["update:client_credentials"], updateCredential),
  api("DELETE", ITEM_PATH, ["delete:client_credentials"], deleteCredential),
];

const EXPIRES_AT: Property = { type: "string", description: "The ISO 8601 formatted date the credential expires." };

const SCHEMA: Schema = {
  required: ["credential_type"],
  properties: {
    credential_type: {
      type: "string",
      enum: ["public_key", "cert_subject_dn", "x509_cert"],
      description: "Credential type.",
    },
    name: { type: "string", maxLength: 128, description: "Friendly name for a credential." },
    subject_dn: { type: "string", minLength: 1, maxLength: 256, description: "Subject Distinguished Name." },
    pem: { type: "string", description: "PEM-formatted public key (SPKI and PKCS1) or X509 certificate." },
    alg: {
      type: "string",
      enum: ["RS256", "RS384", "PS256"],
      description: "Algorithm which will be used with the credential.",
    },
    parse_expiry_from_cert: { type: "boolean", description: "Parse expiry from x509 certificate." },
    expires_at: EXPIRES_AT,
  },
};

/** A list without totals, whatever is asked (recorded). */
function listCredentials(call: ApiCall): Answer {
  const { clientId } = clientOf(call);
  return { status: 200, body: call.tenant.clientCredentials.of(clientId).map(shown) };
}

function createCredential(call: ApiCall): Answer {
  const { clientId } = clientOf(call);
  return { status: 201, body: shown(newCredential(call.tenant, clientId, parseBody(call.request))) };
}

/** Keeps what `body` describes for the client. @throws Refusal 400 */
function newCredential(tenant: Tenant, clientId: string, body: JsonObject): JsonObject {
  checkBody(body, SCHEMA);
  const { parse_expiry_from_cert: parsesExpiry, ...sent } = body;
  const nowIso = new Date(tenant.now()).toISOString();
  const id = newId("cred", tenant.random, 22);
  const credential = {
    id,
    ...sent,
    ...factsOf(body, parsesExpiry === true),
    created_at: nowIso,
    updated_at: nowIso,
  };
  tenant.clientCredentials.put(clientId, id, credential);
  return credential;
}

/** What is read out of the PEM. */
function factsOf(body: JsonObject, parsesExpiry: boolean): JsonObject {
  const { credential_type: type, pem, subject_dn: subject } = body;
  if (type === "cert_subject_dn" && subject !== undefined) return {};
  if (typeof pem !== "string") throw badRequest("A credential needs a PEM", "invalid_body");
  try {
    if (type === "public_key") {
      const key = createPublicKey(pem);
      // Auth0 takes no other keys (documented).
      if (key.asymmetricKeyType !== "rsa") throw new TypeError("no RSA key");
      const kid = hash("sha256", key.export({ type: "spki", format: "der" }), "base64url");
      return { kid, alg: body["alg"] ?? "RS256" };
    }
    const certificate = new X509Certificate(pem);
    return {
      ...(type === "cert_subject_dn"
        ? { subject_dn: certificate.subject.replaceAll("\n", ",") }
        : { thumbprint_sha256: certificate.fingerprint256.replaceAll(":", "").toLowerCase() }),
      ...(parsesExpiry && { expires_at: certificate.validToDate.toISOString() }),
    };
  } catch {
    throw badRequest("The PEM is not valid", "invalid_body");
  }
}

function shown({ pem: _pem, ...credential }: JsonObject): JsonObject {
  return credential;
}

/** @throws Refusal 404 (modelled) */
function credentialOf(call: ApiCall): JsonObject {
  const { clientId } = clientOf(call);
  const found = call.tenant.clientCredentials.find(clientId, call.params["credential_id"] ?? "");
  if (!found) throw refusal(404, "The credential does not exist.", "inexistent_credential");
  return found;
}

/** Nothing else of it can be changed (documented). */
function updateCredential(call: ApiCall): Answer {
  const before = credentialOf(call);
  const body = parseBody(call.request);
  checkBody(body, { properties: { expires_at: { ...EXPIRES_AT, nullable: true } }, additional: { hint: "" } });
  const changed = { ...before, ...body, updated_at: new Date(call.tenant.now()).toISOString() };
  call.tenant.clientCredentials.put(clientOf(call).clientId, textIn(before, "id") ?? "", changed);
  return { status: 200, body: shown(changed) };
}

/** 204 also for one that is not there (modelled). What it proved, it proves no more. */
function deleteCredential(call: ApiCall): Answer {
  const { tenant, params } = call;
  const { publicKey, ...client } = clientOf(call);
  const id = params["credential_id"] ?? "";
  const pem = tenant.clientCredentials.find(client.clientId, id)?.["pem"];
  tenant.clientCredentials.delete(client.clientId, id);
  if (publicKey !== undefined && publicKey === pem) {
    tenant.clients.put({ ...client, ...findPublicKey(tenant, client.clientId, client.more ?? {}) });
  }
  return { status: 204 };
}

/** What of a client names credentials: how it authenticates, and how it signs its requests. */
const METHODS = ["private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"];

/** Makes those that come with a client, and leaves `{id}` of each in their place. */
export function keptCredentials(tenant: Tenant, clientId: string, body: JsonObject): JsonObject {
  return withCredentials(body, (credential) => {
    const known = tenant.clientCredentials.find(clientId, textIn(credential, "id") ?? "");
    return { id: (known ?? newCredential(tenant, clientId, credential))["id"] };
  });
}

/** The reverse: whole credentials where a client names them by id (recorded). */
export function shownCredentials(tenant: Tenant, clientId: string, client: JsonObject): JsonObject {
  return withCredentials(client, (credential) =>
    shown(tenant.clientCredentials.find(clientId, textIn(credential, "id") ?? "") ?? credential),
  );
}

/** The public key that a client of this description signs its assertions with. */
export function findPublicKey(tenant: Tenant, clientId: string, client: JsonObject): { readonly publicKey?: string } {
  const method = objectIn(objectIn(client, "client_authentication_methods") ?? {}, "private_key_jwt") ?? {};
  const publicKey = objectsIn(method, "credentials")
    .map((credential) => tenant.clientCredentials.find(clientId, textIn(credential, "id") ?? "") ?? {})
    .map((credential) => textIn(credential, "pem"))
    .find((pem) => pem !== undefined);
  return publicKey === undefined ? {} : { publicKey };
}

function withCredentials(client: JsonObject, change: (credential: JsonObject) => JsonObject): JsonObject {
  const changed = (holder: JsonObject, name: string): JsonObject => {
    const value = objectIn(holder, name);
    if (!value?.["credentials"]) return holder;
    return { ...holder, [name]: { ...value, credentials: objectsIn(value, "credentials").map(change) } };
  };
  const signing = changed(client, "signed_request_object");
  const methods = objectIn(signing, "client_authentication_methods");
  return methods ? { ...signing, client_authentication_methods: METHODS.reduce(changed, methods) } : signing;
}
