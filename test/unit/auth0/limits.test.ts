/** The Management API's client against a tenant of the simulator in process, with the limits of its plan and a clock of its own. */
import test from "ava";
import { Registry } from "prom-client";
import { Auth0Assignments } from "../../../src/auth0/assignments.ts";
import type { HttpAnswer, TenantCalls } from "../../../src/auth0/http.ts";
import { ManagementApi } from "../../../src/auth0/management-api.ts";
import { Auth0Metrics } from "../../../src/auth0/metrics.ts";
import { parseTenantAddress } from "../../../src/auth0/tenant-address.ts";
import { userId } from "../../../src/core/ids.ts";
import { DirectoryError } from "../../../src/reconcile/errors.ts";
import { ALL_SCOPES } from "../../../src/reconcile/scopes.ts";
import type { Clock } from "../../../src/runtime/clock.ts";
import { seededRandom } from "../../../src/runtime/random.ts";
import { DEFAULT_CLIENT } from "../../../src/simulator/oauth/clients.ts";
import type { PlanName } from "../../../src/simulator/quota/plans.ts";
import { Simulator } from "../../../src/simulator/simulator.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { silentLog } from "../../support/silent-log.ts";

const never = new AbortController().signal;
const DOMAIN = "acme.example.com";
const PLANS = ["free", "enterprise-non-production", "self-service", "enterprise"] as const;
const LATENCY_MS = 50;
const CALLERS = 20;

for (const aheadMs of [0, 900, 1_900]) {
  test(`no 429 under any plan where our clock is ${String(aheadMs)} ms ahead of the tenant's`, async (t) => {
    for (const plan of PLANS) {
      const { api, refusals, callForAMinute } = aTenant(plan, aheadMs);

      await callForAMinute(() =>
        api.call({ method: "GET", route: "/users", path: "/users", kind: "read users", what: "list users" }, never),
      );

      t.is(refusals(), 0, plan);
    }
  });
}

test("no 429 under any plan while users are looked for that are gone: their answers tell nothing of the limit", async (t) => {
  for (const plan of PLANS) {
    const { api, refusals, callForAMinute } = aTenant(plan);
    let calls = 0;

    await callForAMinute(() => {
      const path = calls++ === 0 ? "/users" : "/users/auth0%7Cgone";
      return api.call({ method: "GET", route: "/users", path, kind: "read users", what: "read" }, never);
    });

    t.is(refusals(), 0, plan);
  }
});

test("no 429 once it is known that organizations are counted apart, or within another limit", async (t) => {
  for (const plan of PLANS) {
    const { api, simulator, refusals, callForAMinute } = aTenant(plan);
    const jane = userId(
      make(simulator, "/_simulator/users", { connection: "email", email: "jane@example.com" }).user_id,
    );
    const assignments = new Auth0Assignments(api);
    let organization = "";
    let calls = 0;
    const giveAll = async (): Promise<void> => {
      if (calls++ === 0) {
        const call = { method: "POST", route: "/organizations", path: "/organizations", kind: "other" } as const;
        const made = await api.call({ ...call, what: "make", body: { name: "acme" } }, never);
        organization = (made as { readonly id: string }).id;
      } else if (organization === "" || calls % 3 === 0) await assignments.listRoles(jane, never);
      else if (calls % 3 === 1) await assignments.listOrganizations(jane, never);
      else await assignments.addMember(organization, jane, never);
    };
    await callForAMinute(giveAll);
    const learning = refusals();
    t.true(learning === 0 || (plan.startsWith("enterprise") && learning <= CALLERS), `${plan}: ${String(learning)}`);

    for (let minutes = 0; minutes < 5; minutes++) await callForAMinute(giveAll);

    t.is(refusals() - learning, 0, plan);
  }
});

/** @param aheadMs by so much its clock is behind ours */
function aTenant(plan: PlanName, aheadMs = 0) {
  const clock = new ManualClock(Date.UTC(2026, 0, 1) + 137);
  const itsClock: Clock = {
    now: () => clock.now() - aheadMs,
    monotonicMs: () => clock.monotonicMs(),
    timer: (ms, callback) => clock.timer(ms, callback),
    sleep: (ms, signal) => clock.sleep(ms, signal),
  };
  const clients = [{ ...DEFAULT_CLIENT, scopes: [...ALL_SCOPES, "create:organizations"] }];
  const random = seededRandom(1);
  const simulator = new Simulator({ domain: DOMAIN, plan, clients, clock: itsClock, random, log: silentLog });
  let refused = 0;
  const http: TenantCalls = {
    async send({ method, path, headers, body = "" }): Promise<HttpAnswer> {
      await clock.sleep(LATENCY_MS / 2, never);
      const request = { method, target: path, headers: { host: DOMAIN, ...headers }, body: Buffer.from(body) };
      const exchange = simulator.exchange(request);
      const date = new Date(itsClock.now()).toUTCString();
      await clock.sleep(LATENCY_MS / 2, never);
      if (exchange.kind !== "answered") throw new Error(exchange.kind);
      const { status, headers: told, body: said } = exchange.answer;
      if (status === 429) refused++;
      const text = said === undefined ? "" : JSON.stringify(said);
      return { status, headers: { ...told, date }, body: text, atMs: clock.now() };
    },
    close() {},
  };
  const { clientId, clientSecret } = DEFAULT_CLIENT;
  const api = new ManagementApi({
    address: parseTenantAddress(DOMAIN),
    credentials: { kind: "client secret", clientId, clientSecret },
    userAgent: "limits",
    clock,
    metrics: new Auth0Metrics(new Registry()),
    http,
  });

  /** Twenty callers without a break; who is told to come back does so then. */
  async function callForAMinute(call: () => Promise<unknown>): Promise<void> {
    const untilMs = clock.now() + 60_000;
    const work = async (): Promise<void> => {
      while (clock.now() < untilMs) {
        try {
          await call();
        } catch (error) {
          if (!(error instanceof DirectoryError)) throw error;
          const waitMs = error.remedy.kind === "wait" ? error.remedy.untilMs - clock.now() : 0;
          if (waitMs > 0) await clock.sleep(waitMs, never);
        }
      }
    };
    const working = Promise.all(Array.from({ length: CALLERS }, work));
    await clock.advance(120_000);
    await working;
  }

  return { api, simulator, refusals: () => refused, callForAMinute };
}

function make(simulator: Simulator, target: string, body: object): { readonly user_id: string } {
  const headers = { host: DOMAIN, "content-type": "application/json" };
  const exchange = simulator.exchange({ method: "POST", target, headers, body: Buffer.from(JSON.stringify(body)) });
  if (exchange.kind !== "answered" || exchange.answer.status > 299) throw new Error(JSON.stringify(exchange));
  return exchange.answer.body as { readonly user_id: string };
}
