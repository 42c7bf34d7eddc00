/**
 * A file that keeps the tenant's state: one line of JSON for each call that changed something, written before the call is
 * answered. A process may die at any moment: a line without its end was never answered, and is dropped.
 *
 * Lines pile up, so now and then the file is written anew, beside the old one, and put in its place.
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import type { Log } from "../../runtime/log.ts";
import { InvalidInput } from "../parser.ts";
import type { Change, State, StateKeeper } from "./state.ts";

/** The first line. A file that begins otherwise is somebody else's, and is not touched. */
const HEADER = JSON.stringify({ format: "auth0-user-operator simulator", version: 1 });

const NEWLINE = 0x0a;

/** Changes that may pile up beyond as many as there are items, before the file is written anew. */
const MAX_SURPLUS = 10_000;

/** Items in one line of a file that is written anew; bounds the length of a string. */
const ITEMS_PER_LINE = 1000;

export class DataFile implements StateKeeper {
  /** What the file held; undefined: it is new. */
  readonly saved: Iterable<Change> | undefined;
  readonly #path: string;
  readonly #log: Log;
  #state: State | undefined;
  #descriptor = -1;
  #length = 0;
  #piled = 0;
  #pending: Change[] = [];

  /** @throws InvalidInput naming the line, where the file is not one of ours or is damaged */
  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
    const content = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
    this.saved = content.length === 0 ? undefined : [...changesIn(content, path)];
  }

  /** Keeps this state from now on. */
  keep(state: State): void {
    this.#state = state;
    this.#rewrite(state);
    state.keepIn(this);
  }

  note(change: Change): void {
    if (this.#pending.push(change) > 1) return;
    // Most changes are committed by the call that made them. Those that no call made are committed right after.
    queueMicrotask(() => {
      try {
        this.commit();
      } catch (error) {
        this.#log.error("the tenant's state could not be saved", { file: this.#path, error });
      }
    });
  }

  /** @throws the system's error; what was to be written is written with the next commit */
  commit(): void {
    const state = this.#state;
    if (this.#pending.length === 0 || !state) return;
    this.#piled += this.#pending.length;
    if (this.#piled > state.size + MAX_SURPLUS) this.#rewrite(state);
    else this.#length += writeAt(this.#descriptor, lineOf(this.#pending), this.#length);
    this.#pending = [];
  }

  close(): void {
    this.commit();
    closeSync(this.#descriptor);
  }

  #rewrite(state: State): void {
    const path = `${this.#path}.new`;
    const descriptor = openSync(path, "w", 0o600);
    let length = writeAt(descriptor, `${HEADER}\n`, 0);
    for (const changes of inParts(state.changes())) length += writeAt(descriptor, lineOf(changes), length);
    fsyncSync(descriptor);
    renameSync(path, this.#path);
    if (this.#descriptor >= 0) closeSync(this.#descriptor);
    this.#descriptor = descriptor;
    this.#length = length;
    this.#piled = 0;
  }
}

function* inParts(changes: Iterable<Change>): Generator<readonly Change[]> {
  let part: Change[] = [];
  for (const change of changes) {
    if (part.push(change) < ITEMS_PER_LINE) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}

function lineOf(changes: readonly Change[]): string {
  return `${JSON.stringify(changes)}\n`;
}

/** Half a line that a full disk left behind is written over by the next try, at the same position. */
function writeAt(descriptor: number, text: string, position: number): number {
  const bytes = Buffer.from(text);
  let written = 0;
  while (written < bytes.length) {
    written += writeSync(descriptor, bytes, written, bytes.length - written, position + written);
  }
  return written;
}

function* changesIn(content: Buffer, path: string): Generator<Change> {
  let number = 1;
  let start = 0;
  for (;;) {
    const end = content.indexOf(NEWLINE, start);
    if (end < 0 && number > 1) return;
    const line = content.toString("utf8", start, end);
    if (number > 1) yield* parseLine(line, `${path}:${String(number)}`);
    else if (line !== HEADER) throw new InvalidInput(`${path} holds no state of a simulator, and is left as it is`);
    start = end + 1;
    number++;
  }
}

function parseLine(line: string, where: string): readonly Change[] {
  let changes: unknown;
  try {
    changes = JSON.parse(line);
  } catch {
    throw new InvalidInput(`${where}: the file is damaged: no JSON`);
  }
  if (Array.isArray(changes) && changes.every(isChange)) return changes;
  throw new InvalidInput(`${where}: the file is damaged: no list of changes`);
}

function isChange(value: unknown): value is Change {
  if (!Array.isArray(value) || value.length < 2 || value.length > 3) return false;
  const [collection, id]: readonly unknown[] = value;
  return typeof collection === "string" && typeof id === "string";
}
