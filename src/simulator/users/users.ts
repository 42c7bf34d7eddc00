/** All users of the tenant, in the order in which they were made, and the indexes over them. */
import { IDENTIFIERS, type Identifier } from "../connections/identifier-rule.ts";
import { textIn } from "../json.ts";
import { MultiIndex } from "./multi-index.ts";
import { identityKey, profileOf, type Identity, type User } from "./user.ts";

/** Told of every change; `undefined` before a creation and after a deletion. */
export type UserListener = (before: User | undefined, after: User | undefined) => void;

export class Users {
  readonly #byId = new Map<string, User>();
  /** Key of a linked identity → id of the user that holds it. */
  readonly #linked = new Map<string, string>();
  readonly #identifiers: Readonly<Record<Identifier, MultiIndex>> = {
    email: new MultiIndex(),
    username: new MultiIndex(),
    phone_number: new MultiIndex(),
  };
  readonly #onChange: UserListener;

  constructor(onChange: UserListener) {
    this.#onChange = onChange;
  }

  get size(): number {
    return this.#byId.size;
  }

  values(): IteratorObject<User> {
    return this.#byId.values();
  }

  find(userId: string): User | undefined {
    return this.#byId.get(userId);
  }

  /** The user that holds this identity, as its first or as a linked one. */
  findByIdentity(key: string): User | undefined {
    return this.#byId.get(key) ?? this.#byId.get(this.#linked.get(key) ?? "");
  }

  /** Users of which some identity has the value, e-mail addresses without regard to case. */
  findByIdentifier(identifier: Identifier, value: string): readonly User[] {
    const ids = this.#identifiers[identifier].find(indexed(identifier, value));
    return ids.map((id) => this.#byId.get(id)).filter((user) => user !== undefined);
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
    const before = this.#byId.get(user.userId);
    if (before) this.#forget(before);
    this.#byId.set(user.userId, user);
    this.#index(user);
    this.#onChange(before, user);
  }

  delete(userId: string): void {
    const user = this.#byId.get(userId);
    if (!user) return;
    this.#forget(user);
    this.#byId.delete(userId);
    this.#onChange(user, undefined);
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
