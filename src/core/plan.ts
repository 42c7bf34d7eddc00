/**
 * What should change: desired and observed in, a plan out. Values only; no clock, no network, no log. The operator
 * applies what this function says, and a person who asks for the plan is shown the same value.
 */
import { ASSIGNMENT_KINDS, type AssignmentKind } from "./assignments.ts";
import type { DesiredUser, RootAttributeName, Upkeep } from "./desired-user.ts";
import { ROOT_FIELDS, type RootField, type RootValue } from "./fields.ts";
import { isSameJson, type JsonValue } from "./json.ts";
import type { ObservedUser } from "./observed-user.ts";
import { splitIntoPatches } from "./split.ts";
import type { UserPatch } from "./writes.ts";

export type MetadataKind = "userMetadata" | "appMetadata";
export const METADATA_KINDS: readonly MetadataKind[] = ["userMetadata", "appMetadata"];

/** What is managed, by its name in the manifest: metadata by first-level key, what a user is given by its kind. */
export type AttributePath = RootAttributeName | `${MetadataKind}.${string}` | AssignmentKind;

/** Whether `name`, as a status keeps it, is that of an attribute. */
export function isAttributePath(name: string): name is AttributePath {
  return (
    ROOT_FIELDS.some((field) => field.name === name) ||
    METADATA_KINDS.some((kind) => name.startsWith(`${kind}.`)) ||
    ASSIGNMENT_KINDS.some((kind) => name === kind)
  );
}

/** One attribute that differs. `from: undefined` is absent at Auth0, `to: null` is to be removed. */
export type Change = RootChange | MetadataChange;

export interface RootChange {
  readonly kind: "root";
  readonly path: RootAttributeName;
  readonly field: RootField;
  readonly from: RootValue | undefined;
  readonly to: RootValue | null;
}

export interface MetadataChange {
  readonly kind: MetadataKind;
  readonly path: `${MetadataKind}.${string}`;
  readonly key: string;
  readonly from: JsonValue | undefined;
  readonly to: JsonValue;
}

/** What Auth0 showed after it was asked for something else: asked again, it would show the same, so it is left there. */
export interface Settled {
  readonly asked: JsonValue;
  readonly shown: JsonValue | undefined;
}

/** What earlier passes know, without which the same two values would mean something else. */
export interface PlanHistory {
  /** Whether the spec was changed since it was last brought about: one-way flags are applied then, and only then. */
  readonly isNewSpec: boolean;
  /** Whether the user is still being created: what is set at creation only is set now. */
  readonly isInitial: boolean;
  /** Drift that was found and left alone. */
  readonly reported: ReadonlySet<AttributePath>;
  /** Attributes whose removal was brought about: what Auth0 derives in their place is no drift. */
  readonly removed: ReadonlySet<AttributePath>;
  readonly settled: ReadonlyMap<AttributePath, Settled>;
  /** What could not be brought about yet, though the rest of the spec was: it counts as new still. */
  readonly pending: ReadonlySet<AttributePath>;
  /** Attributes that Auth0 refused to change under this spec: not tried again. */
  readonly notWritable: ReadonlySet<AttributePath>;
}

export interface UpdatePlan {
  /** What is to be done, in the order of the table of fields. */
  readonly changes: readonly Change[];
  /** The same as calls: one, unless Auth0 refuses to take some of the changes together. Empty: in sync. */
  readonly patches: readonly UserPatch[];
  /** What differs and is reported only. */
  readonly reported: readonly AttributePath[];
}

/**
 * The smallest set of writes after which `observed` is as `desired`. Attributes that `desired` does not mention are
 * neither compared nor sent. A user in sync gives an empty plan.
 *
 * @param password to be set with this update, where its content changed
 */
export function planUpdate(
  desired: DesiredUser,
  observed: ObservedUser,
  history: PlanHistory,
  password?: string,
): UpdatePlan {
  const changes: Change[] = [];
  const reported: AttributePath[] = [];
  for (const field of ROOT_FIELDS) {
    const change = rootChange(field, desired, observed, history);
    if (change === undefined) continue;
    if (isLeftToPeople(change, desired.upkeep, history)) reported.push(field.name);
    else changes.push(change);
  }
  for (const kind of METADATA_KINDS) {
    for (const change of metadataChanges(kind, desired, observed, history)) {
      if (isOnlyDetected(change.path, desired.upkeep, history)) reported.push(change.path);
      else changes.push(change);
    }
  }
  return { changes, patches: splitIntoPatches(changes, desired, observed, password), reported };
}

/** Every attribute that `desired` looks after, in the order of the table of fields. */
export function managedAttributes(desired: DesiredUser): AttributePath[] {
  const paths = managedValues(desired).map(([path]) => path);
  const { initOnly } = desired.upkeep;
  return initOnly.size === 0 ? paths : paths.filter((path) => !initOnly.has(path));
}

/** What is looked after once a spec was brought about: what left it and could not be removed yet still is. */
export function managedAfter(
  before: readonly string[],
  managed: readonly string[],
  pending: readonly string[],
): readonly string[] {
  return [...managed, ...before.filter((path) => pending.includes(path) && !managed.includes(path))];
}

