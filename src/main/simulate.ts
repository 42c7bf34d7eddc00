/** `simulate`: an Auth0 tenant on this machine. */
import process from "node:process";
import type { SimulateConfig } from "../config.ts";
import { systemClock } from "../runtime/clock.ts";
import { systemRandom } from "../runtime/random.ts";
import { simulatorPart } from "../simulator/start-simulator.ts";
import { logFrom } from "./parts.ts";

/** Prints its address on standard output once it can be reached. */
export async function simulate(config: SimulateConfig, signal: AbortSignal): Promise<number> {
  const part = simulatorPart(
    {
      ...config.listen,
      domain: config.domain,
      plan: config.plan,
      clients: [{ clientId: config.clientId, clientSecret: config.clientSecret }],
      switches: { searchLagMs: config.searchLagMs },
      clock: systemClock,
      random: systemRandom,
      log: logFrom(config.log),
    },
    ({ url }) => {
      process.stdout.write(`${url}\n`);
    },
  );
  await part.run(signal);
  return 0;
}
