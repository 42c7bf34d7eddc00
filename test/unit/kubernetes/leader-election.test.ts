/**
 * Electors of several processes on one Lease, each with a clock of its own. The server is a stand-in that knows what the
 * real one does with versions; the real one has its turn in test/e2e/kubernetes.test.ts.
 */
import test from "ava";
import { Registry } from "prom-client";
import type { JsonObject } from "../../../src/runtime/json.ts";
import { seededRandom } from "../../../src/runtime/random.ts";
import type { Part } from "../../../src/runtime/run-group.ts";
import { ApiError, type ApiErrorCode } from "../../../src/kubernetes/api-error.ts";
import { LeaderElector, LeadershipLostError } from "../../../src/kubernetes/leader-elector.ts";
import { Lease, type LeaseOptions } from "../../../src/kubernetes/lease.ts";
import { KubernetesMetrics } from "../../../src/kubernetes/metrics.ts";
import { ManualClock, settle } from "../../support/manual-clock.ts";
import { RecordedLog } from "../../support/recorded-log.ts";

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

/** The server's side of one Lease. */
class LeaseServer {
  #version = 0;
  #stored: { readonly version: number; readonly spec: LeaseSpec; readonly labels: JsonObject } | undefined;
  /** Verbs that were carried out, with whose identity they left the lease. */
  readonly writes: string[] = [];
  reads = 0;
  /** Somebody else writes a label between any two calls. */
  isContended = false;

  get spec(): LeaseSpec | undefined {
    return this.#stored?.spec;
  }

  put(spec: LeaseSpec, labels: JsonObject = {}): void {
    this.#stored = { version: ++this.#version, spec, labels };
  }

  remove(): void {
    this.#stored = undefined;
  }

  get(): JsonObject {
    this.reads++;
    return this.#show();
  }

  #show(): JsonObject {
    if (this.#stored === undefined) throw refusal("not_found");
    const { version, spec, labels } = this.#stored;
    return { metadata: { name: "lock", namespace: "ops", uid: "u", resourceVersion: String(version), labels }, spec };
  }

  create(object: JsonObject): JsonObject {
    if (this.#stored !== undefined) throw refusal("already_exists");
    return this.#write("create", object["spec"] as LeaseSpec);
  }

  patch({ metadata, spec }: JsonObject): JsonObject {
    if (this.#stored === undefined) throw refusal("not_found");
    if (this.isContended) this.put(this.#stored.spec, { touched: "yes" });
    if ((metadata as JsonObject)["resourceVersion"] !== String(this.#stored.version)) throw refusal("conflict");
    return this.#write("patch", { ...this.#stored.spec, ...(spec as LeaseSpec) });
  }

  #write(verb: string, spec: LeaseSpec): JsonObject {
    this.put(spec, this.#stored?.labels);
    this.writes.push(`${verb} ${spec.holderIdentity ?? ""}`);
    return this.#show();
  }
}

function refusal(code: ApiErrorCode): ApiError {
  return new ApiError(code, "scripted", { kind: "backoff" });
}

/** How calls fare on their way: through, at once or slowly; refused; swallowed, with or without being carried out. */
type Line = "up" | "slow" | "refused" | "swallowed" | "answer swallowed";
const SLOW_MS = 3_000;

class LeaseClient implements LeaseClientApi {
  line: Line = "up";
  /** When the last call that was carried out was sent. */
  sentMs = 0;
  readonly #server: LeaseServer;
  readonly #clock: ManualClock;

  constructor(server: LeaseServer, clock: ManualClock) {
    this.#server = server;
    this.#clock = clock;
  }

  get(_path: string, _query: unknown, signal: AbortSignal): Promise<JsonObject> {
    return this.#carry(signal, () => this.#server.get());
  }

  create(_path: string, object: JsonObject, signal: AbortSignal): Promise<JsonObject> {
    return this.#carry(signal, () => this.#server.create(object));
  }

  mergePatch(_path: string, patch: JsonObject, signal: AbortSignal): Promise<JsonObject> {
    return this.#carry(signal, () => this.#server.patch(patch));
  }

  async #carry(signal: AbortSignal, call: () => JsonObject): Promise<JsonObject> {
    const sentMs = this.#clock.monotonicMs();
    await Promise.resolve();
    if (this.line === "refused") throw refusal("unavailable");
    if (this.line !== "swallowed") {
      const answer = call();
      this.sentMs = sentMs;
      if (this.line === "slow") await this.#clock.sleep(SLOW_MS, signal);
      if (this.line !== "answer swallowed") return answer;
    }
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => {
        reject(signal.reason);
      });
    });
  }
}
type LeaseClientApi = LeaseOptions["api"];

/** A clock that can also stand still with its process and go on later, all timers late. */
class FreezableClock extends ManualClock {
  #missedMs = 0;