/** The managed attributes that are to be absent, which of a flag that can be removed is the same as false. */
export function removedAttributes(desired: DesiredUser): AttributePath[] {
  return managedValues(desired).flatMap(([path, value]) =>
    value === null || (value === false && isFlag(path)) ? [path] : [],
  );
}

function isFlag(path: AttributePath): boolean {
  return ROOT_FIELDS.some(({ name, removal }) => name === path && removal === "false");
}

/** What the answer to a patch shows of its changes where they were to bring about something else. */
export function unmetChanges(
  changes: readonly Change[],
  patch: UserPatch,
  answer: ObservedUser,
): Map<AttributePath, Settled> {
  const unmet = new Map<AttributePath, Settled>();
  for (const change of changes) {
    // What another patch changed may have been changed again by somebody else since.
    if (!isSentBy(patch, change)) continue;
    const shown = change.kind === "root" ? answer.attributes[change.path] : answer[change.kind][change.key];
    if (!isMet(change, shown, answer)) unmet.set(change.path, { asked: change.to, shown });
  }
  return unmet;
}

export function isSentBy(patch: UserPatch, change: Change): boolean {
  return change.kind === "root"
    ? Object.hasOwn(patch.attributes, change.path)
    : Object.hasOwn(patch[change.kind], change.key);
}

function managedValues(desired: DesiredUser): [AttributePath, JsonValue][] {
  const values: [AttributePath, JsonValue][] = [];
  for (const { name } of ROOT_FIELDS) {
    const value = desired.attributes[name];
    if (value !== undefined) values.push([name, value]);
  }
  for (const kind of METADATA_KINDS) {
    for (const [key, value] of Object.entries(desired[kind])) values.push([`${kind}.${key}`, value]);
  }
  return values;
}

function rootChange(
  field: RootField,
  desired: DesiredUser,
  observed: ObservedUser,
  history: PlanHistory,
): RootChange | undefined {
  const declared = desired.attributes[field.name];
  if (declared === undefined || isLeftAlone(field.name, desired.upkeep, history)) return undefined;
  const to: RootValue | null = declared === null && field.removal === "false" ? false : declared;
  const from = observed.attributes[field.name];
  const change = { kind: "root", path: field.name, field, from, to } as const;
  if (isMet(change, from, observed) || isSettled(history.settled.get(field.name), to, from)) return undefined;
  const isReplacedByDefault = to === null && from !== undefined && field.isDerived(from, observed);
  const isRemoved = history.removed.has(field.name) && !history.pending.has(field.name);
  return isReplacedByDefault && isRemoved ? undefined : change;
}

function isMet(change: Change, shown: JsonValue | undefined, user: ObservedUser): boolean {
  if (change.to === null || shown === undefined) return change.to === null && shown === undefined;
  if (change.kind !== "root" || typeof shown === "object" || typeof shown === "number")
    return isSameJson(change.to, shown);
  return shown !== null && change.field.normalise(change.to, user) === change.field.normalise(shown, user);
}

/**
 * A one-way flag is lowered with a new spec only, and not even then where its rise had already been reported: who
 * edits a nickname does not mean to lift a block that somebody set for a reason.
 */
function isLeftToPeople({ field, to }: RootChange, upkeep: Upkeep, history: PlanHistory): boolean {
  if (isOnlyDetected(field.name, upkeep, history)) return true;
  if (!field.isOneWay || to !== false || upkeep.enforced.has(field.name)) return false;
  return !isNewTo(field.name, history) || history.reported.has(field.name);
}

/** Under `Detect` an edit of the spec is brought about, and what changes afterwards is reported. */
function isOnlyDetected(path: AttributePath, upkeep: Upkeep, history: PlanHistory): boolean {
  return upkeep.drift === "Detect" && !isNewTo(path, history);
}

/** Whether the spec was not brought about yet as far as the attribute goes. */
function isNewTo(path: AttributePath, { isNewSpec, pending }: PlanHistory): boolean {
  return isNewSpec || pending.has(path);
}

function isLeftAlone(path: AttributePath, { initOnly }: Upkeep, history: PlanHistory): boolean {
  const isInitial = history.isInitial || history.pending.has(path);
  return history.notWritable.has(path) || (!isInitial && initOnly.has(path));
}

function metadataChanges(
  kind: MetadataKind,
  desired: DesiredUser,
  observed: ObservedUser,
  history: PlanHistory,
): Change[] {
  const changes: Change[] = [];
  for (const [key, to] of Object.entries(desired[kind])) {
    const path = `${kind}.${key}` as const;
    const from = Object.hasOwn(observed[kind], key) ? observed[kind][key] : undefined;
    const change = { kind, path, key, from, to };
    if (
      isMet(change, from, observed) ||
      isLeftAlone(path, desired.upkeep, history) ||
      isSettled(history.settled.get(path), to, from)
    ) {
      continue;
    }
    changes.push(change);
  }
  return changes;
}

function isSettled(settled: Settled | undefined, to: JsonValue, from: JsonValue | undefined): boolean {
  return settled !== undefined && isSameJson(settled.asked, to) && isSameJson(settled.shown, from);
}
