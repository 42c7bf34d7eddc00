/** Plans of takeovers that the operator showed, and what people approved of them. */
import { APPROVE_PLAN_ANNOTATION } from "../../src/api/names.ts";
import { annotationsOf, metadataOf, type Write } from "./cluster.ts";
import { keyOf, planIn, type UserKey } from "./reading.ts";

export class Approvals {
  /** By `namespace/name`, for which a plan is made; the users and the hashes. */
  readonly #shown = new Map<string, Set<string>>();
  /** By uid: every hash that stood in the annotation, since the operator may have read a former one. */
  readonly #given = new Map<string, Set<string>>();

  /** @param domain of the tenant that the resource's user is in */
  note({ actor, after }: Write, domain: string): void {
    if (after === undefined) return;
    const { namespace, name, uid } = metadataOf(after);
    const plan = planIn(after);
    if (actor === "operator" && plan !== undefined) {
      add(this.#shown, `${String(namespace)}/${String(name)}`, `${keyOf(domain, plan.userId)} ${plan.hash}`);
    }
    const given = annotationsOf(after)[APPROVE_PLAN_ANNOTATION];
    if (given !== undefined) add(this.#given, String(uid), given);
  }

  /** The keys that sign plans are lost: no approval of before is worth anything. */
  noteKeysLost(): void {
    this.#shown.clear();
  }

  /** Whether a person approved what taking this user over would change, as it was shown. */
  has({ key, uid }: { readonly key: string; readonly uid: string }, user: UserKey): boolean {
    const given = this.#given.get(uid) ?? new Set();
    return [...given].some((hash) => this.#shown.get(key)?.has(`${user} ${hash}`));
  }
}

function add(sets: Map<string, Set<string>>, key: string, value: string): void {
  sets.set(key, (sets.get(key) ?? new Set()).add(value));
}
