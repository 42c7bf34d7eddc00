/** The two forms of time that the API takes. */
import type { EpochMs } from "../runtime/clock.ts";

/** `Time`: RFC 3339 in whole seconds. */
export function formatTime(atMs: EpochMs): string {
  return `${new Date(atMs).toISOString().slice(0, 19)}Z`;
}

/** `MicroTime`: exactly six digits of the second; the server refuses any other number of them. */
export function formatMicroTime(atMs: EpochMs): string {
  return `${new Date(atMs).toISOString().slice(0, 23)}000Z`;
}
