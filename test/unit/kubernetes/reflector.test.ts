/**
 * The reflector against servers that misbehave in every way seen so far. Time is virtual and passes only in its sleeps,
 * so that a loop which does not wait shows as requests without time between them.
 */
import test, { type ExecutionContext } from "ava";
import { Registry } from "prom-client";
import type { JsonObject } from "../../../src/runtime/json.ts";
import { seededRandom } from "../../../src/runtime/random.ts";
import { KubernetesMetrics } from "../../../src/kubernetes/metrics.ts";
import { withoutManagedFields } from "../../../src/kubernetes/object.ts";
import { Reflector, type ReflectorOptions } from "../../../src/kubernetes/reflector.ts";
import { Store } from "../../../src/kubernetes/store.ts";
import { anApi } from "../../support/api-client.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { anObject, type ObjectParts } from "../../support/objects.ts";
import { RecordedLog } from "../../support/recorded-log.ts";
import { startScriptedServer, type Call, type ScriptedServer } from "../../support/scripted-server.ts";

const never = new AbortController().signal;

/** Whoever sleeps makes the time pass. */
class SleeperClock extends ManualClock {
  readonly sleeps: number[] = [];

  override async sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.sleeps.push(ms);
    await this.advance(ms);
  }
}

interface Scene {
  readonly clock: SleeperClock;
  readonly server: ScriptedServer;
  readonly store: Store<JsonObject>;
  readonly log: RecordedLog;
  /** `key cause` of what the listeners heard. */
  readonly told: string[];
  /** Resolves when listeners have heard so many things. */
  heard(count: number): Promise<void>;
  stop(): Promise<void>;
}

