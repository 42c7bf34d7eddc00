/** The registry of a process: what any Node process tells of itself, and what program this is. */
import process from "node:process";
import { Gauge, Registry, collectDefaultMetrics } from "prom-client";
import { version } from "./parts.ts";

export function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  new Gauge({
    name: "auth0_user_operator_build_info",
    help: "Always 1; the labels say what runs",
    labelNames: ["version", "node"],
    registers: [registry],
  }).set({ version, node: process.version }, 1);
  return registry;
}

/** Gauges that end as only counters may; the sums of others that stay. */
const MISNAMED = ["nodejs_active_handles_total", "nodejs_active_requests_total", "nodejs_active_resources_total"];
