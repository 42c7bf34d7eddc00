/**
 * Access tokens for the Management API: JSON Web Tokens with the claims Auth0 puts in. Auth0 signs with RS256; here nobody
 * but the simulator checks them, so a symmetric signature (HS256) is as good and makes no key pair at each start.
 */
import { createHmac, timingSafeEqual, type KeyObject } from "node:crypto";
import type { EpochMs } from "../../runtime/clock.ts";
import { findJsonObject, type JsonObject } from "../../runtime/json.ts";
import { textIn } from "../json.ts";
import type { Client, Clients } from "./clients.ts";

export interface TokenRequest {
  readonly client: Client;
  readonly clients: Clients;
  readonly audience: string;
  /** The domain that the token was asked for at; it works only there. */
  readonly domain: string;
  readonly now: EpochMs;
  readonly lifetimeSeconds: number;
}

const HEADER = encode({ alg: "HS256", typ: "JWT" });

export function signAccessToken({ client, clients, audience, domain, now, lifetimeSeconds }: TokenRequest): string {
  const issuedAt = Math.floor(now / 1000);
  const payload = encode({
    iss: `https://${domain}/`,
    sub: `${client.clientId}@clients`,
    aud: audience,
    iat: issuedAt,
    exp: issuedAt + lifetimeSeconds,
    scope: (client.scopes ?? []).join(" "),
    gty: "client-credentials",
    azp: client.clientId,
  });
  return `${HEADER}.${payload}.${signatureOf(`${HEADER}.${payload}`, clients.signingKey(client)).toString("base64url")}`;
}

export interface Caller {
  readonly clientId: string;
  readonly scopes: ReadonlySet<string>;
  /** When its token ends, by the tenant's clock. */
  readonly expiresAtMs: EpochMs;
}

export type TokenCheck =
  { readonly kind: "valid"; readonly caller: Caller } | { readonly kind: "expired" | "badSignature" | "wrongIssuer" };

/** @param token three parts with dots between */
export function checkAccessToken(token: string, domain: string, clients: Clients, now: EpochMs): TokenCheck {
  const [header = "", payload = "", signature = ""] = token.split(".");
  const claims: JsonObject = findJsonObject(Buffer.from(payload, "base64url").toString()) ?? {};
  const clientId = textIn(claims, "azp") ?? "";
  const client = clients.find(clientId);
  if (!client || !isSignedBy(clients.signingKey(client), `${header}.${payload}`, signature))
    return { kind: "badSignature" };
  const expiresAtMs = typeof claims["exp"] === "number" ? claims["exp"] * 1000 : 0;
  if (expiresAtMs <= now) return { kind: "expired" };
  if (claims["iss"] !== `https://${domain}/`) return { kind: "wrongIssuer" };
  const scopes = new Set((textIn(claims, "scope") ?? "").split(" "));
  return { kind: "valid", caller: { clientId, scopes, expiresAtMs } };
}

function isSignedBy(key: KeyObject, content: string, signature: string): boolean {
  const expected = signatureOf(content, key);
  const found = Buffer.from(signature, "base64url");
  return found.length === expected.length && timingSafeEqual(found, expected);
}

function signatureOf(content: string, key: KeyObject): Buffer {
  return createHmac("sha256", key).update(content).digest();
}

function encode(part: JsonObject): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}
