/** Imports, exports and verification mails. [rec] recorded, [oas] in the OpenAPI document, [doc] documented, [report]ed. */
import { gunzipSync } from "node:zlib";
import test, { type ExecutionContext } from "ava";
import { CONNECTION_PRESETS } from "../../src/simulator/connections/presets.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { directoryOf } from "../support/side.ts";
import { startTestSimulator, type Reply, type TestSimulator } from "../support/start-simulator.ts";

const DATABASE = "Username-Password-Authentication";

interface World {
  readonly tenant: TestSimulator;
  readonly clock: ManualClock;
  readonly connectionId: string;
  readonly post: (users: unknown, fields?: Readonly<Record<string, string>>) => Promise<Reply>;
  /** The job's last word, after all jobs are done. */
  readonly outcome: (job: Reply) => Promise<Job>;
}

interface Job {
  readonly id: string;
  readonly status: string;
  readonly summary?: object;
  readonly location?: string;
}

async function world(t: ExecutionContext): Promise<World> {
  const clock = new ManualClock();
  const tenant = await startTestSimulator(t, {
    clock,
    connections: [...CONNECTION_PRESETS.default, { name: "google", strategy: "google-oauth2" }],
    users: [{ email: "kim@example.com", user_id: "kim", user_metadata: { a: 1, b: 2 }, blocked: true }],
  });
  const list = await tenant.api("GET", `/api/v2/connections?name=${DATABASE}`);
  const [connection] = list.body as { id: string }[];
  const connectionId = connection?.id ?? "";
  const token = await tenant.token();
  return {
    tenant,
    clock,
    connectionId,
    async post(users, fields = {}) {
      const form = new FormData();
      for (const [name, value] of Object.entries({ connection_id: connectionId, ...fields })) form.set(name, value);
      const content = typeof users === "string" ? users : JSON.stringify(users);
      form.set("users", new Blob([content], { type: "application/json" }), "users.json");
      const encoded = new Response(form);
      return tenant.request("POST", "/api/v2/jobs/users-imports", {
        headers: { authorization: `Bearer ${token}`, "content-type": encoded.headers.get("content-type") ?? "" },
        body: await encoded.text(),
      });
    },
    async outcome(job) {
      await clock.advance(10_000);
      return (await tenant.api("GET", `/api/v2/jobs/${(job.body as Job).id}`)).body as Job;
    },
  };
}

test("an import is 202 and pending, then completed with a summary; its users look like others but for the picture [rec]", async (t) => {
  const { tenant, connectionId, post, outcome } = await world(t);

  const job = await post([{ email: "Lee@example.com", email_verified: true }], { external_id: "", upsert: "false" });

  t.is(job.status, 202);
  t.like(job.body, { type: "users_import", status: "pending", connection_id: connectionId, connection: DATABASE });
  t.deepEqual(Object.keys(job.body as object).length, 6);
  t.deepEqual(await outcome(job), {
    ...(job.body as Job),
    status: "completed",
    summary: { failed: 0, updated: 0, inserted: 1, total: 1 },
  });
  const lee = await tenant.user("lee@example.com");
  t.like(lee, { email_verified: true, name: "lee@example.com", nickname: "lee" });
  t.true(String(lee?.["picture"]).startsWith("https://secure.gravatar.com/avatar/"));
});

test("an import repeats its external_id [rec]", async (t) => {
  const { post, outcome } = await world(t);

  const job = await post([{ email: "lee@example.com" }], { external_id: "from-hr" });

  t.like(job.body, { external_id: "from-hr" });
  t.like(await outcome(job), { external_id: "from-hr", status: "completed" });
});

test("without upsert somebody who is there already is a DUPLICATED_USER [rec]", async (t) => {
  const { tenant, post, outcome } = await world(t);

  const done = await outcome(await post([{ email: "kim@example.com", email_verified: true }]));

  t.like(done, { status: "completed", summary: { failed: 1, inserted: 0 } });
  t.deepEqual((await tenant.api("GET", `/api/v2/jobs/${done.id}/errors`)).body, [
    {
      user: { email: "kim@example.com", email_verified: true },
      errors: [{ code: "DUPLICATED_USER", message: "The user already exist and upsert parameter is false" }],
    },
  ]);
});

test("an upsert replaces metadata, and leaves alone what it may not touch [doc]", async (t) => {
  const { tenant, post, outcome } = await world(t);
  const record = {
    email: "kim@example.com",
    user_metadata: { c: 3 },
    nickname: "k",
    blocked: false,
    username: "kimmy",
  };

  const done = await outcome(await post([record], { upsert: "true" }));

  t.like(done, { summary: { updated: 1, failed: 0 } });
  const kim = await tenant.user("auth0|kim");
  t.like(kim, { nickname: "k", blocked: true });
  t.deepEqual(kim?.["user_metadata"], { c: 3 });
  t.false("username" in (kim ?? {}));
});