/** A reflector of `things` at work against `handle`. It is stopped when the test ends. */
async function aScene(
  t: ExecutionContext,
  handle: (call: Call, index: number, clock: SleeperClock) => void,
  options: Partial<ReflectorOptions> = {},
): Promise<Scene> {
  const clock = new SleeperClock();
  const server = await startScriptedServer(t, (call, index) => {
    handle(call, index, clock);
  });
  const store = new Store({
    slim: withoutManagedFields,
    fingerprint: ({ spec }) => JSON.stringify(spec),
    parse: (slim) => slim,
  });
  const told: string[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  store.onChange((key, cause) => {
    told.push(`${key} ${cause}`);
    for (const { count, resolve } of waiting) if (told.length >= count) resolve();
  });
  const log = new RecordedLog();
  const controller = new AbortController();
  const api = anApi(t, server.url, clock);
  const running = new Reflector({
    api,
    resource: { group: "example.com", version: "v1", plural: "things" },
    namespaces: "all",
    store,
    clock,
    random: seededRandom(1),
    log,
    metrics: new KubernetesMetrics(new Registry()),
    ...options,
  }).run(controller.signal);
  const stop = async (): Promise<void> => {
    controller.abort(new Error("stopped by the test"));
    await running;
    api.close();
  };
  t.teardown(stop);
  return {
    clock,
    server,
    store,
    log,
    told,
    heard: (count) =>
      new Promise((resolve) => {
        if (told.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
    stop,
  };
}

function aList(version: number, items: readonly JsonObject[] = [], next?: string): JsonObject {
  return { kind: "ThingList", metadata: { resourceVersion: String(version), continue: next }, items };
}

function anEvent(type: string, parts: ObjectParts): JsonObject {
  return { type, object: anObject(parts) };
}

const expired = { type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired", message: "too old" } };

/** A server with an empty list at version 1, of which the watches are as given, the last one again and again. */
function watches(...scripts: readonly ((call: Call) => void)[]): (call: Call) => void {
  let watched = 0;
  return (call) => {
    if (!call.isWatch) call.answer(200, aList(1));
    else scripts[Math.min(watched++, scripts.length - 1)]?.(call);
  };
}

const stayOpen = (call: Call): void => {
  call.write("");
};

test("lists all pages, then watches from where the list stood, for a random time, with bookmarks", async (t) => {
  const scene = await aScene(
    t,
    (call) => {
      if (call.isWatch) stayOpen(call);
      else if (call.query.get("continue") === "next") call.answer(200, aList(7, [anObject({ name: "y" })]));
      else call.answer(200, aList(7, [anObject({ name: "x" })], "next"));
    },
    { labelSelector: "team=a" },
  );

  const watch = await scene.server.call(2);

  t.true(scene.store.hasSynced);
  t.deepEqual([...scene.store.keys()], ["a/x", "a/y"]);
  t.deepEqual(
    scene.server.calls.map(({ path, query }) => [path, query.get("limit"), query.get("labelSelector")]),
    [
      ["/apis/example.com/v1/things", "100", "team=a"],
      ["/apis/example.com/v1/things", "100", "team=a"],
      ["/apis/example.com/v1/things", null, "team=a"],
    ],
  );
  t.is(scene.server.calls[0]?.query.get("resourceVersion"), null);
  t.is(watch.query.get("resourceVersion"), "7");
  t.is(watch.query.get("allowWatchBookmarks"), "true");
  const seconds = Number(watch.query.get("timeoutSeconds"));
  t.true(seconds >= 300 && seconds <= 600);
});

test("one list and one watch for each namespace, however often it is named, into one store", async (t) => {
  const scene = await aScene(
    t,
    (call) => {
      if (call.isWatch) stayOpen(call);
      else call.answer(200, aList(1, [anObject({ namespace: call.path.split("/")[5] ?? "" })]));
    },
    { namespaces: ["a", "b", "a"] },
  );

  await scene.store.whenSynced(never);

  t.deepEqual([...scene.store.keys()].toSorted(), ["a/x", "b/x"]);
  await scene.server.call(3);
  t.is(scene.server.calls.filter(({ isWatch }) => isWatch).length, 2);
});

test("events change the store, each kind of them", async (t) => {
  const scene = await aScene(
    t,
    watches((call) => {
      call.write(
        anEvent("ADDED", { version: 2 }),
        anEvent("MODIFIED", { version: 3, spec: "new" }),
        anEvent("ADDED", { name: "y", version: 4 }),
        anEvent("DELETED", { version: 5, spec: "new" }),
      );
    }),
  );

  await scene.heard(4);

  t.deepEqual(scene.told, ["a/x added", "a/x changed", "a/y added", "a/x deleted"]);
});

test("the store knows how far the watch has come: a late answer does not bring back what was deleted", async (t) => {
  const scene = await aScene(
    t,
    watches((call) => {
      call.write(anEvent("ADDED", { version: 2 }), anEvent("DELETED", { version: 4 }));
    }),
  );
  await scene.heard(2);

  scene.store.absorb(anObject({ version: 3 }));

  t.is(scene.store.size, 0);
});

test("a watch that the server ends after a while goes on from the last version at once", async (t) => {
  const scene = await aScene(t, watches(stayOpen));
  const watch = await scene.server.call(1);
  watch.write(anEvent("ADDED", { version: 5 }), anEvent("BOOKMARK", { version: 9 }));
  await scene.heard(1);

  await scene.clock.advance(5_000);
  watch.end();

  const next = await scene.server.call(2);
  t.is(next.query.get("resourceVersion"), "9");
  t.deepEqual(scene.clock.sleeps, []);
});

/** Ways in which a watch can go wrong again and again, and whether each asks for a new list. */
const FAULTS: readonly { readonly name: string; readonly lists: boolean; readonly watch: (call: Call) => void }[] = [
  { name: "is reset", lists: false, watch: (call) => call.reset() },
  { name: "is refused with 500", lists: false, watch: (call) => call.refuse(500, "InternalError") },
  { name: "is refused with 403", lists: false, watch: (call) => call.refuse(403, "Forbidden") },
  { name: "is refused with 410", lists: true, watch: (call) => call.refuse(410, "Expired") },
  { name: "is told 410 by an event", lists: true, watch: (call) => call.write(expired) },
  {
    name: "is told 500 by an event",
    lists: false,
    watch: (call) => call.write({ type: "ERROR", object: { kind: "Status", code: 500, message: "etcd is away" } }),
  },
  {
    name: "is closed at once",
    lists: false,
    watch: (call) => {
      call.write("");
      call.end();
    },
  },
  {
    name: "is closed after one event",
    lists: false,
    watch: (call) => {
      call.write(anEvent("MODIFIED", { version: Number(call.query.get("resourceVersion")) + 1 }));
      call.end();
    },
  },
  { name: "brings a line that is no JSON", lists: true, watch: (call) => call.write("{oops}\n") },
  { name: "brings an event of an unknown type", lists: true, watch: (call) => call.write(anEvent("ODD", {})) },
  { name: "brings an event without object", lists: true, watch: (call) => call.write({ type: "ADDED" }) },
  {
    name: "brings an object without uid",
    lists: true,
    watch: (call) => call.write(anEvent("ADDED", { metadata: { uid: undefined } })),
  },
];
for (const { name, lists, watch } of FAULTS) {
  test(`a watch that ${name} is tried again, later each time, ${lists ? "with a new list" : "from where it was"}`, async (t) => {
    const scene = await aScene(t, watches(watch));

    await scene.server.call(40);
    await scene.stop();

    const watched = scene.server.calls.filter(({ isWatch }) => isWatch).length;
    const listed = scene.server.calls.length - watched;
    if (lists) t.true(Math.abs(listed - watched) <= 1, `${String(listed)} lists, ${String(watched)} watches`);
    else t.is(listed, 1);
    // Each watch but the last was followed by a wait: half a second at least, and at least 15 seconds in the end.
    const { sleeps } = scene.clock;
    t.true(sleeps.length >= watched - 1);
    t.true(sleeps.every((ms) => ms >= 400 && ms <= 30_000));
    t.true(sleeps.slice(8).every((ms) => ms >= 15_000));
  });
}

test("a list that fails is tried again, later each time, and nothing is watched before", async (t) => {
  const scene = await aScene(t, (call, index) => {
    if (call.isWatch) stayOpen(call);
    else if (index < 12) call.refuse(503, "ServiceUnavailable");
    else call.answer(200, aList(1, [anObject()]));
  });

  await scene.store.whenSynced(never);

  t.is(scene.clock.sleeps.length, 12);
  t.true(scene.clock.sleeps.every((ms) => ms >= 400));
  t.true(scene.clock.sleeps.slice(8).every((ms) => ms >= 15_000));
  t.is(scene.log.lines.filter(({ level }) => level === "warn").length, 12);
});

test("Retry-After is obeyed", async (t) => {
  const scene = await aScene(t, (call, index) => {
    if (index === 0) call.refuse(429, "TooManyRequests", { "retry-after": "17" });
    else if (call.isWatch) stayOpen(call);
    else call.answer(200, aList(1));
  });

  await scene.store.whenSynced(never);

  t.deepEqual(scene.clock.sleeps, [17_000]);
});

test("410 in the middle of a list begins the list anew, and loses nothing", async (t) => {
  let expirations = 0;
  const scene = await aScene(t, (call) => {
    if (call.isWatch) stayOpen(call);
    else if (call.query.get("continue") === null) call.answer(200, aList(5, [anObject({ name: "x" })], "next"));
    else if (expirations++ === 0) call.refuse(410, "Expired");
    else call.answer(200, aList(5, [anObject({ name: "y" })]));
  });

  await scene.store.whenSynced(never);

  t.deepEqual([...scene.store.keys()], ["a/x", "a/y"]);
  t.is(scene.clock.sleeps.length, 1);
});

for (const [name, answer] of Object.entries({
  "no list": { kind: "Thing" },
  "a list of no objects": { metadata: { resourceVersion: "1" }, items: [1] },
  "a list without version": { metadata: {}, items: [] },
})) {
  test(`an answer that is ${name} is not taken for an empty one`, async (t) => {
    const scene = await aScene(t, (call, index) => {
      if (call.isWatch) stayOpen(call);
      else call.answer(200, index === 0 ? answer : aList(1, [anObject()]));
    });

    await scene.store.whenSynced(never);

    t.is(scene.store.size, 1);
    t.is(scene.clock.sleeps.length, 1);
  });
}

test("after 410 the new list prunes what was deleted meanwhile, and brings what was missed", async (t) => {
  let lists = 0;
  const scene = await aScene(t, (call) => {
    if (call.isWatch && lists === 1) call.write(expired);
    else if (call.isWatch) stayOpen(call);
    else if (lists++ === 0) call.answer(200, aList(5, [anObject({ name: "x" }), anObject({ name: "y", spec: "old" })]));
    else call.answer(200, aList(9, [anObject({ name: "y", version: 8, spec: "new" }), anObject({ name: "z" })]));
  });

  await scene.heard(5);

  t.deepEqual(scene.told, ["a/x added", "a/y added", "a/y changed", "a/z added", "a/x deleted"]);
});

test("failures are forgotten after a watch that lived, not after a list that went well", async (t) => {
  const fail = (call: Call): void => {
    call.write(expired);
  };
  const scene = await aScene(t, watches(fail, fail, fail, fail, stayOpen));
  const watch = await scene.server.call(9);
  watch.write(anEvent("ADDED", { version: 2 }));
  await scene.heard(1);

  await scene.clock.advance(5_000);
  watch.write(expired);
  await scene.server.call(11);

  const [, , , fourth = 0, afterLife = 0] = scene.clock.sleeps;
  t.true(fourth >= 3_200, `the fourth failure in a row waits long: ${String(fourth)}`);
  t.true(afterLife <= 800, `the first after a good watch waits short: ${String(afterLife)}`);
});

for (const [history, version, expected] of [
  ["that the server still has", 30, "watch"],
  ["that the server has lost", 5, "list"],
] as const) {
  test(`bookmarks keep a quiet watch alive; after silence, one with a history ${history} begins with a ${expected}`, async (t) => {
    let lists = 0;
    const scene = await aScene(t, (call) => {
      if (call.isWatch) stayOpen(call);
      else call.answer(200, aList(lists++ === 0 ? 1 : version));
    });
    const watch = await scene.server.call(1);
    // The reflector has to have the head of the answer before its silence counts.
    watch.write(anEvent("ADDED", { version: 2 }));
    await scene.heard(1);

    for (let minutes = 1; minutes <= 10; minutes++) {
      await scene.clock.advance(60_000);
      watch.write(
        anEvent("BOOKMARK", { version: 10 + minutes }),
        anEvent("ADDED", { name: `n${String(minutes)}`, version: 10 + minutes }),
      );
      await scene.heard(1 + minutes);
    }
    t.is(scene.server.calls.length, 2);
    await scene.clock.advance(120_000);
    const next = await scene.server.call(3);

    const question = scene.server.calls[2];
    t.deepEqual([question?.isWatch, question?.query.get("limit")], [false, "1"]);
    t.is(next.isWatch, expected === "watch");
    t.is(next.query.get("resourceVersion"), expected === "watch" ? "20" : null);
    t.deepEqual(scene.clock.sleeps, [], "silence is no failure");
  });
}

test("a list that does not answer ends with its deadline and is tried again", async (t) => {
  const scene = await aScene(t, (call, index) => {
    if (call.isWatch) stayOpen(call);
    else if (index > 0) call.answer(200, aList(1));
  });
  await scene.server.call(0);

  await scene.clock.advance(30_000);

  await t.notThrowsAsync(scene.store.whenSynced(never));
});

test("a kind that nobody has declared is waited for, and its definition named", async (t) => {
  const scene = await aScene(t, (call, index) => {
    if (index === 0) call.answer(404, "404 page not found");
    else if (call.isWatch) stayOpen(call);
    else call.answer(200, aList(1));
  });

  await scene.store.whenSynced(never);

  const [line] = scene.log.lines;
  t.like(line, { level: "warn", message: "the API server does not know this kind" });
  t.is(line?.values["missing"], "crd/things.example.com");
});

test("raw U+2028, characters split between chunks and events split between chunks arrive whole", async (t) => {
  const line = Buffer.from(`${JSON.stringify(anEvent("ADDED", { version: 2, spec: "a\u2028ä😀" }))}\n`);
  const scene = await aScene(
    t,
    watches((call) => {
      for (let index = 0; index < line.length; index++) call.write(line.subarray(index, index + 1));
    }),
  );

  await scene.heard(1);

  t.is([...scene.store.keys()].map((key) => scene.store.get(key)?.["spec"])[0], "a\u2028ä😀");
});

test("half an event at the end of a watch is no event, and is told by the next watch", async (t) => {
  const event = JSON.stringify(anEvent("ADDED", { version: 2 }));
  const scene = await aScene(
    t,
    watches(
      (call) => {
        call.write(event.slice(0, 40));
        call.end();
      },
      (call) => call.write(`${event}\n`),
    ),
  );

  await scene.heard(1);

  t.is(scene.server.calls[2]?.query.get("resourceVersion"), "1");
});

test("the server going away and coming back loses nothing", async (t) => {
  let isAway = false;
  let current = aList(1, [anObject({ name: "x" })]);
  const scene = await aScene(t, (call, _, clock) => {
    if (isAway) {
      if (clock.now() > Date.UTC(2026, 0, 1) + 600_000) {
        isAway = false;
        current = aList(50, [anObject({ name: "y", version: 40 })]);
      }
      call.reset();
    } else if (!call.isWatch) call.answer(200, current);
    else if (call.query.get("resourceVersion") === "1") {
      isAway = true;
      call.refuse(410, "Expired");
    } else stayOpen(call);
  });

  await scene.heard(3);

  t.deepEqual(scene.told, ["a/x added", "a/y added", "a/x deleted"]);
  // Ten minutes away are not more than a request each fifteen seconds, after the first few.
  t.true(scene.server.calls.length < 60, String(scene.server.calls.length));
});

for (const [state, handle] of Object.entries({
  "waits for a list": () => {},
  "waits for a page": (call: Call) => {
    if (call.query.get("continue") === null) call.answer(200, aList(1, [], "next"));
  },
  "waits for a watch": (call: Call) => {
    if (!call.isWatch) call.answer(200, aList(1));
  },
  watches: watches(stayOpen),
}) as readonly (readonly [string, (call: Call, index: number, clock: SleeperClock) => void])[]) {
  test(`a reflector that ${state} stops when told`, async (t) => {
    const scene = await aScene(t, handle);
    await scene.server.call(state === "waits for a list" ? 0 : 1);

    await scene.stop();

    t.is(scene.clock.pending, 0);
    t.deepEqual(scene.log.lines, []);
  });
}

test("a reflector that waits for its next try stops when told", async (t) => {
  const clock = new ManualClock();
  const scene = await aScene(t, (call) => call.refuse(500, "InternalError"), { clock });
  await scene.server.call(0);
  await clock.advance(100);

  await scene.stop();

  t.is(clock.pending, 0);
});

test("an event that can't be taken in is logged, and the list repeated", async (t) => {
  let isBroken = true;
  const scene = await aScene(
    t,
    watches((call) => call.write(anEvent("ADDED", { version: 2 })), stayOpen),
    {
      store: {
        feed: () => ({
          beginList: () => {},
          endList: () => {},
          put: () => {
            if (isBroken) throw new TypeError("a bug in slim");
          },
          remove: () => {},
          progress: () => {},
        }),
      },
    },
  );

  await scene.server.call(3);
  isBroken = false;

  t.false(scene.server.calls[2]?.isWatch);
  t.true(scene.log.lines[0]?.values["error"] instanceof TypeError);
});
