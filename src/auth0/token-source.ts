/**
 * Tokens for the Management API: one for all calls, asked for when first needed, renewed before it ends, never asked for
 * twice at once. A refusal is remembered for a while, so that ten thousand users with one wrong secret ask once.
 */
import type { JsonMap } from "../core/json.ts";
import { findJsonObject } from "../runtime/json.ts";
import type { Clock, EpochMs } from "../runtime/clock.ts";
import type { DirectoryError, DirectoryErrorCode } from "../reconcile/errors.ts";
import { abortable } from "../runtime/abort.ts";
import type { Access, Credentials } from "../reconcile/tenant-connections.ts";
import { clientAssertion } from "./client-assertion.ts";
import { NoAnswerError, type HttpAnswer, type TenantCalls } from "./http.ts";
import { callFailed, describeRefusal, isRedirect } from "./translate-failure.ts";
import type { TenantAddress } from "./tenant-address.ts";

export interface AccessToken {
  readonly value: string;
  readonly expiresAtMs: EpochMs;
  readonly lifetimeMs: number;
  /** `undefined`: it does not say. */
  readonly scopes: readonly string[] | undefined;
}

/** Renewed when a tenth of its life is left: of a day, the last 2.4 hours, in which Auth0 may be away. */
const RENEW_AT_SHARE_LEFT = 0.1;
/** How long a refusal stands before the tenant is asked again. */
const REFUSAL_STANDS_MS = 30_000;

export function needsRenewal(token: AccessToken, nowMs: EpochMs): boolean {
  return token.expiresAtMs - nowMs < token.lifetimeMs * RENEW_AT_SHARE_LEFT;
}

export class TokenSource {
  readonly #address: TenantAddress;
  readonly #credentials: Credentials;
  readonly #http: TenantCalls;
  readonly #clock: Clock;
  readonly #onAnswer: (status: number) => void;
  #token: AccessToken | undefined;
  /** When the tenant gave the token that it gave last, by the monotonic clock. */
  #givenAtMs = -Infinity;
  #asking: Promise<AccessToken> | undefined;
  #refusal: { readonly error: DirectoryError; /** By the monotonic clock. */ readonly untilMs: number } | undefined;

  /** @param onAnswer is told the status of every answer of the token endpoint; 0 for none */
  constructor(
    address: TenantAddress,
    credentials: Credentials,
    http: TenantCalls,
    clock: Clock,
    onAnswer: (status: number) => void,
  ) {
    this.#address = address;
    this.#credentials = credentials;
    this.#http = http;
    this.#clock = clock;
    this.#onAnswer = onAnswer;
  }

  /** Undefined while there is none, or none whose end is known. */
  get expiresAtMs(): EpochMs | undefined {
    return this.#token?.expiresAtMs;
  }

