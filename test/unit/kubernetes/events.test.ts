/** Events as the recorder sends them, against a server that only remembers; the real one is met in test/e2e. */
import test, { type ExecutionContext } from "ava";
import { Registry } from "prom-client";
import type { JsonObject } from "../../../src/runtime/json.ts";
import { seededRandom } from "../../../src/runtime/random.ts";
import { ApiError, type ApiErrorCode } from "../../../src/kubernetes/api-error.ts";
import { EventRecorder } from "../../../src/kubernetes/events.ts";
import { EventSeriesIndex, type EventInput } from "../../../src/kubernetes/event-series.ts";
import { KubernetesMetrics } from "../../../src/kubernetes/metrics.ts";
import { ManualClock, settle } from "../../support/manual-clock.ts";
import { RecordedLog } from "../../support/recorded-log.ts";

class EventServer {
  /** `verb path`, and the body. */
  readonly calls: { readonly call: string; readonly body: JsonObject }[] = [];
  readonly stored = new Set<string>();
  /** What the next calls are refused with, in order. */
  refusals: ApiErrorCode[] = [];
  /** While set, no call is answered. */
  isSilent = false;

  create(path: string, body: JsonObject, signal: AbortSignal): Promise<JsonObject> {
    return this.#answer(`create ${path}`, body, signal, () => {
      const { name } = body["metadata"] as { readonly name: string };
      if (this.stored.has(`${path}/${name}`)) throw refusal("already_exists");
      this.stored.add(`${path}/${name}`);
    });
  }

  mergePatch(path: string, body: JsonObject, signal: AbortSignal): Promise<JsonObject> {
    return this.#answer(`patch ${path}`, body, signal, () => {
      if (!this.stored.has(path)) throw refusal("not_found");
    });
  }

  async #answer(call: string, body: JsonObject, signal: AbortSignal, carryOut: () => void): Promise<JsonObject> {
    this.calls.push({ call, body });
    await Promise.resolve();
    const code = this.refusals.shift();
    // The answer is lost, not the request.
    if (code === undefined || code === "timeout") carryOut();
    if (code !== undefined) throw refusal(code);
    if (!this.isSilent) return {};
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => {
        reject(signal.reason);
      });
    });
  }
}

function refusal(code: ApiErrorCode): ApiError {
  return new ApiError(code, "scripted", { kind: "backoff" });
}

interface Scene {
  readonly server: EventServer;
  readonly clock: ManualClock;
  readonly recorder: EventRecorder;
  readonly log: RecordedLog;
  /** How many Events came to this end. */
  readonly count: (type: string, result: string) => Promise<number>;
  readonly stop: AbortController;
  readonly running: Promise<void>;
}

function aScene(t: ExecutionContext): Scene {
  const server = new EventServer();
  const clock = new ManualClock();
  const registry = new Registry();
  const log = new RecordedLog();
  const recorder = new EventRecorder({
    api: server,
    reportingController: "example.com/operator",
    reportingInstance: "pod-1",
    clock,
    random: seededRandom(1),
    log,
    metrics: new KubernetesMetrics(registry),
  });
  const stop = new AbortController();
  const running = recorder.run(stop.signal);
  t.teardown(async () => {
    stop.abort();
    server.isSilent = false;
    await Promise.all([running, clock.advance(3_000)]);
  });
  const count = async (type: string, result: string): Promise<number> => {
    const metric = await registry.getSingleMetric("event_recorder_events_total")?.get();
    const { value = 0 } =
      metric?.values.find(({ labels }) => labels["type"] === type && labels["result"] === result) ?? {};
    return value;
  };
  return { server, clock, recorder, log, count, stop, running };
}

function anEvent(overrides: Partial<EventInput> & { readonly name?: string } = {}): EventInput {
  const { name = "jane", ...rest } = overrides;
  return {
    regarding: { apiVersion: "example.com/v1", kind: "User", namespace: "team-a", name, uid: `uid of ${name}` },
    type: "Normal",
    reason: "Created",
    action: "Create",
    note: "the user was created",
    ...rest,
  };
}

function firstBody(server: EventServer): JsonObject {
  return server.calls[0]?.body ?? {};
}

test("an Event says what, why, about whom and by whom; its time has six digits", async (t) => {
  const { server, recorder } = aScene(t);

  recorder.event(anEvent());
  await settle();

  t.is(server.calls.length, 1);
  const { call, body } = server.calls[0] ?? {};
  t.is(call, "create /apis/events.k8s.io/v1/namespaces/team-a/events");
  const { metadata, ...rest } = body ?? {};
  t.regex((metadata as { readonly name: string }).name, /^jane\.[0-9a-f]{16}$/);
  t.deepEqual(rest, {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    eventTime: "2026-01-01T00:00:00.000000Z",
    type: "Normal",
    reason: "Created",
    action: "Create",
    note: "the user was created",
    regarding: { apiVersion: "example.com/v1", kind: "User", namespace: "team-a", name: "jane", uid: "uid of jane" },
    reportingController: "example.com/operator",
    reportingInstance: "pod-1",
  });
});

