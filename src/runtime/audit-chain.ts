/**
 * Records as lines of JSON, each bound to the one before it by a hash, so that a line that is taken out, put in or changed
 * shows. What a chain can't show is that its end was cut off: keep the last hash elsewhere for that.
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
}

export interface ChainFault {
  readonly line: number;
  readonly message: string;
}

/** @returns how many lines belong to chains, and what is wrong with them; other lines are passed over */
export function verifyChain(text: string): { readonly records: number; readonly faults: readonly ChainFault[] } {
  const last = new Map<string, { readonly sequence: number; readonly hash: string }>();
  const faults: ChainFault[] = [];
  let records = 0;
  for (const [index, content] of text.split("\n").entries()) {
    const { hash, ...bound } = findJsonObject(content) ?? {};
    const { chain, sequence, previous } = bound;
    if (typeof chain !== "string" || typeof sequence !== "number" || typeof hash !== "string") continue;
    records++;
    const line = index + 1;
    const before = last.get(chain) ?? { sequence: 0, hash: NOTHING };
    if (hashOf(bound) !== hash) faults.push({ line, message: "the record was changed: its hash is another one" });
    if (sequence !== before.sequence + 1) {
      const message = `record ${String(sequence)} follows ${String(before.sequence)}: records are missing, or in another order`;
      faults.push({ line, message });
    } else if (previous !== before.hash) {
      faults.push({ line, message: "the record before it is not the one that it was bound to" });
    }
    last.set(chain, { sequence, hash });
  }
  return { records, faults };
}

function hashOf(bound: JsonObject): string {
  return createHash("sha256").update(JSON.stringify(bound)).digest("hex");
}
