/** What failures carry with them, so that nothing between birth and requeue has to look inside. */
import type { EpochMs } from "./clock.ts";
import { isJsonObject } from "./json.ts";

/** What to do about a failure. Decided where it is born, obeyed where the key is requeued. */
export type Remedy =
  /** Transient: again, later each time. */
  | { readonly kind: "backoff" }
  /** The far side named the moment. */
  | { readonly kind: "wait"; readonly untilMs: EpochMs }
  /** Only a new spec or a person can help. */
  | { readonly kind: "stall" };

/** The remedy that a failure of any room carries; undefined for what is no expected failure: a bug. */
export function findRemedy(error: unknown): Remedy | undefined {
  if (!(error instanceof Error) || !("remedy" in error) || !isJsonObject(error.remedy)) return undefined;
  const { kind, untilMs } = error.remedy;
  if (kind === "backoff" || kind === "stall") return { kind };
  return kind === "wait" && typeof untilMs === "number" ? { kind, untilMs } : undefined;
}
