/** What becomes of a call: its answer, or what a mishap makes of it. */
import type { Answer } from "../http.ts";
import { refusal } from "../refusal.ts";
import type { Tenant } from "../tenant.ts";
import type { Mishap } from "./fault-plan.ts";

export type Outcome =
  | { readonly kind: "answered"; readonly answer: Answer }
  /** The connection is reset instead of an answer. */
  | { readonly kind: "reset" }
  /** The connection ends after half of the body. */
  | { readonly kind: "truncated"; readonly answer: Answer }
  /** The second half of the body comes later. */
  | { readonly kind: "slow"; readonly answer: Answer; readonly pauseMs: number };

/** @param serve does the work; called once, or not at all where the mishap comes before it */
export function outcomeOf(mishap: Mishap | undefined, serve: () => Answer, tenant: Tenant): Outcome {
  switch (mishap?.kind) {
    case undefined:
      return { kind: "answered", answer: serve() };
    case "status":
      if (mishap.workDone) serve();
      return { kind: "answered", answer: failure(mishap.status, tenant) };
    case "reset-before":
      return { kind: "reset" };
    case "reset-after":
      serve();
      return { kind: "reset" };
    case "truncate":
      return { kind: "truncated", answer: serve() };
    case "slow-body":
      return { kind: "slow", answer: serve(), pauseMs: mishap.ms };
    default:
      return mishap satisfies never;
  }
}

/** Statuses that come from proxies in front of the API, as a page and not as JSON. */
const PROXY_STATUSES: Readonly<Record<number, string>> = {
  502: "Bad Gateway",
  503: "Service Temporarily Unavailable",
  504: "Gateway Time-out",
  520: "Web server is returning an unknown error",
  522: "Connection timed out",
  524: "A timeout occurred",
};

function failure(status: number, tenant: Tenant): Answer {
  const title = PROXY_STATUSES[status];
  if (title !== undefined) {
    const heading = `${String(status)} ${title}`;
    return { status, html: `<html><head><title>${heading}</title></head><body><h1>${heading}</h1></body></html>\n` };
  }
  if (status === 429) return tooManyRequests(tenant);
  return refusal(status, status < 500 ? "Injected by a fault plan" : "An internal server error occurred").answer;
}

/** As if others had emptied the bucket, which will be full in a second. */
function tooManyRequests(tenant: Tenant): Answer {
  const headers = {
    "x-ratelimit-limit": "10",
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": String(Math.ceil(tenant.now() / 1000) + 1),
    ...(tenant.switches.retryAfterOn429 && { "retry-after": "1" }),
  };
  return refusal(429, "Global limit has been reached", "too_many_requests", { headers }).answer;
}
