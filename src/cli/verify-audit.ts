/** `audit verify`: whether the record of what was written to Auth0 is whole. */
import { readFile } from "node:fs/promises";
import type { Writable } from "node:stream";
import { verifyChain } from "../runtime/audit-chain.ts";

export interface AuditVerification {
  readonly file: string;
  /** Of records that must be there. */
  readonly knownHashes: readonly string[];
}

/** @returns the exit code: 0 where every record is as it was written, and in its place, and none that is known is missing */
export async function verifyAudit({ file, knownHashes }: AuditVerification, out: Writable): Promise<number> {
  const { records, faults, ends } = verifyChain(await readFile(file, "utf8"), knownHashes);
  for (const { line, message } of faults) out.write(`${file}:${String(line)}: ${message}\n`);
  for (const { line, sequence, isClosed } of ends) {
    const why = "its operator still runs or was killed, or lines were cut off";
    if (!isClosed)
      out.write(`${file}:${String(line)}: the chain has no end after record ${String(sequence)}: ${why}\n`);
  }
  if (records === 0) {
    out.write(`${file}: there is no record of --audit-chain in it\n`);
    return 1;
  }
  out.write(
    `${String(records)} records, ${String(faults.length)} faults; to notice later that lines were cut off, keep\n`,
  );
  for (const { hash } of ends) out.write(`  --known-hash=${hash}\n`);
  return faults.length === 0 ? 0 : 1;
}