test("an Event about an object of the cluster stands in the namespace default", async (t) => {
  const { server, recorder } = aScene(t);

  recorder.event(anEvent({ regarding: { apiVersion: "v1", kind: "Namespace", name: "team-a", uid: "u" } }));
  await settle();

  t.is(server.calls[0]?.call, "create /apis/events.k8s.io/v1/namespaces/default/events");
});

test("a note is cut to a kilobyte between characters, a long name to what is allowed", async (t) => {
  const { server, recorder } = aScene(t);

  recorder.event(anEvent({ note: `xx${"€".repeat(400)}`, name: `${"a".repeat(229)}.b` }));
  await settle();

  const { note, metadata } = firstBody(server) as {
    readonly note: string;
    readonly metadata: { readonly name: string };
  };
  t.true(Buffer.byteLength(note) <= 1_024 && Buffer.byteLength(note) > 1_020);
  t.regex(note, /^xx€+…$/u);
  t.regex(metadata.name, /^a{229}\.[0-9a-f]{16}$/);
});

test("repetitions count up the one Event, told when they have doubled", async (t) => {
  const { server, clock, recorder } = aScene(t);

  for (let times = 1; times <= 10; times++) {
    recorder.event(anEvent());
    await clock.advance(1_000);
  }

  const [created, ...patches] = server.calls;
  t.is(created?.body["series"], undefined);
  const { name } = firstBody(server)["metadata"] as { readonly name: string };
  t.deepEqual(
    patches,
    [
      [2, 1],
      [4, 3],
      [8, 7],
    ].map(([count, second]) => ({
      call: `patch /apis/events.k8s.io/v1/namespaces/team-a/events/${name}`,
      body: { series: { count, lastObservedTime: `2026-01-01T00:00:0${String(second)}.000000Z` } },
    })),
  );
});

test("repetitions before the first telling go out with it", async (t) => {
  const { server, recorder } = aScene(t);

  recorder.event(anEvent());
  recorder.event(anEvent());
  recorder.event(anEvent());
  await settle();

  t.is(server.calls.length, 1);
  t.deepEqual(server.calls[0]?.body["series"], { count: 3, lastObservedTime: "2026-01-01T00:00:00.000000Z" });
});

test("another reason, note, type or object is another Event, and so is one after six quiet minutes", async (t) => {
  const { server, clock, recorder } = aScene(t);
  const others = [
    {},
    { reason: "Updated" },
    { note: "else" },
    { type: "Warning" },
    { action: "Else" },
    { name: "kim" },
  ] as const;

  for (const other of others) recorder.event(anEvent(other));
  await clock.advance(6 * 60_000);
  recorder.event(anEvent());
  await settle();

  t.is(server.calls.length, 7);
  t.true(server.calls.every(({ call }) => call.startsWith("create ")));
});

test("a count for an Event that the server has forgotten makes it anew", async (t) => {
  const { server, recorder } = aScene(t);
  recorder.event(anEvent());
  await settle();

  server.stored.clear();
  recorder.event(anEvent());
  await settle();

  t.deepEqual(
    server.calls.map(({ call }) => call.split(" ")[0]),
    ["create", "patch", "create"],
  );
  t.deepEqual(server.calls[2]?.body["series"], { count: 2, lastObservedTime: "2026-01-01T00:00:00.000000Z" });
});

for (const [code, level] of [
  ["forbidden", "debug"],
  ["not_found", "debug"],
  ["invalid", "warn"],
  ["bad_request", "warn"],
  ["too_large", "warn"],
] as const) {
  test(`an Event that is refused as ${code} is given up, and said at ${level}`, async (t) => {
    const { server, clock, recorder, log, count } = aScene(t);
    server.refusals = [code];

    recorder.event(anEvent());
    await clock.advance(60_000);

    t.is(server.calls.length, 1);
    t.is(await count("Normal", "failed"), 1);
    t.deepEqual(
      log.lines.map((line) => line.level),
      [level],
    );
    recorder.event(anEvent());
    await settle();
    t.is(server.calls[1]?.body["series"], undefined, "the next one is the first again");
    t.is(await count("Normal", "sent"), 1);
  });
}

test("a failure that may pass is tried again twice, then given up", async (t) => {
  const { server, clock, recorder, count } = aScene(t);
  server.refusals = ["unavailable", "timeout", "unavailable", "unavailable", "unavailable"];

  recorder.event(anEvent({ name: "first" }));
  await clock.advance(20_000);
  t.is(server.calls.length, 3);
  t.is(await count("Normal", "failed"), 1);
  recorder.event(anEvent({ name: "second" }));
  await clock.advance(20_000);

  t.is(server.calls.length, 6);
  t.is(await count("Normal", "sent"), 1);
});

test("an Event whose answer was lost is there once, and sent", async (t) => {
  const { server, clock, recorder, count } = aScene(t);
  server.refusals = ["timeout"];

  recorder.event(anEvent());
  await clock.advance(5_000);

  t.is(server.stored.size, 1);
  t.is(server.calls.length, 2);
  t.is(await count("Normal", "sent"), 1);
});

