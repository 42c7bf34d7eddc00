/**
 * One kubeconfig out of the places where it may stand: files merged as kubectl merges them, or the service account of a
 * pod in the same shape. It has one cluster, one user and one context, the current one, and its paths are absolute.
 */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import * as yaml from "js-yaml";
import { isJsonObject, type JsonObject } from "../runtime/json.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface KubeconfigSources {
  /** A file that goes before everything else. */
  readonly kubeconfig?: string | undefined;
  /** `KUBECONFIG`, `KUBERNETES_SERVICE_HOST`, `KUBERNETES_SERVICE_PORT` and `HOME` are read. */
  readonly env: Environment;
  readonly serviceAccountFolder?: string | undefined;
}

/** The entries that the current context names, each as a kubeconfig spells it. */
export interface CurrentContext {
  readonly namespace: string | undefined;
  readonly cluster: JsonObject;
  readonly user: JsonObject;
}

const SERVICE_ACCOUNT_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * Looks where controllers look: the file that was named, `KUBECONFIG`, the service account, `~/.kube/config`.
 *
 * @throws an Error that says what was looked at, or which file is wrong and why
 */
export function readCurrentContext({
  kubeconfig,
  env,
  serviceAccountFolder = SERVICE_ACCOUNT_FOLDER,
}: KubeconfigSources): CurrentContext {
  const { KUBECONFIG: list = "", HOME: home, KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  if (kubeconfig !== undefined) return chooseContext([readConfigFile(kubeconfig)], kubeconfig);
  if (list !== "") {
    // As with kubectl, files of the list that do not exist are passed over.
    const files = list.split(path.delimiter).filter((file) => file !== "" && existsSync(file));
    return chooseContext(files.map(readConfigFile), `KUBECONFIG (${list})`);
  }
  if (host !== undefined && port !== undefined && existsSync(path.join(serviceAccountFolder, "token"))) {
    return serviceAccountContext(host, port, serviceAccountFolder);
  }
  const ofHome = home === undefined ? undefined : path.join(home, ".kube", "config");
  if (ofHome !== undefined && existsSync(ofHome)) return chooseContext([readConfigFile(ofHome)], ofHome);
  throw new Error(
    "no cluster: no kubeconfig was named, KUBECONFIG is empty, this is no pod, ~/.kube/config is not there",
  );
}

/** The first file that says something about a name wins, as does the first that names a current context. */
function chooseContext(configs: readonly JsonObject[], source: string): CurrentContext {
  const find = (list: "clusters" | "users" | "contexts", part: string, name: unknown): JsonObject => {
    const entries = configs.flatMap((config) => (Array.isArray(config[list]) ? config[list] : []));
    const entry = entries.filter(isJsonObject).find((candidate) => candidate["name"] === name);
    if (entry === undefined) throw new Error(`${source}: ${list} has no entry ${JSON.stringify(name)}`);
    return isJsonObject(entry[part]) ? entry[part] : {};
  };
  const current = configs.map((config) => config["current-context"]).find((name) => name !== undefined && name !== "");
  if (current === undefined) throw new Error(`${source}: no current-context`);
  const context = find("contexts", "context", current);
  return {
    namespace: typeof context["namespace"] === "string" ? context["namespace"] : undefined,
    cluster: find("clusters", "cluster", context["cluster"]),
    // A context without a user is legal: the server may let anybody in.
    user: context["user"] === undefined ? {} : find("users", "user", context["user"]),
  };
}

function serviceAccountContext(host: string, port: string, folder: string): CurrentContext {
  const namespaceFile = path.join(folder, "namespace");
  return {
    namespace: existsSync(namespaceFile) ? readFileSync(namespaceFile, "utf8").trim() : undefined,
    cluster: {
      server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
      "certificate-authority": path.join(folder, "ca.crt"),
    },
    user: { tokenFile: path.join(folder, "token") },
  };
}

function readConfigFile(file: string): JsonObject {
  let config: unknown;
  try {
    config = yaml.load(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new Error(`${file}: ${cause instanceof Error ? cause.message : "can't be read"}`, { cause });
  }
  if (!isJsonObject(config)) throw new Error(`${file}: not a kubeconfig`);
  const folder = path.dirname(path.resolve(file));
  return {
    ...config,
    clusters: mapEntries(config["clusters"], "cluster", (cluster) =>
      withAbsolutePaths(cluster, ["certificate-authority"], folder),
    ),
    users: mapEntries(config["users"], "user", (user) => ({
      ...withAbsolutePaths(user, ["client-certificate", "client-key", "tokenFile"], folder),
      ...(isJsonObject(user["exec"]) && { exec: withAbsoluteCommand(user["exec"], folder) }),
    })),
  };
}

function mapEntries(entries: unknown, part: string, change: (value: JsonObject) => JsonObject): readonly unknown[] {
  if (!Array.isArray(entries)) return [];
  return entries.map((entry: unknown) =>
    isJsonObject(entry) && isJsonObject(entry[part]) ? { ...entry, [part]: change(entry[part]) } : entry,
  );
}

function withAbsolutePaths(value: JsonObject, names: readonly string[], folder: string): JsonObject {
  const paths = names.flatMap((name) => {
    const file = value[name];
    return typeof file === "string" && file !== "" ? [[name, path.resolve(folder, file)] as const] : [];
  });
  return { ...value, ...Object.fromEntries(paths) };
}

/** A bare command is looked up in PATH; one with a slash is meant from where the file stands. */
function withAbsoluteCommand(exec: JsonObject, folder: string): JsonObject {
  const { command } = exec;
  return typeof command === "string" && command.includes("/")
    ? { ...exec, command: path.resolve(folder, command) }
    : exec;
}
