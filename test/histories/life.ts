/** One life of the operator, from its start to its sudden end: the whole of it as people run it, but for sockets. */
import { Registry } from "prom-client";
import { AllowedDomains } from "../../src/auth0/allowed-domains.ts";
import { Auth0UserDirectory } from "../../src/auth0/auth0-user-directory.ts";
import { ManagementApi } from "../../src/auth0/management-api.ts";
import { Auth0Metrics } from "../../src/auth0/metrics.ts";
import { parseTenantAddress } from "../../src/auth0/tenant-address.ts";
import { Auth0TenantConnections } from "../../src/auth0/tenant-connections.ts";
import { runOperator } from "../../src/operator/operator.ts";
import type { Log } from "../../src/runtime/log.ts";
import type { Random } from "../../src/runtime/random.ts";
import { DEFAULT_CLIENT } from "../../src/simulator/oauth/clients.ts";
import { silentLog } from "../support/silent-log.ts";
import { ClusterCalls } from "./cluster-calls.ts";
import type { Cluster } from "./cluster.ts";
import { Rights } from "./rights.ts";
import type { TenantSide } from "./tenant-side.ts";
import { LifeClock, type Time } from "./time.ts";
import { Wire, type Call } from "./wire.ts";

export const OPERATOR_NAMESPACE = "operator";
/** Short enough that what a person mended at Auth0 is seen while a history ends. */
export const SYNC_INTERVAL_MS = 10 * 60_000;

export interface LifeParts {
  readonly time: Time;
  readonly random: Random;
  readonly cluster: Cluster;
  readonly sideOf: (domain: string) => TenantSide;
  /** The tenant that the process is given (`AUTH0_DOMAIN`). */
  readonly ownDomain: string;
  readonly watchSecrets: readonly string[];
  readonly maxDeletesPerHour: number | undefined;
  /** Counts what happens in the history. */
  readonly stepNow: () => number;
  readonly onAnswered: (path: string) => void;
  /** What no operator should ever meet: a bug of its own. */
  readonly onBug: (what: string) => void;
}

export class Life {
  readonly clock: LifeClock;
  readonly wire: Wire;
  /** By its own fault, such as an API server that does not answer at the start. */
  hasEnded = false;
  readonly #cluster: Cluster;
  readonly #stop = new AbortController();

  constructor(parts: LifeParts) {
    const { time, random, cluster, sideOf, ownDomain, watchSecrets, maxDeletesPerHour } = parts;
    const { stepNow, onAnswered, onBug } = parts;
    this.#cluster = cluster;
    this.wire = new Wire(stepNow);
    const clock = new LifeClock(time);
    this.clock = clock;
    const metrics = new Registry();
    const auth0Metrics = new Auth0Metrics(metrics);
    const openHttp = (origin: string) => sideOf(new URL(origin).host).calls(this.wire);
    const address = parseTenantAddress(ownDomain);
    const { clientId, clientSecret } = DEFAULT_CLIENT;
    const shared = { clock, random, metrics: auth0Metrics, userAgent: "histories" };
    const api = new ManagementApi({
      ...shared,
      address,
      credentials: { kind: "client secret", clientId, clientSecret },
      http: openHttp(address.origin),
    });
    const log: Log = {
      ...silentLog,
      error: (message, values) => {
        if (message === "reconcile failed unexpectedly") onBug(`${message}: ${stackIn(values)}`);
      },
      with: () => log,
    };
    const rights = new Rights(OPERATOR_NAMESPACE, watchSecrets);
    const onForbidden = (what: string): void => {
      onBug(`no role lets the operator ${what}`);
    };
    const allowed = new AllowedDomains(["*.example.com"]);
    const options = {
      openApi: () => new ClusterCalls({ cluster, wire: this.wire, rights, onAnswered, onForbidden }),
      directory: new Auth0UserDirectory(api),
      grants: "all",
      userMarkers: "as-needed",
      maxDeletesPerHour,
      maxChangesPerHour: undefined,
      audit: undefined,
      releaseAfterMs: 600_000,
      connections: new Auth0TenantConnections({ ...shared, allowed, openHttp }, new Map([[address.domain, api.quota]])),
      namespaces: "all",
      watchSecrets,
      leaderElect: false,
      operatorNamespace: OPERATOR_NAMESPACE,
      concurrency: 8,
      syncIntervalMs: SYNC_INTERVAL_MS,
      healthAddress: undefined,
      metricsAddress: undefined,
      identity: "histories",
      clock,
      random,
      log,
      metrics,
    } as const;
    runOperator(options, this.#stop.signal).catch(() => {
      this.hasEnded = true;
    });
  }

  /** As by kill -9: memory is lost at once. Of what it had sent, some may still arrive. */
  kill(arrives: (call: Call) => boolean): void {
    this.wire.cut(arrives);
    this.clock.end();
    for (const watch of this.#cluster.watches) watch.end();
    this.#cluster.watches.clear();
  }
}

function stackIn(values: object | undefined): string {
  const error = values !== undefined && "error" in values ? values.error : undefined;
  return error instanceof Error ? (error.stack ?? error.message) : JSON.stringify(values);
}
