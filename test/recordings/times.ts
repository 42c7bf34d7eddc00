/**
 * Times differ from run to run, but not how they relate: what was one moment is one moment, what came later comes later.
 * Kept for each thing by itself, by its recorded id.
 */
import type { JsonObject } from "../../src/runtime/json.ts";
import { textIn } from "../../src/simulator/json.ts";

export class Times {
  readonly #seen = new Map<string, (readonly [recordedMs: number, simulatedMs: number])[]>();

  copy(): Times {
    const copy = new Times();
    for (const [owner, pairs] of this.#seen) copy.#seen.set(owner, pairs);
    return copy;
  }

  /** A recorded time in the simulated tenant's own, as far from the last known one before it as in the recording. */
  simulated(owner: string, recorded: string): string {
    const recordedMs = Date.parse(recorded);
    const before = (this.#seen.get(owner) ?? []).filter(([knownMs]) => knownMs <= recordedMs);
    const [knownMs, simulatedMs] = before.toSorted(([a], [b]) => a - b).at(-1) ?? [recordedMs, recordedMs];
    return new Date(simulatedMs + recordedMs - knownMs).toISOString();
  }

  /** Whether a simulated time stands to all others of its owner as the recorded one does. */
  agree(owner: string, recorded: string, simulated: string): boolean {
    const pair = [Date.parse(recorded), Date.parse(simulated)] as const;
    if (pair.some((ms) => Number.isNaN(ms))) return recorded === simulated;
    const seen = this.#seen.get(owner) ?? [];
    this.#seen.set(owner, [...seen, pair]);
    return seen.every((other) => isSameRelation(pair[0] - other[0], pair[1] - other[1]));
  }
}

/** One millisecond apart, as now and then at a creation, is as good as equal; an equal time stays exactly equal. */
function isSameRelation(recordedMs: number, simulatedMs: number): boolean {
  if (recordedMs === 0) return simulatedMs === 0;
  if (Math.abs(recordedMs) === 1) return Math.abs(simulatedMs) <= 1;
  return Math.sign(recordedMs) === Math.sign(simulatedMs);
}

/** The id of the thing that an object's times belong to; that of what surrounds it where it has none. */
export function ownerOf(object: JsonObject, surrounding: string): string {
  return textIn(object, "user_id") ?? textIn(object, "id") ?? surrounding;
}

export function isTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/.test(text);
}
