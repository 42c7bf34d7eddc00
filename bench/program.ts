/** The built program as a process, and what it costs: the operator and the simulator are measured as people run them. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import process from "node:process";

const PROGRAM = "dist/main.js";

/** What a process has cost so far. */
export interface Usage {
  readonly cpuMs: number;
  readonly rssMb: number;
}

export class Program {
  readonly #child: ChildProcess;
  #said = "";
  #listener: (() => void) | undefined;

  /** @param nodeFlags of the runtime, such as the sizes of V8's heap */
  constructor(args: readonly string[], env: NodeJS.ProcessEnv, nodeFlags: readonly string[] = []) {
    if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is not there: npm run build`);
    this.#child = spawn(process.execPath, [...nodeFlags, PROGRAM, ...args], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#said += text;
        this.#listener?.();
      });
    }
    this.#child.once("exit", () => this.#listener?.());
  }

  /** Waits until the program has said this, and gives the first group of the match. What it said goes no further. */
  async says(pattern: RegExp): Promise<string> {
    for (;;) {
      const match = pattern.exec(this.#said);
      if (match !== null) {
        this.#said = "";
        this.#listener = () => (this.#said = "");
        return match[1] ?? "";
      }
      if (this.#child.exitCode !== null) throw new Error(`the program ended:\n${this.#said}`);
      await new Promise<void>((resolve) => {
        this.#listener = resolve;
      });
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await gone;
  }
}
