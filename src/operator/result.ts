/** What a failure's remedy means for the queue. */
import type { ReconcileResult } from "../kubernetes/controller.ts";
import type { EpochMs } from "../runtime/clock.ts";
import type { Remedy } from "../runtime/remedy.ts";

/** A moment weeks away is looked for once a day: timers count in 31 bits of milliseconds. */
const MAX_WAIT_MS = 24 * 3_600_000;

export function resultOf(remedy: Remedy, nowMs: EpochMs): ReconcileResult {
  switch (remedy.kind) {
    case "backoff":
      return { kind: "backoff" };
    case "wait":
      return { kind: "requeue", afterMs: Math.min(MAX_WAIT_MS, Math.max(0, remedy.untilMs - nowMs)) };
    case "stall":
      return { kind: "stalled" };
    default:
      return remedy satisfies never;
  }
}
