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
        selectableFields: [
          { jsonPath: ".spec.connection" },
          { jsonPath: ".spec.tenantRef.name" },
          { jsonPath: ".status.userId" },
        ],
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

const TENANT_COLUMNS = [
  { name: "Ready", type: "string", jsonPath: condition("Ready", "status") },
  { name: "Reason", type: "string", jsonPath: condition("Ready", "reason") },
  { name: "Domain", type: "string", jsonPath: ".spec.domain" },
  { name: "Users", type: "string", jsonPath: ".status.users.ready" },
  { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  { name: "Message", type: "string", jsonPath: condition("Ready", "message") },
] as const;

export const AUTH0_TENANT_CRD = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `${TENANT_PLURAL}.${GROUP}` },
  spec: {
    group: GROUP,
    scope: "Namespaced",
    names: {
      kind: TENANT_KIND,
      listKind: `${TENANT_KIND}List`,
      plural: TENANT_PLURAL,
      singular: "auth0tenant",
      shortNames: ["a0t"],
      categories: ["auth0"],
    },
    versions: [
      {
        name: VERSION,
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: TENANT_COLUMNS,
        schema: {
          openAPIV3Schema: {
            type: "object",
            description: "Auth0Tenant is a tenant of Auth0 for the users of its own namespace.",
            required: ["spec"],
            properties: {
              apiVersion: { type: "string" },
              kind: { type: "string" },
              metadata: { type: "object" },
              spec: AUTH0_TENANT_SPEC,
              status: AUTH0_TENANT_STATUS,
            },
          },
        },
      },
    ],
  },
} as const;

export const CLUSTER_AUTH0_TENANT_CRD = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `${CLUSTER_TENANT_PLURAL}.${GROUP}` },
  spec: {
    group: GROUP,
    scope: "Cluster",
    names: {
      kind: CLUSTER_TENANT_KIND,
      listKind: `${CLUSTER_TENANT_KIND}List`,
      plural: CLUSTER_TENANT_PLURAL,
      singular: "clusterauth0tenant",
      shortNames: ["ca0t"],
      categories: ["auth0"],
    },
    versions: [
      {
        name: VERSION,
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: TENANT_COLUMNS,
        schema: {
          openAPIV3Schema: {
            type: "object",
            description: "ClusterAuth0Tenant is a tenant of Auth0 for the namespaces that its grants name.",
            required: ["spec"],
            properties: {
              apiVersion: { type: "string" },
              kind: { type: "string" },
              metadata: { type: "object" },
              spec: CLUSTER_AUTH0_TENANT_SPEC,
              status: AUTH0_TENANT_STATUS,
            },
          },
        },
      },
    ],
  },
} as const;
