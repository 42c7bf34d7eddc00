/** `simulate`: an Auth0 tenant on this machine. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import v8 from "node:v8";
import type { SimulateConfig } from "../config.ts";
import { isJsonObject } from "../runtime/json.ts";
import { systemClock } from "../runtime/clock.ts";
import { systemRandom } from "../runtime/random.ts";
import { CONNECTION_PRESETS } from "../simulator/connections/presets.ts";
import { parseFaultPlan, type FaultRule } from "../simulator/faults/fault-plan.ts";
import { InvalidInput } from "../simulator/parser.ts";
import { simulatorPart, type StartOptions } from "../simulator/start-simulator.ts";
import { parseTenantFile, parseYaml } from "../simulator/tenant-file.ts";
import { madeUpUsers } from "../simulator/users/made-up-users.ts";
import { logFrom } from "./parts.ts";

/**
 * V8's nursery grows to 64 MB and stays so; kept small, 100,000 users fit in 300 MB, and calls take no longer (measured by
 * `npm run bench -- simulator`).
 */
const HEAP_FLAG = "--semi-space-growth-factor=1";

/** Prints its address, and with TLS the authority's file, on standard output once it can be reached. */
export async function simulate(config: SimulateConfig, signal: AbortSignal): Promise<number> {
  v8.setFlagsFromString(HEAP_FLAG);
  let folder: string | undefined;
  try {
    const part = simulatorPart(await optionsFrom(config), ({ url, ca }) => {
      const caFile = ca === undefined ? undefined : writeAuthority(ca);
      if (caFile !== undefined) folder = path.dirname(caFile);
      process.stdout.write(caFile === undefined ? `${url}\n` : `${url}\nTrust the authority in ${caFile}\n`);
    });
    await part.run(signal);
    return 0;
  } catch (error) {
    if (!isUsersMistake(error)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    return 1;
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

/** @returns the file, in a folder of its own */
function writeAuthority(ca: string): string {
  const file = path.join(mkdtempSync(path.join(os.tmpdir(), "auth0-user-operator-simulator-")), "ca.pem");
  writeFileSync(file, ca);
  return file;
}

async function optionsFrom(config: SimulateConfig): Promise<StartOptions> {
  const { listen, plan, seed, userCount, dataFile, isTls, searchLagMs, clientId, clientSecret, log } = config;
  const file = await readTenant(config.tenantFile);
  return {
    ...listen,
    domain: config.domain ?? file.domain,
    plan,
    tls: isTls,
    dataFile,
    customDomains: file.customDomains,
    connections: file.connections ?? CONNECTION_PRESETS[config.connectionPreset],
    clients: [{ clientId, clientSecret }, ...(file.clients ?? [])],
    roles: file.roles,
    users: chain(file.users ?? [], madeUpUsers({ count: userCount, seed, now: systemClock.now() })),
    switches: { ...file.switches, ...(searchLagMs > 0 && { searchLagMs }) },
    faults: await readFaults(config),
    clock: systemClock,
    random: systemRandom,
    log: logFrom(log),
  };
}

function* chain<T>(...parts: readonly Iterable<T>[]): Generator<T> {
  for (const part of parts) yield* part;
}

async function readTenant(name: string | undefined): Promise<ReturnType<typeof parseTenantFile>> {
  return name === undefined ? {} : parseTenantFile(await readFile(name, "utf8"), name);
}

/** The plan of `--faults`, with the delay of `--latency` before it. */
async function readFaults({ faultsFile, latency, seed }: SimulateConfig): Promise<unknown> {
  const plan = faultsFile === undefined ? {} : parseYaml(await readFile(faultsFile, "utf8"), faultsFile);
  const { rules, ...others } = parseFaultPlan(isJsonObject(plan) ? { seed, ...plan } : plan);
  const delay: readonly FaultRule[] = latency
    ? [
        {
          kind: "latency",
          route: "*",
          rate: 1,
          ms: latency.ms,
          ...(latency.p99Ms !== undefined && { p99Ms: latency.p99Ms }),
        },
      ]
    : [];
  return { ...others, rules: [...delay, ...rules] };
}

/** What a person can put right without having seen the program from inside. */
function isUsersMistake(error: unknown): error is Error {
  if (error instanceof InvalidInput) return true;
  return (
    error instanceof Error &&
    "code" in error &&
    ["EADDRINUSE", "EACCES", "ENOENT", "EISDIR"].includes(String(error.code))
  );
}
