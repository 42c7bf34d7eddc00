/** What belongs together, found from either end: a role and its users, an organization and its members. */
import { Ajv, type JSONSchemaType } from "ajv";
import type { EpochMs } from "../../runtime/clock.ts";
import { parserFrom, SCHEMA_OPTIONS } from "../parser.ts";
import type { Collection } from "./collection.ts";
import type { State } from "./state.ts";

export interface Link {
  readonly from: string;
  readonly to: string;
  readonly sinceMs: EpochMs;
}

export class Links {
  readonly #links: Collection<Link>;
  readonly #byFrom = new Map<string, Set<Link>>();
  readonly #byTo = new Map<string, Set<Link>>();

  constructor(state: State, name: string) {
    this.#links = state.collection(name, parseLink);
    this.#links.subscribe((_id, before, after) => {
      if (before) {
        remove(this.#byFrom, before.from, before);
        remove(this.#byTo, before.to, before);
      }
      if (after) {
        add(this.#byFrom, after.from, after);
        add(this.#byTo, after.to, after);
      }
    });
  }

  has(from: string, to: string): boolean {
    return this.#links.has(idOf(from, to));
  }

  /** Those that are linked already stay as they are. */
  add(from: string, to: string, nowMs: EpochMs): void {
    if (!this.has(from, to)) this.#links.put(idOf(from, to), { from, to, sinceMs: nowMs });
  }

  remove(from: string, to: string): void {
    this.#links.delete(idOf(from, to));
  }

  /** Oldest first, those of one moment in the order of `to`. */
  from(from: string): readonly Link[] {
    return [...(this.#byFrom.get(from) ?? [])].toSorted((a, b) => a.sinceMs - b.sinceMs || order(a.to, b.to));
  }

  /** Oldest first, those of one moment in the order of `from`. */
  to(to: string): readonly Link[] {
    return [...(this.#byTo.get(to) ?? [])].toSorted((a, b) => a.sinceMs - b.sinceMs || order(a.from, b.from));
  }

  /** Ends every link of this end, which is gone. */
  forget(end: string): void {
    for (const link of [...this.from(end), ...this.to(end)]) this.remove(link.from, link.to);
  }
}

const SCHEMA: JSONSchemaType<Link> = {
  type: "object",
  additionalProperties: false,
  required: ["from", "to", "sinceMs"],
  properties: { from: { type: "string" }, to: { type: "string" }, sinceMs: { type: "number" } },
};

const parseLink = parserFrom(new Ajv(SCHEMA_OPTIONS).compile<Link>(SCHEMA), "link");

function idOf(from: string, to: string): string {
  return JSON.stringify([from, to]);
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function add(index: Map<string, Set<Link>>, end: string, link: Link): void {
  const links = index.get(end);
  if (links) links.add(link);
  else index.set(end, new Set([link]));
}

function remove(index: Map<string, Set<Link>>, end: string, link: Link): void {
  const links = index.get(end);
  links?.delete(link);
  if (links?.size === 0) index.delete(end);
}
