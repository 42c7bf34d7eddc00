import test from "ava";
import type { RateHeaders } from "../../../src/auth0/bucket.ts";
import { Quota, type CallEnd, type CallKind } from "../../../src/auth0/quota.ts";
import { ManualClock, settle } from "../../support/manual-clock.ts";

interface Taken {
  readonly passes: boolean;
  /** `undefined`: a refusal such as 404 shows none. */
  readonly headers: RateHeaders | undefined;
}

/** A token bucket as the tenant has it, and what it shows of itself. */
class TenantBucket {
  readonly #clock: ManualClock;
  readonly #limit: number;
  readonly #perMs: number;
  #tokens: number;
  #atMs: number;

  constructor(limit: number, perMinute: number, clock: ManualClock) {
    this.#clock = clock;
    this.#limit = limit;
    this.#perMs = perMinute / 60_000;
    this.#tokens = limit;
    this.#atMs = clock.monotonicMs();
  }

  take(): Taken {
    const nowMs = this.#clock.monotonicMs();
    this.#tokens = Math.min(this.#limit, this.#tokens + (nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
    const passes = this.#tokens >= 1;
    if (passes) this.#tokens--;
    const fullAtMs = nowMs + (this.#limit - this.#tokens) / this.#perMs;
    const fullInMs = Math.ceil(fullAtMs / 1000) * 1000 - Math.floor(nowMs / 1000) * 1000 + 1_000;
    return { passes, headers: { limit: this.#limit, remaining: Math.floor(this.#tokens), fullInMs } };
  }
}

const LATENCY_MS = 50;
const never = new AbortController().signal;

interface Load {
  passed: number;
  refused: number;
  underWay: number;
  mostUnderWay: number;
}

/** `workers` callers that want to call all the time, until `untilMs`. */
function run(
  quota: Quota,
  kind: CallKind,
  tenant: { take(): Taken } | undefined,
  clock: ManualClock,
  workers: number,
  untilMs: number,
): Load {
  const load = { passed: 0, refused: 0, underWay: 0, mostUnderWay: 0 };
  const work = async (who: string): Promise<void> => {
    while (clock.now() < untilMs) {
      const place = await quota.enter(kind, who, never);
      if (place.kind === "come back") {
        await clock.sleep(Math.max(1, place.atMs - clock.now()), never);
        continue;
      }
      load.mostUnderWay = Math.max(load.mostUnderWay, ++load.underWay);
      await clock.sleep(LATENCY_MS / 2, never);
      const answer = tenant?.take();
      await clock.sleep(LATENCY_MS / 2, never);
      load.underWay--;
      if (answer === undefined || answer.passes) {
        load.passed++;
        // Of a tenant with limits only refusals, such as 404, bear no headers.
        const isSuccess = answer === undefined || answer.headers !== undefined;
        quota.leave(place, { kind: "answered", headers: answer?.headers, isSuccess });
      } else {
        load.refused++;
        quota.leave(place, { kind: "refused", headers: answer.headers, forMs: answer.headers?.fullInMs ?? 1_000 });
      }
    }
  };
  for (let worker = 0; worker < workers; worker++) void work(String(worker));
  return load;
}

/** Thirty callers write users for so long, where the tenant allows so much. */
async function writeUsers(
  quota: Quota,
  limit: number,
  perMinute: number,
  clock: ManualClock,
  durationMs: number,
): Promise<Load> {
  const tenant = new TenantBucket(limit, perMinute, clock);
  const load = run(quota, "write users", tenant, clock, 30, clock.now() + durationMs);
  await clock.advance(durationMs);
  return load;
}

const plans: [name: string, limit: number, perMinute: number][] = [
  ["Free", 2, 120],
  ["Enterprise non-production", 10, 120],
  ["self-service writes", 20, 200],
  ["self-service reads", 40, 500],
  ["Enterprise production", 50, 960],
  ["private cloud 100", 100, 6000],
];

for (const [name, limit, perMinute] of plans) {
  test(`uses at least 95 % of what ${name} allows, without one 429`, async (t) => {
    const clock = new ManualClock();
    const durationMs = perMinute > 1000 ? 20_000 : 120_000;

    const load = await writeUsers(new Quota(clock), limit, perMinute, clock, durationMs);

    const allowed = limit + (durationMs / 60_000) * perMinute;
    t.is(load.refused, 0);
    t.true(load.passed >= 0.95 * allowed - limit, `${String(load.passed)} of ${String(allowed)}`);
  });
}

for (const [name, limit, perMinute, plan] of [
  ["Free", 2, 120, "Free"],
  ["self-service writes", 20, 200, "SelfService"],
  ["Enterprise production", 50, 960, "Enterprise"],
] as const) {
  test(`uses its share of what ${name} allows and no more, though nobody else uses the rest`, async (t) => {
    const clock = new ManualClock();
    const quota = new Quota(clock);
    quota.configure(t, { plan, share: 0.5 });
    const durationMs = 120_000;

    const load = await writeUsers(quota, limit, perMinute, clock, durationMs);

    const share = (durationMs / 60_000) * perMinute * 0.5;
    t.is(load.refused, 0);
    t.true(load.passed <= share + limit * 0.5 + 1, `${String(load.passed)} of ${String(share)}`);
    t.true(load.passed >= 0.95 * share, `${String(load.passed)} of ${String(share)}`);
  });
}

test("a share holds where the plan is not known, too", async (t) => {
  const clock = new ManualClock();
  const quota = new Quota(clock);
  quota.configure(t, { share: 0.25 });
  const load = run(quota, "write users", new TenantBucket(50, 960, clock), clock, 30, clock.now() + 120_000);

  await clock.advance(120_000);

  t.true(load.passed <= 480 + 13, String(load.passed));
  t.true(load.passed >= 100, String(load.passed));
});

test("of several that name one tenant the least share counts, until it is taken back", async (t) => {
  const clock = new ManualClock();
  const quota = new Quota(clock);
  const [one, other] = [{}, {}];
  quota.configure(one, { plan: "Enterprise", share: 1 });
  quota.configure(other, { share: 0.1 });
  const tenant = new TenantBucket(50, 960, clock);
  const least = run(quota, "read users", tenant, clock, 30, clock.now() + 60_000);
  await clock.advance(60_000);
  const { passed } = least; // some wait still, and go in the next minute
  quota.configure(other, undefined);
  const all = run(quota, "read users", tenant, clock, 30, clock.now() + 60_000);
  await clock.advance(60_000);

  t.true(passed <= 96 + 6, String(passed));
  t.true(all.passed >= 0.95 * 960, String(all.passed));
});

test("kinds of calls that share one bucket do not overdraw it together", async (t) => {
  const clock = new ManualClock();
  const quota = new Quota(clock);
  const shared = new TenantBucket(10, 120, clock);
  const untilMs = clock.now() + 60_000;

  const loads = (["read users", "write users", "delete users", "other"] as const).map((kind) =>
    run(quota, kind, shared, clock, 5, untilMs),
  );
  await clock.advance(60_000);

  t.deepEqual(
    loads.map(({ refused }) => refused),
    [0, 0, 0, 0],
  );
});

test("sends one call until an answer shows the bucket, then as many as it holds", async (t) => {
  const clock = new ManualClock();
  const quota = new Quota(clock);
  const load = run(quota, "read users", new TenantBucket(50, 960, clock), clock, 30, clock.now() + 200);

  await clock.advance(LATENCY_MS - 1);
  t.is(load.mostUnderWay, 1);
  await clock.advance(2);

  t.is(load.mostUnderWay, 30);
});

test("a tenant that shows no limit is not limited", async (t) => {
  const clock = new ManualClock();
  const load = run(new Quota(clock), "read users", undefined, clock, 30, clock.now() + 1_000);

  await clock.advance(1_000);

  t.true(load.passed > 500, String(load.passed));
});

test("a tenant that shows no limit is not limited after a 429, either", async (t) => {
  const clock = new ManualClock();
  const quota = new Quota(clock);
  const place = await quota.enter("read users", "kim", never);
  if (place.kind === "come back") throw new Error("sent away");
  quota.leave(place, { kind: "refused", headers: { limit: 10, remaining: 0, fullInMs: 1_000 }, forMs: 1_000 });
  const load = run(quota, "read users", undefined, clock, 30, clock.now() + 10_000);

  await clock.advance(10_000);

  t.true(load.passed > 1_000, String(load.passed));
});

test("a first call without an answer sends those who waited for it away, and the next tries again", async (t) => {
  const clock = new ManualClock();
  const quota = new Quota(clock);
  const probe = await quota.enter("read users", "kim", never);
  const waiting = quota.enter("read users", "kim", never);
  t.not(probe.kind, "come back");

  if (probe.kind !== "come back") quota.leave(probe, { kind: "unanswered" });

  t.deepEqual(await waiting, { kind: "come back", atMs: clock.now() + 1_000 });
  t.not((await quota.enter("read users", "kim", never)).kind, "come back");
});

test("after a 429 nobody goes before the moment that it named", async (t) => {
  const clock = new ManualClock();
  const quota = new Quota(clock);
  const place = await quota.enter("write users", "kim", never);
  if (place.kind === "come back") return t.fail();
  const untilMs = clock.now() + 1_500;
  quota.leave(place, { kind: "refused", headers: { limit: 50, remaining: 0, fullInMs: 1_500 }, forMs: 1_500 });

  let sentAtMs = Infinity;
  const tenant = {
    take: () => {
      sentAtMs = Math.min(sentAtMs, clock.now());
      return { passes: true, headers: { limit: 50, remaining: 40, fullInMs: 1_000 } };
    },
  };
  run(quota, "write users", tenant, clock, 5, clock.now() + 10_000);
  await clock.advance(10_000);

  t.true(sentAtMs >= untilMs && sentAtMs < untilMs + 8_000, String(sentAtMs - untilMs));
  return t.pass();
});

test("who waits gives up with the signal's reason, and the place goes to the next", async (t) => {
  const clock = new ManualClock();
  const quota = new Quota(clock);
  const first = await quota.enter("write users", "kim", never);
  if (first.kind === "come back") return t.fail();
  quota.leave(first, {
    kind: "answered",
    headers: { limit: 10, remaining: 0, fullInMs: 5_000 },
    isSuccess: true,
  });
  const controller = new AbortController();
  const cancelled = quota.enter("write users", "kim", controller.signal);
  const reason = new Error("stop");

  controller.abort(reason);

  t.is(await t.throwsAsync(cancelled), reason);
  let admitted = false;
  void quota.enter("write users", "kim", never).then(() => {
    admitted = true;
  });
  await clock.advance(5_000);
  t.true(admitted);
  return t.pass();
});

for (const [name, limit, perMinute] of plans.slice(0, 2)) {
  test(`calls that are refused without a word of the limit count in it, too: ${name}`, async (t) => {
    const clock = new ManualClock();
    const tenant = new TenantBucket(limit, perMinute, clock);
    let answers = 0;
    const gone = {
      take: () => {
        const { passes, headers } = tenant.take();
        return { passes, headers: answers++ === 0 ? headers : undefined };
      },
    };
    const load = run(new Quota(clock), "read users", gone, clock, 30, clock.now() + 120_000);

    await clock.advance(120_000);

    t.is(load.refused, 0);
    t.true(load.passed > 100, String(load.passed));
  });
}

test("a call that was not answered counts, one that was not sent does not", async (t) => {
  const quota = new Quota(new ManualClock());
  const enter = () => quota.enter("write users", "kim", never);
  const leave = async (end: CallEnd): Promise<number | undefined> => {
    const place = await enter();
    if (place.kind !== "come back") quota.leave(place, end);
    return quota.levels().get("10")?.remaining;
  };

  await leave({ kind: "answered", headers: { limit: 10, remaining: 9, fullInMs: 2_000 }, isSuccess: true });

  t.is(await leave({ kind: "unsent" }), 9);
  t.is(await leave({ kind: "unanswered" }), 8);
});

test("calls that the tenant counts in a limit of their own and in that of all calls keep to both", async (t) => {
  const clock = new ManualClock();
  const quota = new Quota(clock);
  const [all, own] = [new TenantBucket(10, 120, clock), new TenantBucket(20, 200, clock)];
  const both = {
    take: () => {
      const taken = all.take();
      return taken.passes ? own.take() : taken;
    },
  };
  const untilMs = clock.now() + 60_000;

  const loads = (["read users", "other", "write members"] as const).map((kind) =>
    run(quota, kind, kind === "write members" ? both : all, clock, 10, untilMs),
  );
  await clock.advance(60_000);

  t.deepEqual(
    loads.map(({ refused }) => refused),
    [0, 0, 0],
  );
});

/** Each of a crowd wants one call; who is sent away comes back when told, or when woken. */
class Crowd {
  passed = 0;
  #disbanded = 0;
  #wake = new AbortController();
  readonly #clock: ManualClock;
  readonly #quota: Quota;
  readonly #tenant: TenantBucket;

  constructor(clock: ManualClock, quota: Quota, tenant: TenantBucket) {
    this.#clock = clock;
    this.#quota = quota;
    this.#tenant = tenant;
  }

  come(from: number, to: number): void {
    for (let user = from; user < to; user++) void this.#call(`user ${String(user)}`);
  }

  async wake(): Promise<void> {
    this.#wake.abort();
    this.#wake = new AbortController();
    await settle();
  }

  /** Who was sent away does not come back. */
  disband(): void {
    this.#disbanded++;
  }

  async #call(who: string): Promise<void> {
    const disbanded = this.#disbanded;
    while (disbanded === this.#disbanded) {
      const place = await this.#quota.enter("write users", who, never);
      if (place.kind !== "come back") {
        await this.#clock.sleep(LATENCY_MS, never);
        this.passed++;
        this.#quota.leave(place, { kind: "answered", headers: this.#tenant.take().headers, isSuccess: true });
        return;
      }
      await this.#clock.sleep(place.atMs - this.#clock.now(), this.#wake.signal).catch(() => {});
    }
  }
}

test("a backlog that is woken goes on as before", async (t) => {
  const clock = new ManualClock();
  const crowd = new Crowd(clock, new Quota(clock), new TenantBucket(10, 120, clock));
  crowd.come(0, 10);
  await clock.advance(10_000);
  crowd.come(10, 800);
  await clock.advance(20_000);
  const before = crowd.passed;

  for (let times = 0; times < 3; times++) await crowd.wake();
  await clock.advance(240_000);

  t.true(crowd.passed - before > 0.9 * 480, String(crowd.passed - before));
});

test("who comes after a backlog that is not to be done any more does not wait for it", async (t) => {
  const clock = new ManualClock();
  const crowd = new Crowd(clock, new Quota(clock), new TenantBucket(10, 120, clock));
  crowd.come(0, 10);
  await clock.advance(10_000);
  crowd.come(10, 800);
  await settle();
  crowd.disband();
  await clock.advance(10_000);
  const before = crowd.passed;

  crowd.come(800, 900);
  await clock.advance(60_000);

  t.is(crowd.passed - before, 100);
});

for (const share of [1, 0.5]) {
  test(`a clock that is set back an hour stops no calls, at a share of ${String(share)}`, async (t) => {
    const clock = new ManualClock();
    const quota = new Quota(clock);
    quota.configure(t, { plan: "EnterpriseNonProduction", share });
    const load = run(quota, "write users", new TenantBucket(10, 120, clock), clock, 5, Infinity);
    await clock.advance(60_000);
    const { passed } = load;

    clock.setBack(3_600_000);
    await clock.advance(60_000);

    t.true(load.passed - passed > 0.9 * 120 * share, String(load.passed - passed));
  });
}
