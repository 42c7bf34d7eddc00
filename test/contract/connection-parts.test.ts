/** SCIM configurations and keys of connections. [rec] recorded. */
import test from "ava";
import { openTestSimulator, type Reply } from "../support/start-simulator.ts";

const simulator = await openTestSimulator();
test.after.always(() => simulator.close());

const api = (method: string, path: string, body?: unknown): Promise<Reply> =>
  simulator.api(method, `/api/v2${path}`, body);

let made = 0;

async function newConnection(strategy: string): Promise<string> {
  const body = { name: `c-${String(made++)}`, strategy };
  return ((await api("POST", "/connections", body)).body as { id: string }).id;
}

test("SCIM is configured with the default mapping unless told otherwise [rec]", async (t) => {
  const connection_id = await newConnection("okta");
  const path = `/connections/${connection_id}/scim-configuration`;

  const { status, body } = await api("POST", path, {});

  t.is(status, 201);
  t.like(body, { connection_id, strategy: "okta", user_id_attribute: "externalId" });
  const { mapping } = body as { mapping: object[] };
  t.deepEqual(mapping[0], { scim: "userName", auth0: "preferred_username" });
  t.deepEqual((await api("GET", `${path}/default-mapping`)).body, { mapping });
  const changes = { user_id_attribute: "userName", mapping: [{ scim: "email", auth0: "email" }] };
  t.like((await api("PATCH", path, changes)).body, changes);
  t.is((await api("DELETE", path)).status, 204);
  t.is((await api("DELETE", path)).status, 204);
  t.deepEqual((await api("GET", path)).body, { statusCode: 404, error: "Not Found", message: "Not Found" });
});

test("a SCIM token is shown once, and goes with the configuration [rec]", async (t) => {
  const path = `/connections/${await newConnection("okta")}/scim-configuration`;
  await api("POST", path, {});

  const { status, body } = await api("POST", `${path}/tokens`, { scopes: ["get:users"] });

  const { token, ...shown } = body as { token: string };
  t.is(status, 201);
  t.deepEqual((await api("GET", `${path}/tokens`)).body, [shown]);
  t.false(JSON.stringify((await api("GET", "/logs?per_page=100")).body).includes(token));
  await api("DELETE", path);
  t.deepEqual((await api("GET", `${path}/tokens`)).body, []);
});

interface Key {
  readonly kid: string;
  readonly cert: string;
  readonly current?: true;
  readonly next?: true;
  readonly previous?: true;
}

test("rotation makes the next key the current one, and names the new next [rec]", async (t) => {
  const path = `/connections/${await newConnection("okta")}/keys`;

  const before = (await api("GET", path)).body as Key[];
  const rotated = await api("POST", `${path}/rotate`);
  const after = (await api("GET", path)).body as Key[];

  t.like(before, [{ algorithm: "RS256", key_use: "signing", current: true }, { next: true }]);
  t.is(rotated.status, 201);
  t.like(after, [
    { kid: before[1]?.kid, current: true },
    { kid: before[0]?.kid, previous: true },
    { kid: (rotated.body as Key).kid, next: true },
  ]);
});

test("a database has no keys", async (t) => {
  t.is((await api("GET", `/connections/${await newConnection("auth0")}/keys`)).status, 400);
});
