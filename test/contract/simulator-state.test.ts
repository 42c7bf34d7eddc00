/** The tenant's state: everything it keeps goes out as JSON and comes back, whatever family of endpoints it belongs to. */
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import test from "ava";
import { DataFile } from "../../src/simulator/state/data-file.ts";
import { aRequest, InProcessSimulator } from "../support/in-process-simulator.ts";
import { silentLog } from "../support/silent-log.ts";
import { startTestSimulator } from "../support/start-simulator.ts";
import { aTempFolder } from "../support/temp-folder.ts";

const HEADER = '{"format":"auth0-user-operator simulator","version":1}';

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
  const target = `/api/v2/users/${encodeURIComponent(id)}`;
  t.is((await other.request("GET", target, { headers: { authorization } })).status, 200);
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

test("a data file keeps the tenant beyond the process, with everything that was answered", async (t) => {
  const dataFile = path.join(aTempFolder(t).path, "tenant.ndjson");
  const first = await startTestSimulator(t, { dataFile, domain: "acme.example" });
  const { user_id: id } = (await first.api("POST", "/api/v2/users", KIM)).body as { user_id: string };
  await first.api("PATCH", `/api/v2/users/${encodeURIComponent(id)}`, { nickname: "k" });
  const gone = await first.addUser({ ...KIM, email: "gone@example.com" });
  await first.api("DELETE", `/api/v2/users/${encodeURIComponent(gone.user_id)}`);
  const authorization = `Bearer ${await first.token()}`;
  const users = await first.users();

  // Not closed: as a process that is killed leaves it.
  const second = await startTestSimulator(t, {
    dataFile,
    domain: "acme.example",
    users: [{ email: "new@example.com" }],
  });

  t.deepEqual(await second.users(), users);
  t.true(await second.passwordMatches(id, KIM.password));
  t.is((await second.request("GET", "/api/v2/users", { headers: { authorization } })).status, 200);
});

test("a line that was cut off is dropped, what came before it stays, and the file goes on", async (t) => {
  const dataFile = path.join(aTempFolder(t).path, "tenant.ndjson");
  const first = await startTestSimulator(t, { dataFile });
  await first.addUser(KIM);
  const before = await readFile(dataFile, "utf8");
  await first.addUser({ ...KIM, email: "lee@example.com" });
  const after = await readFile(dataFile, "utf8");
  t.true(after.startsWith(before));
  await writeFile(dataFile, after.slice(0, -20));

  const second = await startTestSimulator(t, { dataFile });
  await second.addUser({ ...KIM, email: "max@example.com" });
  const third = await startTestSimulator(t, { dataFile });

  t.deepEqual(
    (await third.users()).map(({ email }) => email),
    ["kim@example.com", "max@example.com"],
  );
});

test("the file is written anew before it grows without end", async (t) => {
  const dataFile = path.join(aTempFolder(t).path, "tenant.ndjson");
  const simulator = new InProcessSimulator();
  const file = new DataFile(dataFile, silentLog);
  file.keep(simulator.simulator.tenant.state);
  const { user_id: id } = simulator.send(aRequest("POST", "/_simulator/users", KIM)).body as { user_id: string };
  const target = `/_simulator/users/${encodeURIComponent(id)}`;
  for (let index = 0; index <= 12_000; index++) {
    simulator.send(aRequest("PATCH", target, { nickname: `k${String(index)}` }));
  }
  file.close();

  t.true((await readFile(dataFile)).toString().split("\n").length < 5000);
  const other = new InProcessSimulator({ saved: new DataFile(dataFile, silentLog).saved });
  t.is((other.send(aRequest("GET", target)).body as { nickname: string }).nickname, "k12000");
});

for (const [what, content, message] of [
  ["another program's file", "hello\n", /holds no state of a simulator, and is left as it is/],
  ["a damaged line", `${HEADER}\n[["users"\n[]\n`, /tenant.ndjson:2: the file is damaged/],
  ["a line that is no change", `${HEADER}\n[{}]\n`, /tenant.ndjson:2: the file is damaged/],
] as const) {
  test(`${what} is refused by name and line, and not touched`, async (t) => {
    const dataFile = path.join(aTempFolder(t).path, "tenant.ndjson");
    await writeFile(dataFile, content);

    await t.throwsAsync(startTestSimulator(t, { dataFile }), { message });

    t.is(await readFile(dataFile, "utf8"), content);
  });
}
