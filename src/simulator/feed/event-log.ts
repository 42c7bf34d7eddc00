/**
 * The event feed's memory: what happened, in order, as far back as it is kept, and the streams that follow it. Each event
 * has a place; a cursor is a place in disguise.
 */
import type { Clock, EpochMs } from "../../runtime/clock.ts";
import type { JsonObject } from "../../runtime/json.ts";
import type { Random } from "../../runtime/random.ts";
import { alphanumeric } from "../made-up.ts";
import type { EventType } from "./event-types.ts";

export interface FeedEvent {
  /** `evt_` and 22 letters or digits. An event that comes twice has the same. */
  readonly id: string;
  readonly type: EventType;
  readonly timeMs: EpochMs;
  /** What it happened to, as it was then, in the API's shape. Asked for when it is sent: most events never are. */
  readonly object: () => JsonObject;
}

/** What may go wrong with an event when it happens. */
export type EventMishap =
  | { readonly kind: "feed-gap" }
  | { readonly kind: "feed-duplicate" }
  | { readonly kind: "feed-late"; readonly ms: number };

export interface EventLogOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** The time as the tenant tells it. */
  readonly now: () => EpochMs;
  /** How many events are kept. */
  readonly retention: () => number;
  readonly drawMishap: (type: EventType) => EventMishap | undefined;
}

/** A stream that wants to know when there is more. */
export interface Follower {
  wake(): void;
  /** Its cursor, and every other, points to nothing any more. */
  expire(): void;
}

export type Position =
  { readonly kind: "at"; readonly next: number } | { readonly kind: "invalid" } | { readonly kind: "expired" };

export class EventLog {
  readonly followers = new Set<Follower>();
  readonly #options: EventLogOptions;
  /** The event at place `p` stands at `p - first`. */
  #events: FeedEvent[] = [];
  #first = 0;
  /** Tells this log's cursors from those of one before it. */
  #epoch: string;

  constructor(options: EventLogOptions) {
    this.#options = options;
    this.#epoch = alphanumeric(options.random, 8);
  }

  /** The place of the next event. */
  get end(): number {
    return this.#first + this.#events.length;
  }

  announce(type: EventType, object: () => JsonObject): void {
    const { clock, random, now, drawMishap } = this.#options;
    const event = { id: `evt_${alphanumeric(random, 22)}`, type, timeMs: now(), object };
    const mishap = drawMishap(type);
    switch (mishap?.kind) {
      case undefined:
        this.#append(event);
        return;
      case "feed-gap":
        return;
      case "feed-duplicate":
        this.#append(event, event);
        return;
      case "feed-late":
        clock.timer(mishap.ms, () => {
          this.#append(event);
        });
        return;
      default:
        mishap satisfies never;
    }
  }

  /** Undefined where it is no longer, or not yet, there. */
  find(place: number): FeedEvent | undefined {
    return this.#events[place - this.#first];
  }

  /** Opaque; delivery resumes at `next`. */
  cursorOf(next: number): string {
    return Buffer.from(`${this.#epoch}.${String(next)}`).toString("base64url");
  }

  positionOf(cursor: string): Position {
    const [, epoch, digits] = /^([a-zA-Z0-9]{8})\.(\d{1,15})$/.exec(Buffer.from(cursor, "base64url").toString()) ?? [];
    const next = Number(digits);
    if (epoch === undefined || (epoch === this.#epoch && next > this.end)) return { kind: "invalid" };
    this.#trim();
    return epoch === this.#epoch && next >= this.#first ? { kind: "at", next } : { kind: "expired" };
  }

  /** The first event that happened then or later. */
  positionAt(timeMs: EpochMs): Position {
    this.#trim();
    const index = this.#events.findIndex((event) => event.timeMs >= timeMs);
    if (index === 0 && this.#first > 0) return { kind: "expired" };
    return { kind: "at", next: index < 0 ? this.end : this.#first + index };
  }

  /** Those from place `number` on, at most `most` of them, oldest first. */
  since(number: number, most: number): readonly (FeedEvent & { readonly number: number })[] {
    const from = Math.max(number, this.#first, this.end - most);
    return this.#events.slice(from - this.#first).map((event, index) => ({ ...event, number: from + index }));
  }

  /** Forgets everything: the tenant became another. */
  expire(): void {
    this.#events = [];
    this.#first = 0;
    this.#epoch = alphanumeric(this.#options.random, 8);
    for (const follower of this.followers) follower.expire();
  }

  #append(...events: readonly FeedEvent[]): void {
    this.#events.push(...events);
    if (this.#events.length >= 2 * this.#options.retention()) this.#trim();
    for (const follower of this.followers) follower.wake();
  }

  /** Done now and then only: taking the first of ten thousand off costs as much as taking half of them. */
  #trim(): void {
    const surplus = this.#events.length - this.#options.retention();
    if (surplus <= 0) return;
    this.#events = this.#events.slice(surplus);
    this.#first += surplus;
  }
}
