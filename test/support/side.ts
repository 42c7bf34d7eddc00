/** The smallest side there can be: one resource in memory, reconciled by the real sequence against a real tenant. */
import { Registry } from "prom-client";
import { Auth0UserDirectory } from "../../src/auth0/auth0-user-directory.ts";
import { ManagementApi } from "../../src/auth0/management-api.ts";
import { Auth0Metrics } from "../../src/auth0/metrics.ts";
import { parseTenantAddress } from "../../src/auth0/tenant-address.ts";
import type { DesiredUser } from "../../src/core/desired-user.ts";
import { userId, type UserId } from "../../src/core/ids.ts";
import type { ObservedUser } from "../../src/core/observed-user.ts";
import {
  decideOwnership,
  type Claim,
  type OwnershipFacts,
  type OwnershipRecord,
  type Provenance,
} from "../../src/core/ownership.ts";
import { removedAttributes, type AttributePath } from "../../src/core/plan.ts";
import { deleteUser, type DeletionOutcome, type DeletionPolicy } from "../../src/reconcile/delete-user.ts";
import { Marker } from "../../src/reconcile/marker.ts";
import { Keyring } from "../../src/reconcile/keyring.ts";
import { NO_MEMORY, type Memory, type Outcome } from "../../src/reconcile/outcome.ts";
import type { PasswordDeclaration } from "../../src/reconcile/password.ts";
import { canChooseId } from "../../src/reconcile/ports.ts";
import { reconcileUser } from "../../src/reconcile/reconcile-user.ts";
import { systemClock, type Clock } from "../../src/runtime/clock.ts";
import type { TestSimulator } from "./start-simulator.ts";

const NOTHING: OwnershipRecord = {
  userId: undefined,
  tenantDomain: undefined,
  connection: undefined,
  provenance: "created",
};
/** A database connection creates nobody without one. */
const UNCHANGED_PASSWORD: PasswordDeclaration = {
  kind: "given",
  value: "Correct-Horse-7",
  standing: "same",
  version: "k:7",
};
let uids = 0;

export function directoryOf(
  simulator: Pick<TestSimulator, "url" | "clientId" | "clientSecret">,
  clock: Clock = systemClock,
): { api: ManagementApi; directory: Auth0UserDirectory } {
  const api = new ManagementApi({
    address: parseTenantAddress(simulator.url),
    credentials: { kind: "client secret", clientId: simulator.clientId, clientSecret: simulator.clientSecret },
    userAgent: "test",
    clock,
    metrics: new Auth0Metrics(new Registry()),
  });
  return { api, directory: new Auth0UserDirectory(api) };
}

export class Side {
  readonly uid = `uid-${String(++uids)}`;
  readonly #directory: Auth0UserDirectory;
  readonly #clock: Clock;
  keyring: Keyring;
  marksAllUsers = false;
  claim: Claim | undefined;
  begunPassword: string | undefined;
  record: OwnershipRecord = NOTHING;
  memory: Memory = NO_MEMORY;
  adoption: "Never" | "Review" | "Adopt" = "Never";
  /** What a person approved. */
  approved: string | undefined;
  recreation: "Recreate" | "Report" | undefined;
  recreateAfterMs: number | undefined = 0;
  /** Another resource that holds whatever user this one is after. */
  holder: string | undefined;
  findObjection: (user: ObservedUser) => string | undefined = () => undefined;
  #isHeld = false;
  #synced = "";
  #assigned: readonly string[] = [];
  #reported: readonly AttributePath[] = [];
  #removed: readonly AttributePath[] = [];
  #notWritable: readonly AttributePath[] = [];
  #pending: readonly AttributePath[] = [];

  /** @param stateKey that of the operator: sides of one operator share it */
  constructor(directory: Auth0UserDirectory, clock: Clock = systemClock, stateKey = "k1") {
    this.keyring = new Keyring(new Map([[stateKey, Buffer.alloc(32, stateKey)]]));
    this.#directory = directory;
    this.#clock = clock;
  }

  /** As after a restart: what is written down stays, what was in memory is gone. */
  forget(): void {
    this.memory = NO_MEMORY;
  }

