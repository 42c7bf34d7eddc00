/** All users of the tenant, in the order in which they were made, and the indexes over them. */
import { IDENTIFIERS, type Identifier } from "../connections/identifier-rule.ts";
import { textIn } from "../json.ts";
import { InvalidInput } from "../parser.ts";
import type { Collection } from "../state/collection.ts";
import type { State } from "../state/state.ts";
import { MultiIndex } from "./multi-index.ts";
import { identityKey, parseUser, profileOf, type Identity, type User } from "./user.ts";

/** `undefined` before a creation and after a deletion. */
export type UserListener = (before: User | undefined, after: User | undefined) => void;

export class Users {
  readonly #byId: Collection<User>;
  /** Key of a linked identity → id of the user that holds it. */
  readonly #linked = new Map<string, string>();
  readonly #identifiers: Readonly<Record<Identifier, MultiIndex>> = {
    email: new MultiIndex(),
    username: new MultiIndex(),
    phone_number: new MultiIndex(),
  };
  readonly #listeners: UserListener[] = [];

  constructor(state: State) {
    this.#byId = state.collection("users", (item, id) => {
      const user = parseUser(item);
      if (user.userId !== id) throw new InvalidInput(`userId is "${user.userId}"`);
      return user;
    });
    this.#byId.subscribe((_id, before, after) => {
      if (before) this.#forget(before);
      if (after) this.#index(after);
    });
  }

  /**
   * Whoever has to know of a user that was created, changed or deleted, by whatever call or by a person: the feed, the
   * search index, families that keep something about users. A state that is restored or imported is no such change.
   */
  subscribe(listener: UserListener): void {
    this.#listeners.push(listener);
  }

  get size(): number {
    return this.#byId.size;
  }

  values(): IteratorObject<User> {
    return this.#byId.values();
  }

  find(userId: string): User | undefined {
    return this.#byId.find(userId);
  }

  /** The user that holds this identity, as its first or as a linked one. */
  findByIdentity(key: string): User | undefined {
    return this.#byId.find(key) ?? this.#byId.find(this.#linked.get(key) ?? "");
  }

  /** Users of which some identity has the value, e-mail addresses without regard to case. */
  findByIdentifier(identifier: Identifier, value: string): readonly User[] {
    const ids = this.#identifiers[identifier].find(indexed(identifier, value));
    return ids.map((id) => this.#byId.find(id)).filter((user) => user !== undefined);
  }

  /** The user that has exactly this value in this connection. */
  findHolder(connection: string, identifier: Identifier, value: string): User | undefined {
    return this.findByIdentifier(identifier, value).find((user) =>
      user.identities.some(
        (identity) => identity.connection === connection && textIn(profileOf(user, identity), identifier) === value,
      ),
    );
  }

  /** Adds the user, or replaces the one with its id. */
  put(user: User): void {
    const before = this.#byId.find(user.userId);
    this.#byId.put(user.userId, user);
    this.#announce(before, user);
  }

  delete(userId: string): void {
    const user = this.#byId.find(userId);
    if (!user) return;
    this.#byId.delete(userId);
    this.#announce(user, undefined);
  }

  #announce(before: User | undefined, after: User | undefined): void {
    for (const listener of this.#listeners) listener(before, after);
  }

  #index(user: User): void {
    for (const identity of user.identities) {
      if (identity !== user.identities[0]) this.#linked.set(identityKey(identity), user.userId);
      for (const [identifier, value] of identifiersOf(user, identity)) {
        this.#identifiers[identifier].add(value, user.userId);
      }
    }
  }

  #forget(user: User): void {
    for (const identity of user.identities) {
      if (identity !== user.identities[0]) this.#linked.delete(identityKey(identity));
      for (const [identifier, value] of identifiersOf(user, identity)) {
        this.#identifiers[identifier].remove(value, user.userId);
      }
    }
  }
}

function identifiersOf(user: User, identity: Identity): [Identifier, string][] {
  const profile = profileOf(user, identity);
  const found: [Identifier, string][] = [];
  for (const identifier of IDENTIFIERS) {
    const value = textIn(profile, identifier);
    if (value !== undefined) found.push([identifier, indexed(identifier, value)]);
  }
  return found;
}

function indexed(identifier: Identifier, value: string): string {
  return identifier === "email" ? value.toLowerCase() : value;
}
