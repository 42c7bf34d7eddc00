/** People who sign up by themselves, and clients that sign who they are. The bodies of refusals are modelled. */
import { createSign, generateKeyPairSync } from "node:crypto";
import test from "ava";
import { startTestSimulator, type Reply, type TestSimulator } from "../support/start-simulator.ts";

const DATABASE = "Username-Password-Authentication";
const PERSON = { connection: DATABASE, email: "Kim@example.com", password: "some password" };

const signUp = (tenant: TestSimulator, body: object): Promise<Reply> =>
  tenant.request("POST", "/dbconnections/signup", { body: { client_id: tenant.clientId, ...body } });

test("a person signs up without a token; the answer has the id, the address, and what was sent", async (t) => {
  const tenant = await startTestSimulator(t, { switches: { logLagMs: 0 } });

  const reply = await signUp(tenant, { ...PERSON, given_name: "Kim", user_metadata: { plan: "free" } });

  t.is(reply.status, 200);
  const { _id, ...rest } = reply.body as Record<string, unknown>;
  t.regex(String(_id), /^[0-9a-f]{24}$/);
  t.deepEqual(rest, {
    email: "kim@example.com",
    email_verified: false,
    given_name: "Kim",
    user_metadata: { plan: "free" },
  });
  t.like(await tenant.user(`auth0|${String(_id)}`), { email: "kim@example.com", given_name: "Kim" });
  t.like((await tenant.api("GET", "/api/v2/logs")).body, [{ type: "ss", user_id: `auth0|${String(_id)}` }]);
});

test("after that a POST for the address is 409", async (t) => {
  const tenant = await startTestSimulator(t);
  await signUp(tenant, PERSON);

  t.like((await tenant.api("POST", "/api/v2/users", PERSON)).body, { statusCode: 409, errorCode: "auth0_idp_error" });
});

test("a taken address, a weak password, a foreign client and a closed database are 400 with a code", async (t) => {
  const tenant = await startTestSimulator(t, {
    connections: [
      { name: DATABASE, options: { passwordPolicy: "fair" } },
      { name: "closed", options: { disable_signup: true, passwordPolicy: "none" } },
    ],
  });
  const codeOf = async (body: object): Promise<unknown> => {
    const reply = await signUp(tenant, { ...PERSON, password: "Some-Passw0rd!", ...body });
    return [reply.status, (reply.body as { code?: string }).code];
  };

  t.deepEqual(await codeOf({ password: "weak" }), [400, "invalid_password"]);
  t.deepEqual(await codeOf({}), [200, undefined]);
  t.deepEqual(await codeOf({}), [400, "invalid_signup"]);
  t.deepEqual(await codeOf({ email: "no address" }), [400, "invalid_signup"]);
  t.deepEqual(await codeOf({ client_id: "another" }), [400, "invalid_request"]);
  t.deepEqual(await codeOf({ connection: "closed" }), [400, "invalid_signup"]);
});

const { publicKey, privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url");

function assertion(claims: object, alg = "RS256"): string {
  const content = `${encode({ alg, typ: "JWT" })}.${encode(claims)}`;
  return `${content}.${createSign("sha256").update(content).sign(privateKey, "base64url")}`;
}

test("a client proves itself by private_key_jwt, and each wrong claim is a 401 [doc]", async (t) => {
  const client = { clientId: "signing", clientSecret: "unused", publicKey };
  const tenant = await startTestSimulator(t, { clients: [client], domain: "acme.eu.auth0.com" });
  const nowSeconds = Math.floor(Date.now() / 1000);
  let drawn = 0;
  const claims = (): Record<string, unknown> => ({
    iss: "signing",
    sub: "signing",
    aud: "https://acme.eu.auth0.com/",
    exp: nowSeconds + 60,
    jti: String(drawn++),
  });
  const ask = (client_assertion: string): Promise<Reply> =>
    tenant.request("POST", "/oauth/token", {
      body: {
        grant_type: "client_credentials",
        audience: "https://acme.eu.auth0.com/api/v2/",
        client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        client_assertion,
      },
    });
  const once = assertion(claims());
  const reasons: (readonly [string, RegExp])[] = [
    [once, /jti has been used before/],
    [assertion({ ...claims(), aud: "https://acme.eu.auth0.com" }), /aud must be the string/],
    [assertion({ ...claims(), aud: ["https://acme.eu.auth0.com/"] }), /aud must be the string/],
    [assertion({ ...claims(), iss: "another" }), /iss and sub/],
    [assertion({ ...claims(), exp: nowSeconds - 1 }), /expired/],
    [assertion({ ...claims(), exp: nowSeconds + 3600 }), /5 minutes/],
    [assertion({ ...claims(), jti: undefined }), /jti is missing/],
    [assertion(claims(), "HS256"), /alg must be one of/],
    [`${assertion(claims()).slice(0, -8)}AAAAAAAA`, /the signature is wrong/],
  ];

  t.is((await ask(once)).status, 200);
  for (const [wrong, reason] of reasons) {
    const reply = await ask(wrong);
    t.is(reply.status, 401);
    t.regex((reply.body as { error_description: string }).error_description, reason);
  }
  const secret = { grant_type: "client_credentials", client_id: "signing", client_secret: "unused" };
  t.is((await tenant.request("POST", "/oauth/token", { body: secret })).status, 401);
});
