/** Tokens that are refused, and questions for one that come to nothing. */
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import test from "ava";
import { Registry } from "prom-client";
import { NoAnswerError, TenantHttp, type TenantCalls } from "../../../src/auth0/http.ts";
import { ManagementApi, type Call } from "../../../src/auth0/management-api.ts";
import { Auth0Metrics } from "../../../src/auth0/metrics.ts";
import { parseTenantAddress } from "../../../src/auth0/tenant-address.ts";
import { TokenSource } from "../../../src/auth0/token-source.ts";
import { DirectoryError } from "../../../src/reconcile/errors.ts";
import type { Credentials } from "../../../src/reconcile/tenant-connections.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { ManualClock, settle } from "../../support/manual-clock.ts";

const never = new AbortController().signal;
const ADDRESS = parseTenantAddress("acme.example.com");
const READ: Call = { method: "GET", route: "/users/{id}", path: "/users/a", kind: "read users", what: "read a user" };
const SECRET: Credentials = { kind: "client secret", clientId: "id", clientSecret: "secret" };

test("an access token that was refused once is tried again", async (t) => {
  const { api, clock, sent } = scripted({ kind: "token", token: "header.e30.signature" }, (_, calls) => ({
    status: calls === 1 ? 401 : 200,
    body: { user_id: "a" },
  }));
  await t.throwsAsync(api.call(READ, never), { message: /refuses the access token/ });
  await t.throwsAsync(api.call(READ, never));
  t.is(sent.length, 1, "not at once");
  await clock.advance(60_000);

  await t.notThrowsAsync(api.call(READ, never));
});

test("a tenant that takes none of its tokens is not asked for another one with each call", async (t) => {
  let tokens = 0;
  const { api, sent } = scripted(SECRET, (path) =>
    path === "/oauth/token"
      ? { status: 200, body: { access_token: `t${String(++tokens)}`, expires_in: 86_400 } }
      : { status: 401, body: { message: "Invalid token" } },
  );
  for (let user = 0; user < 1_000; user++) {
    const error = await t.throwsAsync(api.call(READ, never), { instanceOf: DirectoryError });
    t.is(error.code, "credentials_invalid");
  }

  t.deepEqual([tokens, sent.length], [1, 2]);
});

test("a private key of a kind that Auth0 does not take is said to be wrong", async (t) => {
  const keys = [
    generateKeyPairSync("ed25519"),
    generateKeyPairSync("x25519"),
    generateKeyPairSync("ec", { namedCurve: "secp384r1" }),
  ];
  for (const { privateKey: key } of keys) {
    const privateKey = key.export({ type: "pkcs8", format: "pem" }).toString();
    const { api, sent, metrics } = scripted({ kind: "private key", clientId: "id", privateKey }, () => ({
      status: 401,
      body: {},
    }));

    const error = await t.throwsAsync(api.call(READ, never), { instanceOf: DirectoryError });

    t.regex(error.message, /RSA, or EC on the curve P-256/);
    t.deepEqual(sent, []);
    t.deepEqual((await metrics.requests.get()).values, [], "and no call is counted");
  }
});

test("a token that is asked for by who was told to stop, and not given, does not end the process", async (t) => {
  const http = { send: () => Promise.reject(new NoAnswerError("reset")), close: () => {} };
  const source = new TokenSource(ADDRESS, SECRET, http, new ManualClock(), () => {});
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => {
    unhandled.push(error);
  };
  process.prependListener("unhandledRejection", note);
  t.teardown(() => process.off("unhandledRejection", note));

  await t.throwsAsync(source.get(AbortSignal.abort(new Error("stop"))), { message: "stop" });
  await settle();

  t.deepEqual(unhandled, []);
});

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"));

(hasIpv6 ? test : test.skip)("a tenant at an IPv6 address is reached", async (t) => {
  const server = createServer((_, response) => response.end("{}"));
  await new Promise<void>((resolve) => {
    server.listen(0, "::1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const http = new TenantHttp(parseTenantAddress(`http://[::1]:${String(port)}`).origin, systemClock, {});
  t.teardown(() => {
    http.close();
    server.close();
  });

  t.is((await http.send({ method: "GET", path: "/", headers: {} }, never)).status, 200);
});

/** A tenant that answers as is said, and what it was sent. */
function scripted(
  credentials: Credentials,
  answer: (path: string, calls: number) => { readonly status: number; readonly body: object },
) {
  const clock = new ManualClock();
  const sent: string[] = [];
  const http: TenantCalls = {
    send({ method, path }) {
      sent.push(`${method} ${path}`);
      const { status, body } = answer(path, sent.length);
      return Promise.resolve({ status, headers: {}, body: JSON.stringify(body), atMs: clock.now() });
    },
    close() {},
  };
  const metrics = new Auth0Metrics(new Registry());
  return {
    api: new ManagementApi({ address: ADDRESS, credentials, userAgent: "tokens", clock, metrics, http }),
    clock,
    sent,
    metrics,
  };
}
