/** Components that run under a supervisor: they end with this process, however it ends. */
import { fork, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { abortable } from "../runtime/abort.ts";
import { isJsonObject } from "../runtime/json.ts";
import type { Command, Report } from "./supervisor-process.ts";

/** Stands beside this file, under the same extension, in the sources as in the build. */
const PROGRAM = fileURLToPath(new URL(`./supervisor-process${path.extname(import.meta.url)}`, import.meta.url));

/** Of a log that explains a death: the reason is in the last lines. */
const MAX_LOG_LINES = 15;

/** One run of a component, from its start to its end. */
export interface Run {
  readonly pid: number;
  /** Resolves when it has ended, with how, in words. */
  readonly ended: Promise<string>;
}

interface Watch {
  readonly started: PromiseWithResolvers<number>;
  readonly ended: PromiseWithResolvers<string>;
  /** While it runs. */
  pid: number | undefined;
}

export class Supervisor {
  /**
   * Where the components work; only this user can look inside, and it is gone with the supervisor. Its name is short: the
   * path of a socket in it may have 104 bytes on macOS, half of which is the temporary folder.
   */
  readonly folder = path.join(os.tmpdir(), `auth0-user-operator-${randomUUID().slice(0, 8)}`);
  readonly #child: ChildProcess;
  readonly #ready = Promise.withResolvers<void>();
  readonly #gone = Promise.withResolvers<void>();
  readonly #watches = new Map<string, Watch>();

  private constructor() {
    // In a session of its own: a Ctrl-C at the terminal is for the parent, which ends things in order.
    const stdio = ["ignore", "ignore", "inherit", "ipc"] as const;
    this.#child = fork(PROGRAM, [this.folder], { detached: true, execArgv: [], env: {}, stdio: [...stdio] });
    this.#child.on("message", (message) => {
      if (isReport(message)) this.#take(message);
    });
    this.#child.once("exit", (exitCode) => void this.#clearUp(exitCode === 0));
  }

  static async launch(signal: AbortSignal): Promise<Supervisor> {
    signal.throwIfAborted();
    const supervisor = new Supervisor();
    try {
      await abortable(supervisor.#ready.promise, signal);
      return supervisor;
    } catch (error) {
      await supervisor.stop();
      throw error;
    }
  }

  /**
   * Starts a component, which must not be running; what it prints is appended to a log.
   *
   * @throws where the file can't be executed
   */
  async start(component: string, file: string, args: readonly string[]): Promise<Run> {
    const watch: Watch = { started: Promise.withResolvers(), ended: Promise.withResolvers(), pid: undefined };
    this.#watches.set(component, watch);
    this.#send({ kind: "start", component, file, args });
    void watch.ended.promise.then((how) => {
      watch.started.reject(new Error(`${component} ${how}`));
    });
    return { pid: await watch.started.promise, ended: watch.ended.promise };
  }

  /** Kills a component with SIGKILL and waits for its end. */
  async kill(component: string): Promise<void> {
    this.#send({ kind: "kill", component });
    await this.#watches.get(component)?.ended.promise;
  }

  /** The last lines that a component printed. */
  async logTail(component: string): Promise<string> {
    const log = await readFile(path.join(this.folder, `${component}.log`), "utf8").catch(() => "");
    return log.trimEnd().split("\n").slice(-MAX_LOG_LINES).join("\n");
  }

  /** Ends everything and waits for it; doing so again only waits. */
  async stop(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#gone.promise;
  }

  #send(command: Command): void {
    if (!this.#child.connected) throw new Error("the control plane has been stopped");
    this.#child.send(command, () => {
      // What can't be sent any more is answered by the supervisor's end.
    });
  }

  #take(report: Report): void {
    if (report.kind === "ready") {
      this.#ready.resolve();
      return;
    }
    const watch = this.#watches.get(report.component);
    if (watch === undefined) return;
    if (report.kind === "started") {
      watch.pid = report.pid;
      watch.started.resolve(report.pid);
    } else {
      watch.pid = undefined;
      watch.ended.resolve(report.how);
    }
  }

  async #clearUp(inOrder: boolean): Promise<void> {
    this.#ready.reject(new Error("the supervisor of the control plane ended too early"));
    for (const { pid, ended } of this.#watches.values()) {
      // A supervisor that was killed itself leaves its work undone.
      if (!inOrder && pid !== undefined) killIfAlive(pid);
      ended.resolve("ended with its supervisor");
    }
    // Nothing is there after an orderly end. What resists is in the temporary folder, which the system sweeps.
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 }).catch(() => {});
    this.#gone.resolve();
  }
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}

/** Only our own supervisor writes to the channel, so its kind is proof enough. */
function isReport(message: unknown): message is Report {
  return isJsonObject(message) && ["ready", "started", "ended"].includes(String(message["kind"]));
}