test("errors name the code and the place, and there are none before the job is done [doc]", async (t) => {
  const { tenant, post, outcome } = await world(t);
  const job = await post([{ email: "x" }, { name: "Kim" }, { email: "a@example.com", age: 3 }, { email: 7 }]);
  const errors = (): Promise<Reply> => tenant.api("GET", `/api/v2/jobs/${(job.body as Job).id}/errors`);

  t.is((await errors()).status, 204);
  await outcome(job);
  const codes = ((await errors()).body as { errors: { code: string }[] }[]).map((each) =>
    each.errors.map(({ code }) => code),
  );

  t.deepEqual(codes[0], ["FORMAT"]);
  t.true(codes[1]?.includes("ANY_OF_MISSING"));
  t.deepEqual(codes[2], ["NOT_PASSED"]);
  t.deepEqual(codes[3], ["INVALID_TYPE"]);
});

test("two imports at a time; the third is 429, and no rate limit [report]", async (t) => {
  const { post, outcome } = await world(t);
  const first = await post([{ email: "a@example.com" }]);
  await post([{ email: "b@example.com" }]);

  t.like((await post([{ email: "c@example.com" }])).body, {
    statusCode: 429,
    message: "There are 2 active import users jobs, please wait until some of them are finished and try again",
  });
  await outcome(first);
  t.is((await post([{ email: "c@example.com" }])).status, 202);
});

test("more than 512,000 bytes are 413 [oas]", async (t) => {
  const { post } = await world(t);

  t.like((await post([{ email: "a@example.com", name: "x".repeat(512_000) }])).body, {
    statusCode: 413,
    message: "Payload content length greater than maximum allowed: 512000.",
  });
});

test("what an import is refused for, in the document's words [oas]", async (t) => {
  const { tenant, post } = await world(t);
  const [google] = (await tenant.api("GET", "/api/v2/connections?name=google")).body as { id: string }[];
  const messageOf = async (reply: Promise<Reply>): Promise<unknown> =>
    ((await reply).body as { message: string }).message;

  t.is(await messageOf(post("")), "Users file must not be empty.");
  t.is(await messageOf(post([], { connection_id: "con_0000000000000000" })), "The connection does not exist.");
  t.is(await messageOf(post([], { connection_id: google?.id ?? "" })), "Connection must be a database connection.");
  t.is(
    await messageOf(post([], { connection_id: "x" })),
    "Payload validation error: 'String does not match pattern ^con_[A-Za-z0-9]{16}$' on property connection_id.",
  );
  t.is((await post("{")).status, 400);
  const plain = await tenant.api("POST", "/api/v2/jobs/users-imports", {});
  t.is(plain.status, 415);
});

for (const { title, parts, message } of [
  { title: "no users part", parts: {}, message: "Must provide 'users' file as multipart part." },
  {
    title: "no connection_id",
    parts: { connection_id: "" },
    message: "Must provide 'connection_id' as multipart part.",
  },
  {
    title: "a database that no application may use",
    parts: { connection_id: "con_disabled00000000", users: "[]" },
    message: "Connection must be enabled.",
  },
  {
    title: "a database of one's own without import mode",
    parts: { connection_id: "con_scripts000000000", users: "[]" },
    message: "Custom Database Connections without import mode are not allowed.",
  },
]) {
  test(`an import with ${title} is 400 [oas]`, async (t) => {
    const tenant = await startTestSimulator(t, {
      connections: [
        { name: DATABASE, id: "con_plain00000000000" },
        { name: "disabled", id: "con_disabled00000000", enabledClients: [] },
        {
          name: "scripts",
          id: "con_scripts000000000",
          options: { enabledDatabaseCustomization: true, import_mode: false },
        },
      ],
    });
    const form = new FormData();
    for (const [name, value] of Object.entries({ connection_id: "con_plain00000000000", ...parts })) {
      if (value !== "") form.set(name, value);
    }
    form.set("upsert", "false");
    const encoded = new Response(form);

    const reply = await tenant.request("POST", "/api/v2/jobs/users-imports", {
      headers: {
        authorization: `Bearer ${await tenant.token()}`,
        "content-type": encoded.headers.get("content-type") ?? "",
      },
      body: await encoded.text(),
    });

    t.like(reply.body, { statusCode: 400, message });
  });
}

