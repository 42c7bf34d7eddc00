/** A tenant, resources of one side, and what they say to each other: for tests of the sequence. */
import type { ExecutionContext } from "ava";
import type { Outcome } from "../../src/reconcile/outcome.ts";
import { ManualClock } from "./manual-clock.ts";
import { Side, directoryOf } from "./side.ts";
import { startTestSimulator, type TestSimulator, type TestSimulatorOptions } from "./start-simulator.ts";

export interface SideWorld {
  tenant: TestSimulator;
  side: Side;
  /** Another resource of the same tenant; of another operator, too, where its state key is another. */
  other: (stateKey?: string) => Side;
  clock: ManualClock;
}

/** Passes read the clock only to date what they saw; HTTP runs on real time beside it. */
export async function aSideWorld(t: ExecutionContext, options: TestSimulatorOptions = {}): Promise<SideWorld> {
  const tenant = await startTestSimulator(t, options);
  const { api, directory } = directoryOf(tenant);
  t.teardown(() => {
    api.close();
  });
  const clock = new ManualClock(Date.now());
  const other = (stateKey?: string): Side => new Side(directory, clock, stateKey);
  return { tenant, side: other(), other, clock };
}

/** The user calls that the tenant received since it was last asked: method, and body where there is one. */
export async function sent(tenant: TestSimulator): Promise<unknown[]> {
  const requests = await tenant.requests();
  await tenant.clearCalls();
  return requests
    .filter(({ path }) => path.startsWith("/api/v2/"))
    .map(({ method, body }) => (body === undefined || body === null ? method : [method, body]));
}

export function verdictOf({ verdict }: Outcome): string {
  return verdict.kind === "undecided" ? "undecided" : `${verdict.kind} ${verdict.reason ?? "as before"}`;
}

export const given = (value: string, standing: "same" | "changed" | "unknown" | "left" = "changed") =>
  ({ kind: "given", value, standing, version: `k:${value}` }) as const;

export function messageOf({ verdict }: Outcome): string {
  return verdict.kind === "undecided" ? "" : verdict.message;
}
