/**
 * Log lines: a constant message plus named values, the object key always among them. JSON lines in a cluster, readable
 * lines on a terminal. Values under names that hold secrets never get out, and a reader of the output that does not keep
 * up costs lines, not memory.
 */
import type { Writable } from "node:stream";
import { createLogger, format } from "winston";
import Transport from "winston-transport";
import type { Clock } from "./clock.ts";
import { isJsonObject, type JsonObject } from "./json.ts";

export type LogValues = JsonObject;

export interface Log {
  debug(message: string, values?: LogValues): void;
  info(message: string, values?: LogValues): void;
  warn(message: string, values?: LogValues): void;
  error(message: string, values?: LogValues): void;
  /** The same log with `values` on every line. */
  with(values: LogValues): Log;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: "json" | "pretty";
  /** Where lines go; standard error, so that standard output stays for results. */
  readonly output: Writable;
  readonly clock: Clock;
}

/** Bytes of lines that may wait for a slow reader before lines are dropped: some thousand lines. */
const MAX_WAITING_BYTES = 1 << 20;

export function createLog({ level, format: shape, output, clock }: LogOptions): Log {
  const line = shape === "json" ? jsonLine : prettyLine;
  const winston = createLogger({
    level,
    format: format((info) => {
      const values = isJsonObject(info["values"]) ? info["values"] : {};
      info["line"] = line(clock.now(), info.level, String(info.message), values);
      return info;
    })(),
    transports: [new BoundedTransport(output)],
  });
  const bind = (bound: LogValues): Log => {
    const at =
      (name: LogLevel) =>
      (message: string, values?: LogValues): void => {
        if (winston.isLevelEnabled(name)) winston.log({ level: name, message, values: { ...bound, ...values } });
      };
    return {
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      with: (values) => bind({ ...bound, ...values }),
    };
  };
  return bind({});
}

/**
 * Writes lines without ever waiting: what the reader has not taken is bounded, and what was dropped is said. The lines of
 * one turn of the event loop go out in one write, since a write to a file or terminal holds up everything else.
 */
class BoundedTransport extends Transport {
  readonly #output: Writable;
  #dropped = 0;
  #lines = "";

  constructor(output: Writable) {
    super();
    this.#output = output;
  }

  override log(info: { readonly line: string }, next: () => void): void {
    if (this.#output.writableLength > MAX_WAITING_BYTES) {
      this.#dropped++;
    } else {
      if (this.#dropped > 0) {
        this.#put(`${String(this.#dropped)} log lines were dropped: their reader was too slow\n`);
        this.#dropped = 0;
      }
      this.#put(`${info.line}\n`);
    }
    next();
  }

  #put(line: string): void {
    if (this.#lines === "")
      setImmediate(() => {
        const lines = this.#lines;
        this.#lines = "";
        this.#output.write(lines);
      });
    this.#lines += line;
  }
}

function jsonLine(now: number, level: string, message: string, values: LogValues): string {
  return JSON.stringify({ ts: new Date(now).toISOString(), level, msg: message, ...printable(values) });
}

function prettyLine(now: number, level: string, message: string, values: LogValues): string {
  const time = new Date(now).toISOString().slice(11, 23);
  const pairs = Object.entries(printable(values)).map(
    ([name, value]) =>
      ` ${name}=${typeof value === "string" && /^[^\s"]+$/.test(value) ? value : JSON.stringify(value)}`,
  );
  return `${time} ${level.toUpperCase().padEnd(5)} ${message}${pairs.join("")}`;
}

/** Names whose values never reach an output, whoever logs them. */
const SECRET_NAMES =
  /^(password|secret|clientSecret|client_secret|token|accessToken|access_token|authorization|clientAssertion|client_assertion|privateKey)$/i;

function printable(values: LogValues): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue;
    if (SECRET_NAMES.test(name)) result[name] = "[redacted]";
    else if (value instanceof Error) Object.assign(result, printableError(name, value));
    else result[name] = printableValue(value);
  }
  return result;
}

function printableValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(printableValue);
  if (isJsonObject(value)) return printable(value);
  return typeof value === "bigint" ? value.toString() : value;
}

/** An expected error (it says what to do about it, by a `remedy`) needs no stack; any other is a bug and shows its own. */
function printableError(name: string, error: Error): Record<string, unknown> {
  const causes: string[] = [];
  for (let cause = error.cause; cause instanceof Error && causes.length < 5; cause = cause.cause)
    causes.push(cause.message);
  return {
    [name]: error.message,
    ...(causes.length > 0 && { [`${name}Causes`]: causes }),
    ...(!("remedy" in error) && { [`${name}Stack`]: error.stack }),
  };
}
