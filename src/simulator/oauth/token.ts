/** `POST /oauth/token`: an access token for the Management API by client credentials. */
import type { JsonObject } from "../../runtime/json.ts";
import type { Call } from "../call.ts";
import { findHeader, parseBody, type Answer, type SimulatorRequest } from "../http.ts";
import { textIn } from "../json.ts";
import { oauthRefusal, type Refusal } from "../refusal.ts";
import type { Tenant } from "../tenant.ts";
import { signAccessToken } from "./access-token.ts";
import { assertedClientId, ASSERTION_TYPE } from "./client-assertion.ts";
import type { Client } from "./clients.ts";

/** JSON or form; the client named in the body or by HTTP Basic. Error texts as reported, none is recorded. */
export function issueToken({ tenant, request }: Call): Answer {
  const body = parseBody(request);
  checkGrantType(textIn(body, "grant_type"));
  const domain = tenant.domainOf(request);
  const client = authenticatedClient(tenant, request, body, domain);
  const audience = textIn(body, "audience") ?? "";
  checkAudience(audience, domain);
  if (client.scopes === null) {
    throw oauthRefusal(
      403,
      "access_denied",
      `Client is not authorized to access "${audience}". You need to create a "client-grant" associated to this API. ` +
        "See: https://auth0.com/docs/api/v2#!/Client_Grants/post_client_grants",
    );
  }
  const lifetimeSeconds = tenant.switches.tokenLifetimeSeconds;
  return {
    status: 200,
    headers: { "cache-control": "no-store" },
    body: {
      access_token: signAccessToken({
        client,
        clients: tenant.clients,
        audience,
        domain,
        now: tenant.now(),
        lifetimeSeconds,
      }),
      scope: client.scopes.join(" "),
      expires_in: lifetimeSeconds,
      token_type: "Bearer",
    },
  };
}

/** By a signed assertion, by HTTP Basic, or by id and secret in the body. */
function authenticatedClient(tenant: Tenant, request: SimulatorRequest, body: JsonObject, domain: string): Client {
  const { clients, assertions } = tenant;
  const assertion = textIn(body, "client_assertion");
  if (assertion !== undefined) {
    const client = clients.find(assertedClientId(assertion));
    if (!client || body["client_assertion_type"] !== ASSERTION_TYPE) throw unauthorized();
    assertions.check(assertion, client, domain, tenant.now());
    return client;
  }
  const { clientId, clientSecret } = findBasicCredentials(request) ?? bodyCredentials(body);
  const client = clients.find(clientId);
  if (client?.clientSecret !== clientSecret || client.publicKey !== undefined) throw unauthorized();
  return client;
}

function unauthorized(): Refusal {
  return oauthRefusal(401, "access_denied", "Unauthorized");
}

function checkGrantType(grantType: string | undefined): void {
  if (grantType === undefined) throw oauthRefusal(400, "invalid_request", "Missing required parameter: grant_type");
  if (grantType === "client_credentials") return;
  throw oauthRefusal(403, "unsupported_grant_type", `Unsupported grant type: ${grantType}`);
}

interface Credentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

function findBasicCredentials(request: SimulatorRequest): Credentials | undefined {
  const [scheme, encoded = ""] = (findHeader(request, "authorization") ?? "").split(" ");
  if (scheme?.toLowerCase() !== "basic") return undefined;
  const [clientId = "", ...secret] = Buffer.from(encoded, "base64").toString().split(":");
  return { clientId: formDecoded(clientId), clientSecret: formDecoded(secret.join(":")) };
}

/** RFC 6749 2.3.1 has both parts form-encoded before they are put together. */
function formDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}

function bodyCredentials(body: JsonObject): Credentials {
  return { clientId: textIn(body, "client_id") ?? "", clientSecret: textIn(body, "client_secret") ?? "" };
}

function checkAudience(audience: string, domain: string): void {
  if (audience === "") {
    throw oauthRefusal(
      403,
      "access_denied",
      "No audience parameter was provided, and no default audience has been configured",
    );
  }
  if (audience === `https://${domain}/api/v2/` || audience === `http://${domain}/api/v2/`) return;
  throw oauthRefusal(403, "access_denied", `Service not enabled within domain: ${audience}`);
}
