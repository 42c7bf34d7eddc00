/** Applications, their credentials and grants. [rec] recorded, [oas] in the OpenAPI document, [doc] documented. */
import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import test from "ava";
import { openTestSimulator, startTestSimulator, type Reply } from "../support/start-simulator.ts";

const simulator = await openTestSimulator();
test.after.always(() => simulator.close());

const api = (method: string, path: string, body?: unknown): Promise<Reply> =>
  simulator.api(method, `/api/v2${path}`, body);

let made = 0;

interface Client {
  readonly client_id: string;
  readonly client_secret: string;
}

async function newClient(more: object = {}): Promise<Client> {
  return (await api("POST", "/clients", { name: `client ${String(made++)}`, ...more })).body as Client;
}

async function newApi(): Promise<string> {
  const identifier = `https://api-${String(made++)}.example.com/`;
  await api("POST", "/resource-servers", { identifier, scopes: [{ value: "read:books" }] });
  return identifier;
}

async function newGrant(more: object = {}): Promise<{ readonly id: string; readonly client_id: string }> {
  const { client_id } = await newClient();
  const grant = { client_id, audience: await newApi(), scope: ["read:books"], ...more };
  return (await api("POST", "/client-grants", grant)).body as { id: string; client_id: string };
}

async function newOrganization(): Promise<string> {
  return ((await api("POST", "/organizations", { name: `org-${String(made++)}` })).body as { id: string }).id;
}

const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pem = publicKey.export({ type: "spki", format: "pem" });

test("a new application is shown with its secret and the defaults [rec]", async (t) => {
  const { status, body } = await api("POST", "/clients", { name: "My app", organization_usage: "allow" });

  const { client_id, client_secret, ...rest } = body as Client & object;
  t.is(status, 201);
  t.regex(client_id, /^[A-Za-z0-9]{32}$/);
  t.is(client_secret.length, 64);
  t.deepEqual(rest, {
    name: "My app",
    is_first_party: true,
    is_token_endpoint_ip_header_trusted: false,
    oidc_conformant: false,
    jwt_configuration: { secret_encoded: false, lifetime_in_seconds: 36_000 },
    sso_disabled: false,
    cross_origin_authentication: false,
    grant_types: ["authorization_code", "implicit", "refresh_token", "client_credentials"],
    custom_login_page_on: true,
    refresh_token: {
      rotation_type: "non-rotating",
      expiration_type: "non-expiring",
      leeway: 0,
      token_lifetime: 2_592_000,
      infinite_token_lifetime: true,
      infinite_idle_token_lifetime: true,
      idle_token_lifetime: 1_296_000,
    },
    organization_usage: "allow",
  });
  t.deepEqual((await api("GET", `/clients/${client_id}`)).body, body);
});

test("an application without a name is 400", async (t) => {
  const { body } = await api("POST", "/clients", {});

  t.like(body, { message: "Payload validation error: 'Missing required property: name'.", errorCode: "invalid_body" });
});

test("PATCH changes what it names, removes what is null, and refuses the id [rec]", async (t) => {
  const { client_id } = await newClient({ description: "old", refresh_token: { leeway: 5 } });
  const path = `/clients/${client_id}`;

  t.is((await api("PATCH", path, { client_id: "another" })).status, 400);
  const { status, body } = await api("PATCH", path, { description: "new", refresh_token: null });

  t.is(status, 200);
  t.like(body, { client_id, description: "new", is_first_party: true });
  t.false("refresh_token" in (body as object));
});

test("DELETE of an application is 204, also of an unknown one [rec], and disables it on connections", async (t) => {
  const { client_id } = await newClient();
  const connection = { name: `c-${String(made++)}`, strategy: "auth0", enabled_clients: [client_id] };
  const { id } = (await api("POST", "/connections", connection)).body as { id: string };
  t.like((await api("GET", `/clients/${client_id}/connections`)).body, { connections: [{ id }] });

  t.is((await api("DELETE", `/clients/${client_id}`)).status, 204);
  t.is((await api("DELETE", `/clients/${client_id}`)).status, 204);

  t.is((await api("GET", `/clients/${client_id}`)).status, 404);
  t.like((await api("GET", `/connections/${id}`)).body, { enabled_clients: [] });
});

