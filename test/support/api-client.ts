/** A KubernetesApi on a server of a test's own. */
import { Registry } from "prom-client";
import type { Clock } from "../../src/runtime/clock.ts";
import type { ClusterAccess } from "../../src/kubernetes/credentials.ts";
import { KubernetesApi } from "../../src/kubernetes/kubernetes-api.ts";
import { KubernetesMetrics } from "../../src/kubernetes/metrics.ts";
import type { Teardown } from "./scripted-server.ts";

/** Access to a plain server, with nothing to prove. */
export function anAccess(server: URL, overrides: Partial<ClusterAccess> = {}): ClusterAccess {
  return {
    server,
    namespace: "default",
    proxyEnv: undefined,
    authorize: () => Promise.resolve({ headers: {}, tls: {} }),
    ...overrides,
  };
}

export interface ApiClientOptions {
  readonly access?: Partial<ClusterAccess>;
  readonly registry?: Registry;
  readonly maxSockets?: number;
}

/** Its sockets are closed when the test ends. */
export function anApi(
  t: Teardown,
  server: URL,
  clock: Clock,
  { access, registry = new Registry(), maxSockets }: ApiClientOptions = {},
): KubernetesApi {
  const api = new KubernetesApi({
    access: anAccess(server, access),
    clock,
    metrics: new KubernetesMetrics(registry),
    userAgent: "test/1.0",
    ...(maxSockets !== undefined && { maxSockets }),
  });
  t.teardown(() => {
    api.close();
  });
  return api;
}
