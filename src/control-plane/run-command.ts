/** Running a program to its end. */
import { spawn } from "node:child_process";
import process from "node:process";

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
}

/** Variables by name, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface CommandOptions {
  /** The whole environment: nothing is inherited. */
  readonly env: Environment;
  readonly cwd?: string;
  /** Standard input; empty if absent. */
  readonly input?: string;
}

/**
 * Any exit code is a result. When the signal is aborted, the program is killed with every process that it started.
 *
 * @throws where the program can't be started (ENOENT, EACCES)
 */
export async function runCommand(
  file: string,
  args: readonly string[],
  { env, cwd, input = "" }: CommandOptions,
  signal: AbortSignal,
): Promise<CommandResult> {
  signal.throwIfAborted();
  // A process group of its own, so that a compiler goes down with its `go build`.
  const child = spawn(file, args, { env, cwd, detached: true, stdio: "pipe" });
  const onAbort = (): void => {
    killGroup(child.pid);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    // A program that ends without reading its input is no failure.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    signal.throwIfAborted();
    return { stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString(), exitCode };
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}
