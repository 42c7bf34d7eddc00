/** What a resource declares, and how the sequence of `reconcile/` and the grants are told of it. */
import type { Action } from "../api/actions.ts";
import type { Auth0UserSpec } from "../api/auth0-user.ts";
import { desiredUserFrom } from "../api/desired-user.ts";
import { parseDurationMs } from "../api/duration.ts";
import { LAST_APPLIED_ANNOTATION, findRecoveredNulls } from "../api/last-applied.ts";
import { ACTIONS_ANNOTATION, APPROVE_PLAN_ANNOTATION, RECONCILE_ANNOTATION } from "../api/names.ts";
import { findUnset } from "../api/unset.ts";
import type { DesiredUser } from "../core/desired-user.ts";
import { findNotGrantedOn, type Asked, type Grants } from "../core/grants.ts";
import type { Ownership } from "../core/ownership.ts";
import { isAttributePath, removedAttributes, type AttributePath } from "../core/plan.ts";
import type { PasswordDeclaration } from "../reconcile/password.ts";
import type { UserDeclaration } from "../reconcile/user-declaration.ts";
import { PASSWORD_VERSION_ANNOTATION } from "./names.ts";
import type { Auth0UserResource } from "./auth0-user-resource.ts";
import type { KeyMemory } from "./user-memories.ts";
import { derivedIdOf, markerOf } from "./user-ownership.ts";
import type { UserParts } from "./user-parts.ts";

const PASSWORD_TICKET: Action = "password-change-ticket";

/** What one pass works from. */
export interface Declared {
  readonly spec: Auth0UserSpec;
  readonly desired: DesiredUser;
  readonly recovered: readonly string[];
  /** Attributes that left the spec and are removed once. */
  readonly unset: readonly string[];
  readonly isNewSpec: boolean;
  readonly requestedAt: string | undefined;
  readonly isRequested: boolean;
  readonly syncIntervalMs: number;
}

/** What a status takes of what is asked for. */
const MAX_REQUEST_LENGTH = 300;

/** What was found out of the resource before its turn at Auth0. */
interface Facts {
  readonly known: KeyMemory;
  readonly ownership: Ownership;
  readonly password: PasswordDeclaration;
  readonly grants: Grants;
}

/** @param spec the resource's own, checked */
export function declaredBy(
  { annotations, status, generation, spec: raw }: Auth0UserResource,
  spec: Auth0UserSpec,
  defaultSyncIntervalMs: number,
): Declared {
  const recovered = findRecoveredNulls(raw, annotations[LAST_APPLIED_ANNOTATION]);
  const requestedAt = annotations[RECONCILE_ANNOTATION]?.slice(0, MAX_REQUEST_LENGTH);
  const removed = status.removedAttributes ?? [];
  const unset = findUnset(spec, { managed: status.managedAttributes ?? [], removed: [...removed, ...recovered] });
  const desired = desiredUserFrom(spec, [...recovered, ...unset]);
  const removals: readonly string[] = removedAttributes(desired);
  const isNull = (path: string): boolean => removals.includes(path) && !removed.includes(path);
  return {
    spec,
    desired,
    recovered,
    unset,
    isNewSpec: status.syncedGeneration !== generation || recovered.some(isNull),
    requestedAt,
    isRequested: requestedAt !== undefined && requestedAt !== status.lastHandledReconcileAt,
    syncIntervalMs: parseDurationMs(spec.syncInterval ?? "") ?? defaultSyncIntervalMs,
  };
}

/** For the grants to judge. A link by which whoever has it sets the password is as good as the password. */
export function askedBy({ spec, desired }: Declared, { status, annotations }: Auth0UserResource): Asked {
  const isAdopted = status.userId !== undefined && status.createdByOperator !== true;
  const asksForTicket = annotations[ACTIONS_ANNOTATION]?.includes(PASSWORD_TICKET) ?? false;
  return {
    desired,
    adopts: spec.userId !== undefined || (spec.adoptionPolicy ?? "Never") !== "Never" || isAdopted,
    setsPassword: spec.password !== undefined || asksForTicket,
  };
}

/** What the sequence is handed. */
export function declarationFrom(
  resource: Auth0UserResource,
  { spec, desired, isNewSpec, isRequested }: Declared,
  { known, ownership, password, grants }: Facts,
  parts: UserParts,
): UserDeclaration {
  const { status } = resource;
  const { stateKeys, clock } = parts;
  return {
    desired,
    ownership,
    derivedId: derivedIdOf(resource, desired.connection),
    password,
    begunPassword: resource.annotations[PASSWORD_VERSION_ANNOTATION],
    adoption: spec.adoptionPolicy ?? "Never",
    approval: { claimant: resource, keyring: stateKeys.keyring, given: resource.annotations[APPROVE_PLAN_ANNOTATION] },
    recreation: spec.recreatePolicy,
    recreateAfterMs: parseDurationMs(spec.recreateAfter ?? ""),
    findObjection: (user) => findNotGrantedOn(grants, user),
    history: {
      isNewSpec,
      isInitial: status.syncedGeneration === undefined && status.createdByOperator === true,
      reported: pathsIn(status.driftedAttributes),
      removed: pathsIn(status.removedAttributes),
      pending: pathsIn(status.pendingAttributes),
      notWritable: isNewSpec ? new Set() : pathsIn(status.notWritableAttributes),
    },
    memory: known.memory,
    assigned: status.assigned ?? [],
    isSightingEnough: !isRequested && clock.now() < known.nextSyncAtMs,
    marker: markerOf(resource, desired.connection, parts),
  };
}

function pathsIn(names: readonly string[] | undefined): Set<AttributePath> {
  return new Set((names ?? []).filter(isAttributePath));
}
