/**
 * A Lease as a lock: who holds it, and since when nothing has been heard of the holder. Each write is conditional on the
 * version that was read, so that of two who take it at once only one has it.
 */
import type { Clock } from "../runtime/clock.ts";
import { isJsonObject, type JsonObject } from "../runtime/json.ts";
import { isApiError } from "./api-error.ts";
import type { KubernetesCalls } from "./kubernetes-api.ts";
import { parseObjectIdentity } from "./object.ts";
import { resourcePath, type Resource } from "./resource.ts";
import { formatMicroTime } from "./timestamps.ts";

export interface LeaseOptions {
  readonly api: Pick<KubernetesCalls, "get" | "create" | "mergePatch">;
  readonly namespace: string;
  readonly name: string;
  /** Who we are. Two processes must never have the same. */
  readonly identity: string;
  /** What others are to wait after the last sign of life. */
  readonly leaseDurationMs: number;
  readonly clock: Clock;
}

interface LeaseRecord {
  readonly resourceVersion: string;
  /** Empty: nobody. */
  readonly holder: string;
  readonly durationMs: number;
  readonly transitions: number;
  /** Differs from that of the record before exactly if somebody gave a sign of life. */
  readonly spec: string;
}

const LEASES: Resource = { group: "coordination.k8s.io", version: "v1", plural: "leases" };

export class Lease {
  readonly #options: LeaseOptions;
  #record: LeaseRecord | undefined;
  /** When the record was first seen as it is, by the clock that never jumps. */
  #seenMs = 0;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /** Who held it when it was last looked at; empty: nobody. */
  get holder(): string {
    return this.#record?.holder ?? "";
  }

  /**
   * Takes the lease if it is free, or renews it if it is ours. The answer is whether we hold it.
   *
   * @throws ApiError, after which we may hold it or not
   */
  async acquire(signal: AbortSignal): Promise<boolean> {
    const { identity } = this.#options;
    // A holder knows the version it wrote; to read it first would be a call more at each renewal.
    if (this.holder === identity && (await this.#write(identity, signal))) return true;
    if (!(await this.#read(signal))) return this.#create(signal);
    return this.#isFree() && this.#write(identity, signal);
  }

  /** Gives the lease up, so that nobody has to wait for its end. It is left alone if another has it. */
  async release(signal: AbortSignal): Promise<void> {
    const { identity } = this.#options;
    if (this.holder !== identity || (await this.#write("", signal))) return;
    // A renewal that was given up may have been carried out, so that the version we know is not the last.
    if ((await this.#read(signal)) && this.holder === identity) await this.#write("", signal);
  }

  #isFree(): boolean {
    const { clock, identity } = this.#options;
    if (this.#record === undefined || this.#record.holder === "" || this.#record.holder === identity) return true;
    return clock.monotonicMs() >= this.#seenMs + this.#record.durationMs;
  }

  /** Whether there is a lease. */
  async #read(signal: AbortSignal): Promise<boolean> {
    const { api, namespace, name } = this.#options;
    try {
      this.#observe(await api.get(resourcePath(LEASES, { namespace, name }), {}, signal));
      return true;
    } catch (error) {
      if (isApiError(error, "not_found")) return false;
      throw error;
    }
  }

  async #create(signal: AbortSignal): Promise<boolean> {
    const { api, namespace, name, identity } = this.#options;
    const lease = {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { namespace, name },
      spec: this.#spec(identity, undefined),
    };
    return this.#ifUndisputed(api.create(resourcePath(LEASES, { namespace }), lease, signal));
  }

  async #write(holder: string, signal: AbortSignal): Promise<boolean> {
    const { api, namespace, name } = this.#options;
    const patch = {
      metadata: { resourceVersion: this.#record?.resourceVersion },
      spec: this.#spec(holder, this.#record),
    };
    return this.#ifUndisputed(api.mergePatch(resourcePath(LEASES, { namespace, name }), patch, signal));
  }

  async #ifUndisputed(writing: Promise<JsonObject>): Promise<boolean> {
    try {
      this.#observe(await writing);
      return true;
    } catch (error) {
      if (!isApiError(error, "conflict", "already_exists", "not_found")) throw error;
      // Somebody else wrote, or deleted it. What we knew is out of date.
      return false;
    }
  }

  #observe(object: JsonObject): void {
    const record = parseLease(object);
    if (record.spec !== this.#record?.spec) this.#seenMs = this.#options.clock.monotonicMs();
    this.#record = record;
  }

  #spec(holder: string, before: LeaseRecord | undefined): JsonObject {
    const { clock, leaseDurationMs } = this.#options;
    const now = formatMicroTime(clock.now());
    const isRenewal = before?.holder === holder;
    return {
      holderIdentity: holder,
      // One second, the least there is, for a lease that nobody holds: as client-go leaves it.
      leaseDurationSeconds: holder === "" ? 1 : Math.ceil(leaseDurationMs / 1000),
      renewTime: now,
      ...(!isRenewal && { acquireTime: now, leaseTransitions: before === undefined ? 0 : before.transitions + 1 }),
    };
  }
}

function parseLease(object: JsonObject): LeaseRecord {
  const spec = isJsonObject(object["spec"]) ? object["spec"] : {};
  const { holderIdentity, leaseDurationSeconds, leaseTransitions } = spec;
  return {
    resourceVersion: parseObjectIdentity(object).resourceVersion,
    holder: typeof holderIdentity === "string" ? holderIdentity : "",
    durationMs: typeof leaseDurationSeconds === "number" ? leaseDurationSeconds * 1000 : 0,
    transitions: typeof leaseTransitions === "number" ? leaseTransitions : 0,
    spec: JSON.stringify(spec),
  };
}
