/**
 * Auth0User as people write it: one literal that becomes the CRD, the validator and the type. Defaults live in the code
 * that uses a field: a default in the schema would appear in people's specs. Limits are those of Auth0's POST /users, so
 * that what passes here is not refused there.
 */
import type { Infer, K8sSchema } from "./k8s-schema.ts";
import { CONDITION } from "./condition.ts";
import { REMOVABLE_ATTRIBUTES } from "../core/fields.ts";
import { DURATION_PATTERN } from "./duration.ts";
import { USER_RULES } from "./rules.ts";

const nullableText = (maxLength: number, what: string) =>
  ({
    type: "string",
    nullable: true,
    minLength: 1,
    maxLength,
    description: `${what} Null removes it at Auth0; kubectl apply drops nulls, so removeAttributes is the spelling that always arrives.`,
  }) as const;

const assignmentPolicy = (what: string) =>
  ({
    type: "string",
    enum: ["Additive", "Exact"],
    description: `Additive leaves ${what} that are not declared alone, Exact takes them away. Default: Additive.`,
  }) as const;

export const AUTH0_USER_SPEC = {
  type: "object",
  description: "What the user shall be. A field that is absent is not managed: never compared, never sent.",
  required: ["connection"],
  properties: {
    tenantRef: {
      type: "object",
      required: ["kind", "name"],
      description:
        "The tenant that the user belongs to: an Auth0Tenant of the same namespace, or a ClusterAuth0Tenant. Immutable. Default: the tenant that the operator itself was given (ClusterAuth0Tenant default).",
      properties: {
        kind: { type: "string", enum: ["Auth0Tenant", "ClusterAuth0Tenant"], description: "Which kind of tenant." },
        name: {
          type: "string",
          minLength: 1,
          maxLength: 253,
          pattern: "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$",
          description: "Its name.",
        },
      },
    },
    connection: {
      type: "string",
      minLength: 1,
      maxLength: 128,
      pattern: "^\\S+$",
      description:
        "Name of the connection that the user belongs to: a database connection, or a passwordless one (email, sms). Immutable.",
    },
    userId: {
      type: "string",
      maxLength: 300,
      pattern: "^[^|\\s]+\\|\\S+$",
      description:
        "Take over exactly this existing user, for example auth0|64f1c0ffee; such a resource never creates one. Immutable once set.",
    },
    email: {
      type: "string",
      maxLength: 254,
      pattern:
        '^[^\\s@<>()\\[\\]\\\\,;:"]{1,64}@([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\\.)+[a-zA-Z]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$',
      description: "The user's e-mail address, bare: jane@example.com.",
    },
    emailVerified: {
      type: "boolean",
      description:
        "Whether the address counts as confirmed. false is applied at creation and when the spec changes; a confirmation that happens later is reported, not undone. Where it is not declared, an address that replaces another one counts as not confirmed.",
    },
    verifyEmail: {
      type: "boolean",
      description: "Whether Auth0 mails the person to confirm the address when it is set or changed. Default: false.",
    },
    phoneNumber: {
      type: "string",
      nullable: true,
      pattern: "^\\+[0-9]{1,15}$",
      maxLength: 16,
      description:
        "The phone number with its country code, digits only: +4420794609. The identifier of sms connections, where it can't be removed; elsewhere null removes it at Auth0.",
    },
    phoneVerified: {
      type: "boolean",
      description:
        "Whether the number counts as confirmed. false is applied at creation and when the spec changes; a confirmation that happens later is reported, not undone. Where it is not declared, a number that replaces another one counts as not confirmed.",
    },
    username: {
      type: "string",
      minLength: 1,
      maxLength: 128,
      pattern: "^[a-zA-Z0-9_+.!#$^`~@'-]+$",
      description: "Only for connections that ask for usernames.",
    },
    blocked: {
      type: "boolean",
      description:
        "Whether the user may log in. false is applied at creation and when the spec changes; a block that somebody sets later is reported, not undone.",
    },
    givenName: nullableText(150, "The given name."),
    familyName: nullableText(150, "The family name."),
    name: nullableText(300, "The full name. Auth0 fills in the address where none is given at creation."),
    nickname: nullableText(
      300,
      "The nickname. Auth0 fills in the local part of the address where none is given at creation.",
    ),
    picture: {
      type: "string",
      nullable: true,
      maxLength: 2082,
      pattern: "^https?://[^\\s]+$",
      description:
        "URL of a picture. Auth0 fills in a Gravatar where none is given at creation. Null removes it at Auth0; kubectl apply drops nulls, so removeAttributes is the spelling that always arrives.",
    },
    removeAttributes: {
      type: "array",
      maxItems: 100,
      "x-kubernetes-list-type": "set",
      items: {
        type: "string",
        maxLength: 300,
        pattern: `^(${REMOVABLE_ATTRIBUTES.join("|")}|(userMetadata|appMetadata)\\.[^.$][^.]*)$`,
      },
      description: `Attributes to remove at Auth0: ${REMOVABLE_ATTRIBUTES.join(", ")}, userMetadata.KEY, appMetadata.KEY; blocked is set to false.`,
    },
    unsetPolicy: {
      type: "string",
      enum: ["Keep", "Remove"],
      description:
        "What it means when an attribute that was set leaves the spec: Keep leaves its value at Auth0, Remove removes it once (what is in removeAttributes or null is removed for as long as it stands there). Default: Keep.",
    },
    fieldPolicies: {
      type: "object",
      maxProperties: 100,
      additionalProperties: { type: "string", enum: ["Enforce", "InitOnly", "Ignore"] },
      description:
        "What becomes of single attributes, by name (userMetadata and appMetadata: all of their keys, or userMetadata.KEY). Enforce keeps them as declared, also blocked: false, emailVerified: false and phoneVerified: false, which are one-way otherwise; InitOnly sets them when the user is created and leaves them to people; Ignore never sends them.",
    },
    driftPolicy: {
      type: "string",
      enum: ["Enforce", "Detect"],
      description:
        "What becomes of differences that come about at Auth0: Enforce sets them back, Detect reports them (condition DriftDetected) until the spec is edited, which brings everything about. Default: Enforce.",
    },
    userMetadata: {
      type: "object",
      maxProperties: 100,
      "x-kubernetes-preserve-unknown-fields": true,
      description:
        "First-level keys of user_metadata. Each key here is owned, keys of others are left alone. A null deletes its key.",
    },
    appMetadata: {
      type: "object",
      maxProperties: 100,
      "x-kubernetes-preserve-unknown-fields": true,
      description:
        "First-level keys of app_metadata. Each key here is owned, keys of others are left alone. A null deletes its key.",
    },
    password: {
      type: "object",
      description:
        "The password: from a Secret (secretRef), or made by the operator into one (generate). Set at creation, and again whenever the Secret's content changes.",
      properties: {
        policy: {
          type: "string",
          enum: ["OnChange", "OnCreate"],
          description:
            "OnChange sends the password whenever the Secret's content changes; OnCreate only when the user is created, and leaves it to the person afterwards. Default: OnChange.",
        },
        generate: {
          type: "object",
          required: ["secretName"],
          description:
            "The operator makes the password, strong enough for the connection, and keeps it in a Secret that goes with this resource. Deleting the Secret has a new password made and sent.",
          properties: {
            secretName: {
              type: "string",
              minLength: 1,
              maxLength: 253,
              pattern: "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$",
              description:
                "Name of the Secret, key password, in the same namespace. One that exists already is not overwritten.",
            },
            length: {
              type: "integer",
              minimum: 12,
              maximum: 72,
              description: "Characters of the password; more where the connection demands it. Default: 24.",
            },
          },
        },
        secretRef: {
          type: "object",
          required: ["name"],
          description:
            "A Secret in the same namespace, labelled auth0-user-operator.dev/use=password: without the label it is not read.",
          properties: {
            name: {
              type: "string",
              minLength: 1,
              maxLength: 253,
              pattern: "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$",
              description: "Name of the Secret.",
            },
            key: {
              type: "string",
              minLength: 1,
              maxLength: 253,
              pattern: "^[a-zA-Z0-9._-]+$",
              description: "Key in the Secret. Default: password.",
            },
          },
        },
      },
    },
    roles: {
      type: "array",
      maxItems: 50,
      "x-kubernetes-list-type": "set",
      items: { type: "string", minLength: 1, maxLength: 128 },
      description: "Roles that the user is given, by name or by id (rol_…).",
    },
    rolesPolicy: assignmentPolicy("roles"),
    permissions: {
      type: "array",
      maxItems: 1000,
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["resourceServer", "name"],
      description: "Permissions that the user is given directly, not through a role.",
      items: {
        type: "object",
        required: ["resourceServer", "name"],
        properties: {
          resourceServer: {
            type: "string",
            minLength: 1,
            maxLength: 600,
            pattern: "^\\S+$",
            description: "Identifier (audience) of the API: https://api.example.com.",
          },
          name: {
            type: "string",
            minLength: 1,
            maxLength: 280,
            pattern: "^\\S+$",
            description: "The permission (scope) of the API: read:reports.",
          },
        },
      },
    },
    permissionsPolicy: assignmentPolicy("permissions"),
    organizations: {
      type: "array",
      maxItems: 50,
      "x-kubernetes-list-type": "atomic",
      description:
        "Organizations that the user is a member of, each by name or by id, with the roles that it has there.",
      items: {
        type: "object",
        properties: {
          name: { type: "string", minLength: 1, maxLength: 50, description: "Name of the organization." },
          id: { type: "string", maxLength: 50, pattern: "^org_[a-zA-Z0-9]+$", description: "Id of the organization." },
          roles: {
            type: "array",
            maxItems: 50,
            "x-kubernetes-list-type": "set",
            items: { type: "string", minLength: 1, maxLength: 128 },
            description: "Roles of the member in this organization, by name or by id. Absent: not managed.",
          },
        },
      },
    },
    organizationsPolicy: assignmentPolicy("organizations, and roles in them,"),
    adoptionPolicy: {
      type: "string",
      enum: ["Never", "Review", "Adopt"],
      description:
        "What it means that another user of the connection holds the address, username or number already: Never says UserConflict, Adopt takes that user over. Review, also with userId, shows in status.plannedChanges what taking it over would change, and writes nothing until the annotation auth0-user-operator.dev/approve-plan names that plan's hash. Default: Never.",
    },
    recreatePolicy: {
      type: "string",
      enum: ["Recreate", "Report"],
      description:
        "What it means that somebody deleted the user at Auth0. A user that userId names is never created. Default: Recreate for users that the operator created, Report for adopted ones.",
    },
    recreateAfter: {
      type: "string",
      maxLength: 20,
      pattern: DURATION_PATTERN,
      description:
        "How long a user that somebody deleted at Auth0 stays missing before it is created again, counted from when that was noticed: time to find out why, and to set recreatePolicy: Report. 0s: at once. Default: 1h.",
    },
    deletionPolicy: {
      type: "string",
      enum: ["Delete", "Retain", "Disable"],
      description:
        "What becomes of the user when this resource is deleted: Disable blocks it and lets it stay. Default: Delete for users that the operator created, Retain for adopted ones.",
    },
    deleteAfter: {
      type: "string",
      maxLength: 20,
      pattern: DURATION_PATTERN,
      description:
        "With deletionPolicy Delete: the user is blocked at once and deleted after this time; until then the resource stays, and deletionPolicy: Retain still keeps the user. Default: deleted at once.",
    },
    suspend: {
      type: "boolean",
      description: "While true nothing is read from or written to Auth0 for this user. Default: false.",
    },
    syncInterval: {
      type: "string",
      maxLength: 20,
      pattern: DURATION_PATTERN,
      description: "How often the user is compared with Auth0, at least 10s: 30m, 1h30m. Default: 1h.",
    },
  },
  "x-kubernetes-validations": USER_RULES.map(({ rule, message }) => ({ rule, message })),
} as const satisfies K8sSchema;

