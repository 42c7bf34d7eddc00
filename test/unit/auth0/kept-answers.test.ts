/** What is kept of a tenant's connections and names is kept for a while, whatever somebody does to the machine's clock. */
import test from "ava";
import { Registry } from "prom-client";
import { Auth0Assignments } from "../../../src/auth0/assignments.ts";
import { Auth0Connections } from "../../../src/auth0/connections.ts";
import type { TenantCalls } from "../../../src/auth0/http.ts";
import { ManagementApi } from "../../../src/auth0/management-api.ts";
import { Auth0Metrics } from "../../../src/auth0/metrics.ts";
import { parseTenantAddress } from "../../../src/auth0/tenant-address.ts";
import { connectionName } from "../../../src/core/ids.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const never = new AbortController().signal;
const HOUR_MS = 3_600_000;
const NAME = connectionName("Username-Password-Authentication");

test("a connection is read again after a quarter of an hour, also where the clock was set back meanwhile", async (t) => {
  const { api, clock, sent } = answering([{ name: NAME, strategy: "auth0" }]);
  const connections = new Auth0Connections(api, clock);
  await connections.read(NAME, never);
  clock.setBack(HOUR_MS);
  await connections.read(NAME, never);
  t.is(sent.length, 1);

  await clock.advance(16 * 60_000);

  t.is(connections.find(NAME), undefined);
  await connections.read(NAME, never);
  t.is(sent.length, 2);
});

test("a role's name is looked up again after a quarter of an hour, also where the clock was set back meanwhile", async (t) => {
  const { api, clock, sent } = answering([{ id: "rol_1", name: "viewer" }]);
  const assignments = new Auth0Assignments(api);
  t.deepEqual(await assignments.findRoles("viewer", never), ["rol_1"]);
  clock.setBack(HOUR_MS);
  await assignments.findRoles("viewer", never);
  t.is(sent.length, 1);

  await clock.advance(16 * 60_000);

  await assignments.findRoles("viewer", never);
  t.is(sent.length, 2);
});

/** A tenant that answers every read with this, and what it was sent. */
function answering(body: readonly object[]) {
  const clock = new ManualClock();
  const sent: string[] = [];
  const http: TenantCalls = {
    send({ path }) {
      sent.push(path);
      return Promise.resolve({ status: 200, headers: {}, body: JSON.stringify(body), atMs: clock.now() });
    },
    close() {},
  };
  const metrics = new Auth0Metrics(new Registry());
  const credentials = { kind: "token", token: "token" } as const;
  const address = parseTenantAddress("acme.example.com");
  return { api: new ManagementApi({ address, credentials, userAgent: "kept", clock, metrics, http }), clock, sent };
}
