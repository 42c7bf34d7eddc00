/** How far a mistake gets: counts that survive a restart, a pause, a person's word. */
import test from "ava";
import { userId, type UserId } from "../../../src/core/ids.ts";
import { Breaker, type BreakerOptions, type Limits } from "../../../src/operator/breaker.ts";
import { Kept, KeptNotes } from "../../support/kept-notes.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const signal = new AbortController().signal;
const HOUR_MS = 3_600_000;

const START_MS = Date.UTC(2026, 0, 1);

function aBreaker({ limits = { maxDeletesPerHour: 20 }, ...rest }: Partial<BreakerOptions> & { limits?: Limits } = {}) {
  const notes = new KeptNotes();
  const clock = new ManualClock(START_MS);
  const start = (): Breaker => {
    const breaker = new Breaker({ notes, clock, countDeclared: () => 50, ...rest });
    breaker.limit(limits);
    return breaker;
  };
  return { notes, clock, start, breaker: start() };
}

let users = 0;

/** A user of whom nobody has heard before. */
function aUser(): UserId {
  return userId(`auth0|${String(++users)}`);
}

/** How many of so many deletions are admitted. */
async function admitted(breaker: Breaker, count: number, deletedAtMs = START_MS): Promise<number> {
  const pauses = await Promise.all(
    Array.from({ length: count }, () => breaker.admitDeletion(aUser(), deletedAtMs, signal)),
  );
  return pauses.filter((pause) => pause === undefined).length;
}

test("as many as the limit, then a pause that is told once and says how to confirm", async (t) => {
  const { breaker, notes } = aBreaker();

  t.is(await admitted(breaker, 50), 20);
  t.is(notes.told.length, 1);
  t.regex(notes.told[0] ?? "", /deletions are paused since 2026-01-01T00:00:00.000Z.*confirm 2026-01-01T00:00:00.000Z/);
  t.true(notes.writes <= 12, "written down some at a time");
});

test("after the word of a person those that waited go on, and a new burst is stopped again", async (t) => {
  const { breaker, notes, clock } = aBreaker();
  await admitted(breaker, 50);
  notes.confirmation = new Date(START_MS).toISOString();
  await clock.advance(60_000);

  t.is(await admitted(breaker, 30), 30, "all that had been asked for by then");
  t.is(await admitted(breaker, 50, clock.now() + 1_000), 20, "and the limit for what comes later");
  t.is(notes.told.length, 2);
});

test("a word that is given while the operator is away counts for those that wait", async (t) => {
  const { breaker, notes, start } = aBreaker();
  await admitted(breaker, 50);
  notes.confirmation = new Date(START_MS).toISOString();

  t.is(await admitted(start(), 30), 30);
});

test("an old word of confirmation is none for the next pause", async (t) => {
  const { breaker, notes, clock } = aBreaker();
  notes.confirmation = "2025-12-31T00:00:00.000Z";

  await admitted(breaker, 50);
  await clock.advance(60_000);

  t.is(await admitted(breaker, 10), 0);
});

test("a pause outlives the hour and a restart", async (t) => {
  const { breaker, start, clock } = aBreaker();
  await admitted(breaker, 50);
  await clock.advance(2 * HOUR_MS);

  t.is(await admitted(start(), 10), 0);
});

test("a restart does not give the limit anew", async (t) => {
  const { breaker, start } = aBreaker();
  t.is(await admitted(breaker, 15), 15);

  t.true((await admitted(start(), 50)) <= 5);
});

test("after an hour without many the limit is free again", async (t) => {
  const { breaker, clock } = aBreaker();
  t.is(await admitted(breaker, 20), 20);
  await clock.advance(HOUR_MS + 10 * 60_000);

  t.is(await admitted(breaker, 20), 20);
});

for (const [limit, declared, expected] of [
  [undefined, 50, 100],
  [undefined, 5_000, 500],
  ["10%", 50, 5],
  ["100%", 50, 50],
  [0, 50, 0],
] as const) {
  test(`the limit ${String(limit)} with ${String(declared)} declared users is ${String(expected)}`, async (t) => {
    const { breaker } = aBreaker({ limits: { maxDeletesPerHour: limit }, countDeclared: () => declared - done });
    let done = 0;
    for (; done <= expected + 5; done++) {
      if ((await breaker.admitDeletion(aUser(), START_MS, signal)) !== undefined) break;
    }

    t.is(done, expected);
  });
}

test("a user whose deletion fails again and again counts once", async (t) => {
  const { breaker, clock } = aBreaker();
  const user = aUser();
  for (let attempt = 0; attempt < 60; attempt++) {
    t.is(await breaker.admitDeletion(user, START_MS, signal), undefined);
    await clock.advance(60_000);
  }

  t.is(await admitted(breaker, 50), 19);
});

test("what was written down in advance and not used is not used an hour later", async (t) => {
  const { breaker, clock } = aBreaker();
  t.is(await admitted(breaker, 1), 1);
  await clock.advance(HOUR_MS + 10 * 60_000);

  t.is(await admitted(breaker, 50), 20);
});

test("a few now and then are no burst", async (t) => {
  const { breaker, clock } = aBreaker({ limits: { maxDeletesPerHour: 100 } });
  for (let deletion = 0; deletion < 60; deletion++) {
    t.is(await admitted(breaker, 1), 1);
    await clock.advance(5 * 60_000);
  }
});

test("changes of one attribute have no limit unless one is given, and a count of their own", async (t) => {
  const { breaker } = aBreaker();
  t.is(await breaker.admitChange("email", aUser(), signal), undefined);
  const { breaker: limited } = aBreaker({ limits: { maxChangesPerHour: 1 } });

  t.is(await limited.admitChange("email", aUser(), signal), undefined);
  t.regex((await limited.admitChange("email", aUser(), signal))?.message ?? "", /changes of email are paused/);
  t.is(await limited.admitChange("nickname", aUser(), signal), undefined);
});

test("two that think they lead do not allow twice as many", async (t) => {
  const kept = new Kept();
  const breakers = [kept, kept].map((shared) => aBreaker({ notes: new KeptNotes(shared) }).breaker);

  let done = 0;
  for (let round = 0; round < 60; round++) {
    for (const breaker of breakers) {
      const pause = await breaker.admitDeletion(aUser(), START_MS, signal).catch((error: unknown) => error);
      if (pause === undefined) done++;
    }
  }

  t.is(done, 20);
});

test("a word that another leader has taken is none for its next pause", async (t) => {
  const kept = new Kept();
  const clock = new ManualClock(START_MS);
  const [first, second] = [kept, kept].map((shared) => aBreaker({ notes: new KeptNotes(shared), clock }).breaker);
  if (first === undefined || second === undefined) throw new Error("two were made");
  await admitted(first, 50);
  kept.confirmation = new Date(START_MS).toISOString();
  await clock.advance(60_000);
  t.is(await admitted(second, 50, clock.now() + 1_000), 20);

  t.is(await admitted(first, 50, clock.now() + 1_000), 0);
});

test("without a limit on changes nothing is said to be paused any more", async (t) => {
  const { breaker } = aBreaker({ limits: { maxChangesPerHour: 1 } });
  await breaker.admitChange("nickname", aUser(), signal);
  await breaker.admitChange("nickname", aUser(), signal);
  t.is(breaker.pauses.length, 1);

  breaker.limit({});

  t.is(await breaker.admitChange("nickname", aUser(), signal), undefined, "changes go through");
  t.deepEqual(breaker.pauses, []);
  t.deepEqual([...breaker.pausedKinds], []);
});
