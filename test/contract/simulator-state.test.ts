/** The tenant's state: everything it keeps goes out as JSON and comes back, whatever family of endpoints it belongs to. */
import test from "ava";
import { startTestSimulator } from "../support/start-simulator.ts";

const KIM = {
  connection: "Username-Password-Authentication",
  email: "kim@example.com",
  password: "one two three",
  app_metadata: { plan: "pro" },
};

test("an exported state makes another simulator the same tenant: users, passwords, clients, connections, tokens", async (t) => {
  const domain = "acme.example";
  const [tenant, other] = await Promise.all([startTestSimulator(t, { domain }), startTestSimulator(t, { domain })]);
  const { user_id: id } = (await tenant.api("POST", "/api/v2/users", KIM)).body as { user_id: string };
  const authorization = `Bearer ${await tenant.token()}`;

  const exported = (await tenant.request("GET", "/_simulator/state")).body;
  const imported = await other.request("PUT", "/_simulator/state", { body: exported });

  t.is(imported.status, 204);
  t.deepEqual((await other.request("GET", "/_simulator/state")).body, exported);
  t.deepEqual(await other.users(), await tenant.users());
  t.true(await other.passwordMatches(id, KIM.password));
  const path = `/api/v2/users/${encodeURIComponent(id)}`;
  t.is((await other.request("GET", path, { headers: { authorization } })).status, 200);
  t.is((await other.api("POST", "/api/v2/users", KIM)).status, 409);
});

test("what is not in an imported state is gone", async (t) => {
  const tenant = await startTestSimulator(t);
  await tenant.addUser(KIM);
  const exported = (await tenant.request("GET", "/_simulator/state")).body as { users: unknown };

  await tenant.request("PUT", "/_simulator/state", { body: { ...exported, users: [] } });

  t.deepEqual(await tenant.users(), []);
  t.is((await tenant.api("POST", "/api/v2/users", KIM)).status, 201);
});

for (const [what, state, message] of [
  ["an unknown collection", { wombats: [["w", 1]] }, /wombats: the simulator keeps no such thing/],
  ["an item that is none", { users: [["auth0|kim", { userId: "auth0|kim" }]] }, /users "auth0\|kim": user must have/],
  ["an item under another's id", { users: [["auth0|x", userNamed("auth0|kim")]] }, /userId is "auth0\|kim"/],
  ["no list", { users: {} }, /users must be a list of \[id, item\]/],
  ["no entry", { users: ["auth0|kim"] }, /users must be a list of \[id, item\]/],
] as const) {
  test(`a state with ${what} is refused by name, and nothing changes`, async (t) => {
    const tenant = await startTestSimulator(t);
    await tenant.addUser(KIM);
    const before = await tenant.users();

    const reply = await tenant.request("PUT", "/_simulator/state", { body: state });

    t.is(reply.status, 400);
    t.regex((reply.body as { message: string }).message, message);
    t.deepEqual(await tenant.users(), before);
  });
}

function userNamed(userId: string): object {
  const identity = { connection: "sms", user_id: "kim", provider: "auth0", isSocial: false };
  return { userId, createdAtMs: 1, updatedAtMs: 1, identities: [identity], attributes: {} };
}
