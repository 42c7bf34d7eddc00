/** However long the simulator runs and whatever it is asked: of what is past it keeps so much and no more. */
import test from "ava";
import { aRequest, InProcessSimulator } from "../support/in-process-simulator.ts";
import { ManualClock } from "../support/manual-clock.ts";

const TIMES = 5000;
const USER = "/api/v2/users/auth0%7Ckim";

/** Sends one API call after another, with a token. */
function tenantWithKim(switches: object = {}): {
  readonly simulator: InProcessSimulator;
  readonly call: (method: string, path: string, body?: unknown) => unknown;
} {
  const simulator = new InProcessSimulator({
    clock: new ManualClock(),
    users: [{ email: "kim@example.com", user_id: "kim" }],
    switches: { logLagMs: 0, ...switches },
  });
  const authorization = `Bearer ${simulator.token()}`;
  return {
    simulator,
    call(method, path, body) {
      const request = aRequest(method, path, body);
      return simulator.send({ ...request, headers: { ...request.headers, authorization } }).body;
    },
  };
}

test("the last thousand requests are kept, oldest first", (t) => {
  const { simulator, call } = tenantWithKim();
  for (let time = 0; time < TIMES; time++) call("PATCH", USER, { nickname: String(time) });

  const kept = simulator.send(aRequest("GET", "/_simulator/requests")).body as { readonly body: object }[];

  t.is(kept.length, 1000);
  t.deepEqual([kept[0]?.body, kept.at(-1)?.body], [{ nickname: "4000" }, { nickname: "4999" }]);
});

test("calls of any path are counted under as many routes as there are methods", (t) => {
  const { simulator, call } = tenantWithKim();
  for (let time = 0; time < TIMES; time++) call("GET", `/api/v2/${String(time)}`);

  const { byRoute } = simulator.send(aRequest("GET", "/_simulator/calls")).body as { byRoute: object };

  t.deepEqual(byRoute, { "POST /oauth/token": 1, "GET *": TIMES });
});

test("of the log between a thousand and two thousand entries are kept", (t) => {
  const { simulator, call } = tenantWithKim();
  const sizes = new Set<number>();
  for (let time = 0; time < TIMES; time++) {
    call("PATCH", USER, { nickname: String(time) });
    sizes.add(simulator.simulator.tenant.logs.visible().length);
  }

  t.is(Math.max(...sizes), 1999);
  t.is(simulator.simulator.tenant.logs.visible().length, 1000);
});

test("of the feed no more than twice feedRetention are kept", (t) => {
  const { simulator, call } = tenantWithKim({ feedRetention: 100 });
  const { feed } = simulator.simulator.tenant;
  const sizes = new Set<number>();
  for (let time = 0; time < TIMES; time++) {
    call("PATCH", USER, { nickname: String(time) });
    sizes.add(feed.since(0, Infinity).length);
  }

  t.is(Math.max(...sizes), 199);
  t.is(feed.end, TIMES + 1);
});

test("a thousand jobs are kept, and a thousand deliveries of event streams, the newest", (t) => {
  const { simulator, call } = tenantWithKim();
  const destination = { type: "webhook", configuration: { webhook_endpoint: "https://example.com" } };
  const stream = call("POST", "/api/v2/event-streams", { name: "s", subscriptions: [], destination });
  const { id } = stream as { id: string };
  let last: unknown;
  for (let time = 0; time < TIMES; time++) {
    last = call("POST", "/api/v2/jobs/users-exports", {});
    call("POST", `/api/v2/event-streams/${id}/test`, { event_type: "user.created" });
  }

  const state = simulator.simulator.tenant.state.export() as Record<string, [string, unknown][]>;
  t.is(state["jobs"]?.length, 1000);
  t.is(state["deliveries"]?.length, 1000);
  t.is(state["jobs"]?.at(-1)?.[0], (last as { id: string }).id);
});
