/**
 * Which calls are known, and from where. Facts: what occurs in recordings of Auth0's own Terraform provider and Go SDK
 * (78 files of 2022 to 2026), what those, its command line and its Node SDK were seen to send, and what the OpenAPI document
 * of June 2026 has for users.
 */

type Rows = readonly (readonly [path: string, methods: string])[];

/** `{}` stands for whatever names something. */
export const RECORDED: Rows = [
  ["/connections", "GET POST"],
  ["/connections/{}", "DELETE GET"],
  ["/event-streams", "POST"],
  ["/event-streams/{}", "DELETE"],
  ["/event-streams/{}/deliveries", "GET"],
  ["/event-streams/{}/deliveries/{}", "GET"],
  ["/event-streams/{}/redeliver", "POST"],
  ["/event-streams/{}/redeliver/{}", "POST"],
  ["/event-streams/{}/test", "POST"],
  ["/jobs/{}", "GET"],
  ["/jobs/users-imports", "POST"],
  ["/jobs/users-exports", "POST"],
  ["/jobs/verification-email", "POST"],
  ["/jobs/{}/errors", "GET"],
  ["/logs", "GET"],
  ["/logs/{}", "GET"],
  ["/organizations", "GET POST"],
  ["/organizations/{}", "DELETE GET PATCH"],
  ["/organizations/{}/members", "DELETE GET POST"],
  ["/organizations/{}/members/{}/roles", "DELETE GET POST"],
  ["/resource-servers", "POST"],
  ["/resource-servers/{}", "DELETE GET PATCH"],
  ["/roles", "GET POST"],
  ["/roles/{}", "DELETE GET"],
  ["/roles/{}/permissions", "DELETE GET POST"],
  ["/roles/{}/users", "GET POST"],
  ["/tickets/email-verification", "POST"],
  ["/tickets/password-change", "POST"],
  ["/user-blocks", "DELETE GET"],
  ["/user-blocks/{}", "DELETE GET"],
  ["/users", "GET POST"],
  ["/users-by-email", "GET"],
  ["/users/{}", "DELETE GET PATCH"],
  ["/users/{}/authentication-methods", "DELETE GET POST PUT"],
  ["/users/{}/authentication-methods/{}", "DELETE GET PATCH"],
  ["/users/{}/connected-accounts", "GET"],
  ["/users/{}/enrollments", "GET"],
  ["/users/{}/federated-connections-tokensets", "GET"],
  ["/users/{}/federated-connections-tokensets/{}", "DELETE"],
  ["/users/{}/identities", "POST"],
  ["/users/{}/identities/auth0/{}", "DELETE"],
  ["/users/{}/logs", "GET"],
  ["/users/{}/multifactor/actions/invalidate-remember-browser", "POST"],
  ["/users/{}/organizations", "GET"],
  ["/users/{}/permissions", "DELETE GET POST"],
  ["/users/{}/recovery-code-regeneration", "POST"],
  ["/users/{}/risk-assessments/clear", "POST"],
  ["/users/{}/roles", "DELETE GET POST"],
  ["/users/{}/sessions", "DELETE GET"],
];

/** What clients send besides. */
export const SENT: Rows = [
  ["/connections/{}/clients", "GET"],
  ["/organizations/name/{}", "GET"],
  ["/users/{}/refresh-tokens", "GET DELETE"],
];

/** What the OpenAPI document has for users besides. */
export const DOCUMENTED: Rows = [
  ["/connections/{}/status", "GET"],
  ["/roles/{}", "PATCH"],
  ["/users/{}/authenticators", "DELETE"],
  ["/users/{}/multifactor/{}", "DELETE"],
  ["/users/{}/revoke-access", "POST"],
];
