/**
 * Where the cluster is and how to prove there who we are. How a proof is made (exec plugins, OIDC, token files,
 * certificates) is known to `KubeConfig` of @kubernetes/client-node. Only its `dist/config.js` is loaded, and late: the
 * package's index parses every generated API class.
 */
import type { KubeConfig } from "@kubernetes/client-node";
import type { TlsIdentity } from "../http/http-client.ts";
import { findProxyEnv, type ProxyEnv } from "../http/proxy-env.ts";
import { isJsonObject, type JsonObject } from "../runtime/json.ts";
import { readCurrentContext, type Environment, type KubeconfigSources } from "./kubeconfig.ts";

export interface ClusterAccess {
  /** May carry a path: some proxies serve many clusters under one host. */
  readonly server: URL;
  /** The namespace that the context names, or that the pod runs in; `default` otherwise. */
  readonly namespace: string;
  /** Undefined: straight to the server. */
  readonly proxyEnv: ProxyEnv | undefined;
  /**
   * What to send with the next call. Files are read again; what an exec plugin answered is kept until it expires.
   *
   * @param options `fresh` forgets all that was kept and reads the kubeconfig again, for when the server refused it
   */
  authorize(options: { readonly fresh: boolean }): Promise<Credentials>;
}

export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsIdentity;
}

/**
 * The cluster that the sources lead to. Of the environment the proxy variables are read too.
 *
 * @throws an Error that names the file or entry which is wrong
 */
export async function loadClusterAccess(sources: KubeconfigSources): Promise<ClusterAccess> {
  const { KubeConfig } = await import("@kubernetes/client-node/dist/config.js");
  const { cluster, namespace = "default" } = readCurrentContext(sources);
  const server = parseServer(cluster["server"]);
  const load = (): KubeConfig => {
    const config = new KubeConfig();
    config.loadFromString(JSON.stringify(toKubeConfig(readCurrentContext(sources))));
    return config;
  };

  let config = load();
  return {
    server,
    namespace,
    proxyEnv: proxyEnvOf(server, cluster["proxy-url"], sources.env),
    async authorize({ fresh }) {
      if (fresh) config = load();
      return server.protocol === "https:" ? authorizeBy(config) : ANONYMOUS;
    },
  };
}

/** Nothing that proves anything goes over a connection that anybody can read; client-go holds it the same way. */
const ANONYMOUS: Credentials = { headers: {}, tls: {} };

function parseServer(server: unknown): URL {
  const url = typeof server === "string" ? URL.parse(server) : null;
  if (url === null || !["https:", "http:"].includes(url.protocol)) {
    throw new Error(`kubeconfig: the cluster's server is no http(s) address: ${JSON.stringify(server)}`);
  }
  return url;
}

/** The context in the form that `KubeConfig` understands. Proxies are the transport's matter and left out. */
function toKubeConfig({ cluster, user }: Pick<ReturnType<typeof readCurrentContext>, "cluster" | "user">): JsonObject {
  const { "proxy-url": _, ...direct } = cluster;
  const { tokenFile, exec, ...rest } = user;
  return {
    "current-context": "current",
    contexts: [{ name: "current", context: { cluster: "current", user: "current" } }],
    clusters: [{ name: "current", cluster: direct }],
    users: [
      {
        name: "current",
        user: {
          ...rest,
          // KubeConfig knows token files, which it reads again each minute, under another name only.
          ...(tokenFile !== undefined && { "auth-provider": { name: "tokenFile", config: { tokenFile } } }),
          ...(isJsonObject(exec) && { exec: withExecInfo(exec) }),
        },
      },
    ],
  };
}

/** Exec plugins are promised a description of the call in their environment, and some insist on it. */
function withExecInfo(exec: JsonObject): JsonObject {
  const info = { apiVersion: exec["apiVersion"], kind: "ExecCredential", spec: { interactive: false } };
  const env: readonly unknown[] = Array.isArray(exec["env"]) ? exec["env"] : [];
  return { ...exec, env: [...env, { name: "KUBERNETES_EXEC_INFO", value: JSON.stringify(info) }] };
}

async function authorizeBy(config: KubeConfig): Promise<Credentials> {
  const options: Parameters<KubeConfig["applyToHTTPSOptions"]>[0] = {};
  await config.applyToHTTPSOptions(options);
  const { ca, cert, key, servername, rejectUnauthorized, auth } = options;
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    // A token file may end in a line break, which no header may carry.
    if (typeof value === "string") headers[name.toLowerCase()] = value.trim();
  }
  if (typeof auth === "string") headers["authorization"] = `Basic ${Buffer.from(auth).toString("base64")}`;
  return {
    headers,
    tls: {
      ...(isPem(ca) && { ca }),
      ...(isPem(cert) && { cert }),
      ...(isPem(key) && { key }),
      ...(typeof servername === "string" && { servername }),
      ...(typeof rejectUnauthorized === "boolean" && { rejectUnauthorized }),
    },
  };
}

function isPem(value: unknown): value is string | Buffer {
  return typeof value === "string" || Buffer.isBuffer(value);
}

/** `proxy-url` goes before the environment. */
function proxyEnvOf(server: URL, proxyUrl: unknown, env: Environment): ProxyEnv | undefined {
  if (typeof proxyUrl !== "string" || proxyUrl === "") return findProxyEnv(server, env);
  if (!/^https?:/.test(proxyUrl)) throw new Error(`kubeconfig: only http(s) proxies are supported, not ${proxyUrl}`);
  return { HTTPS_PROXY: proxyUrl, HTTP_PROXY: proxyUrl };
}
