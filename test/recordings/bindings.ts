/**
 * Values that a tenant makes up (ids, cursors) differ from run to run. Within a file they must differ consistently: the
 * first sight binds the recorded value to the simulated one, one to one, and from then on nothing else will do.
 */
import { isJsonObject } from "../../src/runtime/json.ts";

/** Ids, wherever they stand in a text: those with a prefix, MongoDB's, and those of log entries. */
const MADE_UP =
  /(?<![A-Za-z0-9])(?:(?:rol|org|con|job|est|evt|cac|dev|uinv)_[A-Za-z0-9]{16,22}|[0-9a-f]{24}|900\d{50,})(?![A-Za-z0-9])/g;

/** Made up as a whole, by the key they stand under. */
const CURSORS: ReadonlySet<string> = new Set(["next", "nextPageToken"]);

/** What stands in a recording where a secret was. */
const REDACTED = "REDACTED";

export class Bindings {
  readonly #simulated = new Map<string, string>();
  readonly #recorded = new Map<string, string>();

  copy(): Bindings {
    const copy = new Bindings();
    for (const [recorded, simulated] of this.#simulated) copy.#bind(recorded, simulated);
    return copy;
  }

  /** Whether a simulated text says what the recorded one says. Binds what is made up in it. */
  agree(key: string, recorded: string, simulated: string): boolean {
    if (CURSORS.has(key)) return simulated !== "" && this.#bind(recorded, simulated);
    if (recorded.includes(REDACTED) && recorded !== simulated) return redactedPattern(recorded).test(simulated);
    const [ids, others] = [recorded.match(MADE_UP) ?? [], simulated.match(MADE_UP) ?? []];
    if (recorded.replaceAll(MADE_UP, "*") !== simulated.replaceAll(MADE_UP, "*")) return false;
    return ids.every((id, index) => isSameKind(id, others[index] ?? "") && this.#bind(id, others[index] ?? ""));
  }

  #bind(recorded: string, simulated: string): boolean {
    const bound = this.#simulated.get(recorded);
    if (bound !== undefined || this.#recorded.has(simulated)) return bound === simulated;
    this.#simulated.set(recorded, simulated);
    this.#recorded.set(simulated, recorded);
    return true;
  }

  /** What a request has to say here. Ids that no answer has held stand for themselves: the caller chose them. */
  rewritten(value: unknown): unknown {
    if (typeof value === "string") return this.rewrittenText(value);
    if (Array.isArray(value)) return value.map((item) => this.rewritten(item));
    if (!isJsonObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.rewritten(item)]));
  }

  rewrittenText(text: string): string {
    const cursor = this.#simulated.get(text);
    if (cursor !== undefined) return cursor;
    return text.replaceAll(MADE_UP, (id) => {
      this.#bind(id, id);
      return this.#simulated.get(id) ?? id;
    });
  }
}

export function idsIn(value: unknown): readonly string[] {
  return JSON.stringify(value).match(MADE_UP) ?? [];
}

/** `rol_…` for `rol_…`, and as long. */
function isSameKind(one: string, other: string): boolean {
  const prefix = one.includes("_") ? one.slice(0, one.indexOf("_") + 1) : "";
  return one.length === other.length && other.startsWith(prefix);
}

function redactedPattern(recorded: string): RegExp {
  const literals = recorded.split(REDACTED).map((literal) => literal.replaceAll(/[\\^$.|?+()[\]{}*/]/g, "\\$&"));
  return new RegExp(`^${literals.join("[^&#]+")}$`);
}
