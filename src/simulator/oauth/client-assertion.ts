/** Authentication by `private_key_jwt` (RFC 7523): a client signs who it is instead of sending a secret. */
import { constants, createPublicKey, verify, type VerifyKeyObjectInput } from "node:crypto";
import type { EpochMs } from "../../runtime/clock.ts";
import { findJsonObject, type JsonObject } from "../../runtime/json.ts";
import { textIn } from "../json.ts";
import { oauthRefusal, type Refusal } from "../refusal.ts";
import type { Client } from "./clients.ts";

export const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/** The algorithms that Auth0 takes (documented), as node:crypto names them. */
const ALGORITHMS: Readonly<Record<string, { readonly hash: string; readonly padding: number }>> = {
  RS256: { hash: "sha256", padding: constants.RSA_PKCS1_PADDING },
  RS384: { hash: "sha384", padding: constants.RSA_PKCS1_PADDING },
  PS256: { hash: "sha256", padding: constants.RSA_PKCS1_PSS_PADDING },
};

/** The longest that an assertion may live (documented). */
const MAX_LIFETIME_SECONDS = 300;

export class ClientAssertions {
  /** `jti` → when it expires: each counts once. */
  readonly #used = new Map<string, EpochMs>();

  /**
   * Checks that `assertion` is the client's own, and good here and now.
   *
   * @throws Refusal 401; the texts are modelled
   */
  check(assertion: string, client: Client, domain: string, now: EpochMs): void {
    const claims = signedClaims(assertion, client.publicKey);
    const { exp, jti } = claims;
    if (claims["iss"] !== client.clientId || claims["sub"] !== client.clientId)
      throw invalid("iss and sub must be the client_id");
    if (claims["aud"] !== `https://${domain}/`) throw invalid(`aud must be the string https://${domain}/`);
    if (typeof exp !== "number" || exp * 1000 <= now) throw invalid("the assertion is expired");
    if (exp * 1000 > now + MAX_LIFETIME_SECONDS * 1000) throw invalid("exp is more than 5 minutes ahead");
    if (typeof jti !== "string" || jti === "") throw invalid("jti is missing");
    for (const [id, expiresAtMs] of this.#used) if (expiresAtMs <= now) this.#used.delete(id);
    if (this.#used.has(jti)) throw invalid("jti has been used before");
    this.#used.set(jti, exp * 1000);
  }
}

/** The client that an assertion says it is from, before anything is checked. */
export function assertedClientId(assertion: string): string {
  return textIn(decoded(assertion.split(".")[1] ?? ""), "sub") ?? "";
}

function signedClaims(assertion: string, publicKey: string | undefined): JsonObject {
  const [header = "", payload = "", signature = ""] = assertion.split(".");
  const algorithm = ALGORITHMS[textIn(decoded(header), "alg") ?? ""];
  if (!algorithm) throw invalid("alg must be one of RS256, RS384, PS256");
  if (publicKey === undefined) throw invalid("the client has no public key");
  const key: VerifyKeyObjectInput = { key: createPublicKey(publicKey), padding: algorithm.padding };
  const isSigned = verify(
    algorithm.hash,
    Buffer.from(`${header}.${payload}`),
    key,
    Buffer.from(signature, "base64url"),
  );
  if (!isSigned) throw invalid("the signature is wrong");
  return decoded(payload);
}

function decoded(part: string): JsonObject {
  return findJsonObject(Buffer.from(part, "base64url").toString()) ?? {};
}

function invalid(why: string): Refusal {
  return oauthRefusal(401, "invalid_client", `Invalid client assertion: ${why}`);
}
