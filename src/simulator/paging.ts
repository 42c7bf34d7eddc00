/** Pages by number: `page`, `per_page` and `include_totals`, as most lists take them. */
import type { JsonObject } from "../runtime/json.ts";

export interface Page {
  readonly start: number;
  readonly limit: number;
  /** Whether the list comes in an object that says how much there is. */
  readonly totals: boolean;
}

/** @param query checked before: numbers are numbers */
export function parsePage(query: URLSearchParams, defaultPerPage: number): Page {
  const limit = Number(query.get("per_page") ?? defaultPerPage);
  return { start: Number(query.get("page") ?? 0) * limit, limit, totals: query.get("include_totals") === "true" };
}

/** @param more what this list says besides `start`, `limit` and `total` when totals are asked for */
export function shownPage(
  name: string,
  { start, limit, totals }: Page,
  total: number,
  items: readonly JsonObject[],
  more: JsonObject = {},
): unknown {
  return totals ? { start, limit, ...more, [name]: items, total } : items;
}
