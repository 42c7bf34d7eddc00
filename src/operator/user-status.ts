/** Outcome → status: pure, so that what people read can be tested line by line. */
import { MAX_PLANNED_CHANGES, MAX_SHOWN_LENGTH, type Auth0UserStatus } from "../api/auth0-user.ts";
import type { ConnectionName, TenantDomain } from "../core/ids.ts";
import type { JsonValue } from "../core/json.ts";
import { managedAfter, type AttributePath } from "../core/plan.ts";
import { findCondition, removeCondition, setCondition, type Condition } from "../kubernetes/conditions.ts";
import { formatTime } from "../kubernetes/timestamps.ts";
import { isBroughtAbout, type Outcome, type Verdict } from "../reconcile/outcome.ts";
import type { PasswordDeclaration } from "../reconcile/password.ts";
import type { Reason } from "../reconcile/reasons.ts";
import type { PlannedChange, ReviewedPlan } from "../reconcile/review.ts";
import type { EpochMs } from "../runtime/clock.ts";

/** What the status speaks of. */
export interface StatusContext {
  readonly generation: number;
  readonly nowMs: EpochMs;
}

/** What was declared when the outcome came about. */
export interface Declared {
  readonly connection: ConnectionName;
  readonly tenantDomain: TenantDomain;
  readonly managed: readonly AttributePath[];
  readonly removed: readonly AttributePath[];
  readonly password: PasswordDeclaration;
  readonly reconcileRequestedAt: string | undefined;
  /** Whether the resource was restored from a backup without its status: its spec was brought about in a former life. */
  readonly isRestored: boolean;
  /** The actions that are asked for. */
  readonly actions: string | undefined;
}

/** The status after a pass. It equals `before` where the pass found and did nothing. */
export function statusAfter(
  before: Auth0UserStatus,
  outcome: Outcome,
  facts: Declared,
  context: StatusContext,
): Auth0UserStatus {
  const { verdict, user } = outcome;
  const isOther = before.userId !== undefined && user !== undefined && user.userId !== before.userId;
  const previous = isOther ? withoutPassword(before) : before;
  const declared = isOther ? { ...facts, password: ofAnother(facts.password) } : facts;
  const isDone = isBroughtAbout(verdict);
  const status = {
    ...previous,
    observedGeneration: context.generation,
    conditions: conditionsAfter(previous.conditions ?? [], outcome, declared, context),
    ...(user !== undefined && {
      userId: user.userId,
      createdByOperator: user.provenance === "created",
      connection: declared.connection,
      tenantDomain: declared.tenantDomain,
    }),
    ...(user !== undefined && declared.isRestored && asRestored(previous, declared, context)),
    // Of a user that is made anew nothing is brought about, whatever was of its predecessor.
    ...(outcome.isCreationBegun && { syncedGeneration: undefined }),
    ...(isDone && {
      syncedGeneration: context.generation,
      removedAttributes: declared.removed,
    }),
    managedAttributes: isDone
      ? managedAfter(previous.managedAttributes ?? [], declared.managed, outcome.pending)
      : managedSoFar(previous, outcome, declared),
    assigned: outcome.assigned,
    driftedAttributes: outcome.reported,
    notWritableAttributes: outcome.notWritable,
    pendingAttributes: outcome.pending,
    ...(isNewDrift(previous, outcome) && { lastDriftTime: formatTime(context.nowMs) }),
    ...(declared.reconcileRequestedAt !== undefined && { lastHandledReconcileAt: declared.reconcileRequestedAt }),
  };
  return withoutEmpty({
    ...status,
    missingSince: outcome.memory.goneSinceMs === undefined ? undefined : formatTime(outcome.memory.goneSinceMs),
    plannedChanges: outcome.review && plannedChangesFrom(outcome.review),
    passwordVersion: passwordVersionAfter(previous, outcome, declared),
  });
}

/** What a pass found and did, and not what it came to: people are not told of that yet. */
export function withoutNews(next: Auth0UserStatus, before: Auth0UserStatus): Auth0UserStatus {
  const { conditions, observedGeneration, lastHandledReconcileAt } = before;
  return withoutEmpty({ ...next, conditions, observedGeneration, lastHandledReconcileAt });
}

