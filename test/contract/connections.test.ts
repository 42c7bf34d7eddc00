/** Connections: made, changed, deleted, and who may use them. [rec] recorded, [oas] in the OpenAPI document, [doc] documented. */
import test from "ava";
import { openTestSimulator, startTestSimulator, type Reply } from "../support/start-simulator.ts";

const simulator = await openTestSimulator();
test.after.always(() => simulator.close());

const api = (method: string, path: string, body?: unknown): Promise<Reply> =>
  simulator.api(method, `/api/v2${path}`, body);

interface Connection {
  readonly id: string;
  readonly options: Readonly<Record<string, unknown>>;
}

async function newConnection(name: string, more: object = {}): Promise<Connection> {
  return (await api("POST", "/connections", { name, strategy: "auth0", ...more })).body as Connection;
}

test("a new database has these options, policy good, and no client [rec]", async (t) => {
  const reply = await api("POST", "/connections", { name: "plain", strategy: "auth0" });

  t.is(reply.status, 201);
  const { id, options, ...rest } = reply.body as Connection;
  t.regex(id, /^con_[A-Za-z0-9]{16}$/);
  t.like(options, { mfa: { active: true }, passwordPolicy: "good", strategy_version: 2, brute_force_protection: true });
  t.deepEqual(rest, {
    name: "plain",
    strategy: "auth0",
    is_domain_connection: false,
    realms: ["plain"],
    authentication: { active: true },
    connected_accounts: { active: false },
    enabled_clients: [],
  } as unknown as typeof rest);
  t.deepEqual((await api("GET", `/connections/${id}`)).body, reply.body);
});

test("before April 2026 it had neither methods nor passkeys [rec]", async (t) => {
  const old = await startTestSimulator(t, { switches: { apiVersion: "2023" } });

  const { body } = await old.api("POST", "/api/v2/connections", { name: "plain", strategy: "auth0" });

  t.deepEqual(Object.keys((body as Connection).options).toSorted(), [
    "brute_force_protection",
    "mfa",
    "passwordPolicy",
    "strategy_version",
  ]);
});

test("users can be made in a new database once a client may use it", async (t) => {
  const { id } = await newConnection("fresh");
  const user = { connection: "fresh", email: "kim@example.com", password: "Some-Passw0rd!" };
  const enable = [{ client_id: simulator.clientId, status: true }];

  t.like((await api("POST", "/users", user)).body, { message: "Connection is disabled." });
  t.is((await api("PATCH", `/connections/${id}/clients`, enable)).status, 204);
  t.deepEqual((await api("GET", `/connections/${id}/clients`)).body, { clients: [{ client_id: simulator.clientId }] });
  t.is((await api("POST", "/users", user)).status, 201);
});

test("options are replaced whole by a PATCH: what it leaves out is lost [doc]", async (t) => {
  const { id } = await newConnection("to-change");

  const { body } = await api("PATCH", `/connections/${id}`, { options: { passwordPolicy: "low" } });

  t.deepEqual((body as Connection).options, { passwordPolicy: "low" });
});

test("a deleted connection is 202 with the time [rec], and its users are gone [doc]", async (t) => {
  const { id } = await newConnection("to-delete", { enabled_clients: [simulator.clientId] });
  const user = await api("POST", "/users", {
    connection: "to-delete",
    email: "a@example.com",
    password: "Some-Passw0rd!",
  });

  const reply = await api("DELETE", `/connections/${id}`);

  t.is(reply.status, 202);
  t.deepEqual(Object.keys(reply.body as object), ["deleted_at"]);
  const { user_id: userId } = user.body as { user_id: string };
  t.is((await api("GET", `/users/${encodeURIComponent(userId)}`)).status, 404);
});

test("one user of a connection is deleted by address, 204 whether or not there is one [rec]", async (t) => {
  const { id } = await newConnection("by-address", { enabled_clients: [simulator.clientId] });
  await api("POST", "/users", { connection: "by-address", email: "b@example.com", password: "Some-Passw0rd!" });

  t.is((await api("DELETE", `/connections/${id}/users?email=b@example.com`)).status, 204);
  t.is((await api("DELETE", `/connections/${id}/users?email=b@example.com`)).status, 204);
  t.deepEqual((await api("GET", "/users-by-email?email=b@example.com")).body, []);
  t.is((await api("DELETE", `/connections/${id}/users`)).status, 400);
});

test("what a database's options may not say together, as Auth0's Go SDK expects it", async (t) => {
  const messageFor = async (options: object): Promise<string> => {
    const { body } = await api("POST", "/connections", { name: "odd", strategy: "auth0", options });
    return (body as { message: string }).message;
  };
  const email = { identifier: { active: true } };

  t.is(
    await messageFor({ attributes: { email }, requires_username: true }),
    "Cannot set both options.attributes and options.requires_username",
  );
  t.is(
    await messageFor({ attributes: { email }, validation: {} }),
    "Cannot set both options.attributes and options.validation",
  );
  t.is(await messageFor({ attributes: { email: {} } }), "attributes must contain one active identifier");
  t.is(
    await messageFor({
      attributes: { phone_number: { ...email, profile_required: true, signup: { status: "inactive" } } },
    }),
    "attribute phone_number must also be required on signup",
  );
});

test("connections are listed by name, by strategy with or without an index in brackets, and by checkpoint [oas]", async (t) => {
  const tenant = await startTestSimulator(t);
  const names = async (query: string): Promise<unknown> => {
    const { body } = await tenant.api("GET", `/api/v2/connections?${query}`);
    const list = Array.isArray(body) ? body : (body as { connections: unknown[] }).connections;
    return (list as { name: string }[]).map(({ name }) => name);
  };

  t.deepEqual(await names("name=sms"), ["sms"]);
  t.deepEqual(await names("strategy=email&strategy=sms"), ["email", "sms"]);
  t.deepEqual(await names("strategy%5B0%5D=email&strategy%5B1%5D=sms&include_totals=true"), ["email", "sms"]);
  const page = (await tenant.api("GET", "/api/v2/connections?take=2")).body as { connections: object[]; next: string };
  t.is(page.connections.length, 2);
  t.is(((await names(`take=2&from=${encodeURIComponent(page.next)}`)) as unknown[]).length, 1);
});
