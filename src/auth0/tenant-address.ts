/** Where a tenant is: the one place that knows how `AUTH0_DOMAIN` may be written. */
import { tenantDomain, type TenantDomain } from "../core/ids.ts";

export interface TenantAddress {
  /** What all of the tenant's state is keyed by: the host, with the port where it is not the scheme's own. */
  readonly domain: TenantDomain;
  /** `https://acme.eu.auth0.com`, without a slash at the end. */
  readonly origin: string;
  /** What a token is asked for: the Management API's identifier, with its slash (contract of POST /oauth/token). */
  readonly audience: string;
}

/**
 * A host with an optional port means https. `http://` is for a simulator on this machine or in this cluster.
 *
 * @throws Error that says what is wrong with `text`, without naming the setting it came from
 */
export function parseTenantAddress(text: string): TenantAddress {
  const url = parseUrl(text.includes("://") ? text : `https://${text}`);
  if (url === undefined || !["https:", "http:"].includes(url.protocol)) {
    throw new Error(`"${text}" is no domain: write it like acme.eu.auth0.com`);
  }
  if (url.username !== "" || url.password !== "") throw new Error("a domain must not carry a username or password");
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") {
    throw new Error(`"${text}" has more than a domain: write it like acme.eu.auth0.com`);
  }
  return { domain: tenantDomain(url.host), origin: url.origin, audience: `${url.origin}/api/v2/` };
}

function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
