/** What the property test of the queue does not say: timers, waiting workers, metrics. */
import { getEventListeners } from "node:events";
import test from "ava";
import { Registry } from "prom-client";
import { seededRandom } from "../../../src/runtime/random.ts";
import { KubernetesMetrics } from "../../../src/kubernetes/metrics.ts";
import { Workqueue } from "../../../src/kubernetes/workqueue.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const never = new AbortController().signal;

interface Scene {
  readonly clock: ManualClock;
  readonly queue: Workqueue;
  /** The value of a metric's only time series, or of the one with this label value. */
  readonly metric: (name: string, label?: string) => Promise<number | undefined>;
}

function aQueue(): Scene {
  const clock = new ManualClock();
  const registry = new Registry();
  const metrics = new KubernetesMetrics(registry);
  return {
    clock,
    queue: new Workqueue({ name: "users", clock, random: seededRandom(1), metrics }),
    metric: async (name, label) => {
      const lines = (await registry.metrics()).split("\n");
      const line = lines.find((text) => text.startsWith(`${name}{`) && text.includes(`"${label ?? "users"}"`));
      return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(" ") + 1));
    },
  };
}

test("workers that wait are served in their order, by what comes", async (t) => {
  const { queue } = aQueue();
  const first = queue.take(never);
  const second = queue.take(never);

  queue.add("a");
  queue.add("b", "high");

  t.deepEqual(await first, { key: "a", priority: "normal" });
  t.deepEqual(await second, { key: "b", priority: "high" });
  t.is(queue.depth, 0);
  t.deepEqual(getEventListeners(never, "abort"), []);
});

test("a worker that is told to stop waiting takes no key with it", async (t) => {
  const { queue } = aQueue();
  const controller = new AbortController();
  const waiting = queue.take(controller.signal);
  const reason = new Error("stop");

  controller.abort(reason);
  queue.add("a");

  t.is(await t.throwsAsync(waiting), reason);
  t.is(await t.throwsAsync(queue.take(controller.signal)), reason);
  t.is((await queue.take(never)).key, "a");
});

test("a flood of urgent keys lets one of the others through after each fifteen", async (t) => {
  const { queue } = aQueue();
  queue.add("low 1", "low");
  queue.add("low 2", "low");
  const taken: string[] = [];

  for (let index = 0; index < 40; index++) {
    queue.add(`high ${String(index)}`, "high");
    taken.push((await queue.take(never)).key);
  }

  t.is(taken.indexOf("low 1"), 15);
  t.is(taken.indexOf("low 2"), 31);
});

test("a key that becomes more urgent goes with its new equals, and never goes down", async (t) => {
  const { queue } = aQueue();
  queue.add("a", "low");
  queue.add("b", "normal");
  queue.add("a", "normal");
  queue.add("b", "low");

  t.deepEqual(await queue.take(never), { key: "b", priority: "normal" });
  t.deepEqual(await queue.take(never), { key: "a", priority: "normal" });
});

test("a lane that ran empty fills again", async (t) => {
  const { queue } = aQueue();
  for (const key of ["a", "b", "c"]) {
    queue.add(key);
    t.is((await queue.take(never)).key, key);
  }
});

test("giving back what one does not hold is a bug", (t) => {
  const { queue } = aQueue();

  t.throws(() => queue.done("a"), { message: /does not hold/ });
});

test("all delays share one timer, which is set anew only for an earlier moment", async (t) => {
  const { clock, queue } = aQueue();
  for (let index = 1; index <= 1_000; index++) queue.addAfter(`key ${String(index)}`, index * 1_000);
  t.is(clock.pending, 1);

  queue.addAfter("early", 1);
  t.is(clock.pending, 1);
  await clock.advance(1);

  t.is(queue.depth, 1);
  await clock.advance(1_000_000);
  t.is(queue.depth, 1_001);
  t.is(clock.pending, 0);
});

test("a queue whose last delayed key is taken early has no timer left", async (t) => {
  const { clock, queue } = aQueue();
  queue.addAfter("a", 60_000);
  queue.add("a");

  await queue.take(never);

  t.is(clock.pending, 0);
});

test("very many keys that are due at once come in portions, between which the event loop goes round", async (t) => {
  const { clock, queue } = aQueue();
  for (let index = 0; index < 12_000; index++) queue.addAfter(String(index), 1_000);

  await clock.advance(1_000);
  t.is(queue.depth, 5_000);
  await clock.advance(1);
  t.is(queue.depth, 10_000);
  await clock.advance(1);

  t.is(queue.depth, 12_000);
});

test("metrics have client-go's names and tell what happened", async (t) => {
  const { clock, queue, metric } = aQueue();
  queue.add("a", "high");
  queue.add("a", "high");
  queue.addAfter("b", 1_000, "low");
  await clock.advance(2_000);
  t.is(await metric("workqueue_depth", "high"), 1);
  t.is(await metric("workqueue_depth", "low"), 1);

  await queue.take(never);
  queue.add("a");
  queue.add("a");
  await clock.advance(3_000);

  t.is(await metric("workqueue_adds_total"), 3);
  t.is(await metric("workqueue_retries_total"), 1);
  t.is(await metric("workqueue_depth", "high"), 0);
  t.is(await metric("workqueue_queue_duration_seconds_sum", "high"), 2);
  t.is(await metric("workqueue_unfinished_work_seconds"), 3);
  t.is(await metric("workqueue_longest_running_processor_seconds"), 3);
  await queue.take(never);
  t.is(await metric("workqueue_queue_duration_seconds_sum", "low"), 4);
  await clock.advance(1_000);
  t.is(await metric("workqueue_unfinished_work_seconds"), 5);
  t.is(await metric("workqueue_longest_running_processor_seconds"), 4);
  queue.done("a");
  t.is(await metric("workqueue_work_duration_seconds_sum"), 4);
  t.is(await metric("workqueue_unfinished_work_seconds"), 1);
  t.is(queue.depth, 1);
});
