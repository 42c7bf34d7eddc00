/** The table of docs/metrics.md, from the metrics themselves. */
import type { Registry } from "prom-client";
import { Auth0Metrics } from "../src/auth0/metrics.ts";
import { KubernetesMetrics } from "../src/kubernetes/metrics.ts";
import { createRegistry } from "../src/main/metrics.ts";
import { DriftCounts } from "../src/operator/drift-counts.ts";
import { LeftBehind } from "../src/operator/left-behind.ts";
import { PausedGauge } from "../src/operator/paused-gauge.ts";
import { ReadyReasons } from "../src/operator/ready-reasons.ts";

interface Described {
  readonly name: string;
  readonly type: string;
  readonly labelNames: readonly string[];
  readonly help: string;
}

/** Every metric but those that any Node process has, by name. */
export function metricRows(): readonly (readonly [name: string, type: string, labels: string, help: string])[] {
  return describedMetrics()
    .filter(({ name }) => !/^(process|nodejs)_/.test(name))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .map(({ name, type, labelNames, help }) => [
      `\`${name}\``,
      type,
      labelNames.map((label) => `\`${label}\``).join(", "),
      help,
    ]);
}

function describedMetrics(): readonly Described[] {
  const registry = createRegistry();
  for (const describe of PARTS) describe(registry);
  // prom-client's type leaves the names of labels out.
  return registry.getMetricsAsArray() as unknown as readonly Described[];
}

/** Each registers its metrics as it is made. */
const PARTS: readonly ((registry: Registry) => unknown)[] = [
  (registry) => new Auth0Metrics(registry),
  (registry) => new KubernetesMetrics(registry),
  (registry) => new LeftBehind(registry),
  (registry) => new PausedGauge(registry),
  (registry) => new ReadyReasons(registry),
  (registry) => new DriftCounts(registry),
];
