/** A log that nobody reads. */
import type { Log } from "../../src/runtime/log.ts";

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {}, with: () => silentLog };
