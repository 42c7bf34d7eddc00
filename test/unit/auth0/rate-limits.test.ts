/** The Management API's client where calls are many: a simulated tenant of each plan never has to refuse one. */
import test, { type ExecutionContext } from "ava";
import { Registry } from "prom-client";
import { Auth0Assignments } from "../../../src/auth0/assignments.ts";
import type { HttpAnswer, TenantCalls } from "../../../src/auth0/http.ts";
import { ManagementApi } from "../../../src/auth0/management-api.ts";
import { Auth0Metrics } from "../../../src/auth0/metrics.ts";
import { parseTenantAddress } from "../../../src/auth0/tenant-address.ts";
import { userId } from "../../../src/core/ids.ts";
import type { JsonMap } from "../../../src/core/json.ts";
import { DirectoryError } from "../../../src/reconcile/errors.ts";
import { ALL_SCOPES } from "../../../src/reconcile/scopes.ts";
import type { Clock } from "../../../src/runtime/clock.ts";
import { seededRandom } from "../../../src/runtime/random.ts";
import { DEFAULT_CLIENT } from "../../../src/simulator/oauth/clients.ts";
import type { PlanName } from "../../../src/simulator/quota/plans.ts";
import { Simulator } from "../../../src/simulator/simulator.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { silentLog } from "../../support/silent-log.ts";

const DOMAIN = "acme.example.com";
const LATENCY_MS = 50;
const never = new AbortController().signal;

/** What the tenant answers of a user, or of an organization, that was made. */
interface Made {
  readonly user_id: string;
  readonly id: string;
}

interface Tenant {
  readonly api: ManagementApi;
  /** Answers by status. */
  readonly statuses: Map<number, number>;
}

/** @param behindMs what the tenant's clock shows less than ours */
function aTenant(plan: PlanName, clock: ManualClock, behindMs = 0): Tenant {
  const statuses = new Map<number, number>();
  const tenantClock: Clock = {
    now: () => clock.now() - behindMs,
    monotonicMs: () => clock.monotonicMs(),
    timer: (ms, callback) => clock.timer(ms, callback),
    sleep: (ms, signal) => clock.sleep(ms, signal),
  };
  const simulator = new Simulator({
    domain: DOMAIN,
    plan,
    clients: [{ ...DEFAULT_CLIENT, scopes: [...ALL_SCOPES, "create:organizations"] }],
    clock: tenantClock,
    random: seededRandom(1),
    log: silentLog,
  });
  const http: TenantCalls = {
    async send({ method, path, headers, body }): Promise<HttpAnswer> {
      await clock.sleep(LATENCY_MS / 2, never);
      const exchange = simulator.exchange({
        method,
        target: path,
        headers: { host: DOMAIN, ...headers },
        body: Buffer.from(body ?? ""),
      });
      if (exchange.kind !== "answered") throw new Error(exchange.kind);
      const { answer } = exchange;
      const date = new Date(tenantClock.now()).toUTCString();
      await clock.sleep(LATENCY_MS / 2, never);
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      const text = answer.body === undefined ? "" : JSON.stringify(answer.body);
      return { status: answer.status, headers: { ...answer.headers, date }, body: text, atMs: clock.now() };
    },
    close() {},
  };
  return { api: anApi(clock, http), statuses };
}

function anApi(clock: Clock, http: TenantCalls): ManagementApi {
  return new ManagementApi({
    address: parseTenantAddress(DOMAIN),
    credentials: {
      kind: "client secret",
      clientId: DEFAULT_CLIENT.clientId,
      clientSecret: DEFAULT_CLIENT.clientSecret,
    },
    userAgent: "test",
    clock,
    metrics: new Auth0Metrics(new Registry()),
    http,
  });
}

/** Twenty callers for a minute; who is told to come back later does. */
async function hurry(clock: ManualClock, call: (count: number) => Promise<unknown>): Promise<void> {
  const untilMs = clock.now() + 60_000;
  let count = 0;
  const work = async (): Promise<void> => {
    while (clock.now() < untilMs) {
      const current = count++;
      try {
        await call(current);
      } catch (error) {
        if (!(error instanceof DirectoryError)) throw error;
        if (error.remedy.kind === "wait") await clock.sleep(error.remedy.untilMs - clock.now(), never);
      }
    }
  };
  for (let worker = 0; worker < 20; worker++) void work();
  await clock.advance(60_000);
}

function neverRefused(t: ExecutionContext, { statuses }: Tenant): void {
  const told = JSON.stringify([...statuses]);
  t.is(statuses.get(429), undefined, told);
  t.true([...statuses.values()].reduce((sum, one) => sum + one, 0) > 50, told);
}

const listUsers = { method: "GET", route: "/users", path: "/users", kind: "read users", what: "list users" } as const;

