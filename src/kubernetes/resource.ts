/** Where the objects of a kind stand in the API: paths from group, version and plural. */

export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
}

export interface ResourceTarget {
  /** Absent: all namespaces, or an object of the cluster. */
  readonly namespace?: string | undefined;
  /** Absent: the collection. */
  readonly name?: string;
  readonly subresource?: string;
}

export function resourcePath(
  { group, version, plural }: Resource,
  { namespace, name, subresource }: ResourceTarget = {},
): string {
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  const scope = namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  const object = name === undefined ? "" : `/${encodeURIComponent(name)}`;
  return `${root}${scope}/${plural}${object}${subresource === undefined ? "" : `/${subresource}`}`;
}

/** The name of the CustomResourceDefinition that declares it. */
export function definitionOf({ group, plural }: Resource): string {
  return `${plural}.${group}`;
}