  /** One pass. @param isSync whether to look at Auth0 rather than rely on the last sighting */
  async pass(
    desired: DesiredUser,
    {
      isSync = false,
      password = canChooseId(desired.connection) ? UNCHANGED_PASSWORD : { kind: "unmanaged" },
      signal = new AbortController().signal,
    }: { isSync?: boolean; password?: PasswordDeclaration; signal?: AbortSignal } = {},
  ): Promise<Outcome> {
    const spec = JSON.stringify(desired);
    const isNewSpec = this.#synced !== spec;
    const outcome = await reconcileUser(
      {
        desired,
        ownership: decideOwnership(this.#facts(desired)),
        derivedId: this.#derivedId(desired),
        password,
        begunPassword: this.begunPassword,
        adoption: this.adoption,
        approval: { claimant: { namespace: "test", name: this.uid }, keyring: this.keyring, given: this.approved },
        recreation: this.recreation,
        recreateAfterMs: this.recreateAfterMs,
        findObjection: this.findObjection,
        history: {
          isNewSpec,
          isInitial: this.#synced === "" && this.record.provenance === "created",
          reported: new Set(this.#reported),
          removed: new Set(this.#removed),
          pending: new Set(this.#pending),
          notWritable: new Set(isNewSpec ? [] : this.#notWritable),
        },
        memory: this.memory,
        assigned: this.#assigned,
        isSightingEnough: !isSync,
        marker: this.#markerOf(desired),
      },
      {
        directory: this.#directory,
        clock: this.#clock,
        claims: {
          findHolder: () => Promise.resolve(this.holder),
          reserve: () => Promise.resolve(this.holder),
          findMaker: () => undefined,
          begin: (claimed, passwordVersion) => {
            this.begunPassword = passwordVersion;
            const user =
              typeof claimed === "string"
                ? { userId: claimed, begunWith: undefined }
                : { userId: undefined, begunWith: claimed.begunWith };
            this.#claim(user, "created");
            return Promise.resolve();
          },
          record: (id, provenance) => {
            this.#claim({ userId: id, begunWith: undefined }, provenance);
            return Promise.resolve();
          },
        },
      },
      signal,
    );
    this.#keep(desired, spec, outcome);
    return outcome;
  }

  end(desired: DesiredUser, policy?: DeletionPolicy, confirmedId?: string): Promise<DeletionOutcome> {
    return deleteUser(
      {
        ownership: decideOwnership({ ...this.#facts(desired), adoptedId: undefined }),
        connection: desired.connection,
        policy,
        lastSeen: this.memory.lastSeen,
        confirmedId,
        marker: this.#markerOf(desired),
        obstacle: undefined,
        deleteAtMs: undefined,
      },
      { directory: this.#directory, clock: this.#clock },
      new AbortController().signal,
    );
  }

  #claim(user: Pick<Claim, "userId" | "begunWith">, provenance: Provenance): void {
    this.#isHeld = true;
    this.claim = { ...user, tenantDomain: this.#directory.tenantDomain, provenance, isSigned: true };
  }

  #markerOf({ connection }: DesiredUser): Marker {
    const { tenantDomain } = this.#directory;
    const marked = { namespace: "test", name: this.uid, uid: this.uid, tenantDomain };
    return new Marker(marked, this.keyring, { marksCreated: !canChooseId(connection) || this.marksAllUsers });
  }

  #facts({ connection, adoptedId }: DesiredUser): OwnershipFacts {
    return {
      tenantDomain: this.#directory.tenantDomain,
      connection,
      derivedId: canChooseId(connection) ? userId(`auth0|${this.uid}`) : undefined,
      adoptedId,
      claim: this.claim,
      isHeld: this.#isHeld,
      record: this.record,
    };
  }

  #derivedId({ connection }: DesiredUser): UserId | undefined {
    return canChooseId(connection) ? userId(`auth0|${this.uid}`) : undefined;
  }

  #keep({ connection, ...desired }: DesiredUser, spec: string, outcome: Outcome): void {
    const { user, verdict, memory, reported, notWritable } = outcome;
    this.memory = memory;
    this.#assigned = outcome.assigned;
    this.#reported = reported;
    this.#notWritable = notWritable;
    this.#pending = outcome.pending;
    if (user !== undefined) {
      this.record = { ...user, connection, tenantDomain: this.#directory.tenantDomain };
    }
    if (outcome.isCreationBegun) this.#synced = "";
    if (verdict.kind === "ready" || (verdict.kind === "refused" && verdict.isRestDone)) {
      this.#synced = spec;
      this.#removed = removedAttributes({ connection, ...desired });
    }
  }
}
