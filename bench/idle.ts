/**
 * What the operator takes while nothing changes: before the first user, after many were created, and as a new process
 * that has gone over all of them. What the chart's resources are chosen by.
 */
import process from "node:process";
import { systemClock } from "../src/runtime/clock.ts";
import { aligned } from "./report.ts";
import { Stage, type StageOptions } from "./stage.ts";
import { Users } from "./users.ts";

export interface IdleOptions extends StageOptions {
  readonly users: number;
  /** How long each state is watched. */
  readonly seconds: number;
}

export interface IdleRow {
  readonly state: string;
  readonly users: number;
  readonly rssMb: number;
  /** Thousandths of a core, on average. */
  readonly milliCores: number;
  readonly auth0CallsPerSecond: number;
}

export async function measureIdle(options: IdleOptions, signal: AbortSignal): Promise<IdleRow[]> {
  const watching = new AbortController();
  const stage = await Stage.open(options, signal);
  try {
    const users = new Users(stage, options.users, AbortSignal.any([signal, watching.signal]));
    const watch = (state: string, count: number): Promise<IdleRow> =>
      watchState(stage, state, count, options.seconds, signal);
    await users.prepare();
    await stage.startOperator();
    const rows = [await watch("no users", 0)];
    process.stderr.write(`creating ${String(options.users)} users …\n`);
    await users.forAll((name) => users.create(name));
    rows.push(await watch("users just created", options.users));
    await stage.stopOperator();
    await stage.startOperator();
    await wholePass(stage, options.users);
    rows.push(await watch("users, new process", options.users));
    return rows;
  } finally {
    watching.abort();
    await stage.close();
  }
}

export function idleTable(rows: readonly IdleRow[]): string {
  return aligned([
    ["state", "users", "RSS MB", "CPU m", "Auth0 calls/s"],
    ...rows.map(({ state, users, rssMb, milliCores, auth0CallsPerSecond }) => [
      state,
      String(users),
      rssMb.toFixed(0),
      milliCores.toFixed(1),
      auth0CallsPerSecond.toFixed(2),
    ]),
  ]);
}

async function watchState(
  stage: Stage,
  state: string,
  users: number,
  seconds: number,
  signal: AbortSignal,
): Promise<IdleRow> {
  process.stderr.write(`${state}: watched for ${String(seconds)} s …\n`);
  await stage.tenantCalls();
  const before = await stage.operatorUsage();
  await systemClock.sleep(seconds * 1_000, signal);
  const after = await stage.operatorUsage();
  const calls = Object.values(await stage.tenantCalls()).reduce((sum, count) => sum + count, 0);
  return {
    state,
    users,
    rssMb: after.rssMb,
    milliCores: (after.cpuMs - before.cpuMs) / seconds,
    auth0CallsPerSecond: calls / seconds,
  };
}

async function wholePass(stage: Stage, users: number): Promise<void> {
  let sum = await stage.operatorMetrics();
  while (sum("controller_runtime_reconcile_total") < users) sum = await stage.operatorMetrics();
}
