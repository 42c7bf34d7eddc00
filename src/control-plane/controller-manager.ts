/** The controllers of Kubernetes itself, as far as a cluster without nodes needs them. */
import { Component, type ComponentHost } from "./component.ts";
import type { Probe } from "./probe.ts";

export interface ControllerManagerOptions {
  readonly file: string;
  readonly kubeconfigFile: string;
  /** Of the API server, where its work shows. */
  readonly probe: Probe;
}

/**
 * The garbage collector learns of new kinds every 30 s, a period that can't be set: an owner of a kind just declared may
 * stay unknown that long.
 */
const CONTROLLERS = [
  "namespace-controller",
  "garbage-collector-controller",
  "serviceaccount-controller",
  "clusterrole-aggregation-controller",
];

/** At its first start it is ready when the ServiceAccount of namespace `default` is there; later starts can't be told. */
export function createControllerManager(
  { file, kubeconfigFile, probe }: ControllerManagerOptions,
  host: ComponentHost,
): Component {
  const args = [
    `--kubeconfig=${kubeconfigFile}`,
    `--controllers=${CONTROLLERS.join(",")}`,
    // One of its kind needs no election, and nobody asks it for metrics.
    "--leader-elect=false",
    "--secure-port=0",
  ];
  const readyPaths = ["/api/v1/namespaces/default/serviceaccounts/default"];
  return new Component({ name: "kube-controller-manager", file, args, probe, readyPaths }, host);
}
