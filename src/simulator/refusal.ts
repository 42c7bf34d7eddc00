/** A request that is not served, thrown by whoever finds out, with the body Auth0 answers. */
import type { Answer } from "./http.ts";

export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly answer: Answer;

  constructor(answer: Answer, message: string) {
    super(message);
    this.answer = answer;
  }
}

/** Phrases as Auth0 writes them in `error`. */
const PHRASES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  409: "Conflict",
  410: "Gone",
  413: "Request Entity Too Large",
  414: "Request-URI Too Large",
  415: "Unsupported Media Type",
  429: "Too Many Requests",
  500: "Internal Server Error",
};

/**
 * The Management API's envelope `{statusCode, error, message, errorCode?}` (recorded).
 *
 * @param more further keys of the body, and headers
 */
export function refusal(
  statusCode: number,
  message: string,
  errorCode?: string,
  more: { readonly body?: object; readonly headers?: Readonly<Record<string, string>> } = {},
): Refusal {
  const error = PHRASES[statusCode] ?? "Error";
  const body = { statusCode, error, message, ...(errorCode !== undefined && { errorCode }), ...more.body };
  return new Refusal({ status: statusCode, body, ...(more.headers && { headers: more.headers }) }, message);
}

export function badRequest(message: string, errorCode?: string): Refusal {
  return refusal(400, message, errorCode);
}

export function conflict(message: string, errorCode: string): Refusal {
  return refusal(409, message, errorCode);
}

/** What the API cannot do for this user or connection; the code is recorded for one text and modelled for the others. */
export function operationNotSupported(message: string): Refusal {
  return badRequest(message, "operation_not_supported");
}

export function inexistentUser(): Refusal {
  return refusal(404, "The user does not exist.", "inexistent_user");
}

/** Text reported, errorCode from reports and the OpenAPI document. */
export function inexistentConnection(status: 400 | 404): Refusal {
  return refusal(status, "The connection does not exist.", "inexistent_connection");
}

export function unknownRoute(): Refusal {
  return refusal(404, "Not Found");
}

export function payloadTooLarge(maxBytes: number): Refusal {
  return refusal(413, `Payload content length greater than maximum allowed: ${String(maxBytes)}.`);
}

export function targetTooLong(): Refusal {
  return refusal(414, "Request-URI Too Large");
}

export function unsupportedMediaType(): Refusal {
  return refusal(415, "Unsupported Media Type");
}

/** The Authentication API's envelope, `{error, error_description}`. */
export function oauthRefusal(status: number, error: string, description: string): Refusal {
  return new Refusal({ status, body: { error, error_description: description } }, description);
}

/** What a bug of ours looks like from outside; the stack goes to the log only. */
export const INTERNAL_ERROR: Answer = refusal(500, "An internal server error occurred").answer;
