/**
 * Keys that want to be processed, each held by one worker at a time: client-go's workqueue, with priorities.
 *
 *     add ───────────────► waiting ──take──► in hand ──done──► out
 *     addAfter ─► delayed ────▲                 │
 *     addBackoff ─▲           └──── done ◄──────┘ (added again while in hand)
 *
 * A key that waits is not added twice, only raised if it has become more urgent. One that is added while in hand is
 * processed once more afterwards, whatever it was added for: the worker may have read the state before it changed.
 */
import { backoffMs, type BackoffBounds } from "../runtime/backoff.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Random } from "../runtime/random.ts";
import { DelayedKeys } from "./delayed-keys.ts";
import { Lanes, PRIORITIES, moreUrgent, type Priority } from "./lanes.ts";
import type { KubernetesMetrics } from "./metrics.ts";

export interface WorkqueueOptions {
  /** Label of its metrics. */
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: KubernetesMetrics;
  /** For keys that failed; a tenth of a second to five minutes, unless said otherwise. */
  readonly backoff?: BackoffBounds;
}

export interface TakenKey<Key> {
  readonly key: Key;
  /** With which it waited. */
  readonly priority: Priority;
}

interface KeyInHand {
  readonly sinceMs: number;
  /** Set once the key was added again. */
  again: Priority | undefined;
}

type Taker<Key> = (taken: TakenKey<Key>) => void;

/** Delayed keys that are moved to their lanes in one turn of the event loop: some milliseconds of work. */
const MAX_DUE_PER_TURN = 5_000;

export class Workqueue<Key extends string = string> {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #metrics: KubernetesMetrics;
  readonly #backoff: BackoffBounds;
  readonly #lanes = new Lanes<Key>();
  readonly #inHand = new Map<Key, KeyInHand>();
  readonly #delayed = new DelayedKeys<Key, Priority>();
  readonly #failures = new Map<Key, number>();
  /** Those who wait for a key, in their order. */
  readonly #takers = new Set<Taker<Key>>();
  #timerDueMs = Infinity;
  #cancelTimer = (): void => {};

  constructor({ name, clock, random, metrics, backoff = { baseMs: 100, capMs: 300_000 } }: WorkqueueOptions) {
    this.#name = name;
    this.#clock = clock;
    this.#random = random;
    this.#metrics = metrics;
    this.#backoff = backoff;
    this.#exportGauges();
  }

  /** Wants the key processed as soon as its turn comes. */
  add(key: Key, priority: Priority = "normal"): void {
    const held = this.#inHand.get(key);
    const waiting = this.#lanes.find(key);
    if (held !== undefined) {
      if (held.again === undefined) this.#metrics.queueAdds.inc({ name: this.#name });
      held.again = moreUrgent(priority, held.again ?? priority);
    } else if (waiting === undefined) {
      this.#metrics.queueAdds.inc({ name: this.#name });
      this.#enqueue(key, priority);
    } else if (moreUrgent(priority, waiting.priority) !== waiting.priority) {
      this.#lanes.remove(waiting);
      this.#lanes.add({ ...waiting, priority });
    }
  }

