/** The passwords of a history, as Secrets ever held them: a user may be sent those that its resource may read, and no others. */
import { asObject, metadataOf, ownerOf, type Write } from "./cluster.ts";

export class Passwords {
  /** By namespace, or by the uid of the resource that a Secret was made for. */
  readonly #held = new Map<string, Set<string>>();

  note({ after }: Write): void {
    const { password } = asObject(after?.["data"]);
    if (after === undefined || typeof password !== "string") return;
    const whose = ownerOf(after) ?? String(metadataOf(after)["namespace"]);
    this.#held.set(whose, (this.#held.get(whose) ?? new Set()).add(Buffer.from(password, "base64").toString()));
  }

  isOf({ uid, key }: { readonly uid: string; readonly key: string }, password: unknown): boolean {
    const namespace = key.slice(0, key.indexOf("/"));
    return [uid, namespace].some((whose) => this.#held.get(whose)?.has(String(password)) === true);
  }
}
