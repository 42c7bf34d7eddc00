/** An Auth0Tenant or ClusterAuth0Tenant as the API server hands it over, read once into a narrow type. */
import {
  CLUSTER_TENANT_KIND,
  CLUSTER_TENANT_PLURAL,
  TENANT_KIND,
  TENANT_PLURAL,
  type Auth0TenantSpec,
  type Auth0TenantStatus,
  type ClusterAuth0TenantSpec,
} from "../api/auth0-tenant.ts";
import { API_VERSION, GROUP, VERSION } from "../api/auth0-user.ts";
import { parseTenantStatus, validateClusterTenantSpec, validateTenantSpec, type Validated } from "../api/validate.ts";
import type { ObjectReference } from "../kubernetes/event-series.ts";
import {
  objectKey,
  parseObjectIdentity,
  withoutManagedFields,
  type ObjectIdentity,
  type ObjectKey,
} from "../kubernetes/object.ts";
import { resourcePath, type Resource } from "../kubernetes/resource.ts";
import { isJsonObject, type JsonObject } from "../runtime/json.ts";
import { ANNOTATION_PREFIX } from "./names.ts";

export const AUTH0_TENANTS: Resource = { group: GROUP, version: VERSION, plural: TENANT_PLURAL };
export const CLUSTER_AUTH0_TENANTS: Resource = { group: GROUP, version: VERSION, plural: CLUSTER_TENANT_PLURAL };

export interface TenantResource extends ObjectIdentity {
  readonly generation: number;
  readonly isDeleting: boolean;
  readonly finalizers: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
  /** Not yet validated. */
  readonly spec: JsonObject;
  readonly status: Auth0TenantStatus;
}

export function parseTenantResource(object: JsonObject): TenantResource {
  const metadata = isJsonObject(object["metadata"]) ? object["metadata"] : {};
  const { finalizers, annotations } = metadata;
  return {
    ...parseObjectIdentity(object),
    generation: Number(metadata["generation"]),
    isDeleting: metadata["deletionTimestamp"] !== undefined,
    finalizers: Array.isArray(finalizers) ? finalizers.map(String) : [],
    annotations: Object.fromEntries(
      Object.entries(isJsonObject(annotations) ? annotations : {}).flatMap(([name, text]) =>
        name.startsWith(ANNOTATION_PREFIX) ? [[name, String(text)]] : [],
      ),
    ),
    spec: isJsonObject(object["spec"]) ? object["spec"] : {},
    status: parseTenantStatus(object["status"] ?? {}),
  };
}

/** Tenant objects are few: all of each is kept but the managed fields. */
export const slimTenant = withoutManagedFields;

/** What calls for a pass; not our own status. */
export function tenantFingerprint(object: JsonObject): string {
  const { generation, isDeleting, finalizers, annotations } = parseTenantResource(object);
  return JSON.stringify([generation, isDeleting, finalizers, annotations]);
}

export function validateTenant({
  namespace,
  spec,
}: TenantResource): Validated<Auth0TenantSpec | ClusterAuth0TenantSpec> {
  return namespace === undefined ? validateClusterTenantSpec(spec) : validateTenantSpec(spec);
}

export function tenantPath({ namespace, name }: ObjectIdentity, subresource?: "status"): string {
  const resource = namespace === undefined ? CLUSTER_AUTH0_TENANTS : AUTH0_TENANTS;
  return resourcePath(resource, { namespace, name, ...(subresource !== undefined && { subresource }) });
}

export function tenantReference({ namespace, name, uid }: ObjectIdentity): ObjectReference {
  const kind = namespace === undefined ? CLUSTER_TENANT_KIND : TENANT_KIND;
  return { apiVersion: API_VERSION, kind, name, uid, ...(namespace !== undefined && { namespace }) };
}

/** The Secret that it names. An Auth0Tenant reads none but those of its own namespace. */
export function secretKeyOf({ namespace, spec }: TenantResource): ObjectKey {
  const credentials = isJsonObject(spec["credentials"]) ? spec["credentials"] : {};
  const secretRef = isJsonObject(credentials["secretRef"]) ? credentials["secretRef"] : {};
  return objectKey(namespace ?? String(secretRef["namespace"]), String(secretRef["name"]));
}
