/** What becomes of users whose documents vanish: deleted late, few at a time, and not forgotten where that fails. */
import test from "ava";
import { Pruning } from "../../../src/cli/pruning.ts";
import type { DeclaredUser } from "../../../src/files/declarations.ts";
import type { DeletionOutcome } from "../../../src/reconcile/delete-user.ts";
import { systemRandom } from "../../../src/runtime/random.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const never = new AbortController().signal;
const RELEASED: DeletionOutcome = { kind: "released", reason: "Deleted", message: "the user was deleted" };

function aUser(name: string, spec: Partial<DeclaredUser["spec"]> = {}): DeclaredUser {
  return {
    key: `default/${name}`,
    namespace: "default",
    name,
    spec: { connection: "db", email: `${name}@example.com`, ...spec },
    approvedPlan: undefined,
    file: "users.yaml",
    line: 1,
  };
}

function aFolder(limit?: number | string) {
  const clock = new ManualClock();
  const removed: string[] = [];
  const said: string[] = [];
  const answers: DeletionOutcome[] = [];
  const deleteAt: (number | undefined)[] = [];
  const pruning = new Pruning({
    clock,
    random: systemRandom,
    limit,
    remove: (user, deleteAtMs) => {
      removed.push(user.name);
      deleteAt.push(deleteAtMs);
      return Promise.resolve(answers.shift() ?? RELEASED);
    },
    tell: (message) => void said.push(message),
  });
  const pass = async (ms: number): Promise<void> => {
    await clock.advance(ms);
    await pruning.run(never);
  };
  return { clock, pruning, removed, said, answers, deleteAt, pass };
}

const users = (count: number, spec?: Partial<DeclaredUser["spec"]>): DeclaredUser[] =>
  Array.from({ length: count }, (_, index) => aUser(`user-${String(index)}`, spec));

test("a user is deleted when its document has been gone for a while, not in the moment", async (t) => {
  const { pruning, pass, removed } = aFolder();
  pruning.note([aUser("jane")], []);

  await pass(4_900);
  t.deepEqual(removed, []);
  await pass(100);
  await pass(60_000);

  t.deepEqual(removed, ["jane"]);
});

test("a document that comes back, under whatever file, leaves its user alone", async (t) => {
  const { pruning, pass, removed } = aFolder();
  pruning.note([aUser("jane")], []);
  await pass(1_000);
  pruning.note([], [{ ...aUser("jane"), file: "other.yaml" }]);

  await pass(60_000);

  t.deepEqual(removed, []);
});

test("a deletion that fails is tried again until the user is gone, as the failure says", async (t) => {
  const { pruning, pass, removed, answers, clock } = aFolder();
  const untilMs = clock.now() + 20_000;
  answers.push(
    { kind: "refused", reason: "Auth0Unavailable", message: "no answer", remedy: { kind: "backoff" } },
    { kind: "refused", reason: "RateLimited", message: "later", remedy: { kind: "wait", untilMs } },
    { kind: "refused", reason: "DeletionNeedsConfirmation", message: "linked", remedy: { kind: "stall" } },
  );
  pruning.note([aUser("jane")], []);
  await pass(5_000);
  await pass(1_000);
  t.is(removed.length, 2);
  await pass(13_900);
  t.is(removed.length, 2, "before the moment that was named");
  await pass(100);
  t.is(removed.length, 3);
  await pass(299_000);
  t.is(removed.length, 3);

  await pass(1_000);
  await pass(600_000);

  t.is(removed.length, 4);
});

test("where more vanish than may be deleted within an hour none is, and that is said once", async (t) => {
  const { pruning, pass, removed, said } = aFolder(3);
  const all = users(4);
  pruning.note(all, []);
  await pass(5_000);
  await pass(5_000);
  await pass(2 * 3_600_000);
  t.deepEqual(removed, []);
  t.is(said.length, 1);
  t.regex(said[0] ?? "", /documents of 4 users vanished, and 3 may be deleted .*--max-deletes-per-hour/);

  pruning.note([], all.slice(0, 1));
  await pass(5_000);

  t.deepEqual(removed, ["user-1", "user-2", "user-3"]);
});

test("what was deleted within the hour counts, and is over then", async (t) => {
  const { pruning, pass, removed } = aFolder(3);
  pruning.note(users(3), []);
  await pass(5_000);
  t.is(removed.length, 3);
  pruning.note([aUser("one-more")], []);
  await pass(5_000);
  t.is(removed.length, 3);

  await pass(66 * 60_000);

  t.is(removed.length, 4);
});

test("users that stay at Auth0 need no limit, by default a hundred or a tenth may go", async (t) => {
  const kept = aFolder(1);
  kept.pruning.note(users(5, { deletionPolicy: "Retain" }), []);
  await kept.pass(5_000);
  t.is(kept.removed.length, 5);

  const few = aFolder();
  few.pruning.note(users(100), []);
  await few.pass(5_000);
  t.is(few.removed.length, 100);

  const many = aFolder();
  many.pruning.note(users(101), []);
  await many.pass(5_000);
  t.is(many.removed.length, 0);
});

test("deleteAfter counts from when the document vanished", async (t) => {
  const { pruning, pass, deleteAt, clock } = aFolder();
  const sinceMs = clock.now();
  pruning.note([aUser("jane", { deleteAfter: "720h" })], []);
  await pass(5_000);

  t.deepEqual(deleteAt, [sinceMs + 720 * 3_600_000]);
});
