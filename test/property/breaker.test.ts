import test from "ava";
import * as fc from "fast-check";
import { userId } from "../../src/core/ids.ts";
import { Breaker } from "../../src/operator/breaker.ts";
import { KeptNotes } from "../support/kept-notes.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { seed } from "../support/seed.ts";

const signal = new AbortController().signal;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** How much longer than an hour a deletion may count. */
const BUCKET_MS = 5 * MINUTE_MS;

const steps = fc.array(
  fc.record({
    user: fc.integer({ min: 0, max: 60 }),
    waitsMs: fc.oneof(
      { arbitrary: fc.constant(0), weight: 20 },
      fc.integer({ max: 20 * MINUTE_MS, min: 0 }),
      fc.integer({ max: 2 * HOUR_MS, min: 0 }),
    ),
    isRestarted: fc.boolean(),
  }),
  { maxLength: 150, size: "max" },
);

/** How many users' last attempts lie within so long. */
function within(lastMs: ReadonlyMap<number, number>, nowMs: number, spanMs: number): number {
  return [...lastMs.values()].filter((atMs) => nowMs - atMs < spanMs).length;
}

test("no hour has more users than the limit, however often the operator starts, and no fewer stop it", async (t) => {
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 40 }), fc.boolean(), async (attempts, limit, mayRestart) => {
      const clock = new ManualClock(Date.UTC(2026, 0, 1));
      const notes = new KeptNotes();
      const start = (): Breaker => {
        const breaker = new Breaker({ notes, clock, countDeclared: () => 50 });
        breaker.limit({ maxDeletesPerHour: limit });
        return breaker;
      };
      let breaker = start();
      const lastMs = new Map<number, number>();
      for (const { user, waitsMs, isRestarted } of attempts) {
        await clock.advance(waitsMs);
        if (mayRestart && isRestarted) breaker = start();
        const nowMs = clock.now();
        const others = new Map([...lastMs].filter(([one]) => one !== user));
        if ((await breaker.admitDeletion(userId(`auth0|${String(user)}`), nowMs, signal)) !== undefined) {
          return mayRestart || within(others, nowMs, HOUR_MS + BUCKET_MS) >= limit;
        }
        lastMs.set(user, nowMs);
        if (within(lastMs, nowMs, HOUR_MS) > limit) return false;
      }
      return true;
    }),
    { seed, numRuns: 300 },
  );
  t.pass();
});
