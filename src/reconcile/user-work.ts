/**
 * Plan and apply: the only writes to a user that exists. What was learnt and done is kept here as it comes about, so that
 * a failure half-way loses nothing of it.
 */
import type { UserId } from "../core/ids.ts";
import type { ObservedUser } from "../core/observed-user.ts";
import { planUpdate, unmetChanges, type AttributePath, type Settled, type UpdatePlan } from "../core/plan.ts";
import type { UserPatch } from "../core/writes.ts";
import { DirectoryError } from "./errors.ts";
import type { UserDirectory } from "./ports.ts";
import type { UserDeclaration } from "./reconcile-user.ts";

/** How the user stands to the resource: `new` was created in this pass, `adopted` taken over in it. */
type Standing = "known" | "adopted" | "new";

/** A plan made from memory may need a second round against the answer; a third would be a fight. */
const MAX_ROUNDS = 2;

export class UserWork {
  readonly #declaration: UserDeclaration;
  readonly #directory: UserDirectory;
  readonly #see: (user: ObservedUser) => void;
  readonly #signal: AbortSignal;
  readonly settled: Map<AttributePath, Settled>;
  readonly changed = new Set<AttributePath>();
  readonly notWritable: Set<AttributePath>;
  reported: readonly AttributePath[];
  isPasswordSent = false;
  isDrift = false;

  /** @param see is told of the user in each answer */
  constructor(
    declaration: UserDeclaration,
    directory: UserDirectory,
    see: (user: ObservedUser) => void,
    signal: AbortSignal,
  ) {
    this.#declaration = declaration;
    this.#directory = directory;
    this.#see = see;
    this.#signal = signal;
    this.settled = new Map(declaration.memory.settled);
    this.notWritable = new Set(declaration.history.notWritable);
    this.reported = [...declaration.history.reported];
  }

  /** @throws DirectoryError */
  async bringAbout(observed: ObservedUser, standing: Standing): Promise<"done" | "vanished"> {
    const { desired, history, password } = this.#declaration;
    const isNewSpec = history.isNewSpec || standing !== "known";
    const isInitial = history.isInitial || standing === "new";
    let user = observed;
    let toSend =
      password.kind === "given" && password.standing === "changed" && standing !== "new" ? password.value : undefined;
    for (let round = 1; round <= MAX_ROUNDS; round++) {
      const plan = planUpdate(
        desired,
        user,
        { ...history, isNewSpec, isInitial, settled: this.settled, notWritable: this.notWritable },
        toSend,
      );
      this.reported = plan.reported;
      if (plan.patches.length === 0) break;
      const updated = await this.#update(user, plan);
      if (updated === "vanished") return "vanished";
      if (plan.changes.length > 0 && (!isNewSpec || round > 1)) this.isDrift = true;
      user = updated;
      toSend = undefined;
    }
    return "done";
  }

  /** Sends a plan's patches in order. Attributes that Auth0 refuses are dropped, and the rest is sent once more. */
  async #update(before: ObservedUser, plan: UpdatePlan): Promise<ObservedUser | "vanished"> {
    let user = before;
    for (const patch of plan.patches) {
      try {
        user = (await this.#send(before.userId, patch)) ?? user;
      } catch (error) {
        if (error instanceof DirectoryError && error.code === "user_not_found") return "vanished";
        throw error;
      }
    }
    const sent = plan.changes.filter((change) => !this.notWritable.has(change.path));
    for (const change of sent) this.changed.add(change.path);
    for (const [path, settled] of unmetChanges(sent, user)) this.settled.set(path, settled);
    return user;
  }

  async #send(id: UserId, patch: UserPatch): Promise<ObservedUser | undefined> {
    try {
      return await this.#sendOnce(id, patch);
    } catch (error) {
      if (!(error instanceof DirectoryError) || error.code !== "attribute_not_writable") throw error;
      if (error.attributes.length === 0) throw error;
      for (const path of error.attributes) this.notWritable.add(path);
      const attributes = Object.fromEntries(
        Object.entries(patch.attributes).filter(([name]) => !error.attributes.some((path) => path === name)),
      );
      if (Object.keys(attributes).length === Object.keys(patch.attributes).length) throw error;
      const rest = { ...patch, attributes };
      return isEmpty(rest) ? undefined : this.#sendOnce(id, rest);
    }
  }

  async #sendOnce(id: UserId, patch: UserPatch): Promise<ObservedUser> {
    const user = await this.#directory.updateUser(id, patch, this.#signal);
    this.#see(user);
    if (patch.password !== undefined) this.isPasswordSent = true;
    return user;
  }
}

function isEmpty(patch: UserPatch): boolean {
  return (
    patch.password === undefined &&
    [patch.attributes, patch.userMetadata, patch.appMetadata].every((part) => Object.keys(part).length === 0)
  );
}
