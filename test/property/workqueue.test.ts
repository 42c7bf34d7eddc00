/** The workqueue against a model that is slow and obvious: sorted arrays, and rules as the documentation has them. */
import test from "ava";
import * as fc from "fast-check";
import { Registry } from "prom-client";
import { PRIORITIES, type Priority } from "../../src/kubernetes/lanes.ts";
import { KubernetesMetrics } from "../../src/kubernetes/metrics.ts";
import { Workqueue } from "../../src/kubernetes/workqueue.ts";
import { seededRandom } from "../../src/runtime/random.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { seed } from "../support/seed.ts";

const never = new AbortController().signal;
const BACKOFF = { baseMs: 100_000, capMs: 1_000_000 };

interface Wanted {
  readonly key: string;
  priority: Priority;
}

class Model {
  /** In the order in which they go, lane by lane. */
  waiting: Wanted[] = [];
  delayed: (Wanted & { dueMs: number })[] = [];
  readonly held = new Map<string, Priority | undefined>();
  readonly failures = new Map<string, number>();
  readonly passedOver = new Map<Priority, number>();

  add(key: string, priority: Priority): void {
    if (this.held.has(key)) {
      this.held.set(key, higher(priority, this.held.get(key) ?? priority));
      return;
    }
    const known = this.waiting.find((wanted) => wanted.key === key);
    if (known !== undefined && higher(priority, known.priority) === known.priority) return;
    this.waiting = [...this.waiting.filter((wanted) => wanted !== known), { key, priority }];
  }

  delay(key: string, dueMs: number, priority: Priority): void {
    const known = this.delayed.find((wanted) => wanted.key === key);
    if (known === undefined) this.delayed.push({ key, dueMs, priority });
    else Object.assign(known, { dueMs: Math.min(dueMs, known.dueMs), priority: higher(priority, known.priority) });
  }

  takeFirst(): Wanted | undefined {
    const lanes = PRIORITIES.filter((priority) => this.waiting.some((wanted) => wanted.priority === priority));
    const lane = lanes.find((priority) => (this.passedOver.get(priority) ?? 0) >= 15) ?? lanes[0];
    for (const priority of lanes) this.passedOver.set(priority, (this.passedOver.get(priority) ?? 0) + 1);
    const first = this.waiting.find((wanted) => wanted.priority === lane);
    if (first === undefined) return undefined;
    this.passedOver.set(first.priority, 0);
    this.waiting = this.waiting.filter((wanted) => wanted !== first);
    this.delayed = this.delayed.filter(({ key }) => key !== first.key);
    this.held.set(first.key, undefined);
    return first;
  }

  done(key: string): void {
    const again = this.held.get(key);
    this.held.delete(key);
    if (again !== undefined) this.waiting.push({ key, priority: again });
  }

  /** Everything that falls due until then begins to wait. */
  passTime(nowMs: number): void {
    const due = this.delayed.filter(({ dueMs }) => dueMs <= nowMs).toSorted((a, b) => a.dueMs - b.dueMs);
    this.delayed = this.delayed.filter(({ dueMs }) => dueMs > nowMs);
    for (const { key, priority } of due) this.add(key, priority);
  }
}

function higher(a: Priority, b: Priority): Priority {
  return PRIORITIES.indexOf(a) < PRIORITIES.indexOf(b) ? a : b;
}

const key = fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h");
const priority = fc.constantFrom(...PRIORITIES);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("add" as const), key, priority }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("addAfter" as const),
      key,
      priority,
      seconds: fc.integer({ min: -5, max: 500 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("addBackoff" as const), key, priority }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("forget" as const), key }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("take" as const) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("done" as const), index: fc.nat({ max: 7 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("wait" as const), seconds: fc.integer({ min: 1, max: 300 }) }),
  },
);

