/** Who calls the Management API: the checks of the `Authorization` header, in the order and words of hapi's bearer scheme. */
import type { ApiEndpoint, Call } from "../call.ts";
import { findHeader } from "../http.ts";
import { badRequest, refusal, type Refusal } from "../refusal.ts";
import { checkAccessToken, type Caller } from "./access-token.ts";

/** @throws Refusal 400 or 401 (bodies recorded for a missing and a malformed header, documented for the others) */
export function authenticate({ tenant, request }: Call): Caller {
  const header = findHeader(request, "authorization");
  if (header === undefined || header === "") throw missingAuthentication();
  const [scheme = "", token, ...others] = header.split(/\s+/);
  if (token === undefined || others.length > 0) throw malformedHeader();
  if (scheme.toLowerCase() !== "bearer") throw missingAuthentication();
  if (token.split(".").length !== 3) throw malformedHeader();
  const check = checkAccessToken(token, tenant.domainOf(request), tenant.clients, tenant.now());
  if (check.kind === "valid") return check.caller;
  throw invalidToken(REASONS[check.kind]);
}

const REASONS = {
  expired: "Expired token received for JSON Web Token validation",
  badSignature: "Invalid signature received for JSON Web Token validation",
  wrongIssuer: "Invalid token",
};

function missingAuthentication(): Refusal {
  return refusal(401, "Missing authentication", undefined, { headers: { "www-authenticate": "Bearer" } });
}

function malformedHeader(): Refusal {
  return badRequest("Bad HTTP authentication header format", "Bearer");
}

function invalidToken(message: string): Refusal {
  return refusal(401, message, undefined, {
    body: { attributes: { error: message } },
    headers: { "www-authenticate": `Bearer error="${message}"` },
  });
}

/** @throws Refusal 403 when the caller has not the scopes (text recorded for "any", modelled on it for "all") */
export function authorize(caller: Caller, { scopes, needs }: Pick<ApiEndpoint, "scopes" | "needs">): void {
  const isHeld = (scope: string): boolean => caller.scopes.has(scope);
  if (needs === "any" ? scopes.some(isHeld) : scopes.every(isHeld)) return;
  throw refusal(403, `Insufficient scope, expected ${needs} of: ${scopes.join(",")}`, "insufficient_scope");
}