test("rotate-secret gives another secret [rec], and no secret stands in the tenant's log", async (t) => {
  const { client_id, client_secret } = await newClient();

  const rotated = (await api("POST", `/clients/${client_id}/rotate-secret`)).body as Client;
  const log = JSON.stringify((await api("GET", "/logs?per_page=100")).body);

  t.not(rotated.client_secret, client_secret);
  t.false(log.includes(client_secret) || log.includes(rotated.client_secret));
});

test("credentials that come with an application get ids, and their PEM is not shown [rec]", async (t) => {
  const credentials = [{ name: "first", credential_type: "public_key", pem }];
  const client = await newClient({ client_authentication_methods: { private_key_jwt: { credentials } } });
  const path = `/clients/${client.client_id}/credentials`;

  const second = await api("POST", path, { name: "second", credential_type: "public_key", pem });
  const listed = (await api("GET", `${path}?include_totals=true`)).body as object[];

  t.is(second.status, 201);
  t.like(listed, [{ name: "first", credential_type: "public_key", alg: "RS256" }, { name: "second" }]);
  t.false(JSON.stringify([client, second.body, listed]).includes("BEGIN"));
  const { id } = second.body as { id: string };
  const expires_at = "2030-01-01T00:00:00.000Z";
  t.like((await api("PATCH", `${path}/${id}`, { expires_at })).body, { id, expires_at });
  t.is((await api("DELETE", `${path}/${id}`)).status, 204);
  t.is((await api("GET", `${path}/${id}`)).status, 404);
  t.is((await api("POST", path, { credential_type: "public_key", pem: "no key" })).status, 400);
});

test("an application whose key is a credential proves itself with it, until that is deleted [doc]", async (t) => {
  const credentials = [{ credential_type: "public_key", pem }];
  const { client_id } = await newClient({ client_authentication_methods: { private_key_jwt: { credentials } } });
  const audience = `https://${simulator.domain}/api/v2/`;
  await api("POST", "/client-grants", { client_id, audience, scope: ["read:users"] });
  await api("PATCH", `/clients/${client_id}`, { description: "still the same key" });
  const ask = async (): Promise<number> => {
    const claims = { iss: client_id, sub: client_id, aud: `https://${simulator.domain}/`, jti: randomUUID() };
    const exp = Math.floor(Date.now() / 1000) + 60;
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const content = `${part({ alg: "RS256" })}.${part({ ...claims, exp })}`;
    const client_assertion = `${content}.${sign("sha256", Buffer.from(content), privateKey).toString("base64url")}`;
    const client_assertion_type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    const grant = { grant_type: "client_credentials", audience, client_assertion, client_assertion_type };
    return (await simulator.request("POST", "/oauth/token", { body: grant })).status;
  };

  t.is(await ask(), 200);
  const path = `/clients/${client_id}/credentials`;
  const [credential] = (await api("GET", path)).body as { id: string }[];
  await api("DELETE", `${path}/${credential?.id ?? ""}`);
  t.is(await ask(), 401);
});

test("an application gets no token for this API before a grant says so [doc]", async (t) => {
  const { client_id, client_secret } = await newClient();
  const ask = (): Promise<Reply> =>
    simulator.request("POST", "/oauth/token", {
      body: {
        grant_type: "client_credentials",
        client_id,
        client_secret,
        audience: `https://${simulator.domain}/api/v2/`,
      },
    });

  t.is((await ask()).status, 403);
  const grant = { client_id, audience: `https://${simulator.domain}/api/v2/`, scope: ["read:users"] };
  const { id } = (await api("POST", "/client-grants", grant)).body as { id: string };
  t.like((await ask()).body, { scope: "read:users" });
  await api("PATCH", `/client-grants/${id}`, { scope: ["read:users", "read:roles"] });
  t.like((await ask()).body, { scope: "read:users read:roles" });
  await api("DELETE", `/client-grants/${id}`);
  t.is((await ask()).status, 403);
});