  /** @throws DirectoryError `credentials_invalid`, `rate_limited` or `unavailable`; `signal.reason` */
  async get(signal: AbortSignal): Promise<string> {
    const standing = this.#clock.monotonicMs() < (this.#refusal?.untilMs ?? 0) ? this.#refusal : undefined;
    if (this.#credentials.kind === "token") {
      if (standing !== undefined) throw standing.error;
      return this.#credentials.token;
    }
    const nowMs = this.#clock.now();
    const token = this.#token;
    if (token !== undefined && !needsRenewal(token, nowMs)) return token.value;
    if (standing !== undefined) {
      if (token !== undefined && nowMs < token.expiresAtMs) return token.value;
      throw standing.error;
    }
    this.#asking ??= this.#ask(this.#credentials).finally(() => {
      this.#asking = undefined;
    });
    if (token !== undefined && nowMs < token.expiresAtMs) {
      this.#asking.catch(() => {}); // the token that stands is good; the failure is remembered in #refusal
      return token.value;
    }
    return (await abortable(this.#asking, signal)).value;
  }

  /** Whether the token was given, not asked for. */
  get isGiven(): boolean {
    return this.#credentials.kind === "token";
  }

  /** What the present token allows, as far as it says; `undefined` while there is none. */
  get access(): Access | undefined {
    if (this.#credentials.kind === "token") return accessOf(this.#credentials.token);
    return this.#token && { scopes: this.#token.scopes, expiresAtMs: this.#token.expiresAtMs };
  }

  /** The tenant refused this token: it is not handed out again, nor is another one asked for at once if it was a new one. */
  invalidate(token: string): void {
    if (this.#credentials.kind === "token") {
      if (this.#credentials.token !== token) return;
      const message = "the tenant refuses the access token it was given: it is wrong, expired, or of another tenant";
      this.#refuse("credentials_invalid", message);
    } else if (this.#token?.value === token) {
      const isNew = this.#clock.monotonicMs() - this.#givenAtMs < REFUSAL_STANDS_MS;
      this.#token = undefined;
      if (isNew) this.#refuse("credentials_invalid", `${this.#address.domain} refuses the very tokens that it gives`);
    }
  }

  /** One question for everybody who waits: it is not cancelled with any of them, its own deadline ends it. */
  async #ask(credentials: Exclude<Credentials, { kind: "token" }>): Promise<AccessToken> {
    const askedAtMs = this.#clock.now();
    const proof = this.#proof(credentials, askedAtMs);
    let answer: HttpAnswer;
    try {
      answer = await this.#http.send(
        {
          method: "POST",
          path: "/oauth/token",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({
            grant_type: "client_credentials",
            client_id: credentials.clientId,
            ...proof,
            audience: this.#address.audience,
          }),
        },
        new AbortController().signal,
      );
    } catch (error) {
      this.#onAnswer(0);
      if (!(error instanceof NoAnswerError)) throw error;
      throw this.#refuse("unavailable", `ask ${this.#address.domain} for a token: ${error.message}`, error);
    }
    this.#onAnswer(answer.status);
    const body = findJsonObject(answer.body);
    const value = body?.["access_token"];
    if (answer.status === 200 && typeof value === "string" && value !== "") {
      const seconds = Number(body?.["expires_in"]);
      const lifetimeMs = (Number.isFinite(seconds) && seconds > 0 ? seconds : 3600) * 1000;
      this.#refusal = undefined;
      this.#givenAtMs = this.#clock.monotonicMs();
      const scope = body?.["scope"];
      const scopes = typeof scope === "string" ? scope.split(" ").filter(Boolean) : undefined;
      this.#token = { value, expiresAtMs: askedAtMs + lifetimeMs, lifetimeMs, scopes };
      return this.#token;
    }
    const secret = credentials.kind === "client secret" ? credentials.clientSecret : "";
    throw this.#refuse(...tokenRefused(answer, this.#address, secret));
  }

  #proof(credentials: Exclude<Credentials, { kind: "token" }>, nowMs: EpochMs): JsonMap {
    if (credentials.kind === "client secret") return { client_secret: credentials.clientSecret };
    const { clientId, privateKey } = credentials;
    const assertion = clientAssertion(clientId, `https://${this.#address.domain}/`, privateKey, nowMs);
    if (assertion === undefined) {
      const message = "the privateKey is no private key in PEM that Auth0 takes: RSA, or EC on the curve P-256";
      throw this.#refuse("credentials_invalid", message);
    }
    return {
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion: assertion,
    };
  }

  /** Whoever wanted to call with a token has sent nothing. */
  #refuse(code: DirectoryErrorCode, message: string, cause?: unknown): DirectoryError {
    const error = callFailed(code, message, { isUnsent: true, ...(cause !== undefined && { cause }) });
    this.#refusal = { error, untilMs: this.#clock.monotonicMs() + REFUSAL_STANDS_MS };
    return error;
  }
}

/** What a JSON Web Token says of itself; anything else says nothing. */
function accessOf(token: string): Access {
  const claims = findJsonObject(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
  const [scope, expiresAt] = [claims?.["scope"], claims?.["exp"]];
  return {
    scopes: typeof scope === "string" ? scope.split(" ").filter(Boolean) : undefined,
    expiresAtMs: typeof expiresAt === "number" ? expiresAt * 1000 : undefined,
  };
}

/** The token endpoint has an envelope of its own: `{error, error_description}`. */
function tokenRefused(
  answer: HttpAnswer,
  { domain }: TenantAddress,
  clientSecret: string,
): [code: DirectoryErrorCode, message: string] {
  const said = describeRefusal(answer, [clientSecret]);
  const what = `ask ${domain} for a token: ${String(answer.status)} ${said}`;
  if (answer.status === 429) return ["rate_limited", what];
  if (answer.status >= 500 || isRedirect(answer)) return ["unavailable", what];
  return [
    "credentials_invalid",
    `${what}: check the domain, the client id and secret (or key), and that the client is authorized for the Management API`,
  ];
}
