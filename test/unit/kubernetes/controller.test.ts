import test from "ava";
import { Registry } from "prom-client";
import { seededRandom } from "../../../src/runtime/random.ts";
import type { Remedy } from "../../../src/runtime/remedy.ts";
import { Controller, type ControllerOptions, type ReconcileResult } from "../../../src/kubernetes/controller.ts";
import { KubernetesMetrics } from "../../../src/kubernetes/metrics.ts";
import { Workqueue } from "../../../src/kubernetes/workqueue.ts";
import { ManualClock, settle } from "../../support/manual-clock.ts";
import { RecordedLog } from "../../support/recorded-log.ts";

class RemediedError extends Error {
  readonly remedy: Remedy;
  constructor(remedy: Remedy) {
    super("expected");
    this.remedy = remedy;
  }
}

type Reconcile = ControllerOptions<string>["reconcile"];

class Scene {
  readonly clock: ManualClock;
  readonly registry = new Registry();
  readonly queue: Workqueue;
  readonly log = new RecordedLog();
  readonly running: Promise<void>;
  readonly stop = new AbortController();

  constructor(reconcile: Reconcile, options: Partial<ControllerOptions<string>> = {}, clock = new ManualClock()) {
    this.clock = clock;
    const metrics = new KubernetesMetrics(this.registry);
    this.queue = new Workqueue({
      name: "users",
      clock,
      random: seededRandom(1),
      metrics,
      backoff: { baseMs: 1_000, capMs: 60_000 },
    });
    const controller = new Controller({
      name: "users",
      queue: this.queue,
      reconcile,
      concurrency: 3,
      clock,
      log: this.log,
      metrics,
      ...options,
    });
    this.running = controller.run(this.stop.signal);
  }

  async lines(name: string): Promise<readonly string[]> {
    return (await this.registry.metrics()).split("\n").filter((line) => line.startsWith(name));
  }
}

/** Answers one after another, the last for ever; an Error is thrown. Remembers when it was asked. */
function script(scene: () => Scene, ...results: readonly (ReconcileResult | Error)[]): Reconcile & { atMs: number[] } {
  const atMs: number[] = [];
  const reconcile = (): Promise<ReconcileResult> => {
    atMs.push(scene().clock.monotonicMs());
    const result = results[Math.min(atMs.length, results.length) - 1] ?? { kind: "done" };
    return result instanceof Error ? Promise.reject(result) : Promise.resolve(result);
  };
  return Object.assign(reconcile, { atMs });
}

for (const [name, results, moments] of [
  ["done is left alone", [{ kind: "done" }], [0]],
  ["stalled is left alone", [{ kind: "stalled" }], [0]],
  ["requeue comes again then", [{ kind: "requeue", afterMs: 5_000 }, { kind: "done" }], [0, 5_000]],
  [
    "a remedy that names the moment is obeyed",
    [new RemediedError({ kind: "wait", untilMs: Date.UTC(2026, 0, 1) + 7_000 }), { kind: "done" }],
    [0, 7_000],
  ],
  [
    "a failure that says stall comes again after a while, since what refused it may be mended elsewhere",
    [new RemediedError({ kind: "stall" }), new RemediedError({ kind: "stall" }), { kind: "done" }],
    [0, 300_000, 600_000],
  ],
] as const) {
  test(`a key whose reconcile says: ${name}`, async (t) => {
    const reconcile = script(() => scene, ...results);
    const scene: Scene = new Scene(reconcile);

    scene.queue.add("a");
    await scene.clock.advance(3_600_000);

    t.deepEqual(reconcile.atMs, moments);
    scene.stop.abort();
    await scene.running;
  });
}

for (const [name, failure] of [
  ["backoff", { kind: "backoff" }],
  ["a remedy that says backoff", new RemediedError({ kind: "backoff" })],
  ["a remedy whose moment has passed", new RemediedError({ kind: "wait", untilMs: 5 })],
  ["an error without remedy", new TypeError("bug")],
] as const) {
  test(`${name} comes again later each time, until it is well`, async (t) => {
    const reconcile = script(
      () => scene,
      failure,
      failure,
      failure,
      failure,
      { kind: "requeue", afterMs: 100_000 },
      failure,
      { kind: "done" },
    );
    const scene: Scene = new Scene(reconcile);

    scene.queue.add("a");
    await scene.clock.advance(3_600_000);

    const waits = reconcile.atMs.map((at, index) => at - (reconcile.atMs[index - 1] ?? at)).slice(1);
    t.is(waits.length, 6);
    const [first = 0, second = 0, third = 0, fourth = 0, well, again = 0] = waits;
    t.true(first >= 500 && first <= 1_000 && second >= 1_000 && third >= 2_000 && fourth >= 4_000 && fourth <= 8_000);
    t.is(well, 100_000);
    t.true(again <= 1_000, "failures were forgotten");
    scene.stop.abort();
    await scene.running;
  });
}

