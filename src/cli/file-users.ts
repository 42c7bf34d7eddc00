/**
 * The users of a directory, reconciled by the same sequence as in a cluster. A file has no uid: the id that derives from
 * tenant, connection, namespace and name only makes a creation repeatable. What proves a user ours is the marker that the
 * creation left in its `app_metadata`; without it the user is somebody else's, so that a file that comes back does not
 * inherit a former person's account.
 */
import { createHash } from "node:crypto";
import { desiredUserFrom } from "../api/desired-user.ts";
import { parseDurationMs } from "../api/duration.ts";
import { findUnset } from "../api/unset.ts";
import { DEFAULT_PASSWORD_KEY, SECRET_USE_LABEL, SECRET_USE_PASSWORD } from "../api/names.ts";
import type { DesiredUser } from "../core/desired-user.ts";
import { connectionName, userId, type ConnectionName, type UserId } from "../core/ids.ts";
import { ownConnection, type ObservedUser } from "../core/observed-user.ts";
import type { Ownership } from "../core/ownership.ts";
import { managedAfter, managedAttributes, removedAttributes } from "../core/plan.ts";
import type { DeclaredSecret, DeclaredUser } from "../files/declarations.ts";
import { findHolders } from "../reconcile/conflict.ts";
import { deleteUser, type DeletionOutcome } from "../reconcile/delete-user.ts";
import type { Keyring } from "../reconcile/keyring.ts";
import { Marker, type MarkerReading } from "../reconcile/marker.ts";
import { NO_MEMORY, isBroughtAbout, type Memory, type Outcome } from "../reconcile/outcome.ts";
import { comparePassword, passwordVersion, type PasswordDeclaration } from "../reconcile/password.ts";
import { canChooseId, type ClaimStore, type UserDirectory } from "../reconcile/ports.ts";
import type { Reason } from "../reconcile/reasons.ts";
import { reconcileUser } from "../reconcile/reconcile-user.ts";
import type { UserDeclaration } from "../reconcile/user-declaration.ts";
import type { Clock, EpochMs } from "../runtime/clock.ts";
import { jittered, type Random } from "../runtime/random.ts";

export interface FileUserParts {
  readonly directory: UserDirectory;
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly random: Random;
  /** How often a user is compared with Auth0 where its spec does not say. */
  readonly syncIntervalMs: number;
}

/** What is known of one declared user from pass to pass, in this process only. */
interface FileUserState {
  readonly memory: Memory;
  readonly ownership: Ownership;
  /** The spec that was last brought about, as JSON. */
  readonly appliedSpec: string | undefined;
  readonly passwordVersion: string | undefined;
  /** Of the password that the creation carried which was begun last. */
  readonly begunPassword: string | undefined;
  readonly assigned: Outcome["assigned"];
  /** The attributes that the spec managed when it was last brought about: what `unsetPolicy: Remove` goes by. */
  readonly managed: readonly string[];
  readonly reported: Outcome["reported"];
  readonly notWritable: Outcome["notWritable"];
  readonly pending: Outcome["pending"];
  readonly nextSyncAtMs: number;
}

const SYNC_JITTER = 0.1;

/** A claim has nowhere to be kept beside a file, and needs no place: the marker goes with the user itself. */
const NO_CLAIMS: Omit<ClaimStore, "begin"> = {
  record: () => Promise.resolve(),
  findHolder: () => Promise.resolve(undefined),
  reserve: () => Promise.resolve(undefined),
  findMaker: () => undefined,
};

export class FileUsers {
  readonly #parts: FileUserParts;
  readonly #states = new Map<string, FileUserState>();

  constructor(parts: FileUserParts) {
    this.#parts = parts;
  }

