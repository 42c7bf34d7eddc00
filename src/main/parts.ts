/** What the commands share of the composition: names, logs, the way to a tenant. */
import process from "node:process";
import packageJson from "../../package.json" with { type: "json" };
import { ManagementApi } from "../auth0/management-api.ts";
import type { Auth0Metrics } from "../auth0/metrics.ts";
import { systemClock } from "../runtime/clock.ts";
import { createLog, type Log } from "../runtime/log.ts";
import type { LogConfig, Tenant } from "./settings-reader.ts";

export const { version } = packageJson;
export const USER_AGENT = `auth0-user-operator/${version}`;

export function managementApi(tenant: Tenant, metrics: Auth0Metrics): ManagementApi {
  return new ManagementApi({ ...tenant, userAgent: USER_AGENT, clock: systemClock, env: process.env, metrics });
}

export function logFrom({ level, format }: LogConfig): Log {
  return createLog({ level, format, output: process.stderr, clock: systemClock });
}
