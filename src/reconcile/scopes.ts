/**
 * Which scope of the Management API is needed for what. The client needs those of the first row and of the features that are
 * used; a scope that is missing stops its feature and nothing else. `docs/scopes.md` is generated from this table, and the
 * end-to-end tests run with exactly these scopes.
 *
 * Never among them: `read:user_idp_tokens`, with which every read of a user would bring along the tokens of its identity
 * providers.
 */

export interface FeatureScopes {
  readonly feature: string;
  readonly scopes: readonly string[];
  /** What happens where they are missing. */
  readonly without: string;
}

export const SCOPES: readonly FeatureScopes[] = [
  {
    feature: "Users: create, compare, change, delete",
    scopes: ["create:users", "read:users", "update:users", "delete:users"],
    without: "`InsufficientScope`, with the scope's name; what needs another of them goes on.",
  },
  {
    feature: "Connections: what is writable, usernames, password policies",
    scopes: ["read:connections", "read:connections_options"],
    without: "Nothing is known of connections: Auth0 is asked, and its refusal is reported.",
  },
  {
    feature: "`roles`",
    scopes: ["read:roles", "read:role_members", "create:role_members", "delete:role_members"],
    without: "`InsufficientScope`; the rest of the user is brought about.",
  },
  {
    feature: "`permissions`",
    scopes: ["read:users", "update:users"],
    without: "`InsufficientScope`; the rest of the user is brought about.",
  },
  {
    feature: "`organizations`",
    scopes: ["read:organizations", "create:organization_members", "delete:organization_members"],
    without: "`InsufficientScope`; the rest of the user is brought about.",
  },
  {
    feature: "`organizations`, with roles in them",
    scopes: [
      "read:roles",
      "read:organization_member_roles",
      "create:organization_member_roles",
      "delete:organization_member_roles",
    ],
    without: "`InsufficientScope`; the rest of the user is brought about.",
  },
  {
    feature: "Actions `verification-email`, `unblock`, `resend-password`",
    scopes: ["update:users"],
    without: "The action is `Failed`, with the scope's name.",
  },
  {
    feature: "Action `password-change-ticket`",
    scopes: ["create:user_tickets"],
    without: "The action is `Failed`, with the scope's name.",
  },
  {
    feature: "Action `revoke-access`",
    scopes: ["delete:sessions", "delete:refresh_tokens"],
    without: "The action is `Failed`, with the scope's name.",
  },
];

/** Every scope that any feature needs, once. */
export const ALL_SCOPES: readonly string[] = [...new Set(SCOPES.flatMap(({ scopes }) => scopes))];
