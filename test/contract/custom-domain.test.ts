/** A tenant with several custom domains is told which one its mails name. */
import test from "ava";
import { Registry } from "prom-client";
import { Auth0Metrics } from "../../src/auth0/metrics.ts";
import { Auth0UserDirectory } from "../../src/auth0/auth0-user-directory.ts";
import { ManagementApi } from "../../src/auth0/management-api.ts";
import { parseTenantAddress } from "../../src/auth0/tenant-address.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { aDesiredUser } from "../support/builders.ts";
import { verdictOf } from "../support/side-world.ts";
import { Side } from "../support/side.ts";
import { startTestSimulator } from "../support/start-simulator.ts";

test("without its name a user is refused with what to do, with it the user is created", async (t) => {
  const tenant = await startTestSimulator(t, { customDomains: ["login.example.com", "id.example.com"] });
  const api = new ManagementApi({
    address: parseTenantAddress(tenant.url),
    credentials: { kind: "client secret", clientId: tenant.clientId, clientSecret: tenant.clientSecret },
    userAgent: "test",
    clock: systemClock,
    metrics: new Auth0Metrics(new Registry()),
  });
  t.teardown(() => {
    api.close();
  });
  const side = new Side(new Auth0UserDirectory(api));

  t.is(verdictOf(await side.pass(aDesiredUser())), "refused CustomDomainConflict");
  api.customDomain = "id.example.com";
  t.is(verdictOf(await side.pass(aDesiredUser())), "ready Created");
});
