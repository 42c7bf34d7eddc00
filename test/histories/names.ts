/** Who and what a history is about: two tenants, three namespaces, twenty people. */

/** Declared by a ClusterAuth0Tenant; its grants say who may take users over. */
export const ACME = "acme.example.com";
/** The tenant that the process is given. */
export const GLOBEX = "globex.example.com";
export const NAMESPACES = ["a", "b", "c"] as const;
export const PEOPLE = Array.from({ length: 20 }, (_, index) => `p${String(index)}@example.com`);
export const DATABASE = "Username-Password-Authentication";
export const PASSWORDLESS = "email";

export const USERS = "/apis/auth0-user-operator.dev/v1alpha1/auth0users";
export const CLUSTER_TENANTS = "/apis/auth0-user-operator.dev/v1alpha1/clusterauth0tenants";
export const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/** What the Secret `password` of a namespace holds, at first and after so many rotations. */
export function passwordOf(namespace: string, rotation = 0): string {
  return `Correct-Horse-${namespace}-${String(rotation)}`;
}

export function usersIn(namespace: string): string {
  return `/apis/auth0-user-operator.dev/v1alpha1/namespaces/${namespace}/auth0users`;
}

export function secretsIn(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/secrets`;
}
