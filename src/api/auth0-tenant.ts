/**
 * Auth0Tenant and ClusterAuth0Tenant as people write them: where a tenant is, how the operator proves to it who it is, and
 * what the namespaces that use it may declare there. The two kinds differ in whom they serve: their own namespace, or those
 * that the grants name.
 */
import type { Infer, K8sSchema } from "./k8s-schema.ts";
import { CONDITION } from "./condition.ts";
import { TENANT_PLANS } from "../core/tenant-plan.ts";
import { DURATION_PATTERN, syncIntervalRule } from "./duration.ts";

const names = (maxLength: number, description: string) =>
  ({
    type: "array",
    maxItems: 100,
    "x-kubernetes-list-type": "set",
    items: { type: "string", minLength: 1, maxLength },
    description,
  }) as const;

const flag = (description: string) => ({ type: "boolean", description }) as const;

/** What identifies is open unless narrowed; what gives power is closed unless listed. */
const GRANTED = {
  connections: names(128, "The connections whose users may be declared. Default: all."),
  emailDomains: names(
    253,
    "The domains of the addresses that may be declared: example.com, or *.example.com for those below it. Naming any makes spec.email required. Default: all.",
  ),
  roles: names(
    300,
    'Roles that may be declared, by name or id, whichever the users use; a name stands for the role that has it at the time. ["*"] for all. Default: none.',
  ),
  organizations: names(300, 'Organizations, likewise; ["*"] for all. Default: none.'),
  permissions: names(
    600,
    'Permissions, each as the API\'s identifier, a blank and the name: "https://api.example.com read:reports"; ["*"] for all. Default: none.',
  ),
  appMetadataKeys: names(
    300,
    'First-level keys of app_metadata that may be declared, since applications take rights from them; ["*"] for all. Default: none.',
  ),
  emailVerified: flag("Whether addresses and numbers may be declared confirmed. Default: false."),
  adopt: flag("Whether existing users may be taken over. Default: false."),
  passwordOnAdopted: flag("Whether the password of a user that was taken over may be set. Default: false."),
} as const;

/** The twin of the rule on a grant's namespaces: a file is read without an API server. */
export const NAMESPACES_MESSAGE = "from: Names goes with names, from: Selector with selector, from: All with neither";

export function isNamespacesRuleKept(granted: {
  readonly from: string;
  readonly names?: readonly string[] | undefined;
  readonly selector?: object | undefined;
}): boolean {
  return (
    (granted.from === "Names") === (granted.names !== undefined) &&
    (granted.from === "Selector") === (granted.selector !== undefined)
  );
}

const NAMESPACES = {
  type: "object",
  description: "The namespaces that this is granted to.",
  required: ["from"],
  properties: {
    from: {
      type: "string",
      enum: ["All", "Names", "Selector"],
      description: "All of them, those in names, or those whose labels selector matches.",
    },
    names: names(63, "With Names."),
    selector: {
      type: "object",
      description: "With Selector.",
      required: ["matchLabels"],
      properties: {
        matchLabels: {
          type: "object",
          maxProperties: 20,
          additionalProperties: { type: "string", maxLength: 63 },
          description: "Labels that the namespace must have, all of them.",
        },
      },
    },
  },
  "x-kubernetes-validations": [
    {
      rule: "(self.from == 'Names') == has(self.names) && (self.from == 'Selector') == has(self.selector)",
      message: NAMESPACES_MESSAGE,
    },
  ],
} as const satisfies K8sSchema;

const grants = <P extends Readonly<Record<string, K8sSchema>>, R extends readonly string[]>(
  item: { readonly properties: P; readonly required: R },
  description: string,
) =>
  ({
    type: "array",
    maxItems: 50,
    "x-kubernetes-list-type": "atomic",
    items: { type: "object", ...item },
    description,
  }) as const;

