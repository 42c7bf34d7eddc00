/** The Auth0Users of a history's cluster, as people see them. */
import type { JsonObject } from "../../src/runtime/json.ts";
import { annotationsOf, asObject, metadataOf, type Cluster } from "./cluster.ts";
import { USERS, usersIn } from "./names.ts";

export interface Resource {
  readonly object: JsonObject;
  readonly path: string;
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly spec: JsonObject;
  readonly annotations: Readonly<Record<string, string>>;
  readonly isDeleting: boolean;
}

export function resourcesIn(cluster: Cluster): readonly Resource[] {
  return cluster.objects(USERS).map((object) => {
    const { namespace, name, uid, deletionTimestamp } = metadataOf(object);
    return {
      object,
      path: pathOf(object),
      key: `${String(namespace)}/${String(name)}`,
      namespace: String(namespace),
      name: String(name),
      uid: String(uid),
      spec: asObject(object["spec"]),
      annotations: annotationsOf(object),
      isDeleting: deletionTimestamp !== undefined,
    };
  });
}

export function pathOf(object: JsonObject): string {
  const { namespace, name } = metadataOf(object);
  return `${usersIn(String(namespace))}/${String(name)}`;
}
