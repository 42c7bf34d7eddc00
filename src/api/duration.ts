/** Durations as Go and Kubernetes write them: `1h30m`, `90s`, `1.5h`. */

/** In the common subset of RE2 and JavaScript. */
export const DURATION_PATTERN = "^([0-9]+([.][0-9]+)?(ms|s|m|h))+$";
const DURATION = new RegExp(DURATION_PATTERN);

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** @returns milliseconds; `undefined` where `text` is no such duration */
export function parseDurationMs(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount = "", unit = ""] of text.matchAll(/([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)/g)) {
    totalMs += Number(amount) * (UNIT_MS[unit] ?? 0);
  }
  return totalMs;
}
