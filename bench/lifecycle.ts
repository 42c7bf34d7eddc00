/**
 * The life of many users: created, edited, left alone, gone over by a new process, deleted. Calls are exact; times say
 * something only beside other times of the same run, since machines are shared and noisy.
 */
import process from "node:process";
import type { Row } from "./report.ts";
import { Stage, type StageOptions } from "./stage.ts";
import { Users } from "./users.ts";

export interface LifecycleOptions extends StageOptions {
  readonly users: number;
}

/** Edits that are made one after another. */
const EDITS = 100;

export async function measureLifecycle(options: LifecycleOptions, signal: AbortSignal): Promise<Row[]> {
  const watching = new AbortController();
  const stage = await Stage.open(options, signal);
  try {
    const users = new Users(stage, options.users, AbortSignal.any([signal, watching.signal]));
    await stage.startOperator();
    await users.prepare();
    const rows: Row[] = [];
    const measure = async (phase: string, count: number, work: () => Promise<readonly number[]>): Promise<void> => {
      process.stderr.write(`${phase} …\n`);
      rows.push(await measurePhase(stage, phase, count, work));
    };
    await measure("create", options.users, () => users.forAll((name) => users.create(name)));
    const edited = users.names.slice(0, EDITS);
    await measure("edit", edited.length, async () => {
      const times: number[] = [];
      for (const name of edited) times.push(await users.edit(name, `${name}-edited`));
      return times;
    });
    await measure("no-op", options.users, async () => {
      await users.forAll((name) => users.touch(name));
      return [];
    });
    process.stderr.write("restart …\n");
    rows.push(await measureRestart(stage, options.users));
    await measure("delete", options.users, () => users.forAll((name) => users.delete(name)));
    return rows;
  } finally {
    watching.abort();
    await stage.close();
  }
}

async function measurePhase(
  stage: Stage,
  phase: string,
  count: number,
  work: () => Promise<readonly number[]>,
): Promise<Row> {
  const before = await stage.operatorMetrics();
  await stage.tenantCalls();
  const startedMs = performance.now();
  const timesMs = await work();
  const tookMs = performance.now() - startedMs;
  const after = await stage.operatorMetrics();
  const grown = (prefix: string): number => after(prefix) - before(prefix);
  return {
    phase,
    count,
    perSecond: (count * 1_000) / tookMs,
    timesMs,
    cpuMsEach: (grown("process_cpu_seconds_total") * 1_000) / count,
    passes: grown("controller_runtime_reconcile_total"),
    auth0Calls: await stage.tenantCalls(),
    kubernetesCalls: grown("rest_client_requests_total"),
    rssMb: after("process_resident_memory_bytes") / 1e6,
  };
}

/** A new process reads all resources and goes over them; with users that are in sync that costs no call. */
async function measureRestart(stage: Stage, count: number): Promise<Row> {
  await stage.stopOperator();
  await stage.tenantCalls();
  const startedMs = performance.now();
  await stage.startOperator();
  let sum = await stage.operatorMetrics();
  while (sum("controller_runtime_reconcile_total") < count) sum = await stage.operatorMetrics();
  const tookMs = performance.now() - startedMs;
  return {
    phase: "restart",
    count,
    perSecond: (count * 1_000) / tookMs,
    timesMs: [tookMs],
    cpuMsEach: (sum("process_cpu_seconds_total") * 1_000) / count,
    passes: sum("controller_runtime_reconcile_total"),
    auth0Calls: await stage.tenantCalls(),
    kubernetesCalls: sum("rest_client_requests_total"),
    rssMb: sum("process_resident_memory_bytes") / 1e6,
  };
}
