/** `run`: the operator in a cluster. */
import { hostname } from "node:os";
import process from "node:process";
import { Auth0UserDirectory } from "../auth0/auth0-user-directory.ts";
import { Auth0TenantConnections } from "../auth0/tenant-connections.ts";
import { Auth0Metrics } from "../auth0/metrics.ts";
import type { RunConfig } from "../config.ts";
import { loadClusterAccess } from "../kubernetes/credentials.ts";
import { KubernetesApi } from "../kubernetes/kubernetes-api.ts";
import { runOperator } from "../operator/operator.ts";
import { systemClock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { systemRandom } from "../runtime/random.ts";
import { createRegistry } from "./metrics.ts";
import { openAuditLog } from "./open-audit-log.ts";
import { readGrants } from "./read-grants.ts";
import { USER_AGENT, logFrom, managementApi, version } from "./parts.ts";

export async function run(config: RunConfig, signal: AbortSignal, log: Log = logFrom(config.log)): Promise<number> {
  const metrics = createRegistry();
  const access = await loadClusterAccess({ kubeconfig: config.kubeconfig, env: process.env });
  const auth0Metrics = new Auth0Metrics(metrics);
  const { tenant, defaultTenantGrants } = config;
  const grants = defaultTenantGrants === "all" ? "all" : await readGrants(defaultTenantGrants);
  const audit = config.auditLog === undefined ? undefined : await openAuditLog(config.auditLog);
  const api = tenant === undefined ? undefined : managementApi(tenant, auth0Metrics);
  api?.quota.configure(api, config.quota);
  const quotas = api === undefined ? [] : [[api.address.domain, api.quota] as const];
  const connections = new Auth0TenantConnections(
    {
      allowed: config.allowedTenantDomains,
      clock: systemClock,
      metrics: auth0Metrics,
      userAgent: USER_AGENT,
      env: process.env,
    },
    new Map(quotas),
  );
  log.info("operator starts", { version, tenant: tenant?.address.domain, cluster: access.server.origin });
  try {
    await runOperator(
      {
        ...config,
        openApi: (kubernetesMetrics) =>
          new KubernetesApi({ access, clock: systemClock, metrics: kubernetesMetrics, userAgent: USER_AGENT }),
        metrics,
        log,
        directory: api && new Auth0UserDirectory(api),
        connections,
        grants,
        audit,
        operatorNamespace: config.operatorNamespace ?? access.namespace,
        identity: `${hostname()}-${String(process.pid)}`,
        clock: systemClock,
        random: systemRandom,
      },
      signal,
    );
  } finally {
    api?.close();
    await audit?.close();
  }
  log.info("operator stopped");
  return 0;
}
