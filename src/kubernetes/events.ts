/**
 * Events: what `kubectl describe` tells people of an object. They are sent by one background part from a bounded queue,
 * so that nobody waits for one and nothing fails for one.
 *
 * What repeats becomes one Event with a count, and the rate is bounded: a mass creation must not double the writes that
 * the API server has to bear. What does not fit is dropped, Normal ones long before Warnings, and counted.
 */
import { backoffMs } from "../runtime/backoff.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Random } from "../runtime/random.ts";
import type { Part } from "../runtime/run-group.ts";
import { isApiError } from "./api-error.ts";
import {
  EventSeriesIndex,
  namespaceOf,
  toEvent,
  toSeriesPatch,
  type EventInput,
  type EventSeries,
  type Reporter,
} from "./event-series.ts";
import type { KubernetesCalls } from "./kubernetes-api.ts";
import type { KubernetesMetrics } from "./metrics.ts";
import { resourcePath, type Resource } from "./resource.ts";
import { TokenBucket } from "./token-bucket.ts";

export interface EventRecorderOptions extends Reporter {
  readonly api: Pick<KubernetesCalls, "create" | "mergePatch">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: KubernetesMetrics;
}

/** What may wait. A Normal one is of interest while it is fresh; a Warning is kept for twenty seconds' worth of writes. */
const MAX_WAITING = { Normal: 200, Warning: 1_000 };
/**
 * At 1.5 ms of the API server's CPU a write: 0.15 s of it in a burst, and 1.5 % of a core in the long run. While hundreds are
 * created the API server has more urgent things to do: what waits is told in the twenty seconds after.
 */
const RATE = { burst: 100, perSecond: 10 };
/** Tokens that the type leaves to the other. */
const RESERVE = { Normal: 50, Warning: 0 };
const MAX_TRIES = 3;
const RETRY = { baseMs: 500, capMs: 5_000 };
/** What waits when the program ends has so long to be sent. */
const FLUSH_MS = 3_000;

const EVENTS: Resource = { group: "events.k8s.io", version: "v1", plural: "events" };

export class EventRecorder implements Part {
  readonly name = "event recorder";
  readonly #options: EventRecorderOptions;
  readonly #bucket: TokenBucket;
  readonly #index = new EventSeriesIndex();
  readonly #waiting = { Warning: new Set<EventSeries>(), Normal: new Set<EventSeries>() };
  #wake = (): void => {};

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#bucket = new TokenBucket({ ...RATE, clock: options.clock });
  }

  /** Has the Event told soon, or counted, or dropped. Never throws and never waits. */
  event(event: EventInput): void {
    const { clock, random } = this.#options;
    const series = this.#index.count(event, clock.now(), random);
    // Told when it is new, and then whenever it has become twice as many.
    if (series.count < 2 * series.toldCount) return;
    const waiting = this.#waiting[event.type];
    if (waiting.has(series)) return;
    if (waiting.size >= MAX_WAITING[event.type]) {
      this.#giveUp(series, "dropped");
      return;
    }
    waiting.add(series);
    this.#wake();
  }

  /** Sends until it is told to stop, then what still waits, as far as the rate and a bounded time allow. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const calls = new AbortController();
    let cancelTimer = (): void => {};
    const onAbort = (): void => {
      cancelTimer = clock.timer(FLUSH_MS, () => {
        calls.abort(signal.reason);
      });
      this.#wake();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    for (;;) {
      const series = this.#next();
      const waitMs = series === undefined ? Infinity : this.#bucket.takeOrWaitMs(RESERVE[series.event.type]);
      if (series !== undefined && waitMs === 0 && !calls.signal.aborted) {
        this.#waiting[series.event.type].delete(series);
        await this.#send(series, calls.signal);
      } else if (signal.aborted) {
        break;
      } else {
        await this.#pause(waitMs);
      }
    }
    cancelTimer();
    for (const series of [...this.#waiting.Warning, ...this.#waiting.Normal]) this.#giveUp(series, "dropped");
  }

  #next(): EventSeries | undefined {
    const [warning] = this.#waiting.Warning;
    const [normal] = this.#waiting.Normal;
    return warning ?? normal;
  }

  /** Until there is something new to look at, but no longer than `ms`. */
  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const cancelTimer = ms === Infinity ? undefined : this.#options.clock.timer(Math.ceil(ms), resolve);
    await promise;
    cancelTimer?.();
  }

  async #send(series: EventSeries, signal: AbortSignal): Promise<void> {
    const { clock, log, metrics, random } = this.#options;
    const { type, reason, regarding } = series.event;
    for (let tries = 1; ; tries++) {
      try {
        await this.#tell(series, signal);
        metrics.events.inc({ type, result: "sent" });
        return;
      } catch (error) {
        // Refused for good: the namespace is being deleted, or we may not.
        const isRefused = isApiError(error, "forbidden", "not_found", "invalid", "bad_request", "too_large");
        if (isRefused || tries === MAX_TRIES || signal.aborted) {
          // In a namespace that is being deleted each is refused, and nobody can do anything about it.
          const isEverydays = isApiError(error, "forbidden", "not_found") || signal.aborted;
          log[isEverydays ? "debug" : "warn"]("event not sent", { regarding: regarding.name, reason, error });
          this.#giveUp(series, "failed");
          return;
        }
      }
      await clock.sleep(backoffMs(tries, RETRY, random), signal).catch(() => {});
    }
  }

  async #tell(series: EventSeries, signal: AbortSignal): Promise<void> {
    const { api } = this.#options;
    const { count, name } = series;
    const namespace = namespaceOf(series);
    if (series.toldCount === 0) {
      await this.#create(series, signal);
    } else {
      try {
        await api.mergePatch(resourcePath(EVENTS, { namespace, name }), toSeriesPatch(series), signal);
      } catch (error) {
        if (!isApiError(error, "not_found")) throw error;
        // The server keeps Events for an hour.
        await this.#create(series, signal);
      }
    }
    series.toldCount = count;
  }

  async #create(series: EventSeries, signal: AbortSignal): Promise<void> {
    const { api, reportingController, reportingInstance } = this.#options;
    const path = resourcePath(EVENTS, { namespace: namespaceOf(series) });
    try {
      await api.create(path, toEvent(series, { reportingController, reportingInstance }), signal);
    } catch (error) {
      // The answer to an earlier try was lost.
      if (!isApiError(error, "already_exists")) throw error;
    }
  }

  #giveUp(series: EventSeries, result: "dropped" | "failed"): void {
    this.#options.metrics.events.inc({ type: series.event.type, result });
    // The next one of its kind deserves to be told as new.
    if (series.toldCount === 0) this.#index.forget(series);
  }
}
