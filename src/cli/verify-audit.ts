/** `audit verify`: whether the record of what was written to Auth0 is whole. */
import { readFile } from "node:fs/promises";
import type { Writable } from "node:stream";
import { verifyChain } from "../runtime/audit-chain.ts";

/** @returns the exit code: 0 where every record is as it was written, and in its place */
export async function verifyAudit(file: string, out: Writable): Promise<number> {
  const { records, faults } = verifyChain(await readFile(file, "utf8"));
  for (const { line, message } of faults) out.write(`${file}:${String(line)}: ${message}\n`);
  if (records === 0) out.write(`${file}: there is no record of --audit-chain in it\n`);
  else out.write(`${String(records)} records, ${String(faults.length)} faults\n`);
  return records > 0 && faults.length === 0 ? 0 : 1;
}
