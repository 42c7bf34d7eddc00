/** What a stage has before anything happens: a tenant object with its grants, and Secrets that consent to be read. */
import { SECRET_USE_CREDENTIALS, SECRET_USE_LABEL, SECRET_USE_PASSWORD } from "../../src/api/names.ts";
import type { JsonObject } from "../../src/runtime/json.ts";
import { DEFAULT_CLIENT } from "../../src/simulator/oauth/clients.ts";
import { OPERATOR_NAMESPACE } from "./life.ts";
import { ACME, CLUSTER_TENANTS, NAMESPACES, passwordOf, secretsIn } from "./names.ts";
import type { Stage } from "./stage.ts";

/** @param settings of the tenant object */
export function furnish(stage: Stage, settings: JsonObject = {}): void {
  putCredentials(stage);
  for (const namespace of NAMESPACES) {
    putPassword(stage, namespace, passwordOf(namespace));
  }
  const credentials = { secretRef: { name: "acme", namespace: OPERATOR_NAMESPACE } };
  const spec = { domain: ACME, credentials, ...settings };
  stage.cluster.create(CLUSTER_TENANTS, { metadata: { name: "acme" }, spec }, "person");
  grant(stage, ["a", "b"]);
}

/** Every namespace may declare users of the tenant; these may also take users over. */
export function grant({ cluster, books }: Stage, adopting: readonly string[]): void {
  const grants: readonly JsonObject[] = [
    { namespaces: { from: "All" } },
    ...(adopting.length > 0
      ? [{ namespaces: { from: "Names", names: adopting }, adopt: true, passwordOnAdopted: true }]
      : []),
  ];
  cluster.mergePatch(`${CLUSTER_TENANTS}/acme`, { spec: { grants } }, "person");
  for (const namespace of NAMESPACES) books.noteGrant(ACME, namespace, adopting.includes(namespace));
}

export function putPassword(stage: Stage, namespace: string, password: string): void {
  putSecret(stage, namespace, "password", SECRET_USE_PASSWORD, { password });
}

/** Of the tenant object's. @param changes what is not as the tenant knows it */
export function putCredentials(stage: Stage, changes: Readonly<Record<string, string>> = {}): void {
  const { clientId, clientSecret } = DEFAULT_CLIENT;
  putSecret(stage, OPERATOR_NAMESPACE, "acme", SECRET_USE_CREDENTIALS, { clientId, clientSecret, ...changes });
}

function putSecret(
  { cluster }: Stage,
  namespace: string,
  name: string,
  use: string,
  texts: Readonly<Record<string, string>>,
): void {
  const encoded = Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString("base64")]);
  const data: JsonObject = Object.fromEntries(encoded);
  const path = `${secretsIn(namespace)}/${name}`;
  const labels = { [SECRET_USE_LABEL]: use };
  if (cluster.find(path) !== undefined) cluster.mergePatch(path, { metadata: { labels }, data }, "person");
  else cluster.create(secretsIn(namespace), { metadata: { name, labels }, data }, "person");
}