const PROTECTION = {
  type: "object",
  description: "What stops a mistake from becoming a disaster.",
  properties: {
    maxDeletesPerHour: {
      "x-kubernetes-int-or-string": true,
      pattern: "^(100|[0-9]{1,2})%$",
      minimum: 0,
      description:
        "How many users may be deleted within any hour, as a number or as a share of the tenant's declared users (10%); beyond that deletions pause until they are confirmed. Default: the greater of 100 and 10%.",
    },
    maxChangesPerHour: {
      "x-kubernetes-int-or-string": true,
      pattern: "^(100|[0-9]{1,2})%$",
      minimum: 1,
      description:
        "How many users may have the same attribute (or userMetadata, or appMetadata) changed within any hour, likewise; beyond that changes of it pause until they are confirmed. Default: no limit.",
    },
  },
} as const satisfies K8sSchema;

const USER_MARKERS = {
  type: "string",
  enum: ["AsNeeded", "All"],
  description:
    "Which users bear the operator's marker, app_metadata.auth0_user_operator, by which operators of other clusters notice them: AsNeeded those that were taken over and those whose id Auth0 chose, All each one. Default: AsNeeded.",
} as const satisfies K8sSchema;

const SHARE_PATTERN = "^(100|[1-9][0-9]?)%$";

const QUOTA = {
  type: "object",
  description: "The tenant's rate limits, which it shares with your own applications.",
  properties: {
    plan: {
      type: "string",
      enum: TENANT_PLANS,
      description:
        "The tenant's plan, so that its limits are known from the first call on. Default: they are learned from its answers.",
    },
    share: {
      type: "string",
      maxLength: 4,
      pattern: SHARE_PATTERN,
      description:
        "The part of the limits that the operator may use: 50%. Of several objects that name one tenant the least counts. Default: 100%.",
    },
  },
} as const satisfies K8sSchema;

const DRIFT = {
  type: "object",
  description: "How changes are noticed that somebody makes at Auth0.",
  properties: {
    fullScanInterval: {
      type: "string",
      maxLength: 20,
      pattern: DURATION_PATTERN,
      description:
        "How often each user is compared with Auth0 where its own syncInterval does not say, from 10s to 720h. Default: the operator's --sync-interval.",
    },
  },
  "x-kubernetes-validations": [syncIntervalRule("fullScanInterval")],
} as const satisfies K8sSchema;

const DOMAIN = {
  type: "string",
  maxLength: 253,
  pattern: "^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?[.])+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(:[0-9]{1,5})?$",
  description:
    "The tenant's own domain, such as acme.eu.auth0.com, not a custom one. The installer allows it by --allowed-tenant-domains. Immutable.",
} as const satisfies K8sSchema;

const CUSTOM_DOMAIN = {
  type: "string",
  minLength: 3,
  maxLength: 253,
  pattern: "^([a-zA-Z0-9-]+[.])+[a-zA-Z0-9-]+$",
  description: "Which of the tenant's custom domains mails and tickets name, where it has several and none by default.",
} as const satisfies K8sSchema;

const SECRET_NAME = {
  type: "string",
  minLength: 1,
  maxLength: 253,
  pattern: "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$",
  description: "Name of the Secret.",
} as const satisfies K8sSchema;

const CREDENTIALS_HELP =
  "A Secret, labelled auth0-user-operator.dev/use=credentials, with the keys clientId and clientSecret, or clientId and privateKey (PEM), or token (a Management API token as it is).";

const RULES = [{ rule: "self.domain == oldSelf.domain", message: "domain is immutable: declare another tenant" }];

export const AUTH0_TENANT_SPEC = {
  type: "object",
  description: "A tenant for the users of this namespace.",
  required: ["domain", "credentials"],
  properties: {
    domain: DOMAIN,
    customDomain: CUSTOM_DOMAIN,
    credentials: {
      type: "object",
      description: "How the operator proves to the tenant who it is.",
      required: ["secretRef"],
      properties: {
        secretRef: {
          type: "object",
          required: ["name"],
          description: `${CREDENTIALS_HELP} It stands in the namespace of this resource.`,
          properties: { name: SECRET_NAME },
        },
      },
    },
    grants: grants(
      { properties: GRANTED, required: [] },
      "What users of this namespace may declare. Without grants: everything.",
    ),
    protection: PROTECTION,
    userMarkers: USER_MARKERS,
    quota: QUOTA,
    drift: DRIFT,
  },
  "x-kubernetes-validations": RULES,
} as const satisfies K8sSchema;

