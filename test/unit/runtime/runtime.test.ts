import { Writable } from "node:stream";
import test from "ava";
import { Deadline, DeadlineError, abortable, isAbortOf } from "../../../src/runtime/abort.ts";
import { backoffMs } from "../../../src/runtime/backoff.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { createLog } from "../../../src/runtime/log.ts";
import { jittered, seededRandom } from "../../../src/runtime/random.ts";
import { findRemedy } from "../../../src/runtime/remedy.ts";
import { runGroup, type Part } from "../../../src/runtime/run-group.ts";
import { TimeSlice } from "../../../src/runtime/time-slice.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const never = new AbortController().signal;

class Lines extends Writable {
  readonly lines: string[] = [];
  override _write(chunk: Buffer, _encoding: string, next: () => void): void {
    this.lines.push(...chunk.toString().split("\n").filter(Boolean));
    next();
  }

  /** Lines are written once in a turn of the event loop. */
  written(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }
}

test("a manual clock fires timers in the order of their moments", async (t) => {
  const clock = new ManualClock();
  const fired: string[] = [];
  clock.timer(20, () => fired.push("b"));
  clock.timer(10, () => fired.push("a"));
  const cancel = clock.timer(15, () => fired.push("never"));
  cancel();

  await clock.advance(30);

  t.deepEqual(fired, ["a", "b"]);
});

for (const [name, clock] of Object.entries({ system: systemClock, manual: new ManualClock() })) {
  test(`a sleep on the ${name} clock ends with the signal's own reason`, async (t) => {
    const controller = new AbortController();
    const sleep = clock.sleep(60_000, controller.signal);
    const reason = new Error("enough");

    controller.abort(reason);

    t.is(await t.throwsAsync(sleep), reason);
    t.is(await t.throwsAsync(clock.sleep(1, controller.signal)), reason);
  });
}

test("a deadline aborts with a DeadlineError, its parent with its own reason", async (t) => {
  const clock = new ManualClock();
  const late = new Deadline(never, 100, clock);
  const parent = new AbortController();
  const cancelled = new Deadline(parent.signal, 100, clock);
  const reason = new Error("stop");
  parent.abort(reason);

  await clock.advance(100);

  t.true(late.signal.reason instanceof DeadlineError);
  t.is(cancelled.signal.reason, reason);
});

test("a deadline that is renewed counts from then on", async (t) => {
  const clock = new ManualClock();
  const idle = new Deadline(never, 100, clock);

  await clock.advance(99);
  idle.renew(50);
  await clock.advance(49);

  t.false(idle.signal.aborted);
  await clock.advance(1);
  t.true(idle.signal.reason instanceof DeadlineError);
  t.is(clock.pending, 0);
});

test("a deadline that was cleared leaves no timer behind", (t) => {
  const clock = new ManualClock();

  new Deadline(never, 100, clock).clear();

  t.is(clock.pending, 0);
});

test("abortable gives up on a promise that never settles", async (t) => {
  const controller = new AbortController();
  const waiting = abortable(new Promise(() => {}), controller.signal);
  const reason = new Error("stop");

  controller.abort(reason);

  const error = await t.throwsAsync(waiting);
  t.is(error, reason);
  t.true(isAbortOf(controller.signal, error));
  t.true(isAbortOf(controller.signal, new Error("wrapped", { cause: reason })));
  t.false(isAbortOf(controller.signal, new Error("other")));
});

for (const [name, error, remedy] of [
  ["backoff", Object.assign(new Error("x"), { remedy: { kind: "backoff" } }), { kind: "backoff" }],
  ["stall", Object.assign(new Error("x"), { remedy: { kind: "stall" } }), { kind: "stall" }],
  ["a moment", Object.assign(new Error("x"), { remedy: { kind: "wait", untilMs: 5 } }), { kind: "wait", untilMs: 5 }],
  ["a wait without moment", Object.assign(new Error("x"), { remedy: { kind: "wait" } }), undefined],
  ["a word", Object.assign(new Error("x"), { remedy: "rest" }), undefined],
  ["none", new Error("x"), undefined],
  ["none, being no error", { remedy: { kind: "backoff" } }, undefined],
] as const) {
  test(`the remedy of a failure with ${name}`, (t) => {
    t.deepEqual(findRemedy(error), remedy);
  });
}

test("a time slice that is used up makes all who share it wait for one turn of the event loop", async (t) => {
  const clock = new ManualClock();
  await clock.advance(1_000);
  const slice = new TimeSlice(clock, 10);
  const story: string[] = [];
  const work = async (name: string): Promise<void> => {
    await slice.breathe();
    story.push(name);
  };
  /** Whoever waits for the event loop: timers, sockets. */
  const others = async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    story.push("others");
  };
  await work("first of all");
  await clock.advance(9);

  await Promise.all([work("within"), work("within")]);
  await clock.advance(1);
  await Promise.all([others(), work("after"), work("after")]);
  await Promise.all([others(), work("within")]);

  t.deepEqual(story, ["first of all", "within", "within", "others", "after", "after", "within", "others"]);
});

