/**
 * Records as lines of JSON, each bound to the one before it by a hash, so that a line that is taken out, put in or changed
 * shows. A chain ends with a record that says so; one without it was cut off, or its writer was. Who can write the file can
 * make a chain of his own from its beginning: against that helps a hash that is kept elsewhere.
 */
import { createHash, randomUUID } from "node:crypto";
import { findJsonObject, type JsonObject } from "./json.ts";

/** Before the first line of a chain. */
const NOTHING = "0".repeat(64);

export class AuditChain {
  readonly #id = randomUUID();
  #sequence = 0;
  #previous = NOTHING;

  /** The record as the next line of the chain. */
  next(record: JsonObject): string {
    const bound = { ...record, chain: this.#id, sequence: ++this.#sequence, previous: this.#previous };
    this.#previous = hashOf(bound);
    return JSON.stringify({ ...bound, hash: this.#previous });
  }

  /** The last line; `undefined` where there is no other. */
  end(record: JsonObject): string | undefined {
    return this.#sequence === 0 ? undefined : this.next({ ...record, isLast: true });
  }
}

export interface ChainFault {
  readonly line: number;
  readonly message: string;
}

/** What one file holds; lines that belong to no chain are passed over. */
export interface ChainReport {
  readonly records: number;
  readonly faults: readonly ChainFault[];
  /** The last record of each chain, in the order in which they begin. */
  readonly ends: readonly ChainEnd[];
}

export interface ChainEnd {
  readonly chain: string;
  readonly line: number;
  readonly sequence: number;
  readonly hash: string;
  /** Whether the chain says itself that this is its end. */
  readonly isClosed: boolean;
}

/** @param known hashes that were noted earlier, elsewhere: a record with each must still be there */
export function verifyChain(text: string, known: readonly string[] = []): ChainReport {
  const ends = new Map<string, ChainEnd>();
  const faults: ChainFault[] = [];
  const unseen = new Set(known);
  const lines = text.split("\n");
  let records = 0;
  for (const [index, content] of lines.entries()) {
    const { hash, ...bound } = findJsonObject(content) ?? {};
    const { chain, sequence, previous } = bound;
    if (typeof chain !== "string" || typeof sequence !== "number" || typeof hash !== "string") continue;
    records++;
    unseen.delete(hash);
    const line = index + 1;
    const before = ends.get(chain) ?? { sequence: 0, hash: NOTHING };
    if (hashOf(bound) !== hash) faults.push({ line, message: "the record was changed: its hash is another one" });
    if (sequence !== before.sequence + 1) {
      const message = `record ${String(sequence)} follows ${String(before.sequence)}: records are missing, or in another order`;
      faults.push({ line, message });
    } else if (previous !== before.hash) {
      faults.push({ line, message: "the record before it is not the one that it was bound to" });
    }
    ends.set(chain, { chain, line, sequence, hash, isClosed: bound["isLast"] === true });
  }
  for (const hash of unseen) {
    faults.push({ line: lines.length, message: `the record with the hash ${hash} is missing: lines were cut off` });
  }
  return { records, faults, ends: [...ends.values()] };
}

function hashOf(bound: JsonObject): string {
  return createHash("sha256").update(JSON.stringify(bound)).digest("hex");
}
