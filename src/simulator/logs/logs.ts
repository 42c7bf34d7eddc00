/**
 * The tenant's log: one entry for each successful write by the API, and others for what became of users. Kept as what
 * happened, shown as entries when somebody asks. It ends with the process.
 */
import type { Clock, EpochMs } from "../../runtime/clock.ts";
import type { JsonObject } from "../../runtime/json.ts";

/** As many are always kept, and up to twice as many: search reaches 1,000 (documented). */
const MAX_ENTRIES = 1000;

export interface LogEntry {
  /** Sorts by time. */
  readonly id: string;
  readonly show: () => JsonObject;
}

export class Logs {
  readonly #clock: Clock;
  readonly #lagMs: () => number;
  /** Oldest first, with when each can be read. */
  #entries: { readonly entry: LogEntry; readonly visibleMs: number }[] = [];
  #made = 0;

  /** @param lagMs how long an entry takes to be seen */
  constructor(clock: Clock, lagMs: () => number) {
    this.#clock = clock;
    this.#lagMs = lagMs;
  }

  /** @param show the entry without its id and date; called each time it is read */
  note(now: EpochMs, show: () => JsonObject): void {
    const id = logId(now, this.#made++);
    const date = new Date(now).toISOString();
    const entry = { id, show: () => ({ _id: id, log_id: id, date, ...show() }) };
    this.#add(entry, this.#clock.monotonicMs() + this.#lagMs());
  }

  /** An entry from elsewhere, as the API shows it, for a tenant with a past. */
  enter(shown: JsonObject): void {
    this.#add({ id: String(shown["log_id"]), show: () => shown }, 0);
    this.#entries.sort((a, b) => (a.entry.id < b.entry.id ? -1 : 1));
  }

  #add(entry: LogEntry, visibleMs: number): void {
    this.#entries.push({ entry, visibleMs });
    if (this.#entries.length >= 2 * MAX_ENTRIES) this.#entries = this.#entries.slice(-MAX_ENTRIES);
  }

  /** Oldest first. */
  visible(): readonly LogEntry[] {
    const nowMs = this.#clock.monotonicMs();
    return this.#entries.filter(({ visibleMs }) => visibleMs <= nowMs).map(({ entry }) => entry);
  }
}

/** `900`, the time to the microsecond, and a counter, as recorded. */
function logId(now: EpochMs, count: number): string {
  const time = new Date(now).toISOString().replaceAll(/\D/g, "");
  return `900${time}000000000000000001223372${String(count).padStart(12, "0")}`;
}
