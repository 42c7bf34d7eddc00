/**
 * Auth0's own Node SDK, unmodified, against a tenant over TLS: the newest major and the one before. It is a client that we
 * did not write, so what it gets wrong here is ours.
 */
import { generateKeyPairSync } from "node:crypto";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { ManagementClient } from "auth0";
import { ManagementClient as PreviousClient } from "auth0-previous";
import test, { type ExecutionContext } from "ava";
import { eventually } from "../support/eventually.ts";
import { openTestSimulator } from "../support/start-simulator.ts";

const DATABASE = "Username-Password-Authentication";
const PASSWORD = "correct horse battery staple";

const { publicKey, privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});
const SECRET = { clientId: "with-secret", clientSecret: "a secret of sorts" };
const SIGNING = { clientId: "with-key", clientSecret: "", publicKey };

const tenant = await openTestSimulator({
  tls: true,
  clients: [SECRET, SIGNING],
  switches: { jobDurationMs: 0, logLagMs: 0 },
});
test.after.always(() => tenant.close());
if (tenant.ca !== undefined) setDefaultCACertificates([...getCACertificates(), tenant.ca]);

const SDKS: Readonly<Record<string, typeof ManagementClient>> = {
  "auth0 7": ManagementClient,
  "auth0 6": PreviousClient as unknown as typeof ManagementClient,
};

let made = 0;
const newEmail = (): string => `sdk-${String(made++)}@example.com`;