for (const aheadMs of [500, 1_500, 1_900]) {
  for (const plan of ["free", "enterprise-non-production", "enterprise"] as const) {
    test(`no 429 where our clock is ${String(aheadMs)} ms ahead of the tenant's: ${plan}`, async (t) => {
      const clock = new ManualClock(Date.UTC(2026, 0, 1) + 137);
      const tenant = aTenant(plan, clock, aheadMs);

      await hurry(clock, () => tenant.api.call(listUsers, never));

      neverRefused(t, tenant);
    });
  }
}

for (const plan of ["free", "enterprise-non-production", "self-service"] as const) {
  test(`no 429 while users are looked for that are gone: ${plan}`, async (t) => {
    const clock = new ManualClock();
    const tenant = aTenant(plan, clock);
    await Promise.all([tenant.api.call(listUsers, never), clock.advance(LATENCY_MS * 2)]);

    await hurry(clock, (count) => {
      const path = `/users/auth0%7Cgone${String(count)}`;
      return tenant.api.call({ method: "GET", route: "/users/{id}", path, kind: "read users", what: "read" }, never);
    });

    neverRefused(t, tenant);
  });
}

async function writesAndDeletions(t: ExecutionContext, plan: PlanName): Promise<void> {
  const clock = new ManualClock();
  const tenant = aTenant(plan, clock);
  await Promise.all([tenant.api.call(listUsers, never), clock.advance(LATENCY_MS * 2)]);
  const ids: string[] = [];

  await hurry(clock, async (count) => {
    const id = count % 2 === 0 ? undefined : ids.pop();
    if (id !== undefined) {
      const path = `/users/${encodeURIComponent(id)}`;
      const kind = "delete users";
      await tenant.api.call({ method: "DELETE", route: "/users/{id}", path, kind, what: "delete" }, never);
      return;
    }
    const body = {
      connection: "Username-Password-Authentication",
      email: `u${String(count)}@example.com`,
      password: "Some-Pass-1!",
    };
    const call = { method: "POST", route: "/users", path: "/users", kind: "write users", what: "create" } as const;
    const made = (await tenant.api.call({ ...call, whom: body.email, body }, never)) as Made;
    ids.push(made.user_id);
  });

  neverRefused(t, tenant);
}

test("limits of one size are not taken for one where each counts its own calls", (t) =>
  writesAndDeletions(t, "self-service"));

for (const plan of ["free", "enterprise", "enterprise-non-production"] as const) {
  test(`no 429 while users are written and deleted side by side: ${plan}`, (t) => writesAndDeletions(t, plan));
}

for (const plan of ["enterprise", "enterprise-non-production", "self-service"] as const) {
  test(`no 429 while users get their roles and organizations: ${plan}`, async (t) => {
    const clock = new ManualClock();
    const tenant = aTenant(plan, clock);
    const assignments = new Auth0Assignments(tenant.api);
    const make = async (path: string, kind: "write users" | "other", body: JsonMap): Promise<Made> => {
      const made = tenant.api.call({ method: "POST", route: path, path, kind, what: "make", body }, never);
      await clock.advance(1_000);
      return (await made) as Made;
    };
    const user = {
      connection: "Username-Password-Authentication",
      email: "kim@example.com",
      password: "some Passw0rd!",
    };
    const kim = userId((await make("/users", "write users", user)).user_id);
    const acme = (await make("/organizations", "other", { name: "acme" })).id;

    await hurry(clock, (count) => {
      if (count % 3 === 0) return assignments.listRoles(kim, never);
      if (count % 3 === 1) return assignments.addMember(acme, kim, never);
      return assignments.listMemberRoles(acme, kim, never);
    });

    neverRefused(t, tenant);
  });
}

for (const [what, named] of [
  ["Retry-After", () => ({ "retry-after": "999999999" })],
  ["x-ratelimit-reset", (nowMs: number) => resetAt(nowMs / 1000 + 31_536_000)],
] as const) {
  test(`a moment that lies beyond an hour is not waited for: ${what}`, async (t) => {
    const clock = new ManualClock(Date.UTC(2026, 0, 1));
    const api = anApi(clock, {
      send: ({ path }) =>
        Promise.resolve({
          status: path === "/oauth/token" ? 200 : 429,
          headers: path === "/oauth/token" ? {} : named(clock.now()),
          body: path === "/oauth/token" ? JSON.stringify({ access_token: "t", expires_in: 86_400 }) : "{}",
          atMs: clock.now(),
        }),
      close() {},
    });
    t.teardown(() => {
      api.close();
    });

    const error = await t.throwsAsync(api.call(listUsers, never), { instanceOf: DirectoryError });

    t.deepEqual(error.remedy, { kind: "wait", untilMs: clock.now() + 3_600_000 });
  });
}

function resetAt(moment: number): Record<string, string> {
  return { "x-ratelimit-limit": "10", "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(moment) };
}
