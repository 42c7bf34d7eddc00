/** What the API server, or the way to it, refuses: one class, a closed code, and what should be done about it. */
import type { EpochMs } from "../runtime/clock.ts";
import { isJsonObject, type JsonObject } from "../runtime/json.ts";
import type { Remedy } from "../runtime/remedy.ts";

export type ApiErrorCode =
  /** The request itself is wrong, whoever sends it: a bug, or a server too old for it. */
  | "bad_request"
  | "unauthorized"
  | "forbidden"
  | "not_found"
  | "already_exists"
  /** The precondition of a write does not hold any more: somebody else wrote. */
  | "conflict"
  /** The resource version or `continue` token is too old to go on from. */
  | "gone"
  | "invalid"
  | "too_large"
  | "too_many_requests"
  /** No answer in time. The request may have been carried out. */
  | "timeout"
  /** No answer at all, or one that says the server can't now. The request may have been carried out. */
  | "unavailable"
  /** An answer that is not what the API promises. */
  | "malformed";

export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ApiErrorCode;
  readonly remedy: Remedy;

  constructor(code: ApiErrorCode, message: string, remedy: Remedy, options?: ErrorOptions) {
    super(`[${code}] ${message}`, options);
    this.code = code;
    this.remedy = remedy;
  }
}

export function isApiError(error: unknown, ...codes: readonly ApiErrorCode[]): error is ApiError {
  return error instanceof ApiError && codes.includes(error.code);
}

export interface Refusal {
  /** What was being done to what: `patch /api/v1/…`. */
  readonly doing: string;
  readonly httpStatus: number;
  /** The `Status` object that the server sent; undefined where a proxy answered, or nobody. */
  readonly status: JsonObject | undefined;
  /** The `Retry-After` header as it came. */
  readonly retryAfter: string | undefined;
  /** Keeps the server's own words out of the message: they may quote the object that was sent. */
  readonly confidential: boolean;
  readonly now: EpochMs;
}

/** API servers name seconds. Whatever stands before one must not put us to sleep for days. */
const MAX_RETRY_AFTER_S = 300;

/** The error for an answer that is no success. `Retry-After` decides the wait wherever the server names one. */
export function apiErrorFromRefusal({ doing, httpStatus, status, retryAfter, confidential, now }: Refusal): ApiError {
  const reason = typeof status?.["reason"] === "string" ? status["reason"] : undefined;
  const words = typeof status?.["message"] === "string" && !confidential ? status["message"] : reason;
  const code = codeOf(httpStatus, reason);
  return new ApiError(
    code,
    `${doing}: ${words ?? `HTTP status ${String(httpStatus)}`}`,
    remedyOf(code, retryAfterSeconds(retryAfter, status), now),
  );
}

/** `reason` tells apart what shares a status; https://kubernetes.io/docs/reference/using-api/api-concepts/ has the list. */
function codeOf(httpStatus: number, reason: string | undefined): ApiErrorCode {
  switch (httpStatus) {
    case 401:
      return "unauthorized";
    case 403:
      return "forbidden";
    case 404:
      return "not_found";
    case 408:
    case 504:
      return "timeout";
    case 409:
      return reason === "AlreadyExists" ? "already_exists" : "conflict";
    case 410:
      return "gone";
    case 413:
      return "too_large";
    case 422:
      return "invalid";
    case 429:
      return "too_many_requests";
    default:
      // A redirection is nothing that an API server answers: something else is in the way.
      return httpStatus >= 400 && httpStatus < 500 ? "bad_request" : "unavailable";
  }
}

/** What is wrong with the request itself will mostly be so when it is sent again. */
function remedyOf(code: ApiErrorCode, waitSeconds: number | undefined, now: EpochMs): Remedy {
  if (waitSeconds !== undefined) return { kind: "wait", untilMs: now + waitSeconds * 1000 };
  return code === "bad_request" || code === "invalid" || code === "too_large" ? { kind: "stall" } : { kind: "backoff" };
}

function retryAfterSeconds(header: string | undefined, status: JsonObject | undefined): number | undefined {
  const details = status?.["details"];
  const seconds = header ?? (isJsonObject(details) ? details["retryAfterSeconds"] : undefined);
  return /^\d{1,6}$/.test(String(seconds)) && Number(seconds) > 0
    ? Math.min(Number(seconds), MAX_RETRY_AFTER_S)
    : undefined;
}
