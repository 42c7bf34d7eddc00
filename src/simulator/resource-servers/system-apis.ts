/** APIs of Auth0's own: one asks for them by identifier, and what they are is not for choosing (recorded). */
import type { JsonObject } from "../../runtime/json.ts";

const EXPRESS_CONFIGURATION: JsonObject = {
  name: "Okta OIN Express Configuration API",
  scopes: [
    { value: "express_configure:sso", description: "Ability to create SSO configurations" },
    { value: "express_configure:scim", description: "Ability to create scim configurations" },
  ],
  signing_alg: "RS256",
  allow_offline_access: false,
  token_lifetime: 300,
  token_lifetime_for_web: 7200,
  skip_consent_for_verifiable_first_party_clients: false,
  enforce_policies: true,
  is_system: true,
  subject_type_authorization: { user: { policy: "allow_all" }, client: { policy: "deny_all" } },
};

const MY_ACCOUNT: JsonObject = {
  name: "Auth0 My Account API",
  scopes: [
    { value: "create:me:connected_accounts", description: "Create Connected Accounts" },
    { value: "read:me:connected_accounts", description: "Read Connected Accounts" },
    { value: "delete:me:connected_accounts", description: "Delete Connected Accounts" },
  ],
  signing_alg: "RS256",
  allow_offline_access: true,
  token_lifetime: 600,
  token_lifetime_for_web: 600,
  skip_consent_for_verifiable_first_party_clients: true,
  is_system: true,
  proof_of_possession: { mechanism: "dpop", required: false },
};

/** @param domain the tenant's */
export function findSystemApi(identifier: string, domain: string): JsonObject | undefined {
  if (identifier === "urn:auth0:express-configure") return EXPRESS_CONFIGURATION;
  return identifier === `https://${domain}/me/` ? MY_ACCOUNT : undefined;
}
