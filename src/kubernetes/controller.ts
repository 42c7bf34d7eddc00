/**
 * Takes keys from a queue, has each reconciled, and does with it what the result says. A reconcile is a promise, mostly
 * waiting for somebody else's answer, so that a hundred at once are one core's work.
 */
import { isAbortOf } from "../runtime/abort.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { findRemedy } from "../runtime/remedy.ts";
import type { Part } from "../runtime/run-group.ts";
import { TimeSlice } from "../runtime/time-slice.ts";
import type { Priority } from "./lanes.ts";
import type { KubernetesMetrics } from "./metrics.ts";
import type { TakenKey, Workqueue } from "./workqueue.ts";

/** What should become of a key that was reconciled. */
export type ReconcileResult =
  /** Nothing, until something changes. */
  | { readonly kind: "done" }
  /** To be looked at again then, though nothing failed. */
  | { readonly kind: "requeue"; readonly afterMs: number; readonly priority?: Priority }
  /** To be tried again, later each time. */
  | { readonly kind: "backoff" }
  /** Nothing, until a person changes something: trying again would give the same. */
  | { readonly kind: "stalled" };

export interface ControllerOptions<Key extends string> {
  /** Label of its metrics. */
  readonly name: string;
  readonly queue: Workqueue<Key>;
  /**
   * Makes the world agree with the object behind the key, as it is now. What it throws is logged here, and tried again
   * as its `remedy` says, or with backoff. The signal is aborted only when an orderly end would take too long.
   */
  readonly reconcile: (key: Key, signal: AbortSignal) => Promise<ReconcileResult>;
  /** Keys in hand at once. */
  readonly concurrency?: number;
  /** How long the keys in hand may take to finish once the controller is told to stop. */
  readonly drainMs?: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: KubernetesMetrics;
}

/** What an admission policy or a proxy refuses is mended there, and the object does not notice. */
const REFUSED_AGAIN_MS = 5 * 60_000;
/** Reconciles that never wait are interrupted after so long, so that probes and timers get their turn. */
const SLICE_MS = 10;

export class Controller<Key extends string> implements Part {
  readonly name: string;
  readonly #options: ControllerOptions<Key>;
  readonly #log: Log;
  readonly #concurrency: number;
  readonly #slice: TimeSlice;
  #active = 0;

  constructor(options: ControllerOptions<Key>) {
    const { name, concurrency = 100, clock, log, metrics } = options;
    this.name = `controller ${name}`;
    this.#options = options;
    this.#log = log.with({ controller: name });
    this.#concurrency = concurrency;
    this.#slice = new TimeSlice(clock, SLICE_MS);
    metrics.activeWorkers.onCollect((set) => {
      set({ controller: name }, this.#active);
    });
    metrics.maxConcurrentReconciles.onCollect((set) => {
      set({ controller: name }, concurrency);
    });
  }

  /** Once told to stop it takes no more keys, and ends when those in hand have finished. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, drainMs = 10_000 } = this.#options;
    const drained = new AbortController();
    let cancelTimer = (): void => {};
    const onAbort = (): void => {
      cancelTimer = clock.timer(drainMs, () => {
        drained.abort(signal.reason);
      });
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await Promise.all(Array.from({ length: this.#concurrency }, () => this.#work(signal, drained.signal)));
    } finally {
      cancelTimer();
      signal.removeEventListener("abort", onAbort);
    }
  }

  async #work(signal: AbortSignal, drained: AbortSignal): Promise<void> {
    for (;;) {
      await this.#slice.breathe();
      let taken: TakenKey<Key>;
      try {
        taken = await this.#options.queue.take(signal);
      } catch (error) {
        if (isAbortOf(signal, error)) return;
        throw error;
      }
      await this.#process(taken, drained);
    }
  }

  async #process({ key, priority }: TakenKey<Key>, drained: AbortSignal): Promise<void> {
    const { clock, metrics, name: controller, queue, reconcile } = this.#options;
    const startedMs = clock.monotonicMs();
    this.#active++;
    try {
      this.#settle(key, priority, await reconcile(key, drained));
    } catch (error) {
      if (!isAbortOf(drained, error)) this.#fail(key, priority, error);
    } finally {
      this.#active--;
      metrics.reconcileTime.observe({ controller }, (clock.monotonicMs() - startedMs) / 1000);
      queue.done(key);
    }
  }

  #settle(key: Key, priority: Priority, result: ReconcileResult): void {
    const { queue } = this.#options;
    switch (result.kind) {
      case "done":
      case "stalled":
        this.#count("success");
        queue.forget(key);
        return;
      case "requeue":
        this.#count("requeue_after");
        queue.forget(key);
        queue.addAfter(key, result.afterMs, result.priority);
        return;
      case "backoff":
        this.#count("requeue");
        queue.addBackoff(key, priority);
        return;
      default:
        result satisfies never;
    }
  }

  #fail(key: Key, priority: Priority, error: unknown): void {
    const { clock, metrics, name: controller, queue } = this.#options;
    const remedy = findRemedy(error);
    this.#count("error");
    metrics.reconcileErrors.inc({ controller });
    if (remedy === undefined) this.#log.error("reconcile failed unexpectedly", { key, error });
    else this.#log.warn("reconcile failed", { key, error });
    switch (remedy?.kind) {
      case "wait":
        // A moment that has passed is no reason to try again without any wait.
        if (remedy.untilMs > clock.now()) queue.addAfter(key, remedy.untilMs - clock.now(), priority);
        else queue.addBackoff(key, priority);
        return;
      case "stall":
        metrics.terminalErrors.inc({ controller });
        queue.forget(key);
        queue.addAfter(key, REFUSED_AGAIN_MS, priority);
        return;
      case "backoff":
      case undefined:
        queue.addBackoff(key, priority);
        return;
      default:
        remedy satisfies never;
    }
  }

  #count(result: "success" | "requeue_after" | "requeue" | "error"): void {
    this.#options.metrics.reconciles.inc({ controller: this.#options.name, result });
  }
}
