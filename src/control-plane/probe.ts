/** Asking a component, over HTTP, whether it does its work. */
import { Agent, request, type buildConnector } from "undici";
import { abortable } from "../runtime/abort.ts";
import { failureText } from "./failure-text.ts";

export interface ProbeOptions {
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;
  /** How to reach it. Called until it succeeds: a certificate may not be there yet. */
  readonly connect: () => Promise<buildConnector.BuildOptions>;
}

/** On this machine a connection takes milliseconds; whoever does not answer is somebody else on the port. */
const CONNECT_WITHIN_MS = 2_000;

export class Probe {
  readonly #options: ProbeOptions;
  #agent: Agent | undefined;

  constructor(options: ProbeOptions) {
    this.#options = options;
  }

  /** Why `GET path` is not answered with 200, in words; undefined when it is. Throws nothing but the signal's reason. */
  async findLack(path: string, signal: AbortSignal): Promise<string | undefined> {
    try {
      // undici's own signal does not end an attempt to connect.
      const { statusCode, text } = await abortable(this.#get(path, signal), signal);
      return statusCode === 200 ? undefined : [path, "answers", String(statusCode), ...failedChecks(text)].join(" ");
    } catch (error) {
      signal.throwIfAborted();
      // A certificate that was read while it was being written is read again.
      this.#agent = undefined;
      return `${path}: ${failureText(error)}`;
    }
  }

  async #get(path: string, signal: AbortSignal): Promise<{ statusCode: number; text: string }> {
    const { origin, headers, connect } = this.#options;
    // A connection a question: none is left open, so nothing needs to be closed.
    this.#agent ??= new Agent({ connect: { ...(await connect()), timeout: CONNECT_WITHIN_MS }, pipelining: 0 });
    const { statusCode, body } = await request(origin + path, { dispatcher: this.#agent, headers, signal });
    return { statusCode, text: await body.text() };
  }
}

/** The names in `[-]poststarthook/rbac/bootstrap-roles failed: …`, the form of Kubernetes' verbose health checks. */
function failedChecks(text: string): readonly string[] {
  return text.split("\n").flatMap((line) => /^\[-\](\S+)/.exec(line)?.[1] ?? []);
}
