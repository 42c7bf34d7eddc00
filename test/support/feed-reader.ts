/** Reads the simulator's event feed as a client does: one message after the other. */
import type { TestSimulator } from "./start-simulator.ts";

export interface FeedMessage {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: FeedData;
}

export interface FeedData {
  readonly offset?: string;
  readonly event?: FeedEvent;
  readonly error?: { readonly code: string; readonly message: string };
}

export interface FeedEvent {
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly a0tenant: string;
  readonly data: { readonly object: Readonly<Record<string, unknown>> };
}

export class FeedReader {
  readonly response: Response;
  /** Comments and `retry` lines that came by. */
  readonly asides: string[] = [];
  readonly #chunks: AsyncIterator<string>;
  #rest = "";

  private constructor(response: Response, chunks: AsyncIterator<string>) {
    this.response = response;
    this.#chunks = chunks;
  }

  /** Resolves when the head of the answer is there; ends with the test. */
  static async open(
    t: { teardown(ended: () => void): void },
    tenant: TestSimulator,
    query = "",
    headers: Readonly<Record<string, string>> = {},
  ): Promise<FeedReader> {
    const own = new AbortController();
    t.teardown(() => {
      own.abort();
    });
    const response = await fetch(`${tenant.url}/api/v2/events${query}`, {
      headers: { authorization: `Bearer ${await tenant.token()}`, accept: "text/event-stream", ...headers },
      signal: own.signal,
    });
    const text = (response.body ?? new ReadableStream<Uint8Array>()).pipeThrough(new TextDecoderStream());
    return new FeedReader(response, text[Symbol.asyncIterator]());
  }

  /** The next message; undefined when the feed has ended it. Rejects when the connection breaks. */
  async next(): Promise<FeedMessage | undefined> {
    for (;;) {
      const end = this.#rest.indexOf("\n\n");
      if (end < 0) {
        const chunk = await this.#chunks.next();
        if (chunk.done === true) return undefined;
        this.#rest += chunk.value;
        continue;
      }
      const lines = this.#rest.slice(0, end).split("\n");
      this.#rest = this.#rest.slice(end + 2);
      const event = valueOf(lines, "event");
      if (event === undefined) this.asides.push(...lines);
      else return { event, id: valueOf(lines, "id"), data: JSON.parse(valueOf(lines, "data") ?? "null") as FeedData };
    }
  }

  /** The next `count` events: what happened, without heartbeats. */
  async events(count: number): Promise<readonly (FeedMessage & { readonly data: { readonly event: FeedEvent } })[]> {
    const found = [];
    while (found.length < count) {
      const message = await this.next();
      if (!message) throw new Error(`the feed ended after ${String(found.length)} events`);
      const { event } = message.data;
      if (event) found.push({ ...message, data: { ...message.data, event } });
    }
    return found;
  }
}

function valueOf(lines: readonly string[], field: string): string | undefined {
  return lines.find((line) => line.startsWith(`${field}: `))?.slice(field.length + 2);
}
