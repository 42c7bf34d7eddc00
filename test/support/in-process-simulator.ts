/** The simulator without a server, for tests that need thousands of calls or look at one exchange closely. */
import { systemClock } from "../../src/runtime/clock.ts";
import type { Log, LogValues } from "../../src/runtime/log.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import type { SimulatorRequest } from "../../src/simulator/http.ts";
import { DEFAULT_CLIENT } from "../../src/simulator/oauth/clients.ts";
import { Simulator, type SimulatorOptions } from "../../src/simulator/simulator.ts";
import { silentLog } from "./silent-log.ts";

export interface Answered {
  readonly status: number;
  readonly body: unknown;
}

export class InProcessSimulator {
  readonly simulator: Simulator;
  /** What it logged as errors: its own bugs. */
  readonly bugs: (LogValues | undefined)[] = [];

  constructor(options: Partial<SimulatorOptions> = {}) {
    const log: Log = { ...silentLog, error: (_message, values) => this.bugs.push(values) };
    this.simulator = new Simulator({ clock: systemClock, random: systemRandom, log, ...options });
  }

  /** The answer to a request; throws where a fault leaves it without one. */
  send(request: SimulatorRequest): Answered {
    const exchange = this.simulator.exchange(request);
    if (exchange.kind !== "answered") throw new Error(`the call was ${exchange.kind}`);
    return { status: exchange.answer.status, body: exchange.answer.body };
  }

  /** An access token of the default client's. */
  token(): string {
    const { clientId: client_id, clientSecret: client_secret } = DEFAULT_CLIENT;
    const grant = { grant_type: "client_credentials", client_id, client_secret, audience: `https://${HOST}/api/v2/` };
    return (this.send(aRequest("POST", "/oauth/token", grant)).body as { access_token: string }).access_token;
  }
}

export const HOST = "127.0.0.1";

/** @param body sent as JSON */
export function aRequest(method: string, target: string, body?: unknown): SimulatorRequest {
  return {
    method,
    target,
    headers: { host: HOST, "content-type": "application/json" },
    body: Buffer.from(body === undefined ? "" : JSON.stringify(body)),
  };
}
