/** The CustomResourceDefinitions, as `npm run generate` writes them to `crds/`. */
import {
  AUTH0_TENANT_SPEC,
  AUTH0_TENANT_STATUS,
  CLUSTER_AUTH0_TENANT_SPEC,
  CLUSTER_TENANT_KIND,
  CLUSTER_TENANT_PLURAL,
  TENANT_KIND,
  TENANT_PLURAL,
} from "./auth0-tenant.ts";
import { AUTH0_USER_SPEC, AUTH0_USER_STATUS, GROUP, KIND, PLURAL, VERSION } from "./auth0-user.ts";
import type { K8sSchema } from "./k8s-schema.ts";

const condition = (type: string, field: string): string => `.status.conditions[?(@.type=="${type}")].${field}`;

interface PrinterColumn {
  readonly name: string;
  readonly type: "string" | "date";
  readonly jsonPath: string;
  /** 1: shown by `-o wide` only. */
  readonly priority?: number;
}

interface Definition {
  readonly kind: string;
  readonly plural: string;
  readonly shortName: string;
  readonly scope: "Namespaced" | "Cluster";
  readonly description: string;
  readonly selectableFields?: readonly string[];
  readonly columns: readonly PrinterColumn[];
  readonly spec: K8sSchema;
  readonly status: K8sSchema;
}

export const AUTH0_USER_CRD = crdOf({
  kind: KIND,
  plural: PLURAL,
  shortName: "a0u",
  scope: "Namespaced",
  description: "Auth0User declares one user of an Auth0 tenant.",
  selectableFields: [".spec.connection", ".spec.tenantRef.name", ".status.userId"],
  columns: [
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
  spec: AUTH0_USER_SPEC,
  status: AUTH0_USER_STATUS,
});

const TENANT_COLUMNS: readonly PrinterColumn[] = [
  { name: "Ready", type: "string", jsonPath: condition("Ready", "status") },
  { name: "Reason", type: "string", jsonPath: condition("Ready", "reason") },
  { name: "Domain", type: "string", jsonPath: ".spec.domain" },
  { name: "Users", type: "string", jsonPath: ".status.users.ready" },
  { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  { name: "Message", type: "string", jsonPath: condition("Ready", "message") },
];

export const AUTH0_TENANT_CRD = crdOf({
  kind: TENANT_KIND,
  plural: TENANT_PLURAL,
  shortName: "a0t",
  scope: "Namespaced",
  description: "Auth0Tenant is a tenant of Auth0 for the users of its own namespace.",
  columns: TENANT_COLUMNS,
  spec: AUTH0_TENANT_SPEC,
  status: AUTH0_TENANT_STATUS,
});

export const CLUSTER_AUTH0_TENANT_CRD = crdOf({
  kind: CLUSTER_TENANT_KIND,
  plural: CLUSTER_TENANT_PLURAL,
  shortName: "ca0t",
  scope: "Cluster",
  description: "ClusterAuth0Tenant is a tenant of Auth0 for the namespaces that its grants name.",
  columns: TENANT_COLUMNS,
  spec: CLUSTER_AUTH0_TENANT_SPEC,
  status: AUTH0_TENANT_STATUS,
});

function crdOf({ kind, plural, shortName, scope, description, selectableFields, columns, spec, status }: Definition) {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames: [shortName],
        categories: ["auth0"],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          ...(selectableFields && { selectableFields: selectableFields.map((jsonPath) => ({ jsonPath })) }),
          additionalPrinterColumns: columns,
          schema: {
            openAPIV3Schema: {
              type: "object",
              description,
              required: ["spec"],
              properties: {
                apiVersion: { type: "string" },
                kind: { type: "string" },
                metadata: { type: "object" },
                spec,
                status,
              },
            },
          },
        },
      ],
    },
  };
}
