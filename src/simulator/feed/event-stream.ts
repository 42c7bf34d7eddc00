/** One open connection to the feed: server-sent events, in the frames that Auth0's documents show. */
import type { Clock } from "../../runtime/clock.ts";
import type { JsonObject } from "../../runtime/json.ts";
import type { StreamSink } from "../http.ts";
import type { EventLog, FeedEvent, Follower } from "./event-log.ts";
import type { EventType } from "./event-types.ts";

export interface EventStreamOptions {
  readonly log: EventLog;
  readonly clock: Clock;
  /** Where it begins. */
  readonly next: number;
  /** Undefined: all. */
  readonly types: ReadonlySet<EventType> | undefined;
  readonly heartbeatMs: number;
  /** After as long the connection is closed, as Auth0 does to balance its load, and when the token ends. */
  readonly lifetimeMs: number;
  /** The event in the API's shape. */
  readonly envelope: (event: FeedEvent) => JsonObject;
  /** Whether a fault plan breaks the connection at this event. */
  readonly breaksAt: (type: EventType) => boolean;
}

/** How long a client is told to wait before it connects again (the documents' example). */
const RETRY_MS = 2000;

export class EventStream implements Follower {
  readonly #options: EventStreamOptions;
  readonly #sink: StreamSink;
  readonly #timers: (() => void)[] = [];
  #next: number;
  #isFull = false;
  #isClosed = false;

  /** Begins to deliver at once. */
  constructor(options: EventStreamOptions, sink: StreamSink) {
    this.#options = options;
    this.#sink = sink;
    this.#next = options.next;
    options.log.followers.add(this);
    sink.write(`:connected\n\nretry: ${String(RETRY_MS)}\n\n`);
    this.#every(options.heartbeatMs, () => {
      this.#beat();
    });
    this.#every(options.lifetimeMs, () => {
      this.#end();
    });
    this.wake();
  }

  /** Delivers as much as the connection takes; `resume` goes on when it has room again. */
  wake(): void {
    const { log, types, breaksAt } = this.#options;
    while (!this.#isFull && !this.#isClosed && this.#next < log.end) {
      const event = log.find(this.#next);
      if (!event) {
        this.expire();
        return;
      }
      if (types && !types.has(event.type)) {
        this.#next++;
        continue;
      }
      if (breaksAt(event.type)) {
        this.close();
        this.#sink.reset();
        return;
      }
      this.#next++;
      this.#send(event.type, { event: this.#options.envelope(event) });
    }
  }

  /** The connection has room again. */
  resume(): void {
    this.#isFull = false;
    this.wake();
  }

  expire(): void {
    const error = { code: "cursor_expired", message: "Cursor points to data no longer available in the stream." };
    this.#sink.write(`event: error\ndata: ${JSON.stringify({ error })}\n\n`);
    this.#end();
  }

  /** The connection is gone: nothing is to be sent any more. */
  close(): void {
    this.#isClosed = true;
    this.#options.log.followers.delete(this);
    for (const cancel of this.#timers) cancel();
  }

  #end(): void {
    this.close();
    this.#sink.end();
  }

  /** The cursor moves on also over events that this stream does not show. */
  #beat(): void {
    if (this.#isFull) return;
    this.#sink.write(": heartbeat\n\n");
    this.#send("offset-only", {});
  }

  #send(type: string, payload: JsonObject): void {
    const offset = this.#options.log.cursorOf(this.#next);
    const data = JSON.stringify({ offset, ...payload });
    this.#isFull = !this.#sink.write(`event: ${type}\nid: ${offset}\ndata: ${data}\n\n`);
  }

  #every(ms: number, action: () => void): void {
    const index = this.#timers.length;
    const run = (): void => {
      action();
      if (!this.#isClosed) arm();
    };
    const arm = (): void => {
      this.#timers[index] = this.#options.clock.timer(ms, run);
    };
    arm();
  }
}
