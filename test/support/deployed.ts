/**
 * The operator as a Deployment describes it, run as a process of this machine, since no node runs Pods here: its
 * arguments, its environment, the token of its ServiceAccount and nothing else.
 */
import type { ExecutionContext } from "ava";
import type { TestCluster } from "./control-plane.ts";
import type { TestSimulator } from "./start-simulator.ts";
import { World } from "./world.ts";

export interface DeployedOptions {
  /** Where the release is. */
  readonly namespace: string;
  readonly name: string;
  readonly tenant: TestSimulator;
  /** Where the world's users are. */
  readonly users: string;
}

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly serviceAccountName?: string;
        readonly containers: readonly {
          readonly args: readonly string[];
          readonly env?: readonly { readonly name: string; readonly value: string }[];
          readonly envFrom?: readonly { readonly secretRef: { readonly name: string } }[];
        }[];
      };
    };
  };
}

export interface Pod {
  /** Its ServiceAccount. */
  readonly account: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Not started; ends with the test. */
export async function deployed(
  t: ExecutionContext,
  cluster: TestCluster,
  { namespace, name, tenant, users }: DeployedOptions,
): Promise<World> {
  const { account, args, env } = await podOf(cluster, namespace, name);
  const token = await must(cluster, ["create", "token", account, `--namespace=${namespace}`, "--duration=2h"]);
  const kubeconfig = await cluster.controlPlane.writeKubeconfig({ name: account, token: token.trim() });
  const world = new World(cluster, tenant, users, kubeconfig, {
    args,
    // A Pod finds its namespace beside its token.
    env: { AUTH0_USER_OPERATOR_OPERATOR_NAMESPACE: namespace, ...env },
  });
  t.teardown(() => world.end());
  return world;
}

/** What a kubelet would start for a Deployment, as whom, and in which environment. */
export async function podOf(cluster: TestCluster, namespace: string, name: string): Promise<Pod> {
  const get = async (kind: string, object: string): Promise<unknown> =>
    JSON.parse(await must(cluster, ["get", kind, object, `--namespace=${namespace}`, "-o", "json"]));
  const { serviceAccountName, containers } = ((await get("deployment", name)) as Deployment).spec.template.spec;
  const [container] = containers;
  if (container === undefined) throw new Error(`Deployment ${namespace}/${name} has no container`);

  const env: Record<string, string> = {};
  for (const { secretRef } of container.envFrom ?? []) {
    const { data } = (await get("secret", secretRef.name)) as { readonly data: Readonly<Record<string, string>> };
    for (const [key, value] of Object.entries(data)) env[key] = Buffer.from(value, "base64").toString();
  }
  for (const { name: key, value } of container.env ?? []) env[key] = value;
  return { account: serviceAccountName ?? "default", args: container.args, env };
}

/** A namespace for a release, with the Secret that its values name, and one for users: its name with `-users`. */
export async function placeForRelease(cluster: TestCluster, namespace: string, tenant: TestSimulator): Promise<void> {
  for (const name of [namespace, `${namespace}-users`]) await must(cluster, ["create", "namespace", name]);
  const credentials = {
    AUTH0_DOMAIN: tenant.url,
    AUTH0_CLIENT_ID: tenant.clientId,
    AUTH0_CLIENT_SECRET: tenant.clientSecret,
  };
  const literals = Object.entries(credentials).map(([key, value]) => `--from-literal=${key}=${value}`);
  await must(cluster, ["create", "secret", "generic", "auth0-credentials", `--namespace=${namespace}`, ...literals]);
}

/** kubectl that has to succeed; gives what it printed. */
export async function must(cluster: TestCluster, args: readonly string[], input?: string): Promise<string> {
  const { exitCode, stdout, stderr } = await cluster.kubectl(args, input === undefined ? {} : { input });
  if (exitCode !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr}`);
  return stdout;
}
