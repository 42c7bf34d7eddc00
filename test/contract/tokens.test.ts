/** Who may call: tokens, bearer checks and scopes. [rec] is a recorded fact, [doc] a documented or reported one. */
import test from "ava";
import { ManualClock } from "../support/manual-clock.ts";
import { openTestSimulator, startTestSimulator, type Reply, type TestSimulator } from "../support/start-simulator.ts";

const simulator = await openTestSimulator({
  clients: [
    { clientId: "all", clientSecret: "all+secret/:" },
    { clientId: "reader", clientSecret: "r", scopes: ["read:users", "read:connections"] },
    { clientId: "ungranted", clientSecret: "u", scopes: null },
  ],
  users: [{ email: "kim@example.com", user_id: "kim" }],
});
test.after.always(() => simulator.close());

const AUDIENCE = `https://${simulator.domain}/api/v2/`;
const USER = "/api/v2/users/auth0%7Ckim";

function askForToken(more: object, tenant: TestSimulator = simulator): Promise<Reply> {
  const grant = { grant_type: "client_credentials", client_id: "all", client_secret: "all+secret/:" };
  return tenant.request("POST", "/oauth/token", { body: { ...grant, audience: AUDIENCE, ...more } });
}

function token(reply: Reply): string {
  return (reply.body as { access_token: string }).access_token;
}

function claims(jwt: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString()) as Record<string, unknown>;
}

function getUser(authorization: string | undefined): Promise<Reply> {
  return simulator.request("GET", USER, authorization === undefined ? {} : { headers: { authorization } });
}

test("client credentials give a bearer token for a day, with its scopes [doc]", async (t) => {
  const reply = await askForToken({});

  t.is(reply.status, 200);
  t.deepEqual(Object.keys(reply.body as object).toSorted(), ["access_token", "expires_in", "scope", "token_type"]);
  t.like(reply.body, { expires_in: 86_400, token_type: "Bearer" });
  const scopes = (reply.body as { scope: string }).scope.split(" ");
  for (const scope of ["create:users", "read:users", "update:users", "delete:users"]) t.true(scopes.includes(scope));
  t.false(scopes.includes("read:user_idp_tokens"));
});

test("an access token is a signed JWT with the claims that Auth0 puts in [doc]", async (t) => {
  const jwt = token(await askForToken({ client_id: "reader", client_secret: "r" }));

  t.is(jwt.split(".").length, 3);
  t.like(claims(jwt), {
    iss: `https://${simulator.domain}/`,
    sub: "reader@clients",
    aud: AUDIENCE,
    azp: "reader",
    gty: "client-credentials",
    scope: "read:users read:connections",
  });
  t.is(Number(claims(jwt)["exp"]) - Number(claims(jwt)["iat"]), 86_400);
});

test("a form and HTTP Basic do as well [doc]", async (t) => {
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const grant = { grant_type: "client_credentials", audience: AUDIENCE };
  const inBody = new URLSearchParams({ ...grant, client_id: "all", client_secret: "all+secret/:" });
  const basic = Buffer.from(`all:${encodeURIComponent("all+secret/:")}`).toString("base64");

  const byForm = await simulator.request("POST", "/oauth/token", { headers: form, body: inBody.toString() });
  const byBasic = await simulator.request("POST", "/oauth/token", {
    headers: { ...form, authorization: `Basic ${basic}` },
    body: new URLSearchParams(grant).toString(),
  });

  t.is(byForm.status, 200);
  t.is(byBasic.status, 200);
});

test("the audience may be named with http too, as long as it is this tenant's [doc]", async (t) => {
  t.is((await askForToken({ audience: `http://${simulator.domain}/api/v2/` })).status, 200);
});

for (const [title, more, status, body] of [
  ["a wrong secret", { client_secret: "x" }, 401, { error: "access_denied", error_description: "Unauthorized" }],
  ["an unknown client", { client_id: "x" }, 401, { error: "access_denied", error_description: "Unauthorized" }],
  [
    "an unknown audience",
    { audience: "https://other.example/api/v2/" },
    403,
    {
      error: "access_denied",
      error_description: "Service not enabled within domain: https://other.example/api/v2/",
    },
  ],
  [
    "no audience",
    { audience: undefined },
    403,
    {
      error: "access_denied",
      error_description: "No audience parameter was provided, and no default audience has been configured",
    },
  ],
  [
    "a client without a grant",
    { client_id: "ungranted", client_secret: "u" },
    403,
    {
      error: "access_denied",
      error_description:
        `Client is not authorized to access "${AUDIENCE}". You need to create a "client-grant" associated to this API. ` +
        "See: https://auth0.com/docs/api/v2#!/Client_Grants/post_client_grants",
    },
  ],
  [
    "no grant type",
    { grant_type: undefined },
    400,
    { error: "invalid_request", error_description: "Missing required parameter: grant_type" },
  ],
  [
    "another grant type",
    { grant_type: "password" },
    403,
    { error: "unsupported_grant_type", error_description: "Unsupported grant type: password" },
  ],
] as const) {
  test(`a token request with ${title} is ${String(status)} in the OAuth envelope [doc]`, async (t) => {
    const reply = await askForToken(more);

    t.is(reply.status, status);
    t.deepEqual(reply.body, body);
  });
}