test("a mass of Normal Events is cut to a burst and a trickle, Warnings go first and last longer", async (t) => {
  const { server, clock, recorder, count } = aScene(t);

  for (let index = 0; index < 10_000; index++) recorder.event(anEvent({ name: `user-${String(index)}` }));
  await settle();
  t.is(server.calls.length, 50);
  await clock.advance(10_000);
  for (let index = 0; index < 2_000; index++)
    recorder.event(anEvent({ name: `user-${String(index)}`, note: "second" }));
  for (let index = 0; index < 2_000; index++)
    recorder.event(anEvent({ name: `user-${String(index)}`, type: "Warning" }));
  await settle();

  t.is(await count("Normal", "sent"), 150);
  t.is(await count("Normal", "dropped"), 9_800 + 1_850, "two hundred may wait");
  t.is(await count("Warning", "sent"), 50, "the tokens that were left");
  t.is(await count("Warning", "dropped"), 1_000);
  await clock.advance(10_000);
  t.is(await count("Warning", "sent"), 150);
  t.is(await count("Normal", "sent"), 150);
  await clock.advance(85_000);
  t.is(await count("Warning", "sent"), 1_000);
  t.is(await count("Normal", "sent"), 150, "fifty tokens are for Warnings");
  await clock.advance(15_000);
  t.is(await count("Normal", "sent"), 250);
});

test("an Event while the recorder waits for a token does not disturb the rate", async (t) => {
  const { clock, recorder, count } = aScene(t);
  for (let index = 0; index < 500; index++) recorder.event(anEvent({ name: `user-${String(index)}`, type: "Warning" }));
  await settle();
  t.is(await count("Warning", "sent"), 100);

  for (let index = 0; index < 100; index++) {
    recorder.event(anEvent({ name: `other-${String(index)}`, type: "Warning" }));
    await clock.advance(10);
    t.true(clock.pending <= 1);
  }

  const sent = await count("Warning", "sent");
  t.true(sent >= 109 && sent <= 110, String(sent));
});

test("a long silence saves up no more than a burst", async (t) => {
  const { clock, recorder, count } = aScene(t);
  await clock.advance(3_600_000);

  for (let index = 0; index < 500; index++) recorder.event(anEvent({ name: `user-${String(index)}`, type: "Warning" }));
  await settle();

  t.is(await count("Warning", "sent"), 100);
});

test("a repetition of what waits is counted, though no more may wait", async (t) => {
  const { server, recorder, count } = aScene(t);
  for (let index = 0; index < 200; index++) recorder.event(anEvent({ name: `user-${String(index)}` }));

  recorder.event(anEvent({ name: "user-0" }));
  await settle();

  t.is(await count("Normal", "dropped"), 0);
  t.like(firstBody(server)["series"], { count: 2 });
});

test("what waits when the program ends is sent, as far as the rate allows", async (t) => {
  const { server, recorder, count, stop, running } = aScene(t);
  for (let index = 0; index < 500; index++) recorder.event(anEvent({ name: `user-${String(index)}`, type: "Warning" }));

  stop.abort();
  await running;

  t.is(server.calls.length, 100);
  t.is(await count("Warning", "dropped"), 400);
});

test("a server that does not answer holds up the end of the program for three seconds, no more", async (t) => {
  const { server, clock, recorder, stop, running, count } = aScene(t);
  server.isSilent = true;
  recorder.event(anEvent({ name: "first" }));
  recorder.event(anEvent({ name: "second" }));
  await settle();

  stop.abort();
  await clock.advance(3_000);
  await running;

  t.is(await count("Normal", "failed"), 1);
  t.is(await count("Normal", "dropped"), 1);
  t.is(clock.pending, 0);
});

test("a recorder that is told to stop before it starts sends what waits, for three seconds", async (t) => {
  const { server, clock, recorder, stop, running } = aScene(t);
  stop.abort();
  await running;
  recorder.event(anEvent({ name: "first" }));
  recorder.event(anEvent({ name: "second" }));
  server.isSilent = true;

  const again = recorder.run(stop.signal);
  await clock.advance(3_000);

  await t.notThrowsAsync(again);
  t.is(server.calls.length, 1);
});

test("an idle recorder sets no timer and stops when told", async (t) => {
  const { clock, stop, running } = aScene(t);
  await settle();
  t.is(clock.pending, 0);

  stop.abort();

  await t.notThrowsAsync(running);
  t.is(clock.pending, 0);
});

test("series are forgotten, the longest silent ones first, before they fill the memory", (t) => {
  const index = new EventSeriesIndex();
  const random = seededRandom(1);
  const count = (name: string): number => index.count(anEvent({ name }), 0, random).count;
  count("old");
  count("kept");

  for (let number = 0; number < 4_096; number++) {
    if (number === 1_000) count("kept");
    count(`user-${String(number)}`);
  }

  t.is(count("kept"), 3);
  t.is(count("old"), 1);
});
