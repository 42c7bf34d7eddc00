/** The program as people run it: the bundle, in a process of its own. */
import { existsSync } from "node:fs";
import process from "node:process";
import { runCommand, type CommandResult } from "../../src/control-plane/run-command.ts";

const PROGRAM = "dist/main.js";

export function program(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<CommandResult> {
  if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is not there: npm run build`);
  return runCommand(process.execPath, [PROGRAM, ...args], { env }, signal);
}
