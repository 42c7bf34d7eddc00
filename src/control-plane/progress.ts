/** What a long search or build tells a person meanwhile. */
import type { Clock } from "../runtime/clock.ts";

export interface Progress {
  /** Something was found out or begun. */
  step(line: string): void;
  /** How far the step in hand has come; each tick replaces the one before. */
  tick(line: string): void;
}

/** Where a `Progress` is shown; `process.stderr` is one. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Where ticks can't replace each other, one in this many milliseconds is enough to show that somebody is at work. */
const TICK_EVERY_MS = 30_000;
const CLEAR_LINE = "\r\u001B[2K";

/** Shows progress on a terminal, where ticks rewrite one line, or in a log, where they are rare. */
export function createProgress({ output, clock }: { output: ProgressOutput; clock: Clock }): Progress {
  let ticking = false;
  let quietSinceMs = clock.monotonicMs();
  return {
    step(line) {
      output.write(`${ticking ? CLEAR_LINE : ""}${line}\n`);
      ticking = false;
      quietSinceMs = clock.monotonicMs();
    },
    tick(line) {
      if (output.isTTY === true) {
        output.write(CLEAR_LINE + line.slice(0, (output.columns ?? 80) - 1));
        ticking = true;
      } else if (clock.monotonicMs() - quietSinceMs >= TICK_EVERY_MS) {
        output.write(`${line}\n`);
        quietSinceMs = clock.monotonicMs();
      }
    },
  };
}

/** `0.2 s`, `45 s`, `1 min 20 s`. */
export function durationText(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${String(seconds)} s` : `${String(minutes)} min ${String(seconds % 60)} s`;
}