  freeze(ms: number): void {
    this.#missedMs += ms;
  }

  override now(): number {
    return super.now() + this.#missedMs;
  }

  override monotonicMs(): number {
    return super.monotonicMs() + this.#missedMs;
  }
}

interface ProcessOptions {
  readonly part?: Part["run"];
  readonly wallMs?: number;
  readonly retryPeriodMs?: number;
}

/** One process that wants to lead, and does nothing else. */
class Process {
  readonly clock: FreezableClock;
  readonly client: LeaseClient;
  readonly elector: LeaderElector;
  readonly log = new RecordedLog();
  readonly registry = new Registry();
  readonly stop = new AbortController();
  /** By the process's own clock. */
  ledFromMs: number | undefined;
  ledUntilMs: number | undefined;
  /** Undefined while it runs, null after an orderly end. */
  ending: unknown;
  readonly ended: Promise<void>;

  constructor(server: LeaseServer, identity: string, { part, wallMs, retryPeriodMs }: ProcessOptions = {}) {
    this.clock = new FreezableClock(wallMs);
    this.client = new LeaseClient(server, this.clock);
    this.elector = new LeaderElector({
      api: this.client,
      namespace: "ops",
      name: "lock",
      identity,
      clock: this.clock,
      random: seededRandom(identity.length),
      log: this.log,
      metrics: new KubernetesMetrics(this.registry),
      ...(retryPeriodMs !== undefined && { retryPeriodMs }),
    });
    const leading = this.elector.leading({
      name: "work",
      run: async (signal) => {
        this.ledFromMs = this.clock.monotonicMs();
        try {
          if (part !== undefined) await part(signal);
          else await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
        } finally {
          this.ledUntilMs = this.clock.monotonicMs();
        }
      },
    });
    this.ended = leading.run(this.stop.signal).then(
      () => {
        this.ending = null;
      },
      (error: unknown) => {
        this.ending = error;
      },
    );
  }

  /** The process dies: nobody is told. */
  kill(): void {
    this.client.line = "swallowed";
  }
}

/** Lets the same time pass for all, in steps that are shorter than anything that matters. */
async function pass(ms: number, ...processes: readonly Process[]): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    for (const { clock } of processes) await clock.advance(100);
  }
}

test("the first makes the lease and renews it; its times have six digits", async (t) => {
  const server = new LeaseServer();
  const first = new Process(server, "first");

  await pass(10_000, first);

  t.true(first.elector.isLeading);
  t.deepEqual(server.writes, ["create first", ...Array<string>(5).fill("patch first")]);
  t.is(server.reads, 1, "who holds a lease needs not read it");
  t.deepEqual(server.spec, {
    holderIdentity: "first",
    leaseDurationSeconds: 15,
    acquireTime: "2026-01-01T00:00:00.000000Z",
    renewTime: "2026-01-01T00:00:10.000000Z",
    leaseTransitions: 0,
  });
  t.regex(await first.registry.metrics(), /leader_election_master_status\{name="lock"\} 1/);
  first.stop.abort();
  await first.ended;
});

test("the second waits as long as the first renews, and takes over when that one was killed, not before its time", async (t) => {
  const server = new LeaseServer();
  const first = new Process(server, "first");
  await pass(1_000, first);
  const second = new Process(server, "second");
  await pass(60_000, first, second);
  t.false(second.elector.isLeading);
  t.is(second.log.lines.filter(({ message }) => message === "another process is the leader").length, 1);

  first.kill();
  await pass(12_900, second);
  t.false(second.elector.isLeading, "15 s, less the 2 s since the last renewal at most");
  await pass(6_600, second);

  t.true(second.elector.isLeading);
  t.like(server.spec, { holderIdentity: "second", leaseTransitions: 1 });
  second.stop.abort();
  await second.ended;
});

test("an orderly stop hands over within a retry period", async (t) => {
  const server = new LeaseServer();
  const first = new Process(server, "first");
  await pass(1_000, first);
  const second = new Process(server, "second");
  await pass(10_000, first, second);

  first.stop.abort();
  await first.ended;
  t.is(first.ending, null);
  t.like(server.spec, { holderIdentity: "", leaseDurationSeconds: 1 });
  await pass(4_400, second);

  t.true(second.elector.isLeading);
  t.regex(await first.registry.metrics(), /leader_election_master_status\{name="lock"\} 0/);
  second.stop.abort();
  await second.ended;
});