/** Of actions nobody knows any more whether they were done: begun is what they are called, and so never done. */
function asRestored(
  { syncedGeneration, actions }: Auth0UserStatus,
  { actions: request }: Declared,
  { generation, nowMs }: StatusContext,
): Auth0UserStatus {
  const begun = request === undefined ? undefined : { request, startedAt: formatTime(nowMs) };
  return withoutEmpty({ syncedGeneration: syncedGeneration ?? generation, actions: actions ?? begun });
}

/** What was sent was sent to another user than the one that is meant now. */
function withoutPassword(status: Auth0UserStatus): Auth0UserStatus {
  const conditions = removeCondition(status.conditions ?? [], "PasswordSynced");
  return withoutEmpty({ ...status, conditions, passwordVersion: undefined });
}

function ofAnother(password: PasswordDeclaration): PasswordDeclaration {
  return password.kind === "given" && password.standing === "same" ? { ...password, standing: "changed" } : password;
}

/** The status of a resource whose turn ended before Auth0 was asked: invalid, suspended, being deleted. */
export function statusWith(
  previous: Auth0UserStatus,
  verdict: Exclude<Verdict, { kind: "undecided" }>,
  { generation, nowMs }: StatusContext,
): Auth0UserStatus {
  const conditions = summarise(previous.conditions ?? [], verdict, { generation, nowMs });
  return withoutEmpty({ ...previous, plannedChanges: undefined, observedGeneration: generation, conditions });
}

/** Ready keeps its status, so that nothing that waits for it is woken by a pause. */
export function statusSuspended(previous: Auth0UserStatus, { generation, nowMs }: StatusContext): Auth0UserStatus {
  const standing = findCondition(previous.conditions ?? [], "Ready");
  const ready = {
    type: "Ready",
    status: standing?.status ?? "Unknown",
    reason: "Suspended",
    message: "spec.suspend is true: nothing is read from or written to Auth0",
    observedGeneration: generation,
  } as const;
  const settled = removeCondition(removeCondition(previous.conditions ?? [], "Reconciling"), "Stalled");
  return withoutEmpty({ ...previous, observedGeneration: generation, conditions: setCondition(settled, ready, nowMs) });
}

function conditionsAfter(
  conditions: readonly Condition[],
  outcome: Outcome,
  declared: Declared,
  { generation, nowMs }: StatusContext,
): readonly Condition[] {
  let next =
    outcome.verdict.kind === "undecided" ? conditions : summarise(conditions, outcome.verdict, { generation, nowMs });
  const password = passwordCondition(next, outcome, declared.password);
  next =
    password === undefined
      ? removeCondition(next, "PasswordSynced")
      : setCondition(next, { ...password, type: "PasswordSynced", observedGeneration: generation }, nowMs);
  if (outcome.reported.length === 0) return removeCondition(next, "DriftDetected");
  const message = `differs at Auth0 and is left alone: ${outcome.reported.join(", ")}`;
  return setCondition(
    next,
    { type: "DriftDetected", status: "True", reason: "DriftDetected", message, observedGeneration: generation },
    nowMs,
  );
}

/** Ready and Synced, and kstatus' Reconciling or Stalled while they are true. */
function summarise(
  conditions: readonly Condition[],
  verdict: Exclude<Verdict, { kind: "undecided" }>,
  { generation, nowMs }: StatusContext,
): readonly Condition[] {
  if (verdict.kind === "ready") {
    const settled = removeCondition(removeCondition(conditions, "Reconciling"), "Stalled");
    return both(settled, "True", standingReason(conditions, verdict), generation, nowMs);
  }
  const { reason, message, remedy } = verdict;
  const [present, absent] = remedy.kind === "stall" ? ["Stalled", "Reconciling"] : ["Reconciling", "Stalled"];
  const summarised = both(removeCondition(conditions, absent ?? ""), "False", { reason, message }, generation, nowMs);
  return setCondition(
    summarised,
    { type: present ?? "", status: "True", reason, message, observedGeneration: generation },
    nowMs,
  );
}

/** A pass that did nothing leaves the reason that stands, so that it writes nothing. */
function standingReason(
  conditions: readonly Condition[],
  { reason, message }: Extract<Verdict, { kind: "ready" }>,
): { reason: string; message: string } {
  const standing = findCondition(conditions, "Ready");
  if (reason === undefined && standing?.status === "True" && standing.reason !== "Suspended") return standing;
  return { reason: reason ?? "InSync", message };
}

