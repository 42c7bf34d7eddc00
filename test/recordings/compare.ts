/** Whether a simulated answer says what the recorded one says: exactly, but for what is made up and what is excepted. */
import { isJsonObject, type JsonObject } from "../../src/runtime/json.ts";
import type { Bindings } from "./bindings.ts";
import { exceptionFor } from "./exceptions.ts";
import { isTime, ownerOf, type Times } from "./times.ts";

export interface Comparison {
  readonly route: string;
  readonly bindings: Bindings;
  readonly times: Times;
  /** Takes the items of a page that are compared with their whole walk. */
  readonly onPage: (recorded: readonly unknown[], simulated: readonly unknown[]) => void;
}

/** Where in the answer one is: the keys from its root, the key itself, and the id of the thing that it belongs to. */
interface Place {
  readonly at: string;
  readonly key: string;
  readonly owner: string;
}

const ROOT: Place = { at: "", key: "", owner: "" };

/** Every difference, as `place: recorded … simulated …`. */
export function differences(recorded: unknown, simulated: unknown, comparison: Comparison): readonly string[] {
  return differencesAt(recorded, simulated, ROOT, comparison);
}

function differencesAt(recorded: unknown, simulated: unknown, place: Place, comparison: Comparison): readonly string[] {
  if (Array.isArray(recorded) && Array.isArray(simulated)) return inLists(recorded, simulated, place, comparison);
  if (isJsonObject(recorded) && isJsonObject(simulated)) return inObjects(recorded, simulated, place, comparison);
  if (typeof recorded === "string" && typeof simulated === "string") {
    const { bindings, times } = comparison;
    const agree = isTime(recorded)
      ? times.agree(place.owner, recorded, simulated)
      : bindings.agree(place.key, recorded, simulated);
    return agree ? [] : [difference(place, recorded, simulated)];
  }
  return recorded === simulated ? [] : [difference(place, recorded, simulated)];
}

function difference({ at }: Place, recorded: unknown, simulated: unknown): string {
  return `${at || "the answer"}: recorded ${shown(recorded)}, simulated ${shown(simulated)}`;
}

function shown(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value).slice(0, MAX_SHOWN);
}

/** Characters of a value in a message. */
const MAX_SHOWN = 200;

function inObjects(
  recorded: JsonObject,
  simulated: JsonObject,
  place: Place,
  comparison: Comparison,
): readonly string[] {
  const owner = ownerOf(recorded, place.owner);
  const keys = new Set([...Object.keys(recorded), ...Object.keys(simulated)]);
  return [...keys].flatMap((key) => {
    const at = place.at === "" ? key : `${place.at}.${key}`;
    const inner = { at, key, owner };
    if (Object.hasOwn(recorded, key) && Object.hasOwn(simulated, key)) {
      return differencesAt(recorded[key], simulated[key], inner, comparison);
    }
    const isOptional = exceptionFor(comparison.route, at)?.allows === "optional";
    return isOptional ? [] : [difference(inner, recorded[key], simulated[key])];
  });
}

function inLists(
  recorded: readonly unknown[],
  simulated: readonly unknown[],
  place: Place,
  comparison: Comparison,
): readonly string[] {
  if (recorded.length !== simulated.length) {
    const [one, other] = [String(recorded.length), String(simulated.length)];
    return [`${difference(place, recorded, simulated)} (${one} items, ${other} items)`];
  }
  const allowed = exceptionFor(comparison.route, place.at)?.allows;
  if (allowed === "pages") {
    comparison.onPage(recorded, simulated);
    return [];
  }
  if (allowed === "any-order") return unordered(recorded, simulated, place, comparison);
  return recorded.flatMap((item, index) => differencesAt(item, simulated[index], place, comparison));
}

/** Lists of which only the items count. */
export function listDifferences(
  recorded: readonly unknown[],
  simulated: readonly unknown[],
  comparison: Comparison,
): readonly string[] {
  return unordered(recorded, simulated, { ...ROOT, at: "all pages together" }, comparison);
}

/** Every recorded item must find one of its own, under bindings that it does not break. */
function unordered(
  recorded: readonly unknown[],
  simulated: readonly unknown[],
  place: Place,
  comparison: Comparison,
): readonly string[] {
  const left = new Set(simulated);
  return recorded.flatMap((item) => {
    const isFound = (other: unknown): boolean => {
      const trial = { ...comparison, bindings: comparison.bindings.copy(), times: comparison.times.copy() };
      return differencesAt(item, other, place, trial).length === 0;
    };
    const found = [...left].find(isFound);
    if (found === undefined) return [difference(place, item, undefined)];
    left.delete(found);
    return differencesAt(item, found, place, comparison);
  });
}