for (const line of ["refused", "swallowed", "answer swallowed"] as const) {
  for (let phaseMs = 0; phaseMs < 3_000; phaseMs += 500) {
    test(`a leader whose calls are ${line} from ${String(phaseMs)} ms after a renewal gives up before another begins`, async (t) => {
      const server = new LeaseServer();
      const first = new Process(server, "first", { retryPeriodMs: 3_000 });
      // Whatever the wall clocks show.
      const second = new Process(server, "second", { wallMs: Date.UTC(2031, 5, 1) });
      await pass(20_000 + phaseMs, first, second);
      t.true(first.elector.isLeading);

      first.client.line = line;
      await pass(30_000, first, second);

      t.true(first.ending instanceof LeadershipLostError);
      t.true(second.elector.isLeading);
      const marginMs = (second.ledFromMs ?? 0) - (first.ledUntilMs ?? Infinity);
      t.true(marginMs >= 4_800, `${String(marginMs)} ms between them`);
      t.true((first.ledUntilMs ?? Infinity) <= first.client.sentMs + 10_100);
      t.regex(await first.registry.metrics(), /leader_election_master_status\{name="lock"\} 0/);
      second.stop.abort();
      await second.ended;
    });
  }
}

test("neither a slow answer nor a call that is on its way puts off the moment to give up", async (t) => {
  const server = new LeaseServer();
  const first = new Process(server, "first", { retryPeriodMs: 3_000 });
  await pass(1_000, first);
  first.client.line = "slow";
  await pass(30_000, first);
  t.true(first.elector.isLeading);

  first.client.line = "refused";
  const lastMs = first.client.sentMs;
  await pass(lastMs + 8_500 - first.clock.monotonicMs(), first);
  first.client.line = "swallowed";
  await pass(5_000, first);

  t.true(first.ending instanceof LeadershipLostError);
  t.true((first.ledUntilMs ?? Infinity) <= lastMs + 10_100, `${String(first.ledUntilMs)} after ${String(lastMs)}`);
});

test("a server that is away for less than the renew deadline costs nobody the lead", async (t) => {
  const server = new LeaseServer();
  const first = new Process(server, "first");
  const second = new Process(server, "second");
  await pass(10_000, first, second);

  for (const line of ["refused", "swallowed"] as const) {
    first.client.line = line;
    await pass(7_500, first, second);
    first.client.line = "up";
    await pass(5_000, first, second);
  }

  t.is(first.ending, undefined);
  t.true(first.elector.isLeading);
  t.false(second.elector.isLeading);
  for (const { stop, ended } of [second, first]) {
    stop.abort();
    await ended;
  }
});

test("a leader that stood still for too long gives up instead of renewing", async (t) => {
  const server = new LeaseServer();
  const first = new Process(server, "first");
  await pass(5_000, first);
  const writes = server.writes.length;

  first.clock.freeze(11_000);
  await pass(2_100, first);

  t.true(first.ending instanceof LeadershipLostError);
  t.is(server.writes.length, writes);
});

test("somebody's label on the lease, or its deletion, costs nobody the lead", async (t) => {
  const server = new LeaseServer();
  const first = new Process(server, "first");
  await pass(5_000, first);

  server.put(server.spec ?? {}, { touched: "yes" });
  await pass(5_000, first);
  server.remove();
  await pass(5_000, first);
  server.isContended = true;
  await pass(5_000, first);
  server.isContended = false;
  await pass(2_000, first);

  t.true(first.elector.isLeading);
  t.is(server.spec?.holderIdentity, "first");
  first.stop.abort();
  await first.ended;
});

test("a label on the lease does not make others wait longer for a leader that is dead", async (t) => {
  const server = new LeaseServer();
  server.put({ holderIdentity: "dead", leaseDurationSeconds: 15 });
  const second = new Process(server, "second");
  await pass(10_000, second);

  server.put({ holderIdentity: "dead", leaseDurationSeconds: 15 }, { touched: "yes" });
  await pass(9_500, second);

  t.true(second.elector.isLeading);
  second.stop.abort();
  await second.ended;
});

test("a lease that another holds by force is lost at once, and left alone", async (t) => {
  const server = new LeaseServer();
  const first = new Process(server, "first", {
    part: (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => {
          reject(new Error("a part that ends badly when it is told to end"));
        });
      }),
  });
  await pass(5_000, first);

  server.put({ holderIdentity: "usurper", leaseDurationSeconds: 15 });
  await pass(2_000, first);

  t.true(first.ending instanceof LeadershipLostError);
  t.is((first.ending as Error).message, "the lease was taken by usurper");
  t.is(server.spec?.holderIdentity, "usurper");
});

