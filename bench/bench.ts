/** `npm run bench`: measures the built program on a real control plane, against the simulator. */
import process from "node:process";
import { Command } from "commander";
import { idleTable, measureIdle } from "./idle.ts";
import { measureLifecycle } from "./lifecycle.ts";
import { save, tableOf } from "./report.ts";
import { measureSimulator, simulatorTable } from "./simulator.ts";

const interrupted = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => interrupted.abort(new Error(name)));

const program = new Command("npm run bench --");
program
  .command("lifecycle", { isDefault: true })
  .description("users created, edited, left alone, gone over by a new process, deleted")
  .option("--users <count>", "how many", "1000")
  .option("--latency <ms>", "how long the tenant takes for an answer", "0")
  .option("--node-flags <flags>", "for the operator's Node", "")
  .action(async ({ users, latency, nodeFlags }: Record<"users" | "latency" | "nodeFlags", string>) => {
    const options = {
      users: Number(users),
      latencyMs: Number(latency),
      nodeFlags: nodeFlags.split(" ").filter((flag) => flag !== ""),
    };
    const rows = await measureLifecycle(options, interrupted.signal);
    process.stdout.write(`${tableOf(rows)}\n${await save("lifecycle", options, rows)}\n`);
  });
program
  .command("idle")
  .description("what the operator takes while nothing changes: with no users, and with many")
  .option("--users <count>", "how many", "10000")
  .option("--seconds <count>", "how long each state is watched", "120")
  .option("--node-flags <flags>", "for the operator's Node", "")
  .action(async ({ users, seconds, nodeFlags }: Record<"users" | "seconds" | "nodeFlags", string>) => {
    const flags = nodeFlags.split(" ").filter((flag) => flag !== "");
    const options = { users: Number(users), seconds: Number(seconds), latencyMs: 0, nodeFlags: flags };
    process.stdout.write(`${idleTable(await measureIdle(options, interrupted.signal))}\n`);
  });
program
  .command("simulator")
  .description("the simulator alone: reads, searches and creates with many users in memory")
  .option("--users <count>", "how many are there", "100000")
  .option("--calls <count>", "of each kind", "30000")
  .option("--connections <count>", "calls on their way at once", "16")
  .option("--node-flags <flags>", "for the simulator's Node", "")
  .action(async (given: Record<"users" | "calls" | "connections" | "nodeFlags", string>) => {
    const rows = await measureSimulator({
      users: Number(given.users),
      calls: Number(given.calls),
      connections: Number(given.connections),
      nodeFlags: given.nodeFlags.split(" ").filter((flag) => flag !== ""),
    });
    process.stdout.write(`${simulatorTable(rows)}\n`);
  });
await program.parseAsync();
