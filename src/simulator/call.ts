/** A call on its way to a handler, and the rows that handlers stand in. */
import type { Answer, SimulatorRequest } from "./http.ts";
import type { Caller } from "./oauth/access-token.ts";
import type { EndpointBucket } from "./quota/plans.ts";
import type { Route } from "./router.ts";
import type { Tenant } from "./tenant.ts";

export interface Call {
  readonly tenant: Tenant;
  readonly request: SimulatorRequest;
  /** The segments that the path's `{names}` stand for, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
}

/** A call to the Management API, by a caller whose token allows it. */
export interface ApiCall extends Call {
  readonly caller: Caller;
}

export interface ApiEndpoint extends Route {
  readonly kind: "api";
  /** In the order of the refusal's text. */
  readonly scopes: readonly string[];
  /** How many of them allow the call. */
  readonly needs: "any" | "all";
  readonly bucket: EndpointBucket;
  readonly handle: (call: ApiCall) => Answer;
}

/** The Authentication API: no bearer token, its own limit. */
export interface AuthenticationEndpoint extends Route {
  readonly kind: "authentication";
  readonly handle: (call: Call) => Answer;
}

/** A row of the Management API; `path` stands under `/api/v2`. */
export function api(
  method: string,
  path: string,
  scopes: readonly string[],
  handle: ApiEndpoint["handle"],
  bucket: EndpointBucket = "other",
): ApiEndpoint {
  return { kind: "api", method, path: `/api/v2${path}`, scopes, needs: "any", bucket, handle };
}

/** The same for those that have every one of the scopes. */
export function withAllScopes(endpoint: ApiEndpoint): ApiEndpoint {
  return { ...endpoint, needs: "all" };
}
