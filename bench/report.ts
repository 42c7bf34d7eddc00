/** What was measured, as a table for people and as JSON for comparisons. */
import { mkdir, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import process from "node:process";

/** One phase. */
export interface Row {
  readonly phase: string;
  /** Of the users it was done to. */
  readonly count: number;
  readonly perSecond: number;
  /** From a request to the fact, each user's. */
  readonly timesMs: readonly number[];
  /** The operator's processor time for each user. */
  readonly cpuMsEach: number;
  readonly passes: number;
  readonly auth0Calls: Readonly<Record<string, number>>;
  readonly kubernetesCalls: number;
  readonly rssMb: number;
}

const FOLDER = "bench/results";

export function tableOf(rows: readonly Row[]): string {
  return aligned([
    ["phase", "users", "users/s", "p50 ms", "p99 ms", "CPU ms/user", "RSS MB", "passes", "API server", "Auth0"],
    ...rows.map((row) => [
      row.phase,
      String(row.count),
      row.perSecond.toFixed(0),
      quantile(row.timesMs, 0.5),
      quantile(row.timesMs, 0.99),
      row.cpuMsEach.toFixed(2),
      row.rssMb.toFixed(0),
      String(row.passes),
      String(row.kubernetesCalls),
      Object.entries(row.auth0Calls)
        .map(([route, calls]) => `${String(calls)} ${route}`)
        .join(", ") || "–",
    ]),
  ]);
}

/** Lines of cells as text, each column as wide as its widest cell. */
export function aligned(cells: readonly (readonly string[])[]): string {
  const widths = cells[0]?.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0))) ?? [];
  return cells.map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")).join("\n");
}

/** Gives the file's name. */
export async function save(name: string, options: object, rows: readonly Row[]): Promise<string> {
  await mkdir(FOLDER, { recursive: true });
  const at = new Date().toISOString();
  const file = path.join(FOLDER, `${name}-${at.replaceAll(":", "")}.json`);
  const machine = { cpus: os.cpus().length, model: os.cpus()[0]?.model, node: process.version };
  const phases = rows.map(({ timesMs, ...row }) => ({
    ...row,
    p50Ms: quantile(timesMs, 0.5),
    p99Ms: quantile(timesMs, 0.99),
  }));
  await writeFile(file, `${JSON.stringify({ at, machine, options, phases }, null, 2)}\n`);
  return file;
}

function quantile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]?.toFixed(0) ?? "–";
}