function both(
  conditions: readonly Condition[],
  status: "True" | "False",
  { reason, message }: { readonly reason: string; readonly message: string },
  observedGeneration: number,
  nowMs: EpochMs,
): readonly Condition[] {
  const ready = setCondition(conditions, { type: "Ready", status, reason, message, observedGeneration }, nowMs);
  return setCondition(ready, { type: "Synced", status, reason, message, observedGeneration }, nowMs);
}

type PasswordCondition = Pick<Condition, "status" | "message"> & { readonly reason: Reason };

function passwordCondition(
  conditions: readonly Condition[],
  { isPasswordSent, passwordFailure }: Outcome,
  password: PasswordDeclaration,
): PasswordCondition | Condition | undefined {
  if (password.kind === "unmanaged") return undefined;
  if (password.kind === "missing") return { status: "False", reason: password.reason, message: password.message };
  if (passwordFailure !== undefined) return { status: "False", ...passwordFailure };
  if (isPasswordSent)
    return { status: "True", reason: "PasswordSet", message: "the Secret's password was sent to Auth0" };
  if (password.kind === "unneeded" || password.standing === "left") {
    return {
      status: "True",
      reason: "PasswordLeft",
      message: "the password is set at creation only, and left to the person since",
    };
  }
  if (password.standing === "unknown") {
    return {
      status: "Unknown",
      reason: "PasswordNotVerified",
      message:
        "it is not known whether Auth0 has the Secret's password, and it was not sent again: change it to have it sent",
    };
  }
  const standing = findCondition(conditions, "PasswordSynced");
  if (standing?.status === "Unknown") return standing;
  if (password.standing === "changed") {
    return standing ?? { status: "False", reason: "PasswordNotVerified", message: "the password is still to be sent" };
  }
  return { status: "True", reason: "PasswordSet", message: "the Secret's password was sent to Auth0" };
}

function passwordVersionAfter(
  previous: Auth0UserStatus,
  { isPasswordSent }: Outcome,
  { password }: Declared,
): string | undefined {
  if (password.kind === "unmanaged") return undefined;
  const isNoted = password.kind === "given" && (isPasswordSent || password.standing === "unknown");
  return isNoted ? password.version : previous.passwordVersion;
}

/** A pass that failed half-way may have set some of what is declared: that is looked after from now on. */
function managedSoFar(
  { managedAttributes = [] }: Auth0UserStatus,
  { isCreated, changed }: Outcome,
  { managed }: Declared,
): readonly string[] {
  const written = isCreated ? managed : changed.filter((path) => managed.includes(path));
  return [...managedAttributes, ...written.filter((path) => !managedAttributes.includes(path))];
}

function plannedChangesFrom({ userId, hash, changes }: ReviewedPlan): Auth0UserStatus["plannedChanges"] {
  const total = changes.length;
  return {
    userId,
    ...(hash !== undefined && { hash }),
    total,
    changes: changes.slice(0, MAX_PLANNED_CHANGES).map(shown),
  };
}

function shown({ field, change, from, to, isShown }: PlannedChange): ShownChange {
  return {
    field,
    change,
    ...(isShown && from !== undefined && { from: textOf(from) }),
    ...(isShown && to !== undefined && { to: textOf(to) }),
  };
}

type ShownChange = NonNullable<NonNullable<Auth0UserStatus["plannedChanges"]>["changes"]>[number];

function textOf(value: JsonValue): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > MAX_SHOWN_LENGTH ? `${text.slice(0, MAX_SHOWN_LENGTH - 1)}…` : text;
}

function isNewDrift(previous: Auth0UserStatus, { isDrift, reported }: Outcome): boolean {
  const known = previous.driftedAttributes ?? [];
  return isDrift || reported.some((path) => !known.includes(path));
}

/** Fields that say nothing are not written. */
function withoutEmpty(status: {
  readonly [K in keyof Auth0UserStatus]: Auth0UserStatus[K] | undefined;
}): Auth0UserStatus {
  return Object.fromEntries(
    Object.entries(status).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)),
  );
}
