/**
 * Requests and answers as values, without a socket: what the server hands in and what it has to send. Everything behind
 * this file works in process too.
 */
import { isJsonObject, type JsonObject } from "../runtime/json.ts";
import { parseJson } from "./json.ts";
import { badRequest, payloadTooLarge, unsupportedMediaType, type Refusal } from "./refusal.ts";

/** Bytes of a request body; a longer one is refused. Auth0 names no figure for users, imports take 512,000. */
export const MAX_BODY_BYTES = 1 << 20;

/** A whole state may be that long: some 200,000 users. */
const MAX_STATE_BYTES = 256 << 20;

export function maxBodyBytes({ target }: Pick<SimulatorRequest, "target">): number {
  return target === STATE_PATH ? MAX_STATE_BYTES : MAX_BODY_BYTES;
}

export const STATE_PATH = "/_simulator/state";

/** Bytes of path and query; beyond, 414 (documented for long search queries, without a figure; 8 kB is nginx's). */
export const MAX_TARGET_BYTES = 8192;

export interface SimulatorRequest {
  readonly method: string;
  /** Path and query as they stood in the request line, still percent-encoded. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** It came by https, to us or to a proxy in front. */
  readonly isSecure?: boolean;
  /** Of a body beyond `maxBodyBytes` at least one byte more than that, so that it can be told. */
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; absent: no body. */
  readonly body?: unknown;
  /** Sent as it is, instead of `body`: what proxies in front of the API answer. */
  readonly html?: string;
  /** Sent as they are; `content-type` stands in the headers. */
  readonly bytes?: Buffer;
  /** Instead of a body of known length: called once the head is out, and writes for as long as the client stays. */
  readonly stream?: (sink: StreamSink) => OpenStream;
}

/** Where a stream writes to. */
export interface StreamSink {
  /** False: the client is slow; nothing more should be written before `resume`. */
  write(text: string): boolean;
  end(): void;
  /** The connection is reset. */
  reset(): void;
}

/** A stream as the server sees it. */
export interface OpenStream {
  resume(): void;
  /** The client is gone, or the server stops. */
  close(): void;
}

/** The request line's target, taken apart once: every path segment decoded for itself, so that `%2F` stays inside one. */
export interface Target {
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
}

/** Undefined where the percent-encoding is broken. */
export function findTarget(target: string): Target | undefined {
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  try {
    return {
      segments: path.split("/").slice(1).map(decodeURIComponent),
      query: new URLSearchParams(mark < 0 ? "" : target.slice(mark + 1)),
    };
  } catch {
    return undefined;
  }
}

export function findHeader(request: SimulatorRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" ? value : value?.[0];
}

/**
 * The object in a JSON or form body. Values of a form are strings but for `true` and `false`, which are what they say.
 *
 * @throws Refusal where the body is too long, of another type, or no object
 */
export function parseBody(request: SimulatorRequest): JsonObject {
  const type = mediaType(request);
  checkLength(request);
  if (type === "application/x-www-form-urlencoded") return parseForm(request.body.toString());
  if (type !== "application/json") throw unsupportedMediaType();
  const value = parseJsonBody(request.body);
  if (!isJsonObject(value)) throw wrongType("object", value);
  return value;
}

/**
 * The objects in the list that a JSON body is.
 *
 * @throws Refusal where the body is too long, of another type, or anything else
 */
export function parseListBody(request: SimulatorRequest): readonly JsonObject[] {
  checkLength(request);
  if (mediaType(request) !== "application/json") throw unsupportedMediaType();
  const value = parseJsonBody(request.body);
  if (!Array.isArray(value)) throw wrongType("array", value);
  const items: readonly unknown[] = value;
  return items.map((item) => {
    if (!isJsonObject(item)) throw wrongType("object", item);
    return item;
  });
}

/** In lower case and without parameters; JSON where a request does not say. */
export function mediaType(request: SimulatorRequest): string {
  const [type = ""] = (findHeader(request, "content-type") ?? "application/json").split(";", 1);
  return type.trim().toLowerCase();
}

function checkLength(request: SimulatorRequest): void {
  const maxBytes = maxBodyBytes(request);
  if (request.body.length > maxBytes) throw payloadTooLarge(maxBytes);
}

function parseJsonBody(body: Buffer): unknown {
  if (body.length === 0) return null;
  try {
    return parseJson(body.toString());
  } catch {
    throw badRequest("Invalid request payload JSON format");
  }
}

function parseForm(text: string): JsonObject {
  const entries = [...new URLSearchParams(text)].map(([name, value]): [string, unknown] => [
    name,
    value === "true" || value === "false" ? value === "true" : value,
  ]);
  return Object.fromEntries(entries);
}

function wrongType(expected: "object" | "array", value: unknown): Refusal {
  const found = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  return badRequest(`Payload validation error: 'Expected type ${expected} but found type ${found}'.`, "invalid_body");
}