test("backoff grows to its cap and never collapses to nothing", (t) => {
  const random = seededRandom(1);
  for (let failures = 1; failures < 80; failures++) {
    const ceiling = Math.min(30_000, 800 * 2 ** (failures - 1));
    const wait = backoffMs(failures, { baseMs: 800, capMs: 30_000 }, random);
    t.true(wait >= ceiling / 2 && wait <= ceiling, `${String(failures)}: ${String(wait)}`);
  }
});

test("seeded chance repeats itself and stays in its bounds", (t) => {
  const draw = (seed: number): number[] => {
    const random = seededRandom(seed);
    return Array.from({ length: 1000 }, () => random.next());
  };

  t.deepEqual(draw(7), draw(7));
  t.notDeepEqual(draw(7), draw(8));
  t.true(draw(7).every((value) => value >= 0 && value < 1));
  t.deepEqual(seededRandom(3).bytes(8), seededRandom(3).bytes(8));
  const random = seededRandom(5);
  t.true(Array.from({ length: 1000 }, () => jittered(100, 0.1, random)).every((value) => value >= 90 && value <= 110));
});

test("a group stops its parts in reverse, each awaited before the next is told", async (t) => {
  const story: string[] = [];
  const part = (name: string): Part => ({
    name,
    run: (signal) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => {
          story.push(`${name} told`);
          setImmediate(() => {
            story.push(`${name} ended`);
            resolve();
          });
        });
      }),
  });
  const controller = new AbortController();
  const running = runGroup([part("health"), part("workers")], controller.signal);

  controller.abort();
  await running;

  t.deepEqual(story, ["workers told", "workers ended", "health told", "health ended"]);
});

test("the first fault stops a group and is what it throws", async (t) => {
  const fault = new Error("lost the lease");
  let stopped = false;
  const running = runGroup(
    [
      {
        name: "server",
        async run(signal) {
          await systemClock.sleep(60_000, signal).catch(() => {});
          stopped = true;
        },
      },
      { name: "elector", run: () => Promise.reject(fault) },
    ],
    never,
  );

  t.is(await t.throwsAsync(running), fault);
  t.true(stopped);
});

test("a log line is JSON with the values named, bound values included, below its level nothing", async (t) => {
  const output = new Lines();
  const log = createLog({ level: "info", format: "json", output, clock: new ManualClock(0) }).with({ key: "a/b" });

  log.info("user updated", { fields: ["nickname"], absent: undefined });
  log.debug("unseen");
  await output.written();

  t.deepEqual(
    output.lines.map((line) => JSON.parse(line)),
    [{ ts: "1970-01-01T00:00:00.000Z", level: "info", msg: "user updated", key: "a/b", fields: ["nickname"] }],
  );
});

test("values under secret names are redacted at any depth, errors show message and causes", async (t) => {
  const output = new Lines();
  const log = createLog({ level: "debug", format: "json", output, clock: new ManualClock(0) });
  const remedied = Object.assign(new Error("outer", { cause: new Error("inner") }), { remedy: { kind: "backoff" } });

  log.warn("refused", { body: { password: "hunter2", deep: [{ client_secret: "s3cret" }] }, error: remedied });
  log.error("bug", { error: new Error("a bug") });
  await output.written();

  const text = output.lines.join("\n");
  t.notRegex(text, /hunter2|s3cret/);
  const [refused, bug] = output.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  t.deepEqual(refused?.["errorCauses"], ["inner"]);
  t.is(refused?.["errorStack"], undefined);
  t.regex(String(bug?.["errorStack"]), /a bug\n\s+at /);
});

test("a pretty line is readable", async (t) => {
  const output = new Lines();

  createLog({ level: "debug", format: "pretty", output, clock: new ManualClock(0) }).info("user created", {
    key: "team-a/jane",
    note: "two words",
  });
  await output.written();

  t.deepEqual(output.lines, ['00:00:00.000 INFO  user created key=team-a/jane note="two words"']);
});

test("a reader that does not keep up costs lines, not memory, and is told how many", async (t) => {
  const written: string[] = [];
  let waiting = 2 << 20;
  const output = Object.defineProperty(new Lines(), "writableLength", { get: () => waiting });
  output.write = (text: string) => written.push(text) > 0;
  const log = createLog({ level: "info", format: "pretty", output, clock: new ManualClock(0) });

  log.info("lost");
  log.info("lost");
  waiting = 0;
  log.info("kept");
  await output.written();

  t.is(written.length, 1, "one write for a turn's lines");
  t.regex(written[0] ?? "", /^2 log lines were dropped.*\n.*kept\n$/);
});