/** Of a key of metadata, so that a status can name it. */
export const MAX_KEY_LENGTH = 300;

const attributeNames = (description: string) =>
  ({
    type: "array",
    maxItems: 500,
    "x-kubernetes-list-type": "atomic",
    items: { type: "string", maxLength: MAX_KEY_LENGTH + 20 },
    description,
  }) as const;

/** Of a plan to review: so much is shown, the rest is counted. */
export const MAX_PLANNED_CHANGES = 100;
/** Longer values are cut. */
export const MAX_SHOWN_LENGTH = 300;

export const AUTH0_USER_STATUS = {
  type: "object",
  description: "What was found and done. Only the operator writes it.",
  properties: {
    userId: { type: "string", maxLength: 300, description: "The user's id at Auth0." },
    connection: { type: "string", maxLength: 128, description: "The connection that the user lives in." },
    tenantDomain: { type: "string", maxLength: 253, description: "The tenant that the user lives in." },
    createdByOperator: {
      type: "boolean",
      description: "Whether the operator created the user; otherwise it was adopted.",
    },
    observedGeneration: {
      type: "integer",
      format: "int64",
      minimum: 0,
      description: "The generation of the spec that this status speaks of.",
    },
    syncedGeneration: {
      type: "integer",
      format: "int64",
      minimum: 0,
      description: "The generation of the spec that was last brought about at Auth0, as far as Auth0 takes it.",
    },
    conditions: {
      type: "array",
      maxItems: 16,
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["type"],
      items: CONDITION,
      description: "Ready (summary), Synced, PasswordSynced, DriftDetected; Reconciling and Stalled only while true.",
    },
    managedAttributes: attributeNames("The attributes that the spec manages."),
    removedAttributes: attributeNames("The attributes that the spec removes, and that were removed."),
    driftedAttributes: attributeNames("Managed attributes that differ at Auth0 and are left alone."),
    assigned: {
      type: "array",
      maxItems: 5000,
      "x-kubernetes-list-type": "atomic",
      items: { type: "string", maxLength: 1024 },
      description:
        "What the user was given because of this resource: role:ID, permission:API NAME, organization:ID, organization-role:ID ROLE.",
    },
    pendingAttributes: attributeNames(
      "What could not be brought about yet, such as an address that another user has or a role that does not exist; tried again at each comparison.",
    ),
    notWritableAttributes: attributeNames(
      "Attributes that Auth0 refused to change; tried again when the spec changes.",
    ),
    plannedChanges: {
      type: "object",
      required: ["userId", "total"],
      description: "With adoptionPolicy Review: what taking over the user would change, until that is approved.",
      properties: {
        userId: { type: "string", maxLength: 300, description: "The user that would be taken over." },
        hash: {
          type: "string",
          maxLength: 300,
          description:
            "What the annotation auth0-user-operator.dev/approve-plan has to be; another plan has another hash. Absent while the operator's keys are missing: nothing can be approved then.",
        },
        total: { type: "integer", minimum: 0, description: "How many changes there are, shown or not." },
        changes: {
          type: "array",
          maxItems: MAX_PLANNED_CHANGES,
          "x-kubernetes-list-type": "atomic",
          description: "The first hundred of them.",
          items: {
            type: "object",
            required: ["field", "change"],
            properties: {
              field: { type: "string", maxLength: 300, description: "As the spec names it." },
              change: { type: "string", enum: ["Set", "Remove", "Add"] },
              from: {
                type: "string",
                maxLength: MAX_SHOWN_LENGTH,
                description: "What Auth0 has, if anything. Passwords and contents of metadata are not shown.",
              },
              to: { type: "string", maxLength: MAX_SHOWN_LENGTH, description: "What it would be, likewise." },
            },
          },
        },
      },
    },
    missingSince: {
      type: "string",
      format: "date-time",
      description: "Since when the user has been missing at Auth0, as far as was noticed.",
    },
    lastDriftTime: {
      type: "string",
      format: "date-time",
      description: "When managed attributes were last found changed at Auth0.",
    },
    passwordVersion: {
      type: "string",
      maxLength: 200,
      description: "A keyed digest of the password that was last sent; it tells nothing without the operator's key.",
    },
    actions: {
      type: "object",
      required: ["request", "startedAt"],
      description: "What the annotation auth0-user-operator.dev/actions last asked for, and what became of it.",
      properties: {
        request: {
          type: "string",
          maxLength: 300,
          description: "The annotation's value. It is never acted upon again.",
        },
        startedAt: { type: "string", format: "date-time" },
        resumeTime: {
          type: "string",
          format: "date-time",
          description:
            "When what has no result yet is done: a limit, or the want of a token, kept it from being sent before.",
        },
        earlierRequests: {
          type: "array",
          maxItems: 20,
          "x-kubernetes-list-type": "atomic",
          items: { type: "string", maxLength: 300 },
          description: "Values that the annotation had before. None of them is acted upon again.",
        },
        results: {
          type: "array",
          maxItems: 300,
          "x-kubernetes-list-type": "atomic",
          items: {
            type: "object",
            required: ["action", "result", "time", "message"],
            properties: {
              action: { type: "string", maxLength: 300 },
              result: { type: "string", enum: ["Done", "Failed", "Unknown"] },
              time: { type: "string", format: "date-time" },
              message: { type: "string", maxLength: 32768 },
            },
          },
        },
      },
    },
    lastHandledReconcileAt: {
      type: "string",
      maxLength: 300,
      description: "The value of the annotation auth0-user-operator.dev/reconcile-requested-at that was last obeyed.",
    },
  },
} as const satisfies K8sSchema;

export type Auth0UserSpec = Infer<typeof AUTH0_USER_SPEC>;
export type Auth0UserStatus = Infer<typeof AUTH0_USER_STATUS>;

export const GROUP = "auth0-user-operator.dev";
export const VERSION = "v1alpha1";
export const API_VERSION = `${GROUP}/${VERSION}`;
export const KIND = "Auth0User";
export const PLURAL = "auth0users";
