/** Where the counts that protect a tenant are kept: the status of its object, or a ConfigMap beside the operator. */
import { CONFIRM_DELETION_ANNOTATION } from "../api/names.ts";
import { ApiError, isApiError } from "../kubernetes/api-error.ts";
import type { EventRecorder } from "../kubernetes/events.ts";
import type { KubernetesCalls } from "../kubernetes/kubernetes-api.ts";
import { parseObjectIdentity, splitObjectKey, type ObjectKey } from "../kubernetes/object.ts";
import { resourcePath, type Resource } from "../kubernetes/resource.ts";
import type { Store } from "../kubernetes/store.ts";
import { isJsonObject, type JsonObject } from "../runtime/json.ts";
import type { Log } from "../runtime/log.ts";
import type { BreakerNotes } from "./breaker.ts";
import { DEFAULT_TENANT_CONFIG_MAP } from "./names.ts";
import { tenantPath, tenantReference, type TenantResource } from "./tenant-resource.ts";

interface Parts {
  readonly api: KubernetesCalls;
  readonly recorder: EventRecorder;
  readonly log: Log;
}

const REASON = "DeletionPaused";
const ACTION = "Protect";

/** In `status.protection` of the tenant object. */
export function tenantNotes(key: ObjectKey, store: Store<TenantResource>, { api, recorder, log }: Parts): BreakerNotes {
  const { namespace, name } = splitObjectKey(key);
  const resource = (): TenantResource => {
    const found = store.get(key);
    if (found === undefined) throw new ApiError("not_found", `the tenant object ${key} is gone`, { kind: "backoff" });
    return found;
  };
  let known: string | undefined;
  return {
    read() {
      const { status, annotations } = resource();
      known = status.protection;
      return Promise.resolve({ text: known, confirmation: annotations[CONFIRM_DELETION_ANNOTATION] });
    },
    async write(protection, signal) {
      // The object may have been written for another reason, but the notes must be those that were read.
      const tenant = resource();
      if (tenant.status.protection !== known) {
        throw new ApiError("conflict", `somebody else counts deletions of ${key}, too`, { kind: "backoff" });
      }
      const patch = { metadata: { resourceVersion: tenant.resourceVersion }, status: { protection } };
      store.absorb(await api.mergePatch(tenantPath(tenant, "status"), patch, signal));
      known = protection;
    },
    tell(note) {
      log.warn("deletions or changes paused", { key, note });
      recorder.event({ regarding: tenantReference(resource()), type: "Warning", reason: REASON, action: ACTION, note });
    },
    confirmCommand: (confirmation) =>
      namespace === undefined
        ? `kubectl annotate --overwrite clusterauth0tenant ${name} ${CONFIRM_DELETION_ANNOTATION}=${confirmation}`
        : `kubectl -n ${namespace} annotate --overwrite auth0tenant ${name} ${CONFIRM_DELETION_ANNOTATION}=${confirmation}`,
  };
}

const CONFIG_MAPS: Resource = { group: "", version: "v1", plural: "configmaps" };
const DATA_KEY = "protection";

/** In a ConfigMap, for the tenant that the process was given. */
export function configMapNotes(namespace: string, { api, recorder, log }: Parts): BreakerNotes {
  const name = DEFAULT_TENANT_CONFIG_MAP;
  const path = resourcePath(CONFIG_MAPS, { namespace, name });
  let [uid, resourceVersion] = ["", ""];
  const know = (configMap: JsonObject): void => {
    ({ uid, resourceVersion } = parseObjectIdentity(configMap));
  };
  return {
    async read(signal) {
      try {
        const configMap = await api.get(path, {}, signal);
        know(configMap);
        const { metadata, data } = configMap;
        const annotations =
          isJsonObject(metadata) && isJsonObject(metadata["annotations"]) ? metadata["annotations"] : {};
        const [text, confirmation] = [isJsonObject(data) && data[DATA_KEY], annotations[CONFIRM_DELETION_ANNOTATION]];
        return { text: textOf(text), confirmation: textOf(confirmation) };
      } catch (error) {
        if (isApiError(error, "not_found")) return { text: undefined, confirmation: undefined };
        throw error;
      }
    },
    async write(text, signal) {
      const data = { [DATA_KEY]: text };
      if (resourceVersion !== "") {
        try {
          know(await api.mergePatch(path, { metadata: { resourceVersion }, data }, signal));
          return;
        } catch (error) {
          if (!isApiError(error, "not_found")) throw error;
        }
      }
      const labels = { "app.kubernetes.io/managed-by": "auth0-user-operator" };
      const configMap = { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace, labels }, data };
      know(await api.create(resourcePath(CONFIG_MAPS, { namespace }), configMap, signal));
    },
    tell(note) {
      log.warn("deletions or changes paused", { note });
      const regarding = { apiVersion: "v1", kind: "ConfigMap", namespace, name, uid };
      recorder.event({ regarding, type: "Warning", reason: REASON, action: ACTION, note });
    },
    confirmCommand: (confirmation) =>
      `kubectl -n ${namespace} annotate --overwrite configmap ${name} ${CONFIRM_DELETION_ANNOTATION}=${confirmation}`,
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
