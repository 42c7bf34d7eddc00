/**
 * The process that owns the components of one control plane and the folder with their data.
 *
 * It is a program of its own, so that nothing outlives its parent: however that ends, SIGKILL included, the channel
 * between them closes, and then every component is killed and the folder removed. `supervisor.ts` is the other side.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { isJsonObject } from "../runtime/json.ts";

/** What the parent asks for. A component is started under a name of its choice. */
export type Command =
  | { readonly kind: "start"; readonly component: string; readonly file: string; readonly args: readonly string[] }
  | { readonly kind: "kill"; readonly component: string };

/** What the parent is told; `ready` comes first, once. */
export type Report =
  | { readonly kind: "ready" }
  | { readonly kind: "started"; readonly component: string; readonly pid: number }
  | { readonly kind: "ended"; readonly component: string; readonly how: string };

const folder = process.argv[2] ?? "";
const running = new Map<string, ChildProcess>();
let ending = false;

process.on("message", (message: unknown) => {
  if (isCommand(message) && !ending) obey(message);
});
process.on("disconnect", () => void end());
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => void end());
mkdirSync(folder, { mode: 0o700 });
report({ kind: "ready" });

function obey(command: Command): void {
  switch (command.kind) {
    case "start":
      start(command);
      return;
    case "kill":
      running.get(command.component)?.kill("SIGKILL");
      return;
    default:
      command satisfies never;
  }
}

function start({ component, file, args }: Extract<Command, { kind: "start" }>): void {
  const log = openSync(path.join(folder, `${component}.log`), "a");
  // All that a component reads of its environment is here: no proxy must come between programs on one machine.
  const env = { HOME: folder, TMPDIR: folder };
  const child = spawn(file, args, { cwd: folder, env, stdio: ["ignore", log, log] });
  closeSync(log);
  if (child.pid !== undefined) {
    running.set(component, child);
    report({ kind: "started", component, pid: child.pid });
  }
  child.once("error", (error) => {
    report({ kind: "ended", component, how: `can't be started: ${error.message}` });
  });
  child.once("exit", (code, signal) => {
    running.delete(component);
    report({ kind: "ended", component, how: `ended with ${signal ?? `exit code ${String(code)}`}` });
  });
}

async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  await Promise.all(
    [...running.values()].map(async (child) => {
      child.kill("SIGKILL");
      await once(child, "exit");
    }),
  );
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  process.exit();
}

function report(message: Report): void {
  process.send?.(message, undefined, undefined, (error) => {
    if (error !== null) void end();
  });
}

/** Only our own other side writes to the channel, so its kind is proof enough. */
function isCommand(message: unknown): message is Command {
  return isJsonObject(message) && (message["kind"] === "start" || message["kind"] === "kill");
}