  /**
   * Wants the key processed in a while. Of several moments the earliest counts, of several priorities the highest.
   * Taking the key drops them: whoever looks at it now decides when to look next.
   */
  addAfter(key: Key, afterMs: number, priority: Priority = "normal"): void {
    this.#metrics.queueRetries.inc({ name: this.#name });
    if (afterMs <= 0) {
      this.add(key, priority);
      return;
    }
    const dueMs = this.#clock.monotonicMs() + afterMs;
    const earlier = this.#delayed.find(key);
    this.#delayed.set(
      key,
      Math.min(dueMs, earlier?.dueMs ?? dueMs),
      moreUrgent(priority, earlier?.priority ?? priority),
    );
    this.#armTimer();
  }

  /** Wants a key that failed processed again: later each time until it is forgotten. */
  addBackoff(key: Key, priority: Priority = "normal"): void {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    this.addAfter(key, backoffMs(failures, this.#backoff, this.#random), priority);
  }

  /** Ends the series of failures of a key. It says nothing about whether the key waits. */
  forget(key: Key): void {
    this.#failures.delete(key);
  }

  /** Hands out the next key once there is one. It is the caller's alone until `done`. */
  async take(signal: AbortSignal): Promise<TakenKey<Key>> {
    signal.throwIfAborted();
    const taken = this.#takeFirst();
    if (taken !== undefined) return taken;
    const { promise, resolve, reject } = Promise.withResolvers<TakenKey<Key>>();
    const onAbort = (): void => {
      this.#takers.delete(resolve);
      reject(signal.reason);
    };
    this.#takers.add(resolve);
    signal.addEventListener("abort", onAbort);
    try {
      return await promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Gives the key back. */
  done(key: Key): void {
    const held = this.#inHand.get(key);
    if (held === undefined) throw new Error(`${key} was given back by somebody who does not hold it`);
    const heldMs = this.#clock.monotonicMs() - held.sinceMs;
    this.#metrics.workDuration.observe({ name: this.#name }, heldMs / 1000);
    this.#inHand.delete(key);
    if (held.again !== undefined) this.#enqueue(key, held.again);
  }

  /** How many keys wait to be taken now. */
  get depth(): number {
    return PRIORITIES.reduce((sum, priority) => sum + this.#lanes.sizeOf(priority), 0);
  }

  #enqueue(key: Key, priority: Priority): void {
    this.#lanes.add({ key, priority, sinceMs: this.#clock.monotonicMs() });
    const [taker] = this.#takers;
    const taken = taker === undefined ? undefined : this.#takeFirst();
    if (taker === undefined || taken === undefined) return;
    this.#takers.delete(taker);
    taker(taken);
  }

  #takeFirst(): TakenKey<Key> | undefined {
    const waiting = this.#lanes.takeFirst();
    if (waiting === undefined) return undefined;
    const { key, priority, sinceMs } = waiting;
    const now = this.#clock.monotonicMs();
    this.#metrics.queueLatency.observe({ name: this.#name, priority }, (now - sinceMs) / 1000);
    this.#delayed.delete(key);
    if (this.#delayed.nextDueMs === undefined) this.#disarmTimer();
    this.#inHand.set(key, { sinceMs: now, again: undefined });
    return { key, priority };
  }

  /** One timer for all, set for the key that is due first. */
  #armTimer(): void {
    const { nextDueMs = Infinity } = this.#delayed;
    if (nextDueMs >= this.#timerDueMs) return;
    this.#cancelTimer();
    this.#timerDueMs = nextDueMs;
    // Rounded up: a timer that fires a fraction too early would only be set again.
    const afterMs = Math.max(1, Math.ceil(nextDueMs - this.#clock.monotonicMs()));
    this.#cancelTimer = this.#clock.timer(afterMs, this.#onTimer);
  }

  /** A queue without delayed keys leaves no timer behind. */
  #disarmTimer(): void {
    this.#cancelTimer();
    this.#timerDueMs = Infinity;
  }

  readonly #onTimer = (): void => {
    const now = this.#clock.monotonicMs();
    for (let moved = 0; moved < MAX_DUE_PER_TURN; moved++) {
      const due = this.#delayed.takeDue(now);
      if (due === undefined) break;
      this.add(due.key, due.priority);
    }
    this.#timerDueMs = Infinity;
    this.#armTimer();
  };

  #exportGauges(): void {
    const name = this.#name;
    this.#metrics.queueDepth.onCollect((set) => {
      for (const priority of PRIORITIES) set({ name, priority }, this.#lanes.sizeOf(priority));
    });
    const heldMs = (): readonly number[] => {
      const now = this.#clock.monotonicMs();
      return [...this.#inHand.values()].map(({ sinceMs }) => now - sinceMs);
    };
    this.#metrics.unfinishedWork.onCollect((set) => {
      set({ name }, heldMs().reduce((sum, ms) => sum + ms, 0) / 1000);
    });
    this.#metrics.longestRunning.onCollect((set) => {
      set({ name }, Math.max(0, ...heldMs()) / 1000);
    });
  }
}