async function messageOf(promise: PromiseLike<unknown>): Promise<string> {
  try {
    await promise;
    return "nothing was thrown";
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}

for (const [sdk, Client] of Object.entries(SDKS)) {
  const client = new Client({ domain: tenant.domain, ...SECRET });

  /** Ends with the test. */
  const newUser = async (t: ExecutionContext, email = newEmail()): Promise<string> => {
    const { user_id: id } = await client.users.create({ connection: DATABASE, email, password: PASSWORD });
    if (id === undefined) throw new Error("a user has no id");
    t.teardown(() => client.users.delete(id));
    return id;
  };

  test(`${sdk}: a user is created, read, changed and deleted`, async (t) => {
    const email = newEmail();
    const created = await client.users.create({ connection: DATABASE, email, password: PASSWORD, name: "Kim" });
    const id = created.user_id ?? "";

    t.like(created, { email, name: "Kim", email_verified: false });
    t.deepEqual(await client.users.get(id), created);
    t.like(await client.users.update(id, { nickname: null, user_metadata: { plan: "pro" } }), {
      user_metadata: { plan: "pro" },
    });
    t.deepEqual(
      (await client.users.listUsersByEmail({ email })).map(({ user_id }) => user_id),
      [id],
    );
    await client.users.delete(id);
    t.regex(await messageOf(client.users.get(id)), /NotFoundError: .*The user does not exist\./s);
  });

  test(`${sdk}: lists are paged through, and searched`, async (t) => {
    const word = `word${sdk.replace(/\D/g, "")}`;
    const ids: string[] = [];
    for (let index = 0; index < 5; index++) ids.push(await newUser(t, `${word}-${String(index)}@example.com`));

    const found: (string | undefined)[] = [];
    for await (const { user_id } of await client.users.list({
      q: `email:${word}*`,
      per_page: 2,
      include_totals: true,
    })) {
      found.push(user_id);
    }
    const [first = ""] = ids;
    const byId = await client.users.list({ q: `user_id:("${first}" OR "auth0|nobody")` });

    t.deepEqual(new Set(found), new Set(ids));
    t.deepEqual(
      byId.data.map(({ user_id }) => user_id),
      [first],
    );
  });

  test(`${sdk}: a refusal is the SDK's own error, with status and message`, async (t) => {
    const email = newEmail();
    await newUser(t, email);

    const message = await messageOf(client.users.create({ connection: DATABASE, email, password: PASSWORD }));

    t.regex(message, /ConflictError: .*409.*The user already exists\./s);
  });

  test(`${sdk}: roles are made, given, listed from both ends, and taken away`, async (t) => {
    const user = await newUser(t);
    const { id: role = "" } = await client.roles.create({ name: `admin of ${sdk}` });
    await client.users.roles.assign(user, { roles: [role] });

    t.deepEqual(
      (await client.users.roles.list(user)).data.map(({ id }) => id),
      [role],
    );
    t.deepEqual(
      (await client.roles.users.list(role)).data.map(({ user_id }) => user_id),
      [user],
    );
    await client.users.roles.delete(user, { roles: [role] });
    t.deepEqual((await client.users.roles.list(user)).data, []);
    await client.roles.delete(role);
    t.regex(await messageOf(client.roles.get(role)), /The role does not exist\./);
  });

  test(`${sdk}: permissions and organizations of a user`, async (t) => {
    const user = await newUser(t);
    const name = sdk.replace(" ", "-");
    const { id: api = "" } = await client.resourceServers.create({
      identifier: `https://${name}.example.com/`,
      scopes: [{ value: "read:all" }],
    });
    const permissions = [{ resource_server_identifier: `https://${name}.example.com/`, permission_name: "read:all" }];
    await client.users.permissions.create(user, { permissions });
    const { id: organization = "" } = await client.organizations.create({ name });
    await client.organizations.members.create(organization, { members: [user] });

    t.like((await client.users.permissions.list(user)).data, [
      { permission_name: "read:all", sources: [{ source_type: "DIRECT" }] },
    ]);
    const members = await client.organizations.members.list(organization);
    t.deepEqual(
      members.data.map(({ user_id }) => user_id),
      [user],
    );
    await client.organizations.delete(organization);
    await client.resourceServers.delete(api);
  });

  test(`${sdk}: an import with one bad record, its errors, and an export`, async (t) => {
    const connections = await client.connections.list({ name: DATABASE });
    const connection_id = connections.data[0]?.id ?? "";
    const email = newEmail();
    const users = new File([JSON.stringify([{ email }, { email: "no address" }])], "users.json");

    const job = await client.jobs.usersImports.create({ users, connection_id });
    const done = await client.jobs.get(job.id);
    const errors = await client.jobs.errors.get(job.id);

    t.like(done, { status: "completed", summary: { failed: 1, inserted: 1, updated: 0, total: 2 } });
    t.like(errors, [{ user: { email: "no address" }, errors: [{ code: "FORMAT", path: "email" }] }]);
    const [imported] = await client.users.listUsersByEmail({ email });
    t.teardown(() => client.users.delete(imported?.user_id ?? ""));
    const exported = await client.jobs.usersExports.create({ connection_id, format: "json" });
    const { location = "" } = await client.jobs.get(exported.id ?? "");
    t.regex(location, /^https:/);
    const lines = (await fetch(location)).body?.pipeThrough(new DecompressionStream("gzip"));
    t.true((await new Response(lines).text()).includes(email));
  });

  test(`${sdk}: logs of a user`, async (t) => {
    const user = await newUser(t);

    const { data } = await client.users.logs.list(user);

    t.deepEqual(
      data.map(({ type }) => type),
      ["ss"],
    );
  });

  test(`${sdk}: a token by private_key_jwt`, async (t) => {
    const signing = new Client({
      domain: tenant.domain,
      clientId: SIGNING.clientId,
      clientAssertionSigningKey: privateKey,
    });

    t.true((await signing.users.list({ per_page: 1 })).data.length <= 1);
  });
}

test("auth0 7: events are followed as they happen", async (t) => {
  const client = new ManagementClient({ domain: tenant.domain, ...SECRET });
  const email = newEmail();
  const leaving = new AbortController();
  const seen: string[] = [];
  const stream = await client.events.subscribe({ event_type: ["user.created"] }, { abortSignal: leaving.signal });
  const reading = (async () => {
    for await (const message of stream) if ("event" in message) seen.push(JSON.stringify(message.event.data));
  })();
  t.teardown(async () => {
    leaving.abort();
    await reading.catch(() => undefined);
  });

  await tenant.addUser({ connection: DATABASE, email });

  await eventually(() => {
    if (!seen.some((data) => data.includes(`"email":"${email}"`))) throw new Error("the event has not come");
  });
  t.pass();
});