for (const ending of [{ kind: "done" }, { kind: "stalled" }, new RemediedError({ kind: "stall" })] as const) {
  test(`failures are forgotten after ${ending instanceof Error ? "stall" : ending.kind}`, async (t) => {
    const failure = { kind: "backoff" } as const;
    const reconcile = script(() => scene, failure, failure, failure, ending, failure, { kind: "done" });
    const scene: Scene = new Scene(reconcile);
    scene.queue.add("a");
    await scene.clock.advance(60_000);

    scene.queue.add("a");
    await scene.clock.advance(60_000);

    const [fifth = 0, sixth = 0] = reconcile.atMs.slice(4);
    t.is(fifth, 60_000);
    t.true(sixth - fifth <= 1_000);
    scene.stop.abort();
    await scene.running;
  });
}

test("a key keeps its priority through backoff, requeue has its own", async (t) => {
  const order: string[] = [];
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const results: Record<string, readonly ReconcileResult[]> = {
    urgent: [{ kind: "backoff" }],
    resync: [{ kind: "requeue", afterMs: 2_000, priority: "low" }],
  };
  const seen = new Map<string, number>();
  const scene = new Scene(
    async (key) => {
      if (key === "blocker") await gate;
      order.push(key);
      const times = seen.get(key) ?? 0;
      seen.set(key, times + 1);
      return results[key]?.[times] ?? { kind: "done" };
    },
    { concurrency: 1 },
  );
  scene.queue.add("resync", "high");
  scene.queue.add("urgent", "high");
  await settle();

  scene.queue.add("blocker");
  scene.queue.add("ordinary");
  await scene.clock.advance(2_000);
  scene.queue.add("late");
  open();
  await settle();

  t.deepEqual(order, ["resync", "urgent", "blocker", "urgent", "ordinary", "late", "resync"]);
  scene.stop.abort();
  await scene.running;
});

test("failures are logged once with their key: expected ones as warnings, others as errors", async (t) => {
  const bug = new TypeError("bug");
  const expected = new RemediedError({ kind: "stall" });
  const scene = new Scene((key) => Promise.reject(key === "bug" ? bug : expected));

  scene.queue.add("bug");
  scene.queue.add("expected");
  await settle();

  t.deepEqual(scene.log.lines, [
    {
      level: "error",
      message: "reconcile failed unexpectedly",
      values: { controller: "users", key: "bug", error: bug },
    },
    { level: "warn", message: "reconcile failed", values: { controller: "users", key: "expected", error: expected } },
  ]);
  scene.stop.abort();
  await scene.running;
});

test("a reconcile that throws before it returns a promise is a failure like any other", async (t) => {
  const scene = new Scene(() => {
    throw new TypeError("bug");
  });

  scene.queue.add("a");
  await settle();

  t.is(scene.log.lines.length, 1);
  scene.stop.abort();
  await t.notThrowsAsync(scene.running);
});

test("no more keys are in hand at once than allowed, and never one twice", async (t) => {
  const inHand: string[] = [];
  let most = 0;
  const scene = new Scene(async (key) => {
    t.false(inHand.includes(key));
    inHand.push(key);
    most = Math.max(most, inHand.length);
    await scene.clock.sleep(10, new AbortController().signal);
    inHand.splice(inHand.indexOf(key), 1);
    return { kind: "done" };
  });

  for (let index = 0; index < 20; index++) scene.queue.add(`key ${String(index % 10)}`);
  await scene.clock.advance(5);
  for (let index = 0; index < 20; index++) scene.queue.add(`key ${String(index % 10)}`);
  t.regex((await scene.lines("controller_runtime_active_workers")).join(), / 3$/);
  await scene.clock.advance(1_000);

  t.is(most, 3);
  t.is(scene.queue.depth, 0);
  scene.stop.abort();
  await scene.running;
});

