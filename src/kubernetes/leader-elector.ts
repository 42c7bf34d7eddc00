/**
 * One leader among several processes, by a Lease that it renews.
 *
 *     leader   renew ─ 2 s ─ renew ─ 2 s ─ ✗ ─ ✗ … 10 s after the last success: gives up, the process ends
 *     others   look ─ 2 to 4 s ─ look …        15 s without a sign of life: one of them takes it
 *
 * Each side measures by its own clock that never jumps: the leader from the moment before it sent the renewal that
 * succeeded, the others from the moment after they saw it. So the leader has given up 5 s before another begins, whatever
 * the wall clocks of their machines show. The times in the Lease are for people.
 */
import { Deadline } from "../runtime/abort.ts";
import type { Log } from "../runtime/log.ts";
import type { Random } from "../runtime/random.ts";
import type { Part } from "../runtime/run-group.ts";
import { Lease, type LeaseOptions } from "./lease.ts";
import type { KubernetesMetrics } from "./metrics.ts";

export interface LeaderElectorOptions extends Omit<LeaseOptions, "leaseDurationMs"> {
  readonly leaseDurationMs?: number;
  /** How long after the last renewal the leader gives up; shorter than the lease by what giving up may take. */
  readonly renewDeadlineMs?: number;
  readonly retryPeriodMs?: number;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: KubernetesMetrics;
}

/** Another process may act now. Whoever sees this ends the process at once. */
export class LeadershipLostError extends Error {
  override readonly name = "LeadershipLostError";
}

/** How long an orderly end may wait for the server to hear that the lease is free. */
const RELEASE_TIMEOUT_MS = 5_000;

export class LeaderElector {
  readonly #options: LeaderElectorOptions;
  readonly #lease: Lease;
  readonly #renewDeadlineMs: number;
  readonly #retryPeriodMs: number;
  /** A call that hangs, on a connection that leads nowhere, leaves time for another one. */
  readonly #tryTimeoutMs: number;
  readonly #log: Log;
  #isLeading = false;

  constructor(options: LeaderElectorOptions) {
    const { leaseDurationMs = 15_000, renewDeadlineMs = 10_000, retryPeriodMs = 2_000, log, metrics, name } = options;
    if (leaseDurationMs <= renewDeadlineMs || renewDeadlineMs <= retryPeriodMs) {
      throw new RangeError("a lease must last longer than the renew deadline, and that longer than the retry period");
    }
    this.#options = options;
    this.#lease = new Lease({ ...options, leaseDurationMs });
    this.#renewDeadlineMs = renewDeadlineMs;
    this.#retryPeriodMs = retryPeriodMs;
    this.#tryTimeoutMs = renewDeadlineMs / 2;
    this.#log = log.with({ lease: `${options.namespace}/${name}`, identity: options.identity });
    metrics.leading.onCollect((set) => {
      set({ name }, this.#isLeading ? 1 : 0);
    });
  }

  get isLeading(): boolean {
    return this.#isLeading;
  }

  /**
   * A part that runs `part` once and as long as this process is the leader. The lease is kept until the part has ended,
   * then released.
   *
   * Its `run` rejects with LeadershipLostError, without waiting for the part, when the lease could not be renewed.
   */
  leading(part: Part): Part {
    return { name: `${part.name}, if leader`, run: (signal) => this.#run(part, signal) };
  }

  async #run(part: Part, signal: AbortSignal): Promise<void> {
    const acquiredMs = await this.#acquire(signal);
    if (acquiredMs === undefined) return;
    if (signal.aborted) {
      await this.#release();
      return;
    }
    this.#isLeading = true;
    this.#log.info("became the leader");

    const partEnds = new AbortController();
    const holdingEnds = new AbortController();
    const onAbort = (): void => {
      partEnds.abort(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    const running = part.run(partEnds.signal);
    const holding = this.#hold(acquiredMs, holdingEnds.signal);
    try {
      const loss = await Promise.race([running, holding]);
      if (loss !== undefined) {
        this.#log.error("lost the lease", { holder: this.#lease.holder });
        // How the part takes it is not waited for: another process may begin, and this one ends.
        partEnds.abort(loss);
        throw loss;
      }
    } finally {
      this.#isLeading = false;
      signal.removeEventListener("abort", onAbort);
      holdingEnds.abort();
      if ((await holding) === undefined) await this.#release();
    }
  }

  /** The moment before the lease was asked for and got; undefined when told to stop before. */
  async #acquire(signal: AbortSignal): Promise<number | undefined> {
    const { clock, random } = this.#options;
    let toldHolder: string | undefined;
    while (!signal.aborted) {
      const askedMs = clock.monotonicMs();
      try {
        if (await this.#tryFor(this.#tryTimeoutMs, signal)) return askedMs;
        const { holder } = this.#lease;
        if (holder !== toldHolder) this.#log.info("another process is the leader", { holder });
        toldHolder = holder;
      } catch (error) {
        if (signal.aborted) return undefined;
        this.#log.warn("lease not available", { error });
      }
      // Spread as client-go spreads it: up to 1.2 periods more.
      await clock.sleep(this.#retryPeriodMs * (1 + 1.2 * random.next()), signal).catch(() => {});
    }
    return undefined;
  }

  /** Renews until told to end. Resolves with an error when that has not succeeded for too long. */
  async #hold(acquiredMs: number, signal: AbortSignal): Promise<LeadershipLostError | undefined> {
    const { clock, identity } = this.#options;
    let renewedMs = acquiredMs;
    for (;;) {
      const leftMs = renewedMs + this.#renewDeadlineMs - clock.monotonicMs();
      await clock.sleep(Math.min(this.#retryPeriodMs, leftMs), signal).catch(() => {});
      if (signal.aborted) return undefined;
      const askedMs = clock.monotonicMs();
      const stillMs = renewedMs + this.#renewDeadlineMs - askedMs;
      if (stillMs <= 0)
        return new LeadershipLostError(`the lease was not renewed for ${String(this.#renewDeadlineMs)} ms`);
      try {
        if (await this.#tryFor(Math.min(stillMs, this.#tryTimeoutMs), signal)) renewedMs = askedMs;
        else if (this.#lease.holder !== identity) {
          return new LeadershipLostError(`the lease was taken by ${this.#lease.holder}`);
        }
      } catch (error) {
        if (signal.aborted) return undefined;
        this.#log.warn("lease not renewed", { error });
      }
    }
  }

  async #tryFor(timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    const deadline = new Deadline(signal, timeoutMs, this.#options.clock);
    try {
      return await this.#lease.acquire(deadline.signal);
    } finally {
      deadline.clear();
    }
  }

  async #release(): Promise<void> {
    const deadline = new Deadline(new AbortController().signal, RELEASE_TIMEOUT_MS, this.#options.clock);
    try {
      await this.#lease.release(deadline.signal);
      this.#log.info("released the lease");
    } catch (error) {
      this.#log.warn("lease not released, others have to wait for its end", { error });
    } finally {
      deadline.clear();
    }
  }
}
