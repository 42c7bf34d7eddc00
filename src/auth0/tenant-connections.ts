/** Ways to tenants, for the objects that declare them. What belongs to a tenant is kept by its domain, however many name it. */
import type { TenantDomain } from "../core/ids.ts";
import type { Admission, Credentials, TenantConnection, TenantConnections } from "../reconcile/tenant-connections.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Random } from "../runtime/random.ts";
import type { AllowedDomains } from "./allowed-domains.ts";
import { Auth0UserDirectory } from "./auth0-user-directory.ts";
import type { TenantCalls } from "./http.ts";
import { ManagementApi } from "./management-api.ts";
import type { Auth0Metrics } from "./metrics.ts";
import { Quota } from "./quota.ts";
import type { TenantAddress } from "./tenant-address.ts";

export interface TenantConnectionsOptions {
  readonly allowed: AllowedDomains;
  readonly clock: Clock;
  readonly metrics: Auth0Metrics;
  readonly userAgent: string;
  /** Of which the proxy variables are heeded. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Another way to tenants than over the network. */
  readonly openHttp?: (origin: string) => TenantCalls;
  readonly random?: Random;
}

export class Auth0TenantConnections implements TenantConnections {
  readonly #options: TenantConnectionsOptions;
  readonly #quotas: Map<TenantDomain, Quota>;

  /** @param quotas those of tenants that are reached already; a tenant has one, whoever calls */
  constructor(options: TenantConnectionsOptions, quotas: ReadonlyMap<TenantDomain, Quota>) {
    this.#options = options;
    this.#quotas = new Map(quotas);
  }

  admit(domain: string): Admission {
    const address = this.#options.allowed.find(domain);
    if (address === undefined) {
      const message = `${domain} is not allowed: whoever installed the operator allows domains of tenant objects by --allowed-tenant-domains`;
      return { kind: "refused", message };
    }
    return {
      kind: "admitted",
      domain: address.domain,
      connect: (credentials) => this.#connect(address, credentials),
    };
  }

  #connect(address: TenantAddress, credentials: Credentials): TenantConnection {
    const { openHttp, ...shared } = this.#options;
    const quota = this.#quotas.get(address.domain) ?? new Quota(shared.clock);
    this.#quotas.set(address.domain, quota);
    const api = new ManagementApi({ ...shared, address, credentials, quota, http: openHttp?.(address.origin) });
    const directory = new Auth0UserDirectory(api);
    return {
      directory,
      get access() {
        return api.access;
      },
      nameDomain: (customDomain) => {
        api.customDomain = customDomain;
      },
      limit: (settings) => {
        quota.configure(api, settings);
      },
      prove: (proven, signal) => api.prove(proven, signal),
      close: () => {
        quota.configure(api, undefined);
        api.close();
      },
    };
  }
}
