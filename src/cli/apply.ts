/**
 * `apply`: what the files declare is brought about, once or for as long as they are watched. One line a change on standard
 * output; what could not be done, on standard error, with the way out.
 */
import type { Writable } from "node:stream";
import { CLUSTER_TENANT_KIND, DEFAULT_TENANT } from "../api/auth0-tenant.ts";
import type { Limit } from "../core/limit.ts";
import { readDeclarations, type Declarations, type DeclaredUser } from "../files/declarations.ts";
import { watchPaths } from "../files/watch-directory.ts";
import type { FileIssue } from "../files/yaml-documents.ts";
import type { DeletionOutcome } from "../reconcile/delete-user.ts";
import { forEachLimited } from "../reconcile/for-each-limited.ts";
import type { Outcome } from "../reconcile/outcome.ts";
import type { PlannedChange } from "../reconcile/review.ts";
import { backoffMs } from "../runtime/backoff.ts";
import type { EpochMs } from "../runtime/clock.ts";
import type { Remedy } from "../runtime/remedy.ts";
import { FileUsers, type FileUserParts } from "./file-users.ts";
import { Pruning } from "./pruning.ts";

export interface ApplyOptions {
  readonly paths: readonly string[];
  /** Go on: follow the files, and compare each user with Auth0 at its interval. */
  readonly isWatching: boolean;
  /** While watching: delete the users whose documents vanish, as their `deletionPolicy` says. */
  readonly isPruning: boolean;
  /** Of those users so many within an hour; `undefined`: the greater of a hundred and a tenth. */
  readonly maxDeletesPerHour: Limit | undefined;
  readonly mayResetPasswords: boolean;
}

export interface Output {
  readonly out: Writable;
  readonly err: Writable;
}

/** Users at once: as many as a small plan's burst. */
const CONCURRENCY = 10;
/** Tries of one user in a run that ends. */
const MAX_TRIES = 6;
const RETRY = { baseMs: 500, capMs: 30_000 };
/** A run that ends does not wait for what is due later than this: a person's approval, for one. */
const MAX_WAIT_MS = 5 * 60_000;
/** While watching: how often the files' changes and what is due are looked for. */
const TICK_MS = 500;

/** @returns the exit code: 0 where every user is as declared, else 1 */
export async function apply(
  options: ApplyOptions,
  parts: FileUserParts,
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  const run = new ApplyRun(options, parts, output);
  return options.isWatching ? run.follow(signal) : run.once(signal);
}

/** Users of a tenant that an object declares are not this tenant's: applied here, they would be somebody else. */
async function readOwn(paths: readonly string[]): Promise<Declarations> {
  const declared = await readDeclarations(paths);
  const foreign = declared.users.filter(
    ({ spec: { tenantRef } }) =>
      tenantRef !== undefined && !(tenantRef.kind === CLUSTER_TENANT_KIND && tenantRef.name === DEFAULT_TENANT),
  );
  const message = "names a tenant object: files are applied to the tenant of AUTH0_DOMAIN, take tenantRef out";
  const issues = foreign.map(({ file, line }) => ({ file, line, path: "spec.tenantRef", message }));
  return { ...declared, issues: [...declared.issues, ...issues] };
}

class ApplyRun {
  readonly #options: ApplyOptions;
  readonly #parts: FileUserParts;
  readonly #output: Output;
  readonly #users: FileUsers;
  readonly #pruning: Pruning | undefined;
  #declared: Declarations = { users: [], secrets: [], issues: [] };
  /** Tries that failed in a row, and when the next is due. */
  readonly #failures = new Map<string, { readonly count: number; readonly againAtMs: number }>();
  readonly #said = new Map<string, string>();

