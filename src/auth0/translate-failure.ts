/**
 * Every answer that is no success, translated once: status and body → a code, a message without secrets, a remedy.
 * Classified by status first, since `errorCode` is often missing; then by errorCode and by what the message says. The
 * texts are from Auth0's OpenAPI document and from recorded or reported answers.
 */
import type { AttributePath } from "../core/plan.ts";
import { DirectoryError, type DirectoryErrorCode } from "../reconcile/errors.ts";
import type { EpochMs } from "../runtime/clock.ts";
import { findJsonObject } from "../runtime/json.ts";
import type { Remedy } from "../runtime/remedy.ts";
import type { HttpAnswer } from "./http.ts";
import { attributeNameOf } from "./wire-user.ts";

/** What is shown of a far side's message: enough to understand it, too little to fill a status. */
const MAX_MESSAGE_CHARS = 400;

const REMEDIES: Readonly<Record<DirectoryErrorCode, Remedy>> = {
  rate_limited: { kind: "backoff" },
  unavailable: { kind: "backoff" },
  credentials_invalid: { kind: "backoff" },
  tenant_not_ready: { kind: "backoff" },
  deletions_paused: { kind: "backoff" },
  changes_paused: { kind: "backoff" },
  claim_moved: { kind: "backoff" },
  insufficient_scope: { kind: "backoff" },
  user_not_found: { kind: "backoff" },
  related_not_found: { kind: "stall" },
  already_exists: { kind: "stall" },
  custom_domain_conflict: { kind: "stall" },
  connection_not_found: { kind: "stall" },
  connection_unsupported: { kind: "stall" },
  attribute_not_writable: { kind: "stall" },
  password_rejected: { kind: "stall" },
  rejected: { kind: "stall" },
};

export function callFailed(
  code: DirectoryErrorCode,
  message: string,
  options: ErrorOptions & { attributes?: readonly AttributePath[]; isUnsent?: boolean } = {},
): DirectoryError {
  return new DirectoryError(code, message, REMEDIES[code], options);
}

/** A 429: the remedy is the moment that the answer names. */
export function rateLimited(what: string, untilMs: EpochMs): DirectoryError {
  return new DirectoryError("rate_limited", `${what}: the tenant's rate limit is used up`, { kind: "wait", untilMs });
}

/**
 * @param what what was being done to what, for the message: "create user in db"
 * @param secrets values that the request carried and that no message may repeat
 */
export function translateRefusal(what: string, answer: HttpAnswer, secrets: readonly string[]): DirectoryError {
  const { said, errorCode } = readRefusal(answer);
  const code = isRedirect(answer) ? "unavailable" : classify(answer.status, said, errorCode);
  const message = `${what}: ${String(answer.status)} ${presentable(said, secrets)}`;
  return callFailed(code, message, { attributes: attributesNamed(said) });
}

/** What the far side said, as it may be shown. */
export function describeRefusal(answer: HttpAnswer, secrets: readonly string[]): string {
  return presentable(readRefusal(answer).said, secrets);
}

/** Two envelopes: the Management API's `message` and `errorCode`, the token endpoint's `error` and `error_description`. */
function readRefusal(answer: HttpAnswer): { said: string; errorCode: string } {
  const body = findJsonObject(answer.body);
  const said = [body?.["message"], body?.["error_description"], body?.["error"]].find(
    (text): text is string => typeof text === "string" && text !== "",
  );
  const errorCode = body?.["errorCode"];
  return {
    said: said ?? (isRedirect(answer) ? REDIRECT : "(no message)"),
    errorCode: typeof errorCode === "string" ? errorCode : "",
  };
}

/** Auth0 sends none: whoever answers is not the tenant. */
export function isRedirect({ status }: HttpAnswer): boolean {
  return status >= 300 && status < 400;
}

const REDIRECT = "a redirect, which is not followed: the domain must be the tenant's own";

/** Cut short, without the secrets that the far side may quote. One of three letters hides nothing but the message. */
function presentable(said: string, secrets: readonly string[]): string {
  let shown = said;
  for (const secret of secrets) if (secret.length > 3) shown = shown.replaceAll(secret, "*****");
  return shown.length > MAX_MESSAGE_CHARS ? `${shown.slice(0, MAX_MESSAGE_CHARS)}…` : shown;
}

function classify(status: number, said: string, errorCode: string): DirectoryErrorCode {
  if (status === 429) return "rate_limited";
  if (status >= 500 || status === 408) return "unavailable";
  if (status === 401) return "credentials_invalid";
  if (status === 403) return "insufficient_scope";
  if (status === 404) return RELATED.test(`${errorCode}: ${said}`) ? "related_not_found" : "user_not_found";
  if (status === 409) return errorCode === "custom_domain_conflict" ? "custom_domain_conflict" : "already_exists";
  return BY_TEXT.find(([pattern]) => pattern.test(`${errorCode}: ${said}`))?.[1] ?? "rejected";
}

/** A 404 that speaks of something else than the user. */
const RELATED = /\brole does not exist|resource.server|permission|organization/i;

/** 400s by `errorCode: message`, the first that matches. */
const BY_TEXT: readonly (readonly [RegExp, DirectoryErrorCode])[] = [
  [/\bPassword(Strength|Dictionary|NoUserInfo|History|TooLong)Error\b|' on property password\b/, "password_rejected"],
  [/inexistent_connection|connection does not exist/i, "connection_not_found"],
  [
    /does not support user creation|Connection is disabled|username for connection without requires_username/i,
    "connection_unsupported",
  ],
  [
    /user attributes cannot be (updated|removed)|not allowed to update the following user attributes/i,
    "attribute_not_writable",
  ],
  [
    /Cannot update email for non-database user|Email verification is not supported|users without an username/i,
    "attribute_not_writable",
  ],
  [
    /username provided is in use already|specified new (email|phone number) already exists|user already exists/i,
    "already_exists",
  ],
];

/** "The following user attributes cannot be updated: family_name, name. The connection …" and its kin. */
function attributesNamed(said: string): AttributePath[] {
  const list =
    /attributes(?: cannot be (?:updated|removed))?: ([a-z_]+(?:, [a-z_]+)*)/i.exec(said)?.[1] ??
    /' on property ([a-z_]+)/.exec(said)?.[1];
  if (list !== undefined) return list.split(", ").flatMap((name) => attributeNameOf(name) ?? []);
  return NAMED_BY_TEXT.flatMap(([pattern, path]) => (pattern.test(said) ? [path] : []));
}

const NAMED_BY_TEXT: readonly (readonly [RegExp, AttributePath])[] = [
  [/Cannot update email|specified new email/i, "email"],
  [/Email verification/i, "emailVerified"],
  [/users without an username|username provided is in use/i, "username"],
  [/specified new phone number/i, "phoneNumber"],
];
