/** Addresses that a deleted user still blocks for a while, when the switch says so. */
import type { Clock } from "../../runtime/clock.ts";
import { textIn } from "../json.ts";
import type { User } from "./user.ts";

export class RecentDeletions {
  /** Connection and address → until when, oldest first. */
  readonly #blocked = new Map<string, number>();
  readonly #clock: Clock;
  readonly #windowMs: () => number;

  constructor(clock: Clock, windowMs: () => number) {
    this.#clock = clock;
    this.#windowMs = windowMs;
  }

  noteChange(before: User | undefined, after: User | undefined): void {
    this.#expire();
    const email = before && !after ? textIn(before.attributes, "email") : undefined;
    if (before === undefined || email === undefined || this.#windowMs() === 0) return;
    this.#blocked.set(keyOf(before.identities[0].connection, email), this.#clock.monotonicMs() + this.#windowMs());
  }

  blocks(connection: string, email: string): boolean {
    this.#expire();
    return this.#blocked.has(keyOf(connection, email));
  }

  #expire(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, untilMs] of this.#blocked) {
      if (untilMs > nowMs) return;
      this.#blocked.delete(key);
    }
  }
}

function keyOf(connection: string, email: string): string {
  return `${connection}\0${email}`;
}
