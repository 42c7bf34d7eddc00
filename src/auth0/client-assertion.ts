/** `private_key_jwt`: a client proves who it is by a signed statement, so that no secret travels. */
import { createPrivateKey, randomUUID, sign, type KeyObject } from "node:crypto";
import type { EpochMs } from "../runtime/clock.ts";

/** Auth0 takes assertions of at most five minutes. */
const LIFETIME_SECONDS = 60;

/**
 * @param audience the issuer: the tenant's origin with a slash
 * (https://auth0.com/docs/get-started/authentication-and-authorization-flow/authenticate-with-private-key-jwt)
 * @returns `undefined` where `pem` is no private key that Auth0 takes
 */
export function clientAssertion(clientId: string, audience: string, pem: string, nowMs: EpochMs): string | undefined {
  const key = findPrivateKey(pem);
  if (key === undefined) return undefined;
  const isElliptic = key.asymmetricKeyType === "ec";
  const issuedAt = Math.floor(nowMs / 1000);
  const claims = { iss: clientId, sub: clientId, aud: audience, iat: issuedAt, exp: issuedAt + LIFETIME_SECONDS };
  const content = `${encode({ alg: isElliptic ? "ES256" : "RS256", typ: "JWT" })}.${encode({ ...claims, jti: randomUUID() })}`;
  const signature = sign("sha256", Buffer.from(content), { key, dsaEncoding: "ieee-p1363" });
  return `${content}.${signature.toString("base64url")}`;
}

/** For RS256 or ES256. The parser's own words are dropped: they are of no help, and must not repeat the key. */
function findPrivateKey(pem: string): KeyObject | undefined {
  try {
    const key = createPrivateKey(pem);
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
    const isTaken = type === "rsa" || (type === "ec" && details?.namedCurve === "prime256v1");
    return isTaken ? key : undefined;
  } catch {
    return undefined;
  }
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}
