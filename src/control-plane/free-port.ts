/** A port for a server that is told its port instead of choosing one. */
import { once } from "node:events";
import { createServer } from "node:net";
import type { Random } from "../runtime/random.ts";

/**
 * Below the ports that outgoing connections are given (from 32768 on Linux, 49152 on macOS), so that one which was free
 * stays so while its server is down and comes back.
 */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;
const MAX_TRIES = 100;

/** A TCP port on which nothing listens on 127.0.0.1 at this moment; somebody else may still be quicker. */
export async function findFreePort(random: Random): Promise<number> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const port = FIRST_PORT + Math.floor(random.next() * (LAST_PORT - FIRST_PORT));
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port was found between ${String(FIRST_PORT)} and ${String(LAST_PORT)}`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
