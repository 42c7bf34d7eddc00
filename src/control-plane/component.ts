/** One program of a control plane, which can be killed and started again with the same data. */
import { Deadline } from "../runtime/abort.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Probe } from "./probe.ts";
import type { Run, Supervisor } from "./supervisor.ts";

export interface ComponentOptions {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  /** Who is asked whether it does its work: it does when each of `readyPaths` is answered with 200. */
  readonly probe: Probe;
  readonly readyPaths: readonly string[];
}

/** What all components of a control plane share. */
export interface ComponentHost {
  readonly supervisor: Supervisor;
  readonly clock: Clock;
}

/** A start takes some 3 s on two idle cores; a machine under load gets twenty times that. */
const READY_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 50;

export class Component {
  readonly #options: ComponentOptions;
  readonly #host: ComponentHost;
  #run: Run | undefined;

  constructor(options: ComponentOptions, host: ComponentHost) {
    this.#options = options;
    this.#host = host;
  }

  /** Of its latest run; undefined before the first. */
  get pid(): number | undefined {
    return this.#run?.pid;
  }

  /** Ends it as a crash would, with SIGKILL. Resolves when it is gone. */
  async kill(): Promise<void> {
    await this.#host.supervisor.kill(this.#options.name);
  }

  /**
   * Resolves when it is ready. It must not be running.
   *
   * @throws with the last lines of its log, if it ends or is not ready within a minute
   */
  async start(signal: AbortSignal): Promise<void> {
    const { name, file, args } = this.#options;
    const { supervisor, clock } = this.#host;
    signal.throwIfAborted();
    this.#run = await supervisor.start(name, file, args);
    const ended = new AbortController();
    void this.#run.ended.then((how) => {
      ended.abort(how);
    });
    const deadline = new Deadline(signal, READY_WITHIN_MS, clock);
    const stop = AbortSignal.any([deadline.signal, ended.signal]);
    let lack: string | undefined;
    try {
      while ((lack = await this.#findLack(stop)) !== undefined) await clock.sleep(LOOK_EVERY_MS, stop);
    } catch (error) {
      signal.throwIfAborted();
      const reason = ended.signal.aborted
        ? String(ended.signal.reason)
        : `is not ready after ${String(READY_WITHIN_MS / 1000)} s: ${lack ?? ""}`;
      throw new Error(`${name} ${reason}\n${await supervisor.logTail(name)}`, { cause: error });
    } finally {
      deadline.clear();
    }
  }

  async #findLack(signal: AbortSignal): Promise<string | undefined> {
    for (const path of this.#options.readyPaths) {
      const lack = await this.#options.probe.findLack(path, signal);
      if (lack !== undefined) return lack;
    }
    return undefined;
  }
}
