/** Durations as Go and Kubernetes write them: `1h30m`, `90s`, `1.5h`. */

/** In the common subset of RE2 and JavaScript. */
export const DURATION_PATTERN = "^([0-9]+([.][0-9]+)?(ms|s|m|h))+$";
const DURATION = new RegExp(DURATION_PATTERN);

/** How often users may be compared with Auth0: oftener would cost the tenant more calls than all else. */
export const MIN_SYNC_INTERVAL_MS = 10_000;
export const MAX_SYNC_INTERVAL_MS = 30 * 24 * 3_600_000;

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

/**
 * The CEL rule by which the API server holds a field to these bounds. Guarded by the pattern: a rule that can't be evaluated
 * makes it refuse even a write of the status.
 */
export function syncIntervalRule(field: string): { readonly rule: string; readonly message: string } {
  return {
    rule: `!has(self.${field}) || !self.${field}.matches('${DURATION_PATTERN}') || (duration(self.${field}) >= duration('10s') && duration(self.${field}) <= duration('720h'))`,
    message: `${field} must be between 10s and 720h`,
  };
}
