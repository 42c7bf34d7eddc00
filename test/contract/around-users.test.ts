/** What else belongs to a user: factors, blocks, tickets, sessions, accounts, logs; and event streams. [rec] recorded. */
import test, { type ExecutionContext } from "ava";
import { ManualClock } from "../support/manual-clock.ts";
import { startTestSimulator, type Reply, type TestSimulator } from "../support/start-simulator.ts";

const KIM = "/api/v2/users/auth0%7Ckim";

async function tenantWithKim(t: ExecutionContext, clock?: ManualClock): Promise<TestSimulator> {
  const users = [{ email: "kim@example.com", user_id: "kim", password: "some password" }];
  return startTestSimulator(t, { users, ...(clock && { clock }), switches: { logLagMs: clock ? 1000 : 0 } });
}

type Method = Readonly<Record<string, unknown>>;

test("authentication methods are masked where they are read, and not in the answer to a PUT [rec]", async (t) => {
  const tenant = await tenantWithKim(t);
  const path = `${KIM}/authentication-methods`;
  const posted = await tenant.api("POST", path, { type: "email", name: "Test", email: "chuck334@example.com" });

  t.is(posted.status, 201);
  const { id, created_at, ...rest } = posted.body as Method;
  t.deepEqual(rest, { type: "email", name: "Test", email: "chuc****@exam*******" });
  t.regex(String(id), /^email\|dev_[A-Za-z0-9]{16}$/);
  const one = `${path}/${encodeURIComponent(String(id))}`;
  t.deepEqual((await tenant.api("GET", one)).body, { ...rest, id, created_at, confirmed: true });
  t.false("confirmed" in ((await tenant.api("PATCH", one, { name: "Test2" })).body as Method));
  const put = await tenant.api("PUT", path, [
    { type: "email", name: "MyEmail", email: "foo@example.com" },
    { type: "phone", name: "MyPhone", phone_number: "+44207183875044", preferred_authentication_method: "sms" },
    { type: "totp", name: "MyTotp", totp_secret: "A SECRET" },
  ]);
  t.like(put.body, [{ email: "foo@example.com" }, { phone_number: "+44207183875044" }, { type: "totp" }]);
  t.notRegex(JSON.stringify(await tenant.request("GET", "/_simulator/state")), /A SECRET/);
  const { authenticators } = (await tenant.api("GET", `${path}?include_totals=true`)).body as {
    authenticators: readonly Method[];
  };
  t.deepEqual(
    authenticators.map(({ email, phone_number }) => email ?? phone_number),
    ["****@exam*******", "XXXXXXXXXXX5044", undefined],
  );
});

test("a list of no methods has no total, and an unknown method is 404 [rec]", async (t) => {
  const tenant = await tenantWithKim(t);
  const path = `${KIM}/authentication-methods`;

  t.deepEqual((await tenant.api("GET", `${path}?include_totals=true`)).body, {
    authenticators: [],
    start: 0,
    limit: 50,
  });
  t.is((await tenant.api("GET", `${path}/email%7Cdev_0000000000000000`)).status, 404);
  t.is((await tenant.api("DELETE", path)).status, 204);
});

test("a user without factors has no enrollments, and can have a recovery code all the same [rec]", async (t) => {
  const tenant = await tenantWithKim(t);

  t.deepEqual((await tenant.api("GET", `${KIM}/enrollments`)).body, []);
  const code = (await tenant.api("POST", `${KIM}/recovery-code-regeneration`, {})).body as { recovery_code: string };
  t.regex(code.recovery_code, /^[A-Z0-9]{24}$/);
  t.is((await tenant.api("POST", `${KIM}/multifactor/actions/invalidate-remember-browser`)).status, 204);
});

test("second factors are taken away by provider, or all at once, with 204 [oas]", async (t) => {
  const tenant = await tenantWithKim(t);
  const path = `${KIM}/authentication-methods`;
  const types = async (): Promise<unknown[]> =>
    ((await tenant.api("GET", path)).body as Method[]).map(({ type }) => type);
  await tenant.api("PUT", path, [
    { type: "email", name: "MyEmail", email: "foo@example.com" },
    { type: "totp", name: "MyTotp", totp_secret: "a secret" },
  ]);

  t.is((await tenant.api("DELETE", `${KIM}/multifactor/google-authenticator`)).status, 204);
  t.deepEqual(await types(), ["email"]);
  t.is((await tenant.api("DELETE", `${KIM}/authenticators`)).status, 204);
  t.deepEqual(await types(), []);
});

