/** What failures carry with them, so that nothing between birth and requeue has to look inside. */
import type { EpochMs } from "./clock.ts";

/** What to do about a failure. Decided where it is born, obeyed where the key is requeued. */
export type Remedy =
  /** Transient: again, later each time. */
  | { readonly kind: "backoff" }
  /** The far side named the moment. */
  | { readonly kind: "wait"; readonly untilMs: EpochMs }
  /** Only a new spec or a person can help. */
  | { readonly kind: "stall" };