test("of two who find the lease free only one has it", async (t) => {
  const server = new LeaseServer();
  const both = [new Process(server, "a"), new Process(server, "bb")] as const;

  await pass(30_000, ...both);

  t.is(both.filter(({ elector }) => elector.isLeading).length, 1);
  t.true(both.every(({ log }) => log.lines.every(({ level }) => level === "info")));
  for (const { stop, ended } of both) {
    stop.abort();
    await ended;
  }
});

for (const [name, spec] of Object.entries({
  "without a spec": {},
  "that nobody holds": { holderIdentity: "", leaseDurationSeconds: 1, leaseTransitions: 4 },
  "of our own former life": { holderIdentity: "first", leaseDurationSeconds: 15 },
})) {
  test(`a lease ${name} is taken at once`, async (t) => {
    const server = new LeaseServer();
    server.put(spec);
    const first = new Process(server, "first");

    await settle();

    t.true(first.elector.isLeading);
    first.stop.abort();
    await first.ended;
  });
}

test("the lease is kept, and renewed, until the part has ended", async (t) => {
  const server = new LeaseServer();
  const { promise: drained, resolve: finish } = Promise.withResolvers<void>();
  const first = new Process(server, "first", { part: () => drained });
  const second = new Process(server, "second");
  await pass(1_000, first, second);

  first.stop.abort();
  await pass(30_000, first, second);
  t.is(server.spec?.holderIdentity, "first");
  t.false(second.elector.isLeading);
  finish();
  await first.ended;

  t.is(server.spec?.holderIdentity, "");
  second.stop.abort();
  await second.ended;
});

test("a part that ends by itself, or fails, frees the lease; its failure is what comes out", async (t) => {
  const fault = new Error("fault");
  for (const [part, ending] of [
    [() => Promise.resolve(), null],
    [() => Promise.reject(fault), fault],
  ] as const) {
    const server = new LeaseServer();
    const first = new Process(server, "first", { part });

    await first.ended;

    t.is(first.ending, ending);
    t.is(server.spec?.holderIdentity, "");
    t.is(first.clock.pending, 0);
  }
});

test("told to stop before its turn, it leaves without a trace", async (t) => {
  const server = new LeaseServer();
  server.put({ holderIdentity: "other", leaseDurationSeconds: 15 });
  const second = new Process(server, "second");
  await pass(3_000, second);

  second.stop.abort();
  await second.ended;

  t.is(second.ending, null);
  t.is(second.ledFromMs, undefined);
  t.deepEqual(server.writes, []);
  t.is(second.clock.pending, 0);
});

test("told to stop while the lease is being taken, it gives it back", async (t) => {
  const server = new LeaseServer();
  const first = new Process(server, "first");

  first.stop.abort();
  await first.ended;

  t.is(first.ending, null);
  t.is(first.ledFromMs, undefined);
  t.deepEqual(server.writes, ["create first", "patch "]);
});

test("what another holds is not released", async (t) => {
  const server = new LeaseServer();
  server.put({ holderIdentity: "other", leaseDurationSeconds: 15 });
  const clock = new ManualClock();
  const api = new LeaseClient(server, clock);
  const lease = new Lease({ api, namespace: "ops", name: "lock", identity: "me", leaseDurationMs: 15_000, clock });
  const { signal } = new AbortController();
  t.false(await lease.acquire(signal));

  await lease.release(signal);

  t.deepEqual(server.writes, []);
});

test("a stop while a renewal is on its way still frees the lease, by its real version", async (t) => {
  const server = new LeaseServer();
  const first = new Process(server, "first");
  await pass(1_900, first);
  first.client.line = "answer swallowed";
  await pass(200, first);
  first.client.line = "up";

  first.stop.abort();
  await first.ended;

  t.is(server.spec?.holderIdentity, "");
});

test("a lease that can't be freed does not hold up the end for more than five seconds", async (t) => {
  const server = new LeaseServer();
  const first = new Process(server, "first");
  await pass(1_000, first);
  first.kill();

  first.stop.abort();
  await first.clock.advance(5_000);
  await first.ended;

  t.is(first.ending, null);
  t.is(server.spec?.holderIdentity, "first");
});

test("durations that would let two lead are refused", (t) => {
  const options = {
    api: new LeaseClient(new LeaseServer(), new ManualClock()),
    namespace: "ops",
    name: "lock",
    identity: "a",
    clock: new ManualClock(),
    random: seededRandom(1),
    log: new RecordedLog(),
    metrics: new KubernetesMetrics(new Registry()),
  };

  t.throws(() => new LeaderElector({ ...options, leaseDurationMs: 10_000 }), { instanceOf: RangeError });
  t.throws(() => new LeaderElector({ ...options, retryPeriodMs: 10_000 }), { instanceOf: RangeError });
});