test("a workqueue hands out what the model hands out, whatever happens in between", async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 200, size: "max" }), async (steps) => {
      const clock = new ManualClock();
      // Chance always at its highest: the wait is then the ceiling, which the model can compute.
      const random = { ...seededRandom(1), next: () => 1 };
      const metrics = new KubernetesMetrics(new Registry());
      const queue = new Workqueue({ name: "q", clock, random, metrics, backoff: BACKOFF });
      const model = new Model();
      const pending = new Set<string>();
      // Which of two keys that are due at the same moment goes first is not promised. So no two are: the millisecond of
      // now grows from 0 with each backoff, those of other moments grow from 500.
      let uniqueMs = 500;

      const take = async (): Promise<void> => {
        const expected = model.takeFirst();
        if (expected === undefined) return;
        const taken = await queue.take(never);
        assertEqual([taken.key, taken.priority], [expected.key, expected.priority]);
        pending.delete(taken.key);
      };
      const done = (index: number): void => {
        const held = [...model.held.keys()][index % Math.max(1, model.held.size)];
        if (held === undefined) return;
        queue.done(held);
        model.done(held);
      };

      for (const action of steps) {
        const nowMs = clock.monotonicMs();
        switch (action.kind) {
          case "add":
            queue.add(action.key, action.priority);
            model.add(action.key, action.priority);
            pending.add(action.key);
            break;
          case "addAfter": {
            const afterMs = action.seconds <= 0 ? 0 : action.seconds * 1_000 - (nowMs % 1_000) + uniqueMs++;
            queue.addAfter(action.key, afterMs, action.priority);
            if (afterMs <= 0) model.add(action.key, action.priority);
            else model.delay(action.key, nowMs + afterMs, action.priority);
            pending.add(action.key);
            break;
          }
          case "addBackoff": {
            const failures = (model.failures.get(action.key) ?? 0) + 1;
            model.failures.set(action.key, failures);
            queue.addBackoff(action.key, action.priority);
            model.delay(
              action.key,
              nowMs + Math.min(BACKOFF.capMs, BACKOFF.baseMs * 2 ** (failures - 1)),
              action.priority,
            );
            pending.add(action.key);
            await clock.advance(1);
            model.passTime(clock.monotonicMs());
            break;
          }
          case "forget":
            queue.forget(action.key);
            model.failures.delete(action.key);
            break;
          case "take":
            await take();
            break;
          case "done":
            done(action.index);
            break;
          case "wait":
            await clock.advance(action.seconds * 1_000);
            model.passTime(clock.monotonicMs());
            break;
        }
        assertEqual(queue.depth, model.waiting.length);
      }

      // Nothing that was added is lost: left alone, each key is handed out once more.
      while (model.held.size > 0 || model.waiting.length > 0 || model.delayed.length > 0) {
        done(0);
        await clock.advance(BACKOFF.capMs);
        model.passTime(clock.monotonicMs());
        await take();
      }
      assertEqual([...pending], []);
      assertEqual(queue.depth, 0);
      assertEqual(clock.pending, 0);
    }),
    { seed, numRuns: 200 },
  );
  t.pass();
});

test("workers that come and go hold no key twice, and see every key after it was last added", async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.record({ key, priority }), { maxLength: 60, size: "max" }),
      async (scheduler, adds) => {
        const clock = new ManualClock();
        const random = seededRandom(1);
        const queue = new Workqueue({ name: "q", clock, random, metrics: new KubernetesMetrics(new Registry()) });
        const stop = new AbortController();
        const held = new Set<string>();
        const pending = new Set<string>();
        const work = async (): Promise<void> => {
          for (;;) {
            const taken = await queue.take(stop.signal).catch(() => undefined);
            if (taken === undefined) return;
            if (held.has(taken.key)) throw new Error(`${taken.key} is held twice`);
            held.add(taken.key);
            pending.delete(taken.key);
            await scheduler.schedule(Promise.resolve(), `work on ${taken.key}`);
            held.delete(taken.key);
            queue.done(taken.key);
          }
        };
        const workers = Promise.all([work(), work(), work()]);
        const adding = adds.map(async (add) => {
          await scheduler.schedule(Promise.resolve(), `add ${add.key}`);
          pending.add(add.key);
          queue.add(add.key, add.priority);
        });

        await scheduler.waitFor(Promise.all(adding));
        await scheduler.waitIdle();
        stop.abort();
        await workers;

        assertEqual([...pending], []);
        assertEqual(queue.depth, 0);
      },
    ),
    { seed, numRuns: 200 },
  );
  t.pass();
});

function assertEqual(actual: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${a} instead of ${b}`);
}