  /** @param mayResetPassword whether the password of a user that exists is sent although nobody knows that it changed */
  async reconcile(
    user: DeclaredUser,
    secrets: readonly DeclaredSecret[],
    mayResetPassword: boolean,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const state = this.#states.get(user.key) ?? (await this.#firstLook(user, signal));
    const { clock, random } = this.#parts;
    const appliedSpec = JSON.stringify(user.spec);
    const password = this.#password(user, secrets, state, mayResetPassword);
    const declaration = this.#declaration(user, state, appliedSpec, password);
    let { begunPassword } = state;
    const claims: ClaimStore = {
      ...NO_CLAIMS,
      begin: (_, version) => {
        begunPassword = version;
        return Promise.resolve();
      },
    };
    const outcome = await reconcileUser(declaration, { ...this.#parts, claims }, signal);
    const isDone = isBroughtAbout(outcome.verdict);
    const intervalMs = parseDurationMs(user.spec.syncInterval ?? "") ?? this.#parts.syncIntervalMs;
    this.#states.set(user.key, {
      memory: outcome.memory,
      ownership:
        outcome.user === undefined
          ? state.ownership
          : { kind: "owned", ...outcome.user, isClaimed: true, isNoted: true, begun: undefined },
      appliedSpec: isDone ? appliedSpec : state.appliedSpec,
      passwordVersion:
        password.kind === "given" && (outcome.isPasswordSent || state.passwordVersion === undefined)
          ? password.version
          : state.passwordVersion,
      begunPassword,
      assigned: outcome.assigned,
      managed: isDone
        ? managedAfter(state.managed, presentAttributes(desiredUserFrom(user.spec, [])), outcome.pending)
        : state.managed,
      reported: outcome.reported,
      notWritable: outcome.notWritable,
      pending: outcome.pending,
      nextSyncAtMs: clock.now() + jittered(intervalMs, SYNC_JITTER, random),
    });
    return outcome;
  }

  /**
   * Deletes the user of a document that is gone, as its `deletionPolicy` said.
   * @param deleteAtMs from when on it may be deleted; until then it is blocked
   */
  async remove(user: DeclaredUser, deleteAtMs: EpochMs | undefined, signal: AbortSignal): Promise<DeletionOutcome> {
    const { ownership, memory } = this.#states.get(user.key) ?? (await this.#firstLook(user, signal));
    const outcome = await deleteUser(
      {
        ownership,
        connection: connectionOf(user),
        policy: user.spec.deletionPolicy,
        lastSeen: memory.lastSeen,
        confirmedId: undefined,
        marker: this.#markerOf(user),
        obstacle: undefined,
        deleteAtMs,
      },
      this.#parts,
      signal,
    );
    if (outcome.kind === "released") this.#states.delete(user.key);
    return outcome;
  }

  /** When the user is to be compared with Auth0 again; 0 for one that has not been looked at. */
  nextSyncAtMs(key: string): number {
    return this.#states.get(key)?.nextSyncAtMs ?? 0;
  }

  isApplied(user: DeclaredUser): boolean {
    return this.#states.get(user.key)?.appliedSpec === JSON.stringify(user.spec);
  }

