/**
 * Brings about what a user is given: roles, permissions, organizations. Each kind for itself, so that what can't be done
 * of one (a role that does not exist, a scope that is lacking) does not keep the others from being done.
 */
import { ASSIGNMENT_KINDS, permissionKey, planAssignments, type AssignmentKind } from "../core/assignments.ts";
import type { UserId } from "../core/ids.ts";
import { isStandIn } from "../core/ownership.ts";
import type { Objection } from "./creation-check.ts";
import { DirectoryError } from "./errors.ts";
import type { AssignmentDirectory } from "./ports.ts";
import { REASON_OF } from "./reasons.ts";
import type { UserDeclaration } from "./user-declaration.ts";

/** One set of things that a user can have, by keys. */
interface Relation {
  /** Its kind as a status keeps it: `role:rol_…`. */
  readonly prefix: string;
  readonly list: () => Promise<readonly string[]>;
  readonly add: (keys: readonly string[]) => Promise<void>;
  readonly remove: (keys: readonly string[]) => Promise<void>;
}

/** What is declared, by keys. */
interface Resolved {
  readonly keys: ReadonlySet<string>;
  readonly isExact: boolean;
  /** Whether all of it was found; what was not may be what the user has, so nothing is taken away then. */
  readonly isComplete: boolean;
}

interface Facts {
  readonly isNewSpec: boolean;
  readonly isInitial: boolean;
  /** Whether the user was created in this pass, and so has nothing yet that was not given by default. */
  readonly isNew: boolean;
}

export class AssignmentWork {
  readonly #declaration: UserDeclaration;
  readonly #directory: AssignmentDirectory;
  readonly #signal: AbortSignal;
  readonly #held: Set<string>;
  readonly changed = new Set<AssignmentKind>();
  readonly reported: AssignmentKind[] = [];
  readonly objections: Objection[] = [];
  /** What the objections are to. */
  readonly pending: AssignmentKind[] = [];
  isDrift = false;
  #isDone = false;

  constructor(declaration: UserDeclaration, directory: AssignmentDirectory, signal: AbortSignal) {
    this.#declaration = declaration;
    this.#directory = directory;
    this.#signal = signal;
    this.#held = new Set(declaration.assigned);
  }

