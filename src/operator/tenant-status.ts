/** What a tenant object says of itself: pure, so that what people read can be tested line by line. */
import type { Auth0TenantStatus } from "../api/auth0-tenant.ts";
import { removeCondition, setCondition } from "../kubernetes/conditions.ts";
import { formatTime } from "../kubernetes/timestamps.ts";
import type { Reason } from "../reconcile/reasons.ts";
import type { Access } from "../reconcile/tenant-connections.ts";
import type { EpochMs } from "../runtime/clock.ts";

export interface TenantFinding {
  readonly isReady: boolean;
  readonly reason: Reason;
  readonly message: string;
  /** Whether the operator goes on trying by itself. */
  readonly isTransient: boolean;
  /** `undefined`: not known, and what the status says of it stands. */
  readonly access: Access | undefined;
}

/** Scope → what it is good for, in the order in which people read it. */
const POWERS: readonly (readonly [scope: string, words: string])[] = [
  ["create:users", "create users"],
  ["read:users", "read users"],
  ["update:users", "update users"],
  ["delete:users", "delete users"],
  ["read:connections", "see what a connection asks for before a call"],
];
/** Without it nothing can be compared, and so nothing is done. */
export const LEAST_SCOPE = "read:users";

export function tenantStatusAfter(
  previous: Auth0TenantStatus,
  {
    isReady,
    reason,
    message,
    isTransient,
    access,
    pauses,
  }: TenantFinding & {
    /** What the breaker has stopped, in words. */
    readonly pauses: readonly string[];
  },
  userReasons: ReadonlyMap<string, number>,
  { generation, nowMs }: { readonly generation: number; readonly nowMs: EpochMs },
): Auth0TenantStatus {
  const observedGeneration = generation;
  let conditions = setCondition(
    previous.conditions ?? [],
    { type: "Ready", status: isReady ? "True" : "False", reason, message, observedGeneration },
    nowMs,
  );
  const paused = { type: "DeletionPaused", status: "True", reason: "DeletionPaused", observedGeneration } as const;
  conditions =
    pauses.length === 0
      ? removeCondition(conditions, "DeletionPaused")
      : setCondition(conditions, { ...paused, message: pauses.join("; ") }, nowMs);
  for (const [type, holds] of [
    ["Reconciling", !isReady && isTransient],
    ["Stalled", !isReady && !isTransient],
  ] as const) {
    conditions = holds
      ? setCondition(conditions, { type, status: "True", reason, message, observedGeneration }, nowMs)
      : removeCondition(conditions, type);
  }
  const words = access === undefined ? previous : withAccess(previous, access);
  return { ...words, observedGeneration, conditions, users: usersOf(userReasons) };
}

/** What present credentials do not tell is not said of them, whatever former ones told. */
function withAccess(previous: Auth0TenantStatus, { scopes, expiresAtMs }: Access): Auth0TenantStatus {
  const { scopes: _scopes, can: _can, cannot: _cannot, tokenExpiresAt: _tokenExpiresAt, ...rest } = previous;
  return {
    ...rest,
    ...(scopes !== undefined && { scopes: scopes.toSorted(), ...powersOf(scopes) }),
    ...(expiresAtMs !== undefined && { tokenExpiresAt: formatTime(expiresAtMs) }),
  };
}

function powersOf(scopes: readonly string[]): Pick<Auth0TenantStatus, "can" | "cannot"> {
  const can = POWERS.filter(([scope]) => scopes.includes(scope)).map(([, words]) => words);
  const cannot = POWERS.filter(([scope]) => !scopes.includes(scope)).map(([scope, words]) => `${words} (${scope})`);
  return { can: can.join(", "), cannot: cannot.join(", ") };
}

function usersOf(reasons: ReadonlyMap<string, number>): NonNullable<Auth0TenantStatus["users"]> {
  const counted = [...reasons].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([reason, count]) => ({ reason, count }));
  const total = counted.reduce((sum, { count }) => sum + count, 0);
  const ready = counted.reduce((sum, { reason, count }) => sum + (READY_REASONS.has(reason) ? count : 0), 0);
  return { total, ready: `${String(ready)}/${String(total)}`, reasons: counted };
}

/** The reasons with which a user's Ready is True. */
const READY_REASONS: ReadonlySet<string> = new Set<Reason>([
  "Created",
  "Adopted",
  "Recreated",
  "Updated",
  "DriftCorrected",
  "InSync",
]);
