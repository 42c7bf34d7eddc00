/** Asking a component, over HTTP, whether it does its work. */
import type { RequestOptions } from "node:https";
import { text } from "node:stream/consumers";
import { failureText } from "./failure-text.ts";
import { httpGet } from "./http-get.ts";

export interface ProbeOptions {
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;
  /** How to reach it. Called until it succeeds: a certificate may not be there yet. */
  readonly connect: () => Promise<RequestOptions>;
}

/** On this machine an answer takes milliseconds; whoever does not give one is somebody else on the port. */
const ANSWER_WITHIN_MS = 5_000;

export class Probe {
  readonly #options: ProbeOptions;
  #connection: RequestOptions | undefined;

  constructor(options: ProbeOptions) {
    this.#options = options;
  }

  /** Why `GET path` is not answered with 200, in words; undefined when it is. Throws nothing but the signal's reason. */
  async findLack(path: string, signal: AbortSignal): Promise<string | undefined> {
    try {
      const { statusCode, body } = await this.#get(path, signal);
      return statusCode === 200 ? undefined : [path, "answers", String(statusCode), ...failedChecks(body)].join(" ");
    } catch (error) {
      signal.throwIfAborted();
      // A certificate that was read while it was being written is read again.
      this.#connection = undefined;
      return `${path}: ${failureText(error)}`;
    }
  }

  async #get(path: string, signal: AbortSignal): Promise<{ statusCode: number; body: string }> {
    const { origin, headers, connect } = this.#options;
    this.#connection ??= await connect();
    // A connection a question: none is left open, so nothing needs to be closed.
    const options = { ...this.#connection, agent: false, headers, signal, timeout: ANSWER_WITHIN_MS };
    const answer = await httpGet(new URL(path, origin), options);
    return { statusCode: answer.statusCode ?? 0, body: await text(answer) };
  }
}

/** The names in `[-]poststarthook/rbac/bootstrap-roles failed: …`, the form of Kubernetes' verbose health checks. */
function failedChecks(report: string): readonly string[] {
  return report.split("\n").flatMap((line) => /^\[-\](\S+)/.exec(line)?.[1] ?? []);
}
