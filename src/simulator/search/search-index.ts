/**
 * Users as the search index shows them: what they were `lagMs` ago. Kept as a list of recent changes over the users
 * themselves, so that without a lag it costs nothing.
 */
import type { Clock } from "../../runtime/clock.ts";
import type { Identifier } from "../connections/identifier-rule.ts";
import type { User } from "../users/user.ts";
import type { Users } from "../users/users.ts";

interface Change {
  readonly userId: string;
  /** What the index still shows; undefined: nothing yet. */
  readonly before: User | undefined;
  readonly untilMs: number;
}

export class SearchIndex {
  readonly #users: Users;
  readonly #clock: Clock;
  readonly #lagMs: () => number;
  /** Changes that the index has not taken in, oldest first, and the same by user. */
  readonly #pending = new Set<Change>();
  readonly #pendingByUser = new Map<string, Change[]>();

  constructor(users: Users, clock: Clock, lagMs: () => number) {
    this.#users = users;
    this.#clock = clock;
    this.#lagMs = lagMs;
  }

  noteChange(before: User | undefined, after: User | undefined): void {
    const userId = (after ?? before)?.userId;
    const lagMs = this.#lagMs();
    if (userId === undefined || lagMs === 0) return;
    this.#catchUp();
    const change = { userId, before, untilMs: this.#clock.monotonicMs() + lagMs };
    this.#pending.add(change);
    const earlier = this.#pendingByUser.get(userId);
    if (earlier) earlier.push(change);
    else this.#pendingByUser.set(userId, [change]);
  }

  /** Everyone, in the order in which they were made. */
  users(): IteratorObject<User> {
    this.#catchUp();
    return this.#pending.size === 0 ? this.#users.values() : this.#shown();
  }

  /** How many `users()` gives; undefined while that takes counting them. */
  get size(): number | undefined {
    this.#catchUp();
    return this.#pending.size === 0 ? this.#users.size : undefined;
  }

  find(userId: string): User | undefined {
    this.#catchUp();
    const pending = this.#pendingByUser.get(userId);
    return pending ? pending[0]?.before : this.#users.find(userId);
  }

  /** All that may have the value, by any of their identities, and perhaps others. */
  candidates(identifier: Identifier, value: string): Iterable<User> {
    this.#catchUp();
    return this.#withFormer(this.#users.findByIdentifier(identifier, value));
  }

  /** All that may hold the identity, and perhaps others. */
  candidatesByIdentity(identityKey: string): Iterable<User> {
    this.#catchUp();
    const holder = this.#users.findByIdentity(identityKey);
    return this.#withFormer(holder ? [holder] : []);
  }

  /** Those of `users` that the index shows as they are, and all that it shows as they were. */
  #withFormer(users: readonly User[]): readonly User[] {
    const current = users.filter(({ userId }) => !this.#pendingByUser.has(userId));
    const former = [...this.#pendingByUser.values()]
      .map(([first]) => first?.before)
      .filter((user) => user !== undefined);
    return [...current, ...former];
  }

  *#shown(): Generator<User> {
    const deleted = new Set(this.#pendingByUser.keys());
    for (const { userId } of this.#users.values()) {
      deleted.delete(userId);
      const shown = this.find(userId);
      if (shown) yield shown;
    }
    for (const userId of deleted) {
      const shown = this.find(userId);
      if (shown) yield shown;
    }
  }

  /** Forgets the changes that the index has taken in by now. */
  #catchUp(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const change of this.#pending) {
      if (change.untilMs > nowMs) return;
      this.#pending.delete(change);
      const ofUser = this.#pendingByUser.get(change.userId);
      ofUser?.shift();
      if (ofUser?.length === 0) this.#pendingByUser.delete(change.userId);
    }
  }
}