  /** What this resource has given the user. */
  get held(): readonly string[] {
    return [...this.#held];
  }

  /** What was brought about, to be remembered; `undefined`: nothing that a later pass could rely on. */
  get settled(): string | undefined {
    return this.#isDone ? JSON.stringify(this.#declaration.desired.assignments ?? null) : undefined;
  }

  /** @throws DirectoryError where nothing more can be done in this pass */
  async bringAbout(user: UserId, facts: Facts): Promise<void> {
    const { desired, memory, history, isSightingEnough, ownership } = this.#declaration;
    const isOther = facts.isNew || isStandIn(ownership, user);
    if (isOther) this.#held.clear();
    if (desired.assignments === undefined && this.#held.size === 0) return;
    const isSettled = memory.settledAssignments === JSON.stringify(desired.assignments ?? null);
    if (isSettled && isSightingEnough && !isOther) {
      this.#isDone = true;
      this.reported.push(...ASSIGNMENT_KINDS.filter((kind) => history.reported.has(kind)));
      return;
    }
    for (const kind of ASSIGNMENT_KINDS) {
      if (desired.upkeep.ignored.has(kind)) continue;
      const isPending = history.pending.has(kind);
      if (!facts.isInitial && !isPending && desired.upkeep.initOnly.has(kind)) continue;
      const before = this.objections.length;
      try {
        await this.#bringKind(kind, user, { ...facts, isNewSpec: facts.isNewSpec || isPending });
      } catch (error) {
        this.objections.push(objectionFrom(error));
      }
      if (this.objections.length > before) this.pending.push(kind);
    }
    this.#isDone = this.objections.length === 0;
    this.isDrift = !facts.isNewSpec && [...this.changed].some((kind) => !history.pending.has(kind));
  }

  async #bringKind(kind: AssignmentKind, user: UserId, facts: Facts): Promise<void> {
    const { assignments } = this.#declaration.desired;
    const directory = this.#directory;
    const signal = this.#signal;
    switch (kind) {
      case "roles": {
        const wanted = assignments?.roles;
        const resolved = wanted && (await this.#resolveRoles(wanted.items, wanted.isExact));
        return this.#bring(kind, resolved, facts, {
          prefix: "role:",
          list: () => directory.listRoles(user, signal),
          add: (roles) => directory.addRoles(user, roles, signal),
          remove: (roles) => directory.removeRoles(user, roles, signal),
        });
      }
      case "permissions": {
        const wanted = assignments?.permissions;
        const keys = wanted && new Set(wanted.items.map(permissionKey));
        return this.#bring(kind, keys && { keys, isExact: wanted.isExact, isComplete: true }, facts, {
          prefix: "permission:",
          list: () => directory.listPermissions(user, signal),
          add: (permissions) => directory.addPermissions(user, permissions, signal),
          remove: (permissions) => directory.removePermissions(user, permissions, signal),
        });
      }
      case "organizations":
        return this.#bringOrganizations(user, facts);
      default:
        return kind satisfies never;
    }
  }

  async #bringOrganizations(user: UserId, facts: Facts): Promise<void> {
    const wanted = this.#declaration.desired.assignments?.organizations;
    const directory = this.#directory;
    const signal = this.#signal;
    const memberships = new Map<string, readonly string[] | undefined>();
    let isComplete = true;
    for (const { organization, roles } of wanted?.items ?? []) {
      const id = "id" in organization ? organization.id : await this.#organizationId(organization.name);
      // By its id and by its name it may be declared twice.
      if (id !== undefined) memberships.set(id, bothOf(memberships.get(id), roles));
      else isComplete = false;
    }
    const keys = new Set(memberships.keys());
    const isExact = wanted?.isExact === true;
    await this.#bring("organizations", wanted && { keys, isExact, isComplete }, facts, {
      prefix: MEMBER,
      list: () => directory.listOrganizations(user, signal),
      add: (ids) =>
        eachInTurn(ids, async (id) => {
          await directory.addMember(id, user, signal);
          this.#hold(MEMBER, [], [id]);
        }),
      remove: (ids) => eachInTurn(ids, (id) => directory.removeMember(id, user, signal)),
    });
    for (const one of this.#held) {
      // Roles went with the membership that they were given in.
      const [, organization] = /^organization-role:(\S+) /.exec(one) ?? [];
      if (organization !== undefined && !this.#held.has(`${MEMBER}${organization}`)) this.#held.delete(one);
    }
    for (const [organization, roles] of memberships) {
      const prefix = `organization-role:${organization} `;
      if (roles === undefined && ![...this.#held].some((one) => one.startsWith(prefix))) continue;
      await this.#bring("organizations", roles && (await this.#resolveRoles(roles, isExact)), facts, {
        prefix,
        list: () => directory.listMemberRoles(organization, user, signal),
        add: (ids) => directory.addMemberRoles(organization, user, ids, signal),
        remove: (ids) => directory.removeMemberRoles(organization, user, ids, signal),
      });
    }
  }

  async #bring(
    kind: AssignmentKind,
    wanted: Resolved | undefined,
    { isNewSpec, isNew }: Facts,
    { prefix, list, add, remove }: Relation,
  ): Promise<void> {
    const { upkeep } = this.#declaration.desired;
    const held = [...this.#held].filter((one) => one.startsWith(prefix)).map((one) => one.slice(prefix.length));
    const given = new Set(upkeep.unset === "Remove" ? held : []);
    if (wanted === undefined && given.size === 0) {
      this.#hold(prefix, held, []);
      return;
    }
    const present = isNew && wanted?.isExact !== true ? [] : await list();
    const plan = planAssignments(wanted, new Set(present), given);
    const gone = wanted?.isComplete === false ? [] : plan.remove;
    const isDifferent = plan.add.length > 0 || gone.length > 0;
    if (isDifferent && upkeep.drift === "Detect" && !isNewSpec) {
      if (!this.reported.includes(kind)) this.reported.push(kind);
      return;
    }
    if (isDifferent) this.changed.add(kind);
    if (plan.add.length > 0) await add(plan.add);
    this.#hold(prefix, [], plan.add);
    if (gone.length > 0) await remove(gone);
    if (wanted?.isComplete !== false) this.#hold(prefix, held, wanted === undefined ? [] : [...wanted.keys]);
  }

  #hold(prefix: string, gone: readonly string[], now: readonly string[]): void {
    for (const key of gone) this.#held.delete(`${prefix}${key}`);
    for (const key of now) this.#held.add(`${prefix}${key}`);
  }

  async #resolveRoles(namesOrIds: readonly string[], isExact: boolean): Promise<Resolved> {
    const keys = new Set<string>();
    let isComplete = true;
    for (const one of namesOrIds) {
      const id = ROLE_ID.test(one)
        ? one
        : this.#theOnly(await this.#directory.findRoles(one, this.#signal), "role", one);
      if (id === undefined) isComplete = false;
      else keys.add(id);
    }
    return { keys, isExact, isComplete };
  }

  async #organizationId(name: string): Promise<string | undefined> {
    return this.#theOnly(await this.#directory.findOrganizations(name, this.#signal), "organization", name);
  }

  /** `undefined`, and an objection, where the name is nobody's or more than one's. */
  #theOnly(ids: readonly string[], what: string, name: string): string | undefined {
    const [id, ...others] = ids;
    if (id === undefined) {
      this.objections.push({ reason: "AssignmentNotFound", message: `there is no ${what} named ${name}` });
    }
    if (others.length === 0) return id;
    const message = `there is more than one ${what} named ${name}: name it by its id, one of ${ids.join(", ")}`;
    this.objections.push({ reason: "AssignmentAmbiguous", message });
    return undefined;
  }
}

const MEMBER = "organization:";

function bothOf(
  one: readonly string[] | undefined,
  other: readonly string[] | undefined,
): readonly string[] | undefined {
  return one === undefined || other === undefined ? (one ?? other) : [...new Set([...one, ...other])];
}

const ROLE_ID = /^rol_[A-Za-z0-9]+$/;

/** @throws what only time can mend, or is no failure of the far side */
function objectionFrom(error: unknown): Objection {
  const isLasting =
    error instanceof DirectoryError && (error.remedy.kind === "stall" || error.code === "insufficient_scope");
  if (!isLasting) throw error;
  return { reason: REASON_OF[error.code], message: error.message };
}

async function eachInTurn(ids: readonly string[], work: (id: string) => Promise<void>): Promise<void> {
  for (const id of ids) await work(id);
}
