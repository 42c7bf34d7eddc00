/** Events of one wording about one object, counted together, and how they look on the wire (events.k8s.io/v1). */
import type { EpochMs } from "../runtime/clock.ts";
import type { JsonObject } from "../runtime/json.ts";
import type { Random } from "../runtime/random.ts";
import { formatMicroTime } from "./timestamps.ts";

export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  /** Absent for an object of the cluster, whose Events stand in `default`. */
  readonly namespace?: string;
  readonly name: string;
  readonly uid: string;
}

export interface EventInput {
  readonly regarding: ObjectReference;
  readonly type: "Normal" | "Warning";
  /** Why, in one CamelCase word of at most 128 characters. */
  readonly reason: string;
  /** What was done or tried, in one CamelCase word of at most 128 characters. */
  readonly action: string;
  /** A sentence for people; cut off where it exceeds 1 kB. */
  readonly note: string;
}

/** One Event at the server, and how often it happened. */
export interface EventSeries {
  readonly event: EventInput;
  /** Of the Event itself. */
  readonly name: string;
  readonly firstAt: EpochMs;
  lastAt: EpochMs;
  count: number;
  /** The count that the server has heard of; 0: of none. */
  toldCount: number;
}

export interface Reporter {
  /** Whose Events these are: a name like a domain. */
  readonly reportingController: string;
  /** Which process of it: the pod. */
  readonly reportingInstance: string;
}

/** After so long without another one, the next begins a series of its own; client-go's figure. */
const SERIES_MS = 6 * 60_000;
/** Series remembered: some hundred bytes each. */
const MAX_SERIES = 4_096;
/** The API's bound on a note. */
const MAX_NOTE_BYTES = 1_024;

export class EventSeriesIndex {
  /** The one that was silent for longest comes first. */
  readonly #series = new Map<string, EventSeries>();

  /** Counts the event in the series it belongs to. */
  count(event: EventInput, now: EpochMs, random: Random): EventSeries {
    const id = idOf(event);
    const known = this.#series.get(id);
    const isFresh = known !== undefined && now - known.lastAt < SERIES_MS;
    const series = isFresh
      ? known
      : { event, name: nameFor(event.regarding.name, random), firstAt: now, lastAt: now, count: 0, toldCount: 0 };
    series.count++;
    series.lastAt = now;
    this.#series.delete(id);
    this.#series.set(id, series);
    const [oldest] = this.#series.keys();
    if (this.#series.size > MAX_SERIES && oldest !== undefined) this.#series.delete(oldest);
    return series;
  }

  /** Begins anew with the next one of its kind. */
  forget({ event }: EventSeries): void {
    this.#series.delete(idOf(event));
  }
}

export function namespaceOf({ event }: EventSeries): string {
  return event.regarding.namespace ?? "default";
}

/** The whole Event, for its first telling. */
export function toEvent(series: EventSeries, reporter: Reporter): JsonObject {
  const { regarding, type, reason, action, note } = series.event;
  return {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { namespace: namespaceOf(series), name: series.name },
    eventTime: formatMicroTime(series.firstAt),
    type,
    reason,
    action,
    note: cutTo(MAX_NOTE_BYTES, note),
    regarding,
    ...reporter,
    ...(series.count > 1 && toSeriesPatch(series)),
  };
}

/** What a repetition changes. The server takes a series of two and more. */
export function toSeriesPatch({ count, lastAt }: EventSeries): JsonObject {
  return { series: { count, lastObservedTime: formatMicroTime(lastAt) } };
}

function idOf({ regarding, type, reason, action, note }: EventInput): string {
  return JSON.stringify([regarding.uid, regarding.name, regarding.namespace, type, reason, action, note]);
}

/** A name that nobody else chooses: 253 characters are allowed, each part between dots must end in a letter or digit. */
function nameFor(objectName: string, random: Random): string {
  return `${objectName.slice(0, 230).replace(/[^a-z0-9]+$/, "")}.${random.bytes(8).toString("hex")}`;
}

function cutTo(maxBytes: number, text: string): string {
  const ellipsis = "…";
  if (Buffer.byteLength(text) <= maxBytes) return text;
  const kept = Buffer.from(text).subarray(0, maxBytes - Buffer.byteLength(ellipsis));
  // A character that was cut in two decodes to U+FFFD.
  return kept.toString().replace(/\uFFFD+$/, "") + ellipsis;
}
