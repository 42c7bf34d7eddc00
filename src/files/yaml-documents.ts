/**
 * YAML text → documents that know where they stand. Two readers meet in one file: kubectl reads YAML 1.1, this program
 * 1.2; a plain scalar that the two read differently (`on`, `012`, `y`) is a trap, and refused with the advice to quote it.
 */
import {
  CORE_SCHEMA,
  EVENT_ID,
  SCALAR_STYLE,
  YAML11_SCHEMA,
  constructFromEvents,
  load,
  parseEvents,
  type Event,
} from "js-yaml";

/** A problem in a file, with its line (1 is the first). */
export interface FileIssue {
  readonly file: string;
  readonly line: number;
  /** `spec.email`; empty where the document as a whole is meant. */
  readonly path: string;
  readonly message: string;
}

export interface YamlDocument {
  readonly file: string;
  /** Where the document begins. */
  readonly line: number;
  readonly value: unknown;
  /** Where the value at `path` (`spec.email`) stands; that of the nearest part there is, for one that is missing. */
  lineOf(path: string): number;
}

export interface YamlFile {
  readonly documents: readonly YamlDocument[];
  readonly issues: readonly FileIssue[];
}

/** Deeper documents are refused: no manifest needs it, and a hostile one costs memory. */
const MAX_DEPTH = 60;
const MAX_ALIASES = 100;

export function parseYamlDocuments(text: string, file: string): YamlFile {
  const lines = new LineIndex(text);
  let events: Event[];
  let values: unknown[];
  try {
    events = parseEvents(text, { filename: file, maxDepth: MAX_DEPTH });
    values = constructFromEvents(events, { source: text, filename: file, maxAliases: MAX_ALIASES });
  } catch (error) {
    return { documents: [], issues: [{ file, line: lineOfError(error), path: "", message: reasonOf(error) }] };
  }
  const walks = walkDocuments(events, text, lines);
  const documents = walks.flatMap(({ line, lineByPath }, index) =>
    values[index] === undefined || values[index] === null
      ? []
      : [{ file, line, value: values[index], lineOf: (path: string) => nearestLine(path, lineByPath, line) }],
  );
  return { documents, issues: walks.flatMap(({ issues }) => issues.map((issue) => ({ ...issue, file }))) };
}

interface DocumentWalk {
  readonly line: number;
  readonly lineByPath: ReadonlyMap<string, number>;
  readonly issues: readonly Omit<FileIssue, "file">[];
}

/** A collection that is open: whose next child has which name. */
interface Frame {
  readonly path: string;
  readonly isMapping: boolean;
  /** In a mapping: the key that was read and waits for its value. */
  key: string | undefined;
  index: number;
}

function walkDocuments(events: readonly Event[], text: string, lines: LineIndex): DocumentWalk[] {
  const walks: { line: number; lineByPath: Map<string, number>; issues: Omit<FileIssue, "file">[] }[] = [];
  const frames: (Frame | undefined)[] = [];
  for (const event of events) {
    const walk = walks.at(-1);
    const parent = frames.at(-1);
    if (event.type === EVENT_ID.DOCUMENT) {
      walks.push({ line: 0, lineByPath: new Map(), issues: [] });
      frames.push(undefined);
      continue;
    }
    if (event.type === EVENT_ID.POP) {
      frames.pop();
      continue;
    }
    if (walk === undefined) continue;
    const start = startOf(event);
    const line = lines.lineAt(start);
    if (walk.line === 0) walk.line = line;
    const isKey = parent?.isMapping === true && parent.key === undefined;
    const path = isKey || parent === undefined ? (parent?.path ?? "") : childPath(parent);
    if (event.type === EVENT_ID.SCALAR) {
      const source = text.slice(event.valueStart, event.valueEnd);
      if (event.style === SCALAR_STYLE.PLAIN && event.tagStart < 0 && isReadDifferently(source)) {
        const message = `kubectl reads ${source} differently from other YAML readers: put it in quotes, or write what you mean (true, false, a decimal number)`;
        walk.issues.push({ line, path: isKey ? [path, source].filter(Boolean).join(".") : path, message });
      }
      if (isKey) {
        parent.key = String(unquoted(source));
        walk.lineByPath.set(childPath(parent), line);
        continue;
      }
    }
    walk.lineByPath.set(path, walk.lineByPath.get(path) ?? line);
    if (parent !== undefined) {
      parent.key = isKey ? "" : undefined;
      parent.index++;
    }
    if (event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE) {
      frames.push({ path, isMapping: event.type === EVENT_ID.MAPPING, key: undefined, index: 0 });
    }
  }
  return walks;
}

function childPath({ path, isMapping, key, index }: Frame): string {
  const name = isMapping ? (key ?? "") : String(index);
  return path === "" ? name : `${path}.${name}`;
}

function startOf(event: Exclude<Event, { type: typeof EVENT_ID.DOCUMENT | typeof EVENT_ID.POP }>): number {
  if (event.type === EVENT_ID.SCALAR) return event.valueStart;
  return event.type === EVENT_ID.ALIAS ? event.anchorStart : event.start;
}

/** Keys are nearly always plain; a quoted one is read by the library. */
function unquoted(source: string): unknown {
  return /^["']/.test(source) ? load(source) : source;
}

/** A date is text to Kubernetes and to us; only YAML 1.1's own readers make more of it. */
function isReadDifferently(source: string): boolean {
  const now = CORE_SCHEMA.resolveImplicitScalarTag(source).value;
  const before = YAML11_SCHEMA.resolveImplicitScalarTag(source).value;
  return !Object.is(now, before) && !(before instanceof Date);
}

function nearestLine(path: string, lineByPath: ReadonlyMap<string, number>, documentLine: number): number {
  for (let part = path; part !== ""; part = part.slice(0, Math.max(part.lastIndexOf("."), 0))) {
    const line = lineByPath.get(part);
    if (line !== undefined) return line;
  }
  return documentLine;
}

/** Offsets → lines, by bisection. */
class LineIndex {
  readonly #starts: number[] = [0];

  constructor(text: string) {
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#starts.push(at + 1);
  }

  lineAt(offset: number): number {
    let [low, high] = [0, this.#starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  }
}

function lineOfError(error: unknown): number {
  const mark: unknown = error instanceof Error && "mark" in error ? error.mark : undefined;
  const line = typeof mark === "object" && mark !== null && "line" in mark ? mark.line : undefined;
  return typeof line === "number" ? line + 1 : 1;
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && "reason" in error && typeof error.reason === "string") return error.reason;
  return error instanceof Error ? error.message : String(error);
}
