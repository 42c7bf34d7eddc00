/** A log that a test can read. */
import type { Log, LogLevel, LogValues } from "../../src/runtime/log.ts";

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly values: LogValues;
}

export class RecordedLog implements Log {
  readonly lines: LogLine[];
  readonly #bound: LogValues;

  constructor(lines: LogLine[] = [], bound: LogValues = {}) {
    this.lines = lines;
    this.#bound = bound;
  }

  with(values: LogValues): Log {
    return new RecordedLog(this.lines, { ...this.#bound, ...values });
  }

  debug(message: string, values: LogValues = {}): void {
    this.#record("debug", message, values);
  }

  info(message: string, values: LogValues = {}): void {
    this.#record("info", message, values);
  }

  warn(message: string, values: LogValues = {}): void {
    this.#record("warn", message, values);
  }

  error(message: string, values: LogValues = {}): void {
    this.#record("error", message, values);
  }

  #record(level: LogLevel, message: string, values: LogValues): void {
    this.lines.push({ level, message, values: { ...this.#bound, ...values } });
  }
}
