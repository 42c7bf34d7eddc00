/** The plans of Auth0 that differ in what their tenants may be asked, as a tenant object names them. */
export const TENANT_PLANS = [
  "Free",
  "SelfService",
  "Enterprise",
  "EnterpriseNonProduction",
  "PrivateCloud100",
  "PrivateCloud500",
  "PrivateCloudDevelopment",
] as const;

export type TenantPlan = (typeof TENANT_PLANS)[number];
