/** The store of the API server. */
import path from "node:path";
import { Component, type ComponentHost } from "./component.ts";
import { Probe } from "./probe.ts";

export interface Etcd {
  readonly component: Component;
  /** For the API server's `--etcd-servers`. */
  readonly url: string;
}

/**
 * Listens on a socket in the supervisor's folder: there is no port to lose, and nobody else on the machine gets at the
 * data. It never waits for the disk: data that a power cut could harm is not kept that long.
 */
export function createEtcd(file: string, host: ComponentHost): Etcd {
  const { folder } = host.supervisor;
  const socketPath = path.join(folder, "etcd.sock");
  const url = `unix://${socketPath}`;
  // Where others would reach it, and the one member that it is. It demands host:port, even of a socket.
  const self = "unix://peer.sock:0";
  const args = [
    `--data-dir=${path.join(folder, "etcd")}`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${self}`,
    `--listen-peer-urls=${self}`,
    `--initial-advertise-peer-urls=${self}`,
    `--initial-cluster=default=${self}`,
    "--unsafe-no-fsync",
    "--log-level=error",
  ];
  const probe = new Probe({ origin: "http://localhost", headers: {}, connect: () => Promise.resolve({ socketPath }) });
  return { component: new Component({ name: "etcd", file, args, probe, readyPaths: ["/health"] }, host), url };
}
