/** One call, from its row to its answer: who calls, within which limits, with which scopes, and what the handler says. */
import type { ApiEndpoint, AuthenticationEndpoint, Call } from "./call.ts";
import type { Answer } from "./http.ts";
import { noteWrite } from "./logs/note-writes.ts";
import { authenticate, authorize } from "./oauth/bearer.ts";
import { rateLimitHeaders, retryAfterSeconds, type BucketName, type Verdict } from "./quota/quota.ts";
import { oauthRefusal, refusal, Refusal } from "./refusal.ts";
import type { Tenant } from "./tenant.ts";

/** @throws Refusal */
export function dispatch(endpoint: ApiEndpoint | AuthenticationEndpoint, call: Call): Answer {
  if (endpoint.kind === "authentication") return limited(call.tenant, "authentication", () => endpoint.handle(call));
  const caller = authenticate(call);
  return limited(call.tenant, endpoint.bucket, () => {
    authorize(caller, endpoint);
    const apiCall = { ...call, caller };
    const answer = endpoint.handle(apiCall);
    noteWrite(apiCall, endpoint, answer);
    return answer;
  });
}

/** Counts the call, and says so where Auth0 does: on 2xx and 429, on other 4xx only by switch (recorded as absent). */
function limited(tenant: Tenant, bucket: BucketName, serve: () => Answer): Answer {
  const verdict = tenant.quota.take(bucket);
  if (!verdict) return serve();
  const answer = verdict.allowed ? answerOf(serve) : tooManyRequests(tenant, bucket, verdict);
  const shown = answer.status < 300 || answer.status === 429 || tenant.switches.rateLimitHeadersOn4xx;
  return shown ? { ...answer, headers: { ...answer.headers, ...rateLimitHeaders(verdict, tenant.now()) } } : answer;
}

function answerOf(serve: () => Answer): Answer {
  try {
    return serve();
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    throw error;
  }
}

/** Bodies recorded for the Management API, reported for the Authentication API. */
function tooManyRequests({ switches }: Tenant, bucket: BucketName, verdict: Verdict): Answer {
  const message = `${verdict.limit} limit has been reached`;
  const { answer } =
    bucket === "authentication"
      ? oauthRefusal(429, "too_many_requests", message)
      : refusal(429, message, "too_many_requests");
  return switches.retryAfterOn429 ? { ...answer, headers: { "retry-after": retryAfterSeconds(verdict) } } : answer;
}