test("an export repeats what was asked, csv unless it says json [rec], and leads to a file when it is done [doc]", async (t) => {
  const { tenant, connectionId, outcome } = await world(t);
  const fields = [{ name: "email" }, { name: "user_metadata.a", export_as: "a" }, { name: "identities[0].connection" }];

  const job = await tenant.api("POST", "/api/v2/jobs/users-exports", { connection_id: connectionId, limit: 5, fields });

  t.is(job.status, 200);
  t.like(job.body, {
    type: "users_export",
    status: "pending",
    connection_id: connectionId,
    connection: DATABASE,
    format: "csv",
    limit: 5,
  });
  const { status, location = "" } = await outcome(job);
  t.is(status, "completed");
  const file = gunzipSync(Buffer.from(await (await fetch(location)).arrayBuffer())).toString();
  t.is(file, `"email","a","identities[0].connection"\n"'kim@example.com","1","'${DATABASE}"\n`);
});

test("a JSON export has a line for each user; its link is good for 60 seconds, and a later read has a new one [doc]", async (t) => {
  const { tenant, clock, outcome } = await world(t);
  const job = await tenant.api("POST", "/api/v2/jobs/users-exports", { format: "json" });
  const { location = "" } = await outcome(job);

  const file = gunzipSync(Buffer.from(await (await fetch(location)).arrayBuffer())).toString();

  t.deepEqual(JSON.parse(file), await tenant.user("auth0|kim"));
  await clock.advance(61_000);
  t.is((await fetch(location)).status, 403);
  t.is((await fetch(location.replace("signature=", "signature=x"))).status, 403);
  t.is((await fetch((await outcome(job)).location ?? "")).status, 200);
});

test("24 hours after its end nothing is known of a job [doc]", async (t) => {
  const { tenant, clock, outcome } = await world(t);
  const job = await tenant.api("POST", "/api/v2/jobs/users-exports", {});
  const { id } = await outcome(job);

  await clock.advance(25 * 3_600_000);
  await tenant.switches({ tokenLifetimeSeconds: 1_000_000 });

  const { clientId: client_id, clientSecret: client_secret, domain } = tenant;
  const grant = { grant_type: "client_credentials", client_id, client_secret, audience: `https://${domain}/api/v2/` };
  const token = (await tenant.request("POST", "/oauth/token", { body: grant })).body as { access_token: string };
  const headers = { authorization: `Bearer ${token.access_token}` };
  t.like((await tenant.request("GET", `/api/v2/jobs/${id}`, { headers })).body, { statusCode: 404 });
});

test("a verification mail is a job, 201, that ends as the switch says [rec]", async (t) => {
  const { tenant, outcome } = await world(t);
  const ask = (body: object): Promise<Reply> => tenant.api("POST", "/api/v2/jobs/verification-email", body);

  const job = await ask({ user_id: "auth0|kim", identity: { user_id: "kim", provider: "auth0" } });

  t.is(job.status, 201);
  t.like(job.body, { type: "verification_email", status: "pending" });
  t.deepEqual(Object.keys(job.body as object).toSorted(), ["created_at", "id", "status", "type"]);
  t.is((await outcome(job)).status, "completed");
  await tenant.switches({ verificationEmail: "failed" });
  t.is((await outcome(await ask({ user_id: "auth0|kim" }))).status, "failed");
  t.is((await ask({ user_id: "auth0|kim", identity: { user_id: "lee", provider: "auth0" } })).status, 400);
  t.is((await ask({ user_id: "auth0|nobody" })).status, 404);
});

test("a verification mail for a passwordless user is refused unless its identity is named [oas]", async (t) => {
  const { tenant } = await world(t);
  const { user_id } = await tenant.addUser({ connection: "email", email: "pat@example.com" });
  const ask = (body: object): Promise<Reply> => tenant.api("POST", "/api/v2/jobs/verification-email", body);

  const bare = await ask({ user_id });

  t.is(bare.status, 400);
  t.like(bare.body, { message: "Connection must be a database connection." });
  const [provider, id] = user_id.split("|");
  t.is((await ask({ user_id, identity: { user_id: id, provider } })).status, 201);
});

test("who asks for a verification mail for a passwordless user names its identity, as Auth0 demands [oas]", async (t) => {
  const { tenant } = await world(t);
  const { user_id } = await tenant.addUser({ connection: "email", email: "pat@example.com" });
  const { api, directory } = directoryOf(tenant);
  t.teardown(() => {
    api.close();
  });

  await directory.actions.sendVerificationEmail(user_id as never, new AbortController().signal);

  const order = (await tenant.requests()).find(({ path }) => path === "/api/v2/jobs/verification-email");
  const [provider, id] = user_id.split("|");
  t.like(order?.body, { user_id, identity: { user_id: id, provider } });
});
