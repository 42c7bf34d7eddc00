#!/usr/bin/env node
/**
 * The composition root: argv → configuration → command → run until a signal → exit code. With `main/`, where each command
 * is put together, the one place that knows every part, and the only reader of `process`.
 */
import process from "node:process";
import { parseConfig, type Config } from "./config.ts";
import { version } from "./main/parts.ts";

async function main(): Promise<number> {
  const config = parseConfig(process.argv.slice(2), process.env, { version, isTerminal: process.stderr.isTTY });
  if (config.command === "none") {
    (config.exitCode === 0 ? process.stdout : process.stderr).write(config.text);
    return config.exitCode;
  }
  const root = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    process.on(name, () => {
      if (root.signal.aborted) process.exit(130); // asked twice: at once
      root.abort(new Error(`stopped by ${name}`));
    });
  }
  try {
    return await command(config, root.signal);
  } catch (error) {
    if (root.signal.aborted && error === root.signal.reason) return 0;
    throw error;
  }
}

/** Loads only what the command needs: the operator's memory holds no simulator. */
async function command(config: Config, signal: AbortSignal): Promise<number> {
  switch (config.command) {
    case "run":
      return (await import("./main/run.ts")).run(config, signal);
    case "validate":
      return (await import("./cli/validate.ts")).validate(config, process.stdout);
    case "apply":
      return (await import("./main/apply.ts")).applyFiles(config, signal);
    case "verify":
      return (await import("./cli/verify-audit.ts")).verifyAudit(config, process.stdout);
    case "simulate":
      return (await import("./main/simulate.ts")).simulate(config, signal);
    case "demo":
      return (await import("./main/demo.ts")).demo(config, signal);
    default:
      return config satisfies never;
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(
    `auth0-user-operator: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exitCode = 1;
}
