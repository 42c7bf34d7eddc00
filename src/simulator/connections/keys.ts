/** `/api/v2/connections/{id}/keys`: what a connection signs its assertions with. Only the public halves are kept. */
import { createPublicKey, generateKeyPairSync, hash, X509Certificate } from "node:crypto";
import type { JsonObject } from "../../runtime/json.ts";
import { api, type ApiCall, type ApiEndpoint } from "../call.ts";
import type { Answer } from "../http.ts";
import { textIn } from "../json.ts";
import { operationNotSupported } from "../refusal.ts";
import type { Tenant } from "../tenant.ts";
import { makeShownCertificate } from "../tls/certificate.ts";
import type { Connection } from "./connection.ts";
import { connectionOf } from "./read-connections.ts";

export const CONNECTION_KEY_ENDPOINTS: readonly ApiEndpoint[] = [
  api("GET", "/connections/{id}/keys", ["read:connections_keys"], listKeys),
  api("POST", "/connections/{id}/keys/rotate", ["create:connections_keys", "update:connections_keys"], rotateKeys),
];

/** Those whose strategies sign (documented). */
function signingConnectionOf(call: ApiCall): Connection {
  const connection = connectionOf(call);
  if (connection.strategy === "okta" || connection.strategy === "oidc") return connection;
  throw operationNotSupported(`Connections of strategy ${connection.strategy} have no keys`);
}

function listKeys(call: ApiCall): Answer {
  return { status: 200, body: keysOf(call.tenant, signingConnectionOf(call)) };
}

/** The one in use and the one that follows it (recorded), made when first asked for: a key takes some 100 ms. */
function keysOf(tenant: Tenant, connection: Connection): readonly JsonObject[] {
  const keys = tenant.connectionKeys.of(connection.id);
  if (keys.length > 0) return keys;
  const [current, next] = [newKey(connection, tenant.now()), newKey(connection, tenant.now())];
  return putKeys(tenant, connection, [asCurrent(tenant, current), { ...next, next: true }]);
}

function putKeys(tenant: Tenant, { id }: Connection, keys: readonly JsonObject[]): readonly JsonObject[] {
  tenant.connectionKeys.forget(id);
  for (const key of keys) tenant.connectionKeys.put(id, textIn(key, "kid") ?? "", key);
  return keys;
}

function asCurrent(tenant: Tenant, key: JsonObject): JsonObject {
  return { ...key, current: true, current_since: new Date(tenant.now()).toISOString() };
}

function newKey({ name }: Connection, nowMs: number): JsonObject {
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const cert = makeShownCertificate(name, publicKey, nowMs);
  const { fingerprint } = new X509Certificate(cert);
  return {
    kid: hash("sha256", createPublicKey(cert).export({ type: "spki", format: "der" }), "base64url"),
    algorithm: "RS256",
    key_use: "signing",
    subject_dn: `/CN=${name}`,
    cert,
    fingerprint,
    thumbprint: fingerprint.replaceAll(":", ""),
  };
}

/** The next becomes the current, the current the previous, and there is a new next, which the answer names (recorded). */
function rotateKeys(call: ApiCall): Answer {
  const { tenant } = call;
  const connection = signingConnectionOf(call);
  const keys = keysOf(tenant, connection);
  const made = newKey(connection, tenant.now());
  const rotated = keys.flatMap(({ current, next, current_since: _since, previous: _previous, ...key }) => {
    if (next === true) return [asCurrent(tenant, key)];
    return current === true ? [{ ...key, previous: true }] : [];
  });
  putKeys(tenant, connection, [...rotated.toReversed(), { ...made, next: true }]);
  return { status: 201, body: { kid: made["kid"], cert: made["cert"] } };
}
