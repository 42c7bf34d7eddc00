/** `apply`: a directory of YAML instead of a cluster. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { Registry } from "prom-client";
import { Auth0UserDirectory } from "../auth0/auth0-user-directory.ts";
import { Auth0Metrics } from "../auth0/metrics.ts";
import { apply, type Output } from "../cli/apply.ts";
import type { ApplyConfig } from "../config.ts";
import { Keyring } from "../reconcile/keyring.ts";
import { systemClock } from "../runtime/clock.ts";
import { systemRandom } from "../runtime/random.ts";
import { managementApi } from "./parts.ts";

const STANDARD: Output = { out: process.stdout, err: process.stderr };
const MIN_KEY_BYTES = 32;

export async function applyFiles(config: ApplyConfig, signal: AbortSignal, output = STANDARD): Promise<number> {
  const api = managementApi(config.tenant, new Auth0Metrics(new Registry()));
  const keyring = await stateKeyring(config.stateKeyFile);
  const { syncIntervalMs } = config;
  const directory = new Auth0UserDirectory(api);
  const parts = { directory, keyring, clock: systemClock, random: systemRandom, syncIntervalMs };
  try {
    return await apply(config, parts, output, signal);
  } finally {
    api.close();
  }
}

/**
 * The key that signs markers. Without one of the user's own a fixed key serves: then a marker says who made a user, and
 * proves it only as far as the tenant's administrators, who alone can write it, are trusted.
 */
async function stateKeyring(file: string | undefined): Promise<Keyring> {
  const secret = file === undefined ? Buffer.from("auth0-user-operator") : await readFile(file);
  if (file !== undefined && secret.length < MIN_KEY_BYTES) {
    throw new Error(`${file}: a state key needs at least ${String(MIN_KEY_BYTES)} bytes`);
  }
  const key = createHash("sha256").update(secret).digest();
  return new Keyring(new Map([[file === undefined ? "public" : "files", key]]));
}
