/** A tenant that sends the operator elsewhere is not followed: neither token nor secret goes to another host. */
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import test, { type ExecutionContext } from "ava";
import { Registry } from "prom-client";
import { ManagementApi } from "../../src/auth0/management-api.ts";
import { Auth0Metrics } from "../../src/auth0/metrics.ts";
import { parseTenantAddress } from "../../src/auth0/tenant-address.ts";
import type { Credentials } from "../../src/reconcile/tenant-connections.ts";
import { systemClock } from "../../src/runtime/clock.ts";

async function listening(t: ExecutionContext, server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const address = server.address();
  return `http://127.0.0.1:${String(typeof address === "object" ? address?.port : "")}`;
}

const CASES: readonly (readonly [title: string, credentials: Credentials])[] = [
  [
    "the question for a token does not follow a redirect to another host",
    { kind: "client secret", clientId: "client", clientSecret: "a-secret" },
  ],
  ["a call with a token does not follow a redirect to another host", { kind: "token", token: "a-token" }],
];

for (const [title, credentials] of CASES) {
  test(title, async (t) => {
    const visits: string[] = [];
    const elsewhere = await listening(
      t,
      createServer((request, response) => {
        visits.push(request.url ?? "");
        response.end("{}");
      }),
    );
    const tenant = await listening(
      t,
      createServer((request, response) => {
        response.writeHead(307, { location: `${elsewhere}${request.url ?? ""}` }).end();
      }),
    );
    const metrics = new Auth0Metrics(new Registry());
    const address = parseTenantAddress(tenant);
    const api = new ManagementApi({ address, credentials, userAgent: "test", clock: systemClock, metrics });
    t.teardown(() => {
      api.close();
    });

    const error = await t.throwsAsync(api.prove("in use", new AbortController().signal));

    t.deepEqual(visits, []);
    t.regex(error.message, /a redirect, which is not followed/);
    t.notRegex(error.message, /a-secret|a-token/);
  });
}
