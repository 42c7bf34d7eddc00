/**
 * What the operator remembers of each resource between passes, and only in memory: losing it costs a call, never
 * a user. The user last seen is kept as text, since fifty thousand of them are kept and few are looked at again.
 */
import type { ObservedUser } from "../core/observed-user.ts";
import type { ObjectKey } from "../kubernetes/object.ts";
import { NO_MEMORY, type Memory, type Sighting } from "../reconcile/outcome.ts";
import type { EpochMs } from "../runtime/clock.ts";

export interface KeyMemory {
  readonly uid: string;
  readonly memory: Memory;
  /** When the user is to be compared with Auth0 again. */
  readonly nextSyncAtMs: EpochMs;
  /** Whether only the Secret with the password was missing: it is looked for, and nothing else. */
  readonly awaitsPassword: boolean;
  /** Passes in a row that a transient failure ended. */
  readonly failures: number;
  /** The resource version that our last write gave the resource: what wakes us with this version is our own echo. */
  readonly writtenVersion: string | undefined;
  /** What the last pass looked at: an answer to our own write may already show a newer spec. */
  readonly passedGeneration: number | undefined;
}

interface SightingText {
  readonly text: string;
  readonly atMs: EpochMs;
}

interface Entry extends Omit<KeyMemory, "memory"> {
  readonly lastSeen: SightingText | undefined;
  readonly rest: Omit<Memory, "lastSeen"> | undefined;
}

export class UserMemories {
  readonly #entries = new Map<ObjectKey, Entry>();
  readonly #expired = new Set<ObjectKey>();

  /** @param uid of the resource now: what was remembered of another one that had its name is not its own */
  find(key: ObjectKey, uid: string): KeyMemory | undefined {
    const entry = this.#entries.get(key);
    if (entry?.uid !== uid) return undefined;
    const { lastSeen, rest, ...kept } = entry;
    return { ...kept, memory: { ...(rest ?? NO_MEMORY), lastSeen: lastSeen && sightingFrom(lastSeen) } };
  }

  keep(key: ObjectKey, { memory: { lastSeen, ...rest }, ...kept }: KeyMemory): void {
    const isPlain =
      rest.settled.size + rest.reported.length + rest.unanswered.length === 0 &&
      [rest.refusedPassword, rest.settledAssignments, rest.goneSinceMs, rest.conflictSinceMs].every(
        (fact) => fact === undefined,
      );
    this.#entries.set(key, {
      ...kept,
      lastSeen: lastSeen && { text: JSON.stringify(lastSeen.user), atMs: lastSeen.atMs },
      rest: isPlain ? undefined : rest,
    });
  }

  forget(key: ObjectKey): void {
    this.#entries.delete(key);
    this.#expired.delete(key);
  }

  noteWritten(key: ObjectKey, resourceVersion: string): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.#entries.set(key, { ...entry, writtenVersion: resourceVersion });
  }

  /** Makes the key due, so that its next pass looks at everything, also where one is under way and ends later. */
  expire(key: ObjectKey): void {
    this.#expired.add(key);
  }

  /** Whether the key was made due since this was asked last: whoever asks looks at everything. */
  takeExpiry(key: ObjectKey): boolean {
    return this.#expired.delete(key);
  }
}

function sightingFrom({ text, atMs }: SightingText): Sighting {
  const user: ObservedUser = JSON.parse(text);
  return { user, atMs };
}