test("nobody is blocked by brute-force protection; by id, by identifier, and by address in the path [rec]", async (t) => {
  const tenant = await tenantWithKim(t);
  const nobody = { blocked_for: [] };

  t.deepEqual((await tenant.api("GET", "/api/v2/user-blocks/auth0%7Ckim")).body, nobody);
  t.deepEqual((await tenant.api("GET", "/api/v2/user-blocks?identifier=kim@example.com")).body, nobody);
  t.deepEqual((await tenant.api("GET", "/api/v2/user-blocks/kim@example.com")).body, nobody);
  t.is((await tenant.api("DELETE", "/api/v2/user-blocks/auth0%7Ckim")).status, 204);
  t.is((await tenant.api("DELETE", "/api/v2/user-blocks?identifier=kim@example.com")).status, 204);
  t.is((await tenant.api("GET", "/api/v2/user-blocks/auth0%7Cnobody")).status, 404);
});

test("tickets are 201 with a link of the tenant's domain [rec]", async (t) => {
  const tenant = await tenantWithKim(t);
  const ask = async (kind: string, body: object): Promise<Reply> => tenant.api("POST", `/api/v2/tickets/${kind}`, body);

  const verification = await ask("email-verification", {
    user_id: "auth0|kim",
    result_url: "https://example.com",
    ttl_sec: 9,
  });
  const password = await ask("password-change", { user_id: "auth0|kim", includeEmailInRedirect: true });

  t.deepEqual([verification.status, password.status], [201, 201]);
  const links = [verification, password].map(({ body }) =>
    (body as { ticket: string }).ticket.replace(/=\w{32}#$/, "=…"),
  );
  t.deepEqual(links, [
    `https://${tenant.domain}/u/email-verification?ticket=…`,
    `https://${tenant.domain}/u/reset-password?ticket=…`,
  ]);
  t.is((await ask("email-verification", { user_id: "auth0|nobody" })).status, 404);
});

test("sessions come with a login and end with 202 {} [rec]", async (t) => {
  const tenant = await tenantWithKim(t);
  t.deepEqual((await tenant.api("GET", `${KIM}/sessions?take=50`)).body, { sessions: [] });

  const login = await tenant.request("POST", "/_simulator/users/auth0%7Ckim/login");

  t.like(login.body, { logins_count: 1, last_ip: "203.0.113.1" });
  t.like((await tenant.api("GET", `${KIM}/sessions`)).body, { sessions: [{ user_id: "auth0|kim" }] });
  t.like((await tenant.api("GET", `${KIM}/refresh-tokens`)).body, { tokens: [{ user_id: "auth0|kim" }] });
  const ended = await tenant.api("DELETE", `${KIM}/sessions`);
  t.deepEqual([ended.status, ended.body], [202, {}]);
  t.deepEqual((await tenant.api("GET", `${KIM}/sessions`)).body, { sessions: [] });
  t.is((await tenant.api("POST", `${KIM}/revoke-access`)).status, 202);
  t.deepEqual((await tenant.api("GET", `${KIM}/refresh-tokens`)).body, { tokens: [] });
});

test("a PATCH that changes what identifies a user ends the sessions, and by switch one that only sends it", async (t) => {
  const tenant = await tenantWithKim(t);
  const sessionsAfter = async (body: object): Promise<number> => {
    await tenant.request("POST", "/_simulator/users/auth0%7Ckim/login");
    await tenant.api("PATCH", KIM, body);
    const { sessions } = (await tenant.api("GET", `${KIM}/sessions`)).body as { sessions: object[] };
    await tenant.api("DELETE", `${KIM}/sessions`);
    return sessions.length;
  };

  t.is(await sessionsAfter({ nickname: "k" }), 1);
  t.is(await sessionsAfter({ email: "kim@example.com" }), 1);
  t.is(await sessionsAfter({ email_verified: true }), 1);
  t.is(await sessionsAfter({ email: "lee@example.com" }), 0);
  t.is(await sessionsAfter({ password: "another password" }), 0);
  await tenant.switches({ endsSessions: "everything-sent" });
  t.is(await sessionsAfter({ email: "lee@example.com" }), 0);
});

test("nothing is connected to a new user, and a token set that is not there is deleted with 204 [rec]", async (t) => {
  const tenant = await tenantWithKim(t);

  t.deepEqual((await tenant.api("GET", `${KIM}/connected-accounts?take=50`)).body, { connected_accounts: [] });
  t.deepEqual((await tenant.api("GET", `${KIM}/federated-connections-tokensets`)).body, []);
  t.is((await tenant.api("DELETE", `${KIM}/federated-connections-tokensets/no-such-set`)).status, 204);
  const clear = { connection: "Username-Password-Authentication", assessors: ["new-device"] };
  t.is((await tenant.api("POST", `${KIM}/risk-assessments/clear`, clear)).status, 204);
});

interface Entry {
  readonly log_id: string;
  readonly type: string;
  readonly description: string;
  readonly user_id: string | null;
  readonly details: {
    readonly request: Readonly<Record<string, unknown>>;
    readonly response: { readonly statusCode: number; readonly body: unknown };
  };
}

test("a creation leaves sapi and ss, an update sapi, a deletion sapi and sdu [rec]", async (t) => {
  const tenant = await tenantWithKim(t);
  const body = { connection: "Username-Password-Authentication", email: "lee@example.com", password: "some password" };
  await tenant.api("POST", "/api/v2/users", { ...body, user_id: "lee" });
  await tenant.api("PATCH", "/api/v2/users/auth0%7Clee", { nickname: "l" });
  await tenant.api("DELETE", "/api/v2/users/auth0%7Clee");
  await tenant.api("GET", KIM);

  const entries = (await tenant.api("GET", "/api/v2/logs")).body as readonly Entry[];

  t.deepEqual(
    entries.map(({ type, description, user_id }) => [type, description, user_id]),
    [
      ["sdu", "user_id: lee", ""],
      ["sapi", "Delete a User", null],
      ["sapi", "Update a User", null],
      ["sapi", "Create a User", null],
      ["ss", "", "auth0|lee"],
    ],
  );
  const created = entries[3]?.details;
  t.like(created?.request, { method: "post", path: "/api/v2/users", channel: "api", body: { password: "*****" } });
  t.is(created?.response.statusCode, 201);
  t.is(entries[1]?.details.request["path"], "/api/v2/users/auth0%7Clee");
});

test("a sapi entry holds the request and the answer, and whom it was about only in them [rec]", async (t) => {
  const tenant = await tenantWithKim(t);
  const answer = await tenant.api("PATCH", `${KIM}?fields=email`, { nickname: "k" });

  const [entry] = (await tenant.api("GET", "/api/v2/logs")).body as readonly Entry[];

  t.regex(entry?.log_id ?? "", /^900\d{50,}$/);
  t.like(entry, { type: "sapi", user_id: null, user_name: null, connection: null, client_id: tenant.clientId });
  t.deepEqual(Object.keys(entry?.details.request ?? {}).toSorted(), [
    "auth",
    "body",
    "channel",
    "ip",
    "method",
    "path",
    "query",
    "userAgent",
  ]);
  t.like(entry?.details.request, {
    auth: { strategy: "jwt", user: {} },
    body: { nickname: "k" },
    method: "patch",
    path: KIM,
    query: { fields: "email" },
  });
  t.deepEqual(entry?.details.response, { statusCode: 200, body: answer.body });
});

test("a change of roles or permissions is a sapi entry on the user's path [doc]", async (t) => {
  const tenant = await tenantWithKim(t);
  const { id } = (await tenant.api("POST", "/api/v2/roles", { name: "admin" })).body as { id: string };
  await tenant.api("POST", `${KIM}/roles`, { roles: [id] });
  await tenant.api("DELETE", `${KIM}/roles`, { roles: [id] });

  const entries = (await tenant.api("GET", "/api/v2/logs?per_page=2")).body as readonly Entry[];

  t.deepEqual(
    entries.map(({ type, details: { request } }) => [type, request["method"], request["path"]]),
    [
      ["sapi", "delete", `${KIM}/roles`],
      ["sapi", "post", `${KIM}/roles`],
    ],
  );
});

test("logs by checkpoint are oldest first with a link to the next, by search newest first [rec]", async (t) => {
  const tenant = await tenantWithKim(t);
  for (const nickname of ["a", "b", "c"]) await tenant.api("PATCH", KIM, { nickname });
  const newest = (await tenant.api("GET", "/api/v2/logs?per_page=3")).body as readonly Entry[];
  const ids = newest.map(({ log_id }) => log_id);

  const page = await tenant.api("GET", `/api/v2/logs?from=${ids[2] ?? ""}&take=1&q=type:nothing`);

  t.deepEqual(
    (page.body as readonly Entry[]).map(({ log_id }) => log_id),
    [ids[1]],
  );
  t.is(page.headers.get("link"), `<https://${tenant.domain}/api/v2/logs?from=${ids[1] ?? ""}&take=1>; rel="next"`);
  t.is(((await tenant.api("GET", `/api/v2/logs/${ids[0] ?? ""}`)).body as Entry).log_id, ids[0] ?? "");
  t.like((await tenant.api("GET", "/api/v2/logs?include_totals=true&q=type:%22sapi%22")).body, { total: 3 });
  t.is((await tenant.api("GET", "/api/v2/logs?page=10&per_page=100")).status, 400);
});

test("what has just happened is not in the log yet [rec]", async (t) => {
  const clock = new ManualClock();
  const tenant = await tenantWithKim(t, clock);
  await tenant.api("PATCH", KIM, { nickname: "k" });

  t.deepEqual((await tenant.api("GET", "/api/v2/logs")).body, []);
  await clock.advance(1000);
  t.is(((await tenant.api("GET", "/api/v2/logs")).body as object[]).length, 1);
});

const STREAM = {
  name: "to-a-webhook",
  subscriptions: [{ event_type: "user.created" }],
  destination: {
    type: "webhook",
    configuration: {
      webhook_endpoint: "https://example.com/hook",
      webhook_authorization: { method: "bearer", token: "A SECRET" },
    },
  },
};

test("an event stream never shows the secret of its webhook [rec]", async (t) => {
  const tenant = await tenantWithKim(t);

  const reply = await tenant.api("POST", "/api/v2/event-streams", STREAM);

  t.is(reply.status, 201);
  t.like(reply.body, { status: "enabled", name: "to-a-webhook" });
  t.notRegex(JSON.stringify((await tenant.request("GET", "/_simulator/state")).body), /A SECRET/);
});

test("a test of an event stream is 202 with a pending delivery, which can be read and asked for again [rec]", async (t) => {
  const tenant = await tenantWithKim(t);
  const { id } = (await tenant.api("POST", "/api/v2/event-streams", STREAM)).body as { id: string };
  const path = `/api/v2/event-streams/${id}`;

  const delivery = await tenant.api("POST", `${path}/test`, { event_type: "user.created" });

  t.is(delivery.status, 202);
  const { id: eventId } = delivery.body as { id: string };
  t.regex(eventId, /^evt_[A-Za-z0-9]{22}$/);
  t.like(delivery.body, { status: "pending", attempts: [], event: { type: "user.created", a0purpose: "test" } });
  t.like((await tenant.api("GET", `${path}/deliveries?event_types=user.created`)).body, {
    deliveries: [{ id: eventId }],
  });
  t.like((await tenant.api("GET", `${path}/deliveries?event_types=user.deleted`)).body, { deliveries: [] });
  t.is((await tenant.api("POST", `${path}/redeliver/${eventId}`)).status, 202);
  t.is((await tenant.api("DELETE", path)).status, 204);
  t.is((await tenant.api("GET", path)).status, 404);
  t.like((await tenant.api("GET", "/api/v2/event-streams/nonsense")).body, {
    statusCode: 400,
    errorCode: "invalid_uri",
  });
});

test("everything around users survives in the tenant's state", async (t) => {
  const tenant = await tenantWithKim(t);
  const { id: role } = (await tenant.api("POST", "/api/v2/roles", { name: "admin" })).body as { id: string };
  await tenant.api("POST", `${KIM}/roles`, { roles: [role] });
  await tenant.api("POST", "/api/v2/organizations", { name: "acme" });
  const saved = (await tenant.request("GET", "/_simulator/state")).body;
  const other = await startTestSimulator(t);

  t.is((await other.request("PUT", "/_simulator/state", { body: saved })).status, 204);

  t.like((await other.api("GET", `${KIM}/roles`)).body, [{ id: role }]);
  t.like((await other.api("GET", "/api/v2/organizations")).body, [{ name: "acme" }]);
});

test("there is no ticket to change the password of a user who has none [oas]", async (t) => {
  const tenant = await tenantWithKim(t);
  const { user_id } = await tenant.addUser({ connection: "email", email: "pat@example.com" });

  const { status, body } = await tenant.api("POST", "/api/v2/tickets/password-change", { user_id });

  t.is(status, 400);
  t.like(body, { message: "The user's main connection does not support this operation." });
});
