/**
 * How fast the buckets of Auth0's plans fill, by their size, which is all that an answer says of its bucket (rate limit
 * policy, August 2026). Where two of a plan have one size the slower counts, unless it is one that nobody here calls.
 */
import type { TenantPlan } from "../core/tenant-plan.ts";

const MEMBERS = { 40: 500, 20: 200 };

/** Size of the bucket → calls a minute that flow in. */
const INFLOWS: Readonly<Record<TenantPlan, Readonly<Record<number, number>>>> = {
  Free: { 2: 120 },
  SelfService: { ...MEMBERS, 10: 150, 5: 50 },
  Enterprise: { ...MEMBERS, 50: 960 },
  EnterpriseNonProduction: { ...MEMBERS, 10: 120 },
  PrivateCloud100: { ...MEMBERS, 50: 3_000 },
  PrivateCloud500: { ...MEMBERS, 250: 15_000 },
  PrivateCloudDevelopment: MEMBERS,
};

/** `undefined`: the plan says nothing of such a bucket, and its answers have to show it. */
export function findInflowPerMs(plan: TenantPlan | undefined, limit: number): number | undefined {
  const perMinute = plan && INFLOWS[plan][limit];
  return perMinute === undefined ? undefined : perMinute / 60_000;
}
