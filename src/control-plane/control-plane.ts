/**
 * A real control plane on this machine: etcd, kube-apiserver and, if wanted, kube-controller-manager, for tests, for the
 * demo and for benchmarks. Nothing runs Pods: there is no kubelet and no scheduler.
 *
 * This room finds the programs (`find-binaries.ts`), runs them (here) and sees to it that they end (`supervisor.ts`). It
 * knows nothing of Auth0 and of our resources.
 */
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Clock } from "../runtime/clock.ts";
import type { Random } from "../runtime/random.ts";
import { startApiServer } from "./api-server.ts";
import type { CONTROL_PLANE_BINARIES } from "./binaries.ts";
import type { Component } from "./component.ts";
import { createControllerManager } from "./controller-manager.ts";
import { createEtcd } from "./etcd.ts";
import type { BinaryPaths } from "./find-binaries.ts";
import { findFreePort } from "./free-port.ts";
import { kubeconfigText } from "./kubeconfig.ts";
import { Supervisor } from "./supervisor.ts";

export interface ControlPlaneOptions {
  readonly binaries: BinaryPaths<(typeof CONTROL_PLANE_BINARIES)[number]>;
  /**
   * Whether kube-controller-manager runs too: without it a deleted namespace keeps its content and never goes, owner
   * references mean nothing, namespaces get no service account and aggregated ClusterRoles (`edit`, `view`) stay empty.
   */
  readonly controllerManager: boolean;
  /** An audit.k8s.io/v1 Policy, in YAML, for what the API server shall put on record; nothing unless said. */
  readonly auditPolicy?: string;
  readonly clock: Clock;
  readonly random: Random;
  /** A port for the API server; asked again where somebody else took that port first. */
  readonly choosePort?: () => Promise<number>;
}

export interface ControlPlane {
  /** Of the API server. */
  readonly url: string;
  /** PEM file of the certificate that the API server shows. */
  readonly caFile: string;
  /** Of user `admin` in group `system:masters`, whom no RBAC rule binds. */
  readonly adminToken: string;
  /** Of user `operator`, who may do nothing until a RoleBinding names that user. */
  readonly operatorToken: string;
  /** The administrator's. */
  readonly kubeconfigFile: string;
  readonly kubectlPath: string;
  /** One JSON object a line; there where an audit policy was given. */
  readonly auditLogFile: string;
  /** Has all files of the control plane, the logs of its components too; gone after `stop`. */
  readonly folder: string;
  readonly etcd: Component;
  readonly apiServer: Component;
  readonly controllerManager: Component | undefined;
  /** Writes a kubeconfig for another user, or for a token of a ServiceAccount, and gives its path. */
  writeKubeconfig(user: { readonly name: string; readonly token: string }): Promise<string>;
  /** Ends all components and removes their data. The end of this process does the same. */
  stop(): Promise<void>;
}

/**
 * Resolves when the API server is ready, namespace `default` is there and, with a controller manager, its ServiceAccount.
 * Aborting the signal gives the start up; a control plane that has started is ended by `stop`.
 *
 * @throws with the component that failed and the last lines of its log; nothing is left behind then
 */
export async function startControlPlane(options: ControlPlaneOptions, signal: AbortSignal): Promise<ControlPlane> {
  const supervisor = await Supervisor.launch(signal);
  try {
    return await startComponents(supervisor, options, signal);
  } catch (error) {
    await supervisor.stop();
    throw error;
  }
}

async function startComponents(
  supervisor: Supervisor,
  options: ControlPlaneOptions,
  signal: AbortSignal,
): Promise<ControlPlane> {
  const { binaries, auditPolicy, clock, random, choosePort = () => findFreePort(random) } = options;
  const { folder } = supervisor;
  const host = { supervisor, clock };

  const etcd = createEtcd(binaries.etcd, host);
  const auditLogFile = path.join(folder, "audit.log");
  const audit = auditPolicy === undefined ? undefined : { policy: auditPolicy, logFile: auditLogFile };
  const apiServerOptions = { file: binaries["kube-apiserver"], etcdUrl: etcd.url, audit, random, choosePort };
  // The API server waits for etcd by itself, and has enough to do until it needs it.
  const [apiServer] = await Promise.all([startApiServer(apiServerOptions, host, signal), etcd.component.start(signal)]);
  const { component, probe, url, caFile, adminToken, operatorToken } = apiServer;

  const ca = await readFile(caFile, "utf8");
  const writeKubeconfig = async ({ name, token }: { name: string; token: string }): Promise<string> => {
    const file = path.join(folder, `${name}.kubeconfig`);
    await writeFile(file, kubeconfigText({ url, ca, user: name, token }));
    return file;
  };
  const kubeconfigFile = await writeKubeconfig({ name: "admin", token: adminToken });

  let controllerManager: Component | undefined;
  if (options.controllerManager) {
    const file = binaries["kube-controller-manager"];
    controllerManager = createControllerManager({ file, kubeconfigFile, probe }, host);
    await controllerManager.start(signal);
  }
  return {
    url,
    caFile,
    adminToken,
    operatorToken,
    kubeconfigFile,
    kubectlPath: binaries.kubectl,
    auditLogFile,
    folder,
    etcd: etcd.component,
    apiServer: component,
    controllerManager,
    writeKubeconfig,
    stop: () => supervisor.stop(),
  };
}