export const CLUSTER_AUTH0_TENANT_SPEC = {
  type: "object",
  description: "A tenant for the users of the namespaces that it grants something to.",
  required: ["domain", "credentials"],
  properties: {
    domain: DOMAIN,
    customDomain: CUSTOM_DOMAIN,
    credentials: {
      type: "object",
      description: "How the operator proves to the tenant who it is.",
      required: ["secretRef"],
      properties: {
        secretRef: {
          type: "object",
          required: ["name", "namespace"],
          description: CREDENTIALS_HELP,
          properties: {
            name: SECRET_NAME,
            namespace: { type: "string", minLength: 1, maxLength: 63, description: "Where the Secret stands." },
          },
        },
      },
    },
    grants: grants(
      { properties: { namespaces: NAMESPACES, ...GRANTED }, required: ["namespaces"] },
      "What users of which namespaces may declare. Without grants: nothing.",
    ),
    protection: PROTECTION,
    userMarkers: USER_MARKERS,
    quota: QUOTA,
    drift: DRIFT,
  },
  "x-kubernetes-validations": RULES,
} as const satisfies K8sSchema;

/** What a file may say of the tenant that the process itself is given. */
export const DEFAULT_TENANT_SETTINGS = {
  type: "object",
  properties: { grants: CLUSTER_AUTH0_TENANT_SPEC.properties.grants },
} as const satisfies K8sSchema;

export const AUTH0_TENANT_STATUS = {
  type: "object",
  description: "What was found. Only the operator writes it.",
  properties: {
    observedGeneration: {
      type: "integer",
      format: "int64",
      minimum: 0,
      description: "The generation of the spec that this status speaks of.",
    },
    conditions: {
      type: "array",
      maxItems: 16,
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["type"],
      items: CONDITION,
      description: "Ready; DeletionPaused, Reconciling and Stalled only while true.",
    },
    scopes: {
      type: "array",
      maxItems: 300,
      "x-kubernetes-list-type": "atomic",
      items: { type: "string", maxLength: 100 },
      description: "What the operator's client may do at the tenant, as Auth0 names it.",
    },
    can: { type: "string", maxLength: 1000, description: "What the scopes make possible, in words." },
    cannot: { type: "string", maxLength: 1000, description: "What they do not, and which scope would." },
    tokenExpiresAt: { type: "string", format: "date-time", description: "When the present access token ends." },
    users: {
      type: "object",
      description: "The Auth0Users that name this tenant.",
      required: ["total", "ready", "reasons"],
      properties: {
        total: { type: "integer", minimum: 0, description: "How many there are." },
        ready: { type: "string", maxLength: 30, description: "How many of them are Ready: 9/10." },
        reasons: {
          type: "array",
          maxItems: 100,
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["reason"],
          description: "How many stand at which reason of their Ready condition.",
          items: {
            type: "object",
            required: ["reason", "count"],
            properties: {
              reason: { type: "string", maxLength: 1024 },
              count: { type: "integer", minimum: 1 },
            },
          },
        },
      },
    },
    protection: {
      type: "string",
      maxLength: 16384,
      description: "The operator's notes for spec.protection: what was deleted and changed within the last hour.",
    },
  },
} as const satisfies K8sSchema;

export type Auth0TenantSpec = Infer<typeof AUTH0_TENANT_SPEC>;
export type ClusterAuth0TenantSpec = Infer<typeof CLUSTER_AUTH0_TENANT_SPEC>;
export type DefaultTenantSettings = Infer<typeof DEFAULT_TENANT_SETTINGS>;
export type Auth0TenantStatus = Infer<typeof AUTH0_TENANT_STATUS>;

export const TENANT_KIND = "Auth0Tenant";
export const TENANT_PLURAL = "auth0tenants";
export const CLUSTER_TENANT_KIND = "ClusterAuth0Tenant";
export const CLUSTER_TENANT_PLURAL = "clusterauth0tenants";
/** The ClusterAuth0Tenant that the process itself is given, by its environment. */
export const DEFAULT_TENANT = "default";