test("grants are found by application; whose they are is not for changing [rec]", async (t) => {
  const grant = await newGrant({ subject_type: "user" });
  const path = `/client-grants/${grant.id}`;

  t.regex(grant.id, /^cgr_[A-Za-z0-9]{16}$/);
  t.like((await api("GET", `/client-grants?client_id=${grant.client_id}&include_totals=true`)).body, {
    total: 1,
    client_grants: [{ id: grant.id, subject_type: "user" }],
  });
  t.is((await api("PATCH", path, { audience: "https://other.example.com/" })).status, 400);
  t.is((await api("DELETE", path)).status, 204);
  t.like((await api("GET", path)).body, { statusCode: 404, errorCode: "inexistent_client_grant" });
});

test("an application of type express_configuration cannot be granted anything [rec]", async (t) => {
  const { client_id } = await newClient({ app_type: "express_configuration" });

  const { body } = await api("POST", "/client-grants", { client_id, audience: await newApi() });

  t.like(body, { message: "Client of type express_configuration cannot be used", errorCode: "validation_error" });
});

test("grants of an organization come and go, and its applications are found by them [rec]", async (t) => {
  const [{ id, client_id }, organization] = [await newGrant({ organization_usage: "allow" }), await newOrganization()];
  const path = `/organizations/${organization}/client-grants`;

  const added = await api("POST", path, { grant_id: id });

  t.is(added.status, 201);
  t.like(added.body, { grant_id: id, client_id });
  t.like((await api("GET", path)).body, [{ id, subject_type: "client" }]);
  t.like((await api("GET", `/client-grants/${id}/organizations`)).body, [{ id: organization }]);
  const q = encodeURIComponent(`client_grant.organization_id:${organization}`);
  t.like((await api("GET", `/clients?q=${q}&take=50`)).body, { clients: [{ client_id }] });
  t.is((await api("DELETE", `${path}/${id}`)).status, 204);
  t.deepEqual((await api("GET", `${path}?grant_ids=${id}`)).body, []);
});

test("an API that is an application names it [rec]", async (t) => {
  const identifier = await newApi();
  const { client_id } = await newClient({ app_type: "resource_server", resource_server_identifier: identifier });

  t.like((await api("GET", `/resource-servers/${encodeURIComponent(identifier)}`)).body, { client_id });
});

test("an API of Auth0's own is what it is, whatever is sent [rec]", async (t) => {
  const sent = { identifier: "urn:auth0:express-configure", name: "Mine" };
  const { body } = await api("POST", "/resource-servers", sent);

  t.like(body, { name: "Okta OIN Express Configuration API", is_system: true, token_lifetime: 300 });
  const { id } = body as { id: string };
  t.is((await api("PATCH", `/resource-servers/${id}`, { name: "Mine" })).status, 400);
});

test("applications, grants and credentials are part of the state that can be kept", async (t) => {
  const credentials = [{ name: "kept", credential_type: "public_key", pem }];
  const { client_id } = await newClient({ client_authentication_methods: { private_key_jwt: { credentials } } });
  await api("POST", "/client-grants", { client_id, audience: await newApi(), scope: ["read:books"] });
  const other = await startTestSimulator(t);

  const { body } = await simulator.request("GET", "/_simulator/state");
  t.is((await other.request("PUT", "/_simulator/state", { body })).status, 204);

  const { clientId, clientSecret } = other;
  const asked = await other.request("POST", "/oauth/token", {
    body: {
      grant_type: "client_credentials",
      client_id: clientId,
      client_secret: clientSecret,
      audience: `https://${other.domain}/api/v2/`,
    },
  });
  const authorization = `Bearer ${(asked.body as { access_token: string }).access_token}`;
  const read = async (path: string): Promise<unknown> =>
    (await other.request("GET", `/api/v2${path}`, { headers: { authorization } })).body;
  t.like(await read(`/clients/${client_id}/credentials`), [{ name: "kept" }]);
  t.like(await read(`/client-grants?client_id=${client_id}`), [{ client_id }]);
});
