/** What the operator needs in order to reach tenants that objects declare. `auth0/` fulfils it. */
import type { TenantDomain } from "../core/ids.ts";
import type { TenantPlan } from "../core/tenant-plan.ts";
import type { EpochMs } from "../runtime/clock.ts";
import type { UserDirectory } from "./ports.ts";

/** How the program proves to the tenant who it is. */
export type Credentials =
  | { readonly kind: "client secret"; readonly clientId: string; readonly clientSecret: string }
  /** @param privateKey PEM; the client's assertion is signed with it, and it never leaves the process */
  | { readonly kind: "private key"; readonly clientId: string; readonly privateKey: string }
  /** A Management API token as it is, for trials and for people who mint it elsewhere. */
  | { readonly kind: "token"; readonly token: string };

/** What the tenant made of the credentials. */
export interface Access {
  /** `undefined`: the token does not say. */
  readonly scopes: readonly string[] | undefined;
  readonly expiresAtMs: EpochMs | undefined;
}

/** What people say of a tenant's rate limits; they are learned from its answers otherwise. */
export interface QuotaSettings {
  readonly plan?: TenantPlan | undefined;
  /** The part of them that is ours to use, above 0, at most 1. */
  readonly share?: number | undefined;
}

export interface TenantConnection {
  readonly directory: UserDirectory;
  /**
   * Proves that the credentials are good, those in use or new ones, which are then used from now on; the former stay in
   * use where the new ones are not. Those in use are in doubt where a call was refused with them: then a call proves them.
   * @throws DirectoryError
   */
  prove(credentials: Credentials | "in use" | "in doubt", signal: AbortSignal): Promise<Access>;
  /** What the present token allows; `undefined` while there is none. */
  readonly access: Access | undefined;
  /** Which of the tenant's domains mails and tickets name from now on. */
  nameDomain(customDomain: string | undefined): void;
  /** What is said of the tenant's limits from now on. */
  limit(quota: QuotaSettings): void;
  close(): void;
}

export type Admission =
  | { readonly kind: "admitted"; readonly domain: TenantDomain; connect(credentials: Credentials): TenantConnection }
  /** No call leaves, and no credential is read. */
  | { readonly kind: "refused"; readonly message: string };

export interface TenantConnections {
  /** Whether the installer allows tenant objects to name this domain. */
  admit(domain: string): Admission;
}
