/** What was called: counts of all calls, and the last of them with their bodies. */
import type { EpochMs } from "../runtime/clock.ts";
import type { JsonObject } from "../runtime/json.ts";
import { parseBody, type SimulatorRequest } from "./http.ts";
import { Refusal } from "./refusal.ts";

export interface NotedRequest {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly path: string;
  /** 0: the connection was reset instead of an answer. */
  readonly status: number;
  /** As it came but for secrets, which read `*****` as in Auth0's own logs; null: none, or none that could be read. */
  readonly body: JsonObject | null;
}

/** A request as a person follows it. */
export interface LiveCall extends Omit<NotedRequest, "body"> {
  /** Counted from 0 since the start, or since the counts were set to zero. */
  readonly number: number;
  readonly time: string;
  /** Until the answer left: the work and the delay that a fault plan added. */
  readonly ms: number;
}

/** When a request came, and how long its answer took. */
export interface Timing {
  readonly atMs: EpochMs;
  readonly ms: number;
}

/** Requests that are kept with their bodies. */
const MAX_REQUESTS = 1000;

/** Longer bodies are counted and not kept. */
const MAX_KEPT_BYTES = 16_384;

export class Calls {
  #byRoute = new Map<string, number>();
  #byStatus = new Map<string, number>();
  #total = 0;
  /** A ring: the oldest is overwritten once it is full. */
  #requests: (NotedRequest & { readonly timing: Timing })[] = [];

  /** @param route method and path of the endpoint, its parameters in braces */
  note(route: string, request: SimulatorRequest, status: number, timing: Timing): void {
    const noted = { method: request.method, path: request.target, status, body: keptBody(request), timing };
    this.#requests[this.#total % MAX_REQUESTS] = noted;
    this.#total++;
    count(this.#byRoute, route);
    count(this.#byStatus, status === 0 ? "reset" : String(status));
  }

  summary(): JsonObject {
    return {
      total: this.#total,
      byRoute: Object.fromEntries(this.#byRoute),
      byStatus: Object.fromEntries(this.#byStatus),
    };
  }

  get total(): number {
    return this.#total;
  }

  /** Oldest first. */
  requests(): readonly NotedRequest[] {
    return this.#inOrder().map(({ method, path, status, body }) => ({ method, path, status, body }));
  }

  /** Those from `number` on, at most `most` of them, oldest first. */
  since(number: number, most: number): readonly LiveCall[] {
    const calls = this.#inOrder().map(({ timing, method, path, status }, index, all) => ({
      number: this.#total - all.length + index,
      time: new Date(timing.atMs).toISOString(),
      method,
      path,
      status,
      ms: timing.ms,
    }));
    return calls.filter((call) => call.number >= number).slice(-most);
  }

  #inOrder(): (NotedRequest & { readonly timing: Timing })[] {
    const oldest = this.#total > MAX_REQUESTS ? this.#total % MAX_REQUESTS : 0;
    return [...this.#requests.slice(oldest), ...this.#requests.slice(0, oldest)];
  }

  clear(): void {
    this.#byRoute = new Map();
    this.#byStatus = new Map();
    this.#total = 0;
    this.#requests = [];
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

const SECRETS = ["password", "client_secret", "client_assertion", "token"];

/** A request's body as it may be kept and shown: its secrets masked, null where there is none or it is too long. */
export function keptBody(request: SimulatorRequest): JsonObject | null {
  if (request.body.length === 0 || request.body.length > MAX_KEPT_BYTES) return null;
  try {
    return withoutSecrets(parseBody(request));
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

/** With its secrets masked, those at the top. */
export function withoutSecrets(body: JsonObject): JsonObject {
  const masked = SECRETS.filter((name) => typeof body[name] === "string").map((name) => [name, "*****"]);
  return { ...body, ...Object.fromEntries(masked) };
}