  /** Whose the user is that this declaration would create: found by its derived id or its marker, proven by the marker. */
  async #firstLook(user: DeclaredUser, signal: AbortSignal): Promise<FileUserState> {
    const adoptedId = user.spec.userId === undefined ? undefined : userId(user.spec.userId);
    const found = await this.#find(user, adoptedId ?? this.#derivedId(user), signal);
    const belongs = found !== undefined && ownConnection(found) === connectionOf(user);
    const reading: MarkerReading = belongs ? this.#markerOf(user).read(found) : { kind: "none" };
    const nowMs = this.#parts.clock.now();
    return {
      memory: found && reading.kind === "own" ? { ...NO_MEMORY, lastSeen: { user: found, atMs: nowMs } } : NO_MEMORY,
      ownership: ownershipOf(found, adoptedId, reading),
      appliedSpec: undefined,
      passwordVersion: undefined,
      begunPassword: undefined,
      assigned: [],
      managed: [],
      reported: [],
      notWritable: [],
      pending: [],
      nextSyncAtMs: nowMs + 1,
    };
  }

  /** By its id; a user whose id Auth0 chose, or that was taken over by its address, by the marker. */
  async #find(user: DeclaredUser, id: UserId | undefined, signal: AbortSignal): Promise<ObservedUser | undefined> {
    const { directory } = this.#parts;
    const found = id === undefined ? undefined : await directory.findUser(id, signal);
    const mayBeAnother = id === undefined || (user.spec.adoptionPolicy ?? "Never") !== "Never";
    if (found !== undefined || user.spec.userId !== undefined || !mayBeAnother) return found;
    const { marked } = await findHolders(desiredUserFrom(user.spec, []), this.#markerOf(user), directory, signal);
    return marked;
  }

  #declaration(user: DeclaredUser, state: FileUserState, spec: string, password: PasswordDeclaration): UserDeclaration {
    const { clock, keyring } = this.#parts;
    const desired = desiredUserFrom(user.spec, findUnset(user.spec, { managed: state.managed, removed: [] }));
    const isFirstPass = state.appliedSpec === undefined;
    const isNewSpec = !isFirstPass && state.appliedSpec !== spec;
    return {
      desired,
      ownership: state.ownership,
      derivedId: this.#derivedId(user),
      password,
      begunPassword: state.begunPassword,
      adoption: user.spec.adoptionPolicy ?? "Never",
      approval: { claimant: user, keyring, given: user.approvedPlan },
      recreation: user.spec.recreatePolicy,
      recreateAfterMs: parseDurationMs(user.spec.recreateAfter ?? ""),
      findObjection: () => undefined,
      history: {
        isNewSpec,
        isInitial: false,
        reported: new Set(state.reported),
        // What was removed by an earlier run is not known: what Auth0 derives is taken for the result of one.
        removed: new Set(isNewSpec ? [] : removedAttributes(desired)),
        pending: new Set(state.pending),
        notWritable: new Set(isNewSpec ? [] : state.notWritable),
      },
      memory: state.memory,
      assigned: state.assigned,
      isSightingEnough: clock.now() < state.nextSyncAtMs,
      marker: this.#markerOf(user),
    };
  }

  #password(
    { spec, namespace, key }: DeclaredUser,
    secrets: readonly DeclaredSecret[],
    { passwordVersion: applied, ownership }: FileUserState,
    mayReset: boolean,
  ): PasswordDeclaration {
    if (spec.password === undefined) return { kind: "unmanaged" };
    const isLeft = spec.password.policy === "OnCreate" && (ownership.kind === "owned" || ownership.kind === "adopting");
    const missing = (reason: Reason, message: string): PasswordDeclaration => ({
      reason,
      message,
      ...(isLeft ? { kind: "unneeded", renew: undefined } : { kind: "missing" }),
    });
    if (spec.password.secretRef === undefined) {
      return missing("SecretNotFound", "password.generate needs a cluster: declare a Secret, and name it in secretRef");
    }
    const { name, key: dataKey = DEFAULT_PASSWORD_KEY } = spec.password.secretRef;
    const secret = secrets.find((one) => one.name === name && one.namespace === namespace);
    if (secret === undefined) return missing("SecretNotFound", `no document declares Secret ${namespace}/${name}`);
    if (secret.labels[SECRET_USE_LABEL] !== SECRET_USE_PASSWORD) {
      return missing(
        "SecretNotPermitted",
        `Secret ${name} lacks the label ${SECRET_USE_LABEL}: ${SECRET_USE_PASSWORD}`,
      );
    }
    const value = secret.data.get(dataKey) ?? "";
    if (value === "") return missing("SecretKeyMissing", `Secret ${name} has no key "${dataKey}", or the key is empty`);
    const { keyring } = this.#parts;
    const version = passwordVersion(value, key, keyring);
    if (isLeft) return { kind: "given", value, standing: "left", version };
    const standing = applied === undefined && !mayReset ? "same" : comparePassword(value, key, applied, true, keyring);
    return { kind: "given", value, standing, version };
  }

  #derivedId({ namespace, name, spec }: DeclaredUser): UserId | undefined {
    if (!canChooseId(connectionOf({ spec }))) return undefined;
    const parts = JSON.stringify([this.#parts.directory.tenantDomain, spec.connection, namespace, name]);
    return userId(`auth0|${createHash("sha256").update(parts).digest("hex").slice(0, 24)}`);
  }

  #markerOf({ namespace, name }: DeclaredUser): Marker {
    const { directory, keyring } = this.#parts;
    const marked = { namespace, name, tenantDomain: directory.tenantDomain, uid: undefined };
    return new Marker(marked, keyring, { marksCreated: true });
  }
}

function connectionOf({ spec }: Pick<DeclaredUser, "spec">): ConnectionName {
  return connectionName(spec.connection);
}

function ownershipOf(
  found: ObservedUser | undefined,
  adoptedId: UserId | undefined,
  reading: MarkerReading,
): Ownership {
  if (found !== undefined && reading.kind === "own") {
    return {
      kind: "owned",
      userId: found.userId,
      provenance: reading.provenance,
      isClaimed: true,
      isNoted: true,
      begun: undefined,
    };
  }
  if (adoptedId !== undefined) return { kind: "adopting", userId: adoptedId };
  return found === undefined ? { kind: "none" } : { kind: "unproven", userId: found.userId, derivedId: undefined };
}

/** The managed attributes of which something is left to remove. */
function presentAttributes(desired: DesiredUser): readonly string[] {
  const removed = removedAttributes(desired);
  return managedAttributes(desired).filter((path) => !removed.includes(path));
}