test("told to stop, it takes no more keys and waits for those in hand", async (t) => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const finished: string[] = [];
  const scene = new Scene(async (key, signal) => {
    await gate;
    t.false(signal.aborted);
    finished.push(key);
    return { kind: "done" };
  });
  for (const key of ["a", "b", "c", "d"]) scene.queue.add(key);
  await settle();

  scene.stop.abort(new Error("stop"));
  await scene.clock.advance(9_999);
  open();
  await scene.running;

  t.deepEqual(finished, ["a", "b", "c"]);
  t.is(scene.queue.depth, 1);
  t.is(scene.clock.pending, 0);
});

test("keys in hand that take too long to finish are cancelled, which is no failure", async (t) => {
  const reason = new Error("stop");
  const scene = new Scene(
    (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          reject(signal.reason);
        });
      }),
    { drainMs: 4_000 },
  );
  scene.queue.add("a");
  await settle();

  scene.stop.abort(reason);
  await scene.clock.advance(4_000);
  await scene.running;

  t.deepEqual(scene.log.lines, []);
  t.deepEqual(await scene.lines("controller_runtime_reconcile_errors_total{"), []);
});

test("a controller that is told to stop before it starts does nothing", async (t) => {
  const stop = new AbortController();
  stop.abort();
  const metrics = new KubernetesMetrics(new Registry());
  const clock = new ManualClock();
  const queue = new Workqueue({ name: "q", clock, random: seededRandom(1), metrics });
  queue.add("a");

  await new Controller({
    name: "q",
    queue,
    reconcile: () => Promise.reject(new Error("unwanted")),
    clock,
    log: new RecordedLog(),
    metrics,
  }).run(stop.signal);

  t.is(queue.depth, 1);
  t.is(clock.pending, 0);
});

test("thousands of reconciles that never wait leave the event loop to others in between", async (t) => {
  /** Each look at the clock takes a tenth of a millisecond. */
  class TickingClock extends ManualClock {
    #looks = 0;
    override monotonicMs(): number {
      return super.monotonicMs() + ++this.#looks / 10;
    }
  }
  let reconciled = 0;
  const scene = new Scene(
    () => {
      reconciled++;
      return Promise.resolve({ kind: "done" });
    },
    {},
    new TickingClock(),
  );
  for (let index = 0; index < 5_000; index++) scene.queue.add(String(index));
  const steps: number[] = [];
  for (let before = 0; before < 5_000; before += steps.at(-1) ?? 0) {
    await new Promise((resolve) => setImmediate(resolve));
    steps.push(reconciled - before);
  }

  // Some five looks a key: no more than a few tens of keys fit into ten milliseconds.
  t.true(Math.max(...steps) < 100, String(Math.max(...steps)));
  scene.stop.abort();
  await scene.running;
});

test("metrics have controller-runtime's names", async (t) => {
  const results: Record<string, ReconcileResult> = {
    done: { kind: "done" },
    stalled: { kind: "stalled" },
    requeue: { kind: "requeue", afterMs: 1e6 },
    backoff: { kind: "backoff" },
  };
  const scene = new Scene((key) => {
    const result = results[key];
    return result === undefined ? Promise.reject(new RemediedError({ kind: "stall" })) : Promise.resolve(result);
  });

  for (const key of ["done", "stalled", "requeue", "backoff", "error"]) scene.queue.add(key);
  await settle();

  t.deepEqual(await scene.lines("controller_runtime_reconcile_total{"), [
    'controller_runtime_reconcile_total{controller="users",result="success"} 2',
    'controller_runtime_reconcile_total{controller="users",result="requeue_after"} 1',
    'controller_runtime_reconcile_total{controller="users",result="requeue"} 1',
    'controller_runtime_reconcile_total{controller="users",result="error"} 1',
  ]);
  t.deepEqual(
    [
      ...(await scene.lines("controller_runtime_reconcile_errors_total{")),
      ...(await scene.lines("controller_runtime_terminal_reconcile_errors_total{")),
      ...(await scene.lines("controller_runtime_max_concurrent_reconciles{")),
      ...(await scene.lines("controller_runtime_active_workers{")),
      ...(await scene.lines("controller_runtime_reconcile_time_seconds_count{")),
    ],
    [
      'controller_runtime_reconcile_errors_total{controller="users"} 1',
      'controller_runtime_terminal_reconcile_errors_total{controller="users"} 1',
      'controller_runtime_max_concurrent_reconciles{controller="users"} 3',
      'controller_runtime_active_workers{controller="users"} 0',
      'controller_runtime_reconcile_time_seconds_count{controller="users"} 5',
    ],
  );
  scene.stop.abort();
  await scene.running;
});
