/** Starting the simulator as a server: for tests, and as a part of the program. */
import { once } from "node:events";
import type { Part } from "../runtime/run-group.ts";
import { makeCertificate } from "./tls/certificate.ts";
import { DataFile } from "./state/data-file.ts";
import { listen } from "./server.ts";
import { Simulator, type SimulatorOptions } from "./simulator.ts";

export interface StartOptions extends Omit<SimulatorOptions, "saved"> {
  /** Keeps the tenant's state; where it holds one already, that goes on, and what a new one would start with counts for nothing. */
  readonly dataFile?: string | undefined;
  /** 127.0.0.1 unless told otherwise: whoever reaches `/_simulator` may do everything. */
  readonly host?: string | undefined;
  /** A free one unless given. */
  readonly port?: number | undefined;
  /** Speaks https, with a certificate made for this start. */
  readonly tls?: boolean | undefined;
}

export interface RunningSimulator {
  /** Without a slash at its end. */
  readonly url: string;
  readonly port: number;
  /** What clients have to trust, PEM; undefined without TLS. */
  readonly ca: string | undefined;
  readonly simulator: Simulator;
  /** Ends the server and all its connections. */
  close(): Promise<void>;
}

/**
 * Resolves once it listens.
 *
 * @throws InvalidInput when what to start with is not possible, or the data file is not one of ours; the system's error
 *   when the port is taken
 */
export async function startSimulator(options: StartOptions, signal: AbortSignal): Promise<RunningSimulator> {
  const { host = "127.0.0.1", port = 0, dataFile, domain, clock, log } = options;
  const file = dataFile === undefined ? undefined : new DataFile(dataFile, log);
  const simulator = new Simulator({ ...options, saved: file?.saved });
  file?.keep(simulator.tenant.state);
  const own = new AbortController();
  const certificate = options.tls === true ? makeCertificate(namesOf(host, domain), clock.now()) : undefined;
  const listener = await listen(
    { simulator, host, port, certificate, clock, log },
    AbortSignal.any([signal, own.signal]),
  );
  const url = `${certificate ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${String(listener.port)}`;
  return {
    url,
    port: listener.port,
    ca: certificate?.ca,
    simulator,
    async close() {
      own.abort();
      await listener.closed;
      file?.close();
    },
  };
}

/** Whatever a client on this machine may call it, besides the tenant's own name. */
function namesOf(host: string, domain: string | undefined): readonly string[] {
  const own = domain === undefined ? [] : [domain.replace(/:\d+$/, "")];
  return [...new Set([...own, "localhost", "127.0.0.1", "::1", host])];
}

/** @param onListening called once the simulator can be reached */
export function simulatorPart(options: StartOptions, onListening: (running: RunningSimulator) => void): Part {
  return {
    name: "simulator",
    async run(signal) {
      const running = await startSimulator(options, signal);
      onListening(running);
      if (!signal.aborted) await once(signal, "abort");
      await running.close();
    },
  };
}