test("no Authorization header is 401 Missing authentication, without an errorCode [rec]", async (t) => {
  const reply = await getUser(undefined);

  t.is(reply.status, 401);
  t.deepEqual(reply.body, { statusCode: 401, error: "Unauthorized", message: "Missing authentication" });
  t.is(reply.headers.get("www-authenticate"), "Bearer");
});

test("a malformed Authorization header is 400 Bad HTTP authentication header format [rec]", async (t) => {
  for (const header of ["Bearer", "Bearer a b", "Bearer not-a-jwt"]) {
    const reply = await getUser(header);
    t.is(reply.status, 400, header);
    t.deepEqual(reply.body, {
      statusCode: 400,
      error: "Bad Request",
      message: "Bad HTTP authentication header format",
      errorCode: "Bearer",
    });
  }
});

test("a foreign or tampered token is 401 Invalid signature [doc]", async (t) => {
  const [header = "", payload = "", signature = ""] = token(await askForToken({})).split(".");
  const more = Buffer.from(JSON.stringify({ ...claims(`.${payload}.`), scope: "everything" })).toString("base64url");

  for (const jwt of ["a.b.c", `${header}.${payload}.AAAA`, `${header}.${more}.${signature}`, `${header}..`]) {
    const reply = await getUser(`Bearer ${jwt}`);
    t.is(reply.status, 401);
    t.deepEqual(reply.body, {
      statusCode: 401,
      error: "Unauthorized",
      message: "Invalid signature received for JSON Web Token validation",
      attributes: { error: "Invalid signature received for JSON Web Token validation" },
    });
  }
});

test("a token has its lifetime and no more [doc]", async (t) => {
  const clock = new ManualClock();
  const tenant = await startTestSimulator(t, { clock, switches: { tokenLifetimeSeconds: 60 } });
  t.is((await tenant.api("GET", "/api/v2/users")).status, 200);

  await clock.advance(60_000);

  const reply = await tenant.api("GET", "/api/v2/users");
  t.is(reply.status, 401);
  t.like(reply.body, { message: "Expired token received for JSON Web Token validation" });
});

test("a new client secret ends the tokens that the client has", async (t) => {
  const tenant = await startTestSimulator(t);
  t.is((await tenant.api("GET", "/api/v2/users")).status, 200);

  await tenant.editClient({ client_secret: "rotated" });

  t.is((await tenant.api("GET", "/api/v2/users")).status, 401);
  const audience = `https://${tenant.domain}/api/v2/`;
  const grant = { client_id: tenant.clientId, client_secret: tenant.clientSecret, audience };
  t.is((await askForToken(grant, tenant)).status, 401);
  const renewed = token(await askForToken({ ...grant, client_secret: "rotated" }, tenant));
  const reply = await tenant.request("GET", "/api/v2/users", { headers: { authorization: `Bearer ${renewed}` } });
  t.is(reply.status, 200);
});

test("a token works only at the domain where it was asked for [doc]", async (t) => {
  const tenant = await startTestSimulator(t, { domain: "acme.example" });
  const wrong = await askForToken({ client_id: tenant.clientId, client_secret: tenant.clientSecret }, tenant);
  const foreign = token(await askForToken({}));

  t.is(wrong.status, 403);
  t.is((await tenant.api("GET", "/api/v2/users")).status, 200);
  t.is(claims(await tenant.token())["iss"], "https://acme.example/");
  const reply = await tenant.request("GET", "/api/v2/users", { headers: { authorization: `Bearer ${foreign}` } });
  t.is(reply.status, 401);
});

for (const [method, path, expected] of [
  ["POST", "/api/v2/users", "any of: create:users"],
  ["PATCH", USER, "any of: update:users,update:users_app_metadata,update:current_user_metadata"],
  ["DELETE", USER, "any of: delete:users,delete:current_user"],
  ["POST", `${USER}/identities`, "any of: update:users,update:current_user_identities"],
  ["GET", `${USER}/roles`, "all of: read:users,read:roles,read:role_members"],
  ["GET", "/api/v2/roles/rol_0123456789abcdef/users", "all of: read:users,read:roles"],
] as const) {
  test(`${method} ${path} without the scopes for it is 403 insufficient_scope [rec, oas]`, async (t) => {
    const jwt = token(await askForToken({ client_id: "reader", client_secret: "r" }));

    const headers = { authorization: `Bearer ${jwt}` };
    const reply = await simulator.request(method, path, method === "GET" ? { headers } : { headers, body: {} });

    t.is(reply.status, 403);
    t.deepEqual(reply.body, {
      statusCode: 403,
      error: "Forbidden",
      message: `Insufficient scope, expected ${expected}`,
      errorCode: "insufficient_scope",
    });
  });
}

test("options of connections are shown to those with a scope for them [doc]", async (t) => {
  const jwt = token(await askForToken({ client_id: "reader", client_secret: "r" }));
  const headers = { authorization: `Bearer ${jwt}` };

  const [connection] = (await simulator.request("GET", "/api/v2/connections", { headers })).body as [object];

  t.false("options" in connection);
});