  constructor(options: ApplyOptions, parts: FileUserParts, output: Output) {
    this.#options = options;
    this.#parts = parts;
    this.#output = output;
    this.#users = new FileUsers(parts);
    if (!options.isPruning) return;
    this.#pruning = new Pruning({
      ...parts,
      limit: options.maxDeletesPerHour,
      remove: (user, deleteAtMs, signal) => this.#remove(user, deleteAtMs, signal),
      tell: (message) => output.err.write(`${message}\n`),
    });
  }

  async once(signal: AbortSignal): Promise<number> {
    this.#declared = await readOwn(this.#options.paths);
    this.#complain(this.#declared.issues);
    if (this.#declared.issues.length > 0) {
      this.#output.err.write("nothing was sent: mend the problems above first\n");
      return 1;
    }
    let failed = 0;
    await forEachLimited(this.#declared.users, CONCURRENCY, async (user) => {
      if (!(await this.#untilDone(user, signal))) failed++;
    });
    const { length } = this.#declared.users;
    this.#output.err.write(`${String(length - failed)} of ${String(length)} users are as declared\n`);
    return failed === 0 ? 0 : 1;
  }

  async follow(signal: AbortSignal): Promise<number> {
    let hasChanged = true;
    const watching = (async () => {
      for await (const _ of watchPaths(this.#options.paths, this.#parts.clock, signal)) hasChanged = true;
    })();
    while (!signal.aborted) {
      if (hasChanged) {
        hasChanged = false;
        await this.#reread();
      }
      await this.#reconcileDue(signal);
      await this.#pruning?.run(signal);
      await Promise.race([this.#parts.clock.sleep(TICK_MS, signal).catch(() => {}), watching]);
    }
    await watching;
    return 0;
  }

  async #untilDone(user: DeclaredUser, signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#parts;
    for (let tries = 1; ; tries++) {
      const outcome = await this.#reconcile(user, signal);
      if (outcome.verdict.kind === "ready") return true;
      const isOver = outcome.verdict.kind === "refused" && outcome.verdict.remedy.kind === "stall";
      const waitMs = Math.max(0, this.#againAtMs(user) - clock.now());
      if (isOver || tries === MAX_TRIES || waitMs > MAX_WAIT_MS) return false;
      await clock.sleep(waitMs, signal);
    }
  }

  /** Reads the files again; what is not valid is left as it was, and said. */
  async #reread(): Promise<void> {
    const before = this.#declared;
    const next = await readOwn(this.#options.paths).catch((error: unknown) => this.#stay(error));
    if (next === undefined) return;
    this.#complain(next.issues.filter((issue) => !before.issues.some((known) => lineOf(known) === lineOf(issue))));
    const broken = new Set(next.issues.map(({ file }) => file));
    const kept = before.users.filter(
      ({ key, file }) => broken.has(file) && !next.users.some((user) => user.key === key),
    );
    this.#declared = { ...next, users: [...next.users, ...kept] };
    // What was edited is tried at once, however often it failed before.
    const known = new Map(before.users.map((user) => [user.key, JSON.stringify(user)]));
    for (const user of this.#declared.users) {
      if (known.get(user.key) !== JSON.stringify(user)) this.#failures.delete(user.key);
    }
    this.#pruning?.note(before.users, this.#declared.users);
  }

  /** Nothing follows from what can't be read; what was read before still holds. */
  #stay(error: unknown): undefined {
    if (!(error instanceof Error) || !("syscall" in error)) throw error;
    this.#output.err.write(`${error.message}: what was read before still holds\n`);
  }

  async #reconcileDue(signal: AbortSignal): Promise<void> {
    const nowMs = this.#parts.clock.now();
    const due = this.#declared.users.filter(
      (user) => this.#againAtMs(user) <= nowMs || (!this.#users.isApplied(user) && !this.#failures.has(user.key)),
    );
    await forEachLimited(due, CONCURRENCY, async (user) => {
      await this.#reconcile(user, signal);
    });
  }

  async #reconcile(user: DeclaredUser, signal: AbortSignal): Promise<Outcome> {
    const { secrets } = this.#declared;
    const outcome = await this.#users.reconcile(user, secrets, this.#options.mayResetPasswords, signal);
    const { verdict } = outcome;
    if (verdict.kind === "ready") this.#failures.delete(user.key);
    else this.#fail(user, verdict.kind === "undecided" ? { kind: "wait", untilMs: verdict.untilMs } : verdict.remedy);
    if (verdict.kind === "ready" && verdict.reason !== undefined && verdict.reason !== "InSync") {
      this.#output.out.write(`${user.key} ${verdict.reason}: ${verdict.message} (${outcome.user?.userId ?? ""})\n`);
    }
    if (verdict.kind === "refused") {
      const plan = (outcome.review?.changes ?? []).map((change) => `\n  ${lineOfChange(change)}`);
      this.#sayOnce(user, `${verdict.reason}: ${verdict.message}${plan.join("")}`);
    } else this.#said.delete(user.key);
    return outcome;
  }

  async #remove(user: DeclaredUser, deleteAtMs: EpochMs | undefined, signal: AbortSignal): Promise<DeletionOutcome> {
    const outcome = await this.#users.remove(user, deleteAtMs, signal);
    if (outcome.kind === "released") {
      this.#output.out.write(`${user.key} ${outcome.reason ?? "Released"}: ${outcome.message}\n`);
      this.#said.delete(user.key);
    } else this.#sayOnce(user, `${outcome.reason}: ${outcome.message}`);
    return outcome;
  }

  #againAtMs({ key }: DeclaredUser): number {
    return this.#failures.get(key)?.againAtMs ?? this.#users.nextSyncAtMs(key);
  }

  #fail({ key }: DeclaredUser, remedy: Remedy): void {
    const { clock, random } = this.#parts;
    const count = (this.#failures.get(key)?.count ?? 0) + 1;
    const nowMs = clock.now();
    const againAtMs =
      remedy.kind === "wait"
        ? remedy.untilMs
        : remedy.kind === "backoff"
          ? nowMs + backoffMs(count, RETRY, random)
          : this.#users.nextSyncAtMs(key);
    this.#failures.set(key, { count, againAtMs });
  }

  #sayOnce({ key, file, line }: DeclaredUser, text: string): void {
    if (this.#said.get(key) === text) return;
    this.#said.set(key, text);
    this.#output.err.write(`${file}:${String(line)}: ${key} ${text}\n`);
  }

  #complain(issues: readonly FileIssue[]): void {
    for (const issue of issues) this.#output.err.write(`${lineOf(issue)}\n`);
  }
}

/** `Set nickname: "kim" → "jane"` */
function lineOfChange({ field, change, from, to, isShown }: PlannedChange): string {
  if (!isShown) return `${change} ${field}`;
  const values = [from, to].flatMap((value) => (value === undefined ? [] : [JSON.stringify(value)]));
  return `${change} ${field}: ${values.join(" → ")}`;
}

/** `examples/a.yaml:7: spec.email: must be a bare address, such as jane@example.com` */
export function lineOf({ file, line, path, message }: FileIssue): string {
  return `${file}:${String(line)}: ${path === "" ? "" : `${path}: `}${message}`;
}
