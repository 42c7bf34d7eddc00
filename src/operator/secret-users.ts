/** Which resources take their password from which Secret, so that a change of the Secret finds them. */
import { objectKey, splitObjectKey, type ObjectKey } from "../kubernetes/object.ts";

export class SecretUsers {
  readonly #secretOf = new Map<ObjectKey, ObjectKey>();
  readonly #usersOf = new Map<ObjectKey, Set<ObjectKey>>();

  /** @param secretName in the resource's own namespace; `undefined`: it has no password */
  set(user: ObjectKey, secretName: string | undefined): void {
    const secret = secretName === undefined ? undefined : objectKey(splitObjectKey(user).namespace, secretName);
    if (this.#secretOf.get(user) === secret) return;
    this.forget(user);
    if (secret === undefined) return;
    this.#secretOf.set(user, secret);
    const users = this.#usersOf.get(secret) ?? new Set();
    this.#usersOf.set(secret, users.add(user));
  }

  forget(user: ObjectKey): void {
    const secret = this.#secretOf.get(user);
    if (secret === undefined) return;
    this.#secretOf.delete(user);
    const users = this.#usersOf.get(secret);
    users?.delete(user);
    if (users?.size === 0) this.#usersOf.delete(secret);
  }

  usersOf(secret: ObjectKey): readonly ObjectKey[] {
    return [...(this.#usersOf.get(secret) ?? [])];
  }
}
