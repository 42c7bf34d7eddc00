/** `npm run bench`: measures the built program on a real control plane, against the simulator. */
import process from "node:process";
import { Command } from "commander";
import { measureLifecycle } from "./lifecycle.ts";
import { save, tableOf } from "./report.ts";

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
await program.parseAsync();
