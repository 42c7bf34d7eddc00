/** The CustomResourceDefinition, as `npm run generate` writes it to `crds/`. */
import { AUTH0_USER_SPEC, AUTH0_USER_STATUS, GROUP, KIND, PLURAL, VERSION } from "./auth0-user.ts";

const condition = (type: string, field: string): string => `.status.conditions[?(@.type=="${type}")].${field}`;

export const AUTH0_USER_CRD = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `${PLURAL}.${GROUP}` },
  spec: {
    group: GROUP,
    scope: "Namespaced",
    names: {
      kind: KIND,
      listKind: `${KIND}List`,
      plural: PLURAL,
      singular: "auth0user",
      shortNames: ["a0u"],
      categories: ["auth0"],
    },
    versions: [
      {
        name: VERSION,
        served: true,
        storage: true,
        subresources: { status: {} },
        selectableFields: [{ jsonPath: ".spec.connection" }, { jsonPath: ".status.userId" }],
        additionalPrinterColumns: [
          { name: "Ready", type: "string", jsonPath: condition("Ready", "status") },
          { name: "Reason", type: "string", jsonPath: condition("Ready", "reason") },
          { name: "Connection", type: "string", jsonPath: ".spec.connection" },
          { name: "User ID", type: "string", jsonPath: ".status.userId" },
          { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
          { name: "Email", type: "string", jsonPath: ".spec.email", priority: 1 },
          { name: "Tenant", type: "string", jsonPath: ".status.tenantDomain", priority: 1 },
          { name: "Drift", type: "string", jsonPath: condition("DriftDetected", "status"), priority: 1 },
          { name: "Message", type: "string", jsonPath: condition("Ready", "message"), priority: 1 },
        ],
        schema: {
          openAPIV3Schema: {
            type: "object",
            description: "Auth0User declares one user of an Auth0 tenant.",
            required: ["spec"],
            properties: {
              apiVersion: { type: "string" },
              kind: { type: "string" },
              metadata: { type: "object" },
              spec: AUTH0_USER_SPEC,
              status: AUTH0_USER_STATUS,
            },
          },
        },
      },
    ],
  },
} as const;
