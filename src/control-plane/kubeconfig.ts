/** The file that tells a client where the API server is and who it is to be. */

export interface KubeconfigOptions {
  readonly url: string;
  /** The certificates to trust, PEM. */
  readonly ca: string;
  readonly user: string;
  readonly token: string;
}

/** A kubeconfig that needs no other file. JSON, which every reader of YAML takes. */
export function kubeconfigText({ url, ca, user, token }: KubeconfigOptions): string {
  const name = "auth0-user-operator";
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    clusters: [{ name, cluster: { server: url, "certificate-authority-data": Buffer.from(ca).toString("base64") } }],
    users: [{ name: user, user: { token } }],
    contexts: [{ name, context: { cluster: name, user } }],
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
