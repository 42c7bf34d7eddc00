/** The stream of records of what is written to Auth0: apart from the log, on the standard output or in a file. */
import { open } from "node:fs/promises";
import process from "node:process";
import type { AuditLog } from "../operator/audit-log.ts";
import { AuditChain } from "../runtime/audit-chain.ts";
import { systemClock } from "../runtime/clock.ts";
import type { JsonObject } from "../runtime/json.ts";
import type { AuditConfig } from "./settings-reader.ts";

export interface OpenAuditLog extends AuditLog {
  /** No more is written; resolves when everything is. */
  close(): Promise<void>;
}

/** A file is only ever appended to; each start of the operator begins a chain of its own in it. */
export async function openAuditLog({ file, isChained }: AuditConfig): Promise<OpenAuditLog> {
  const output = file === undefined ? process.stdout : (await open(file, "a", 0o600)).createWriteStream();
  const chain = isChained ? new AuditChain() : undefined;
  const entryOf = (record: JsonObject): JsonObject => ({
    time: new Date(systemClock.now()).toISOString(),
    stream: "audit",
    ...record,
  });
  return {
    write(record) {
      const entry = entryOf({ ...record });
      output.write(`${chain === undefined ? JSON.stringify(entry) : chain.next(entry)}\n`);
    },
    async close() {
      const last = chain?.end(entryOf({}));
      if (last !== undefined) output.write(`${last}\n`);
      if (file !== undefined) await new Promise<void>((resolve) => output.end(resolve));
    },
  };
}
