/** Lists in pages: by number (`page`, `per_page`, `include_totals`), or by checkpoint (`take`, `from`). */
import type { JsonObject } from "../runtime/json.ts";
import type { Answer } from "./http.ts";
import { badRequest } from "./refusal.ts";
import { checkQuery, type Property } from "./schema.ts";

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

const DEFAULT_PER_PAGE = 50;

/** As the OpenAPI document has them for most lists. */
const PROPERTIES: Readonly<Record<string, Property>> = {
  page: { type: "integer", minimum: 0, description: "Page index of the results to return. First page is 0." },
  per_page: {
    type: "integer",
    minimum: 1,
    maximum: 100,
    description: "Number of results per page. Defaults to 50.",
  },
  include_totals: {
    type: "boolean",
    description:
      "Return results inside an object that contains the total result count (true) or as a direct array of results " +
      "(false, default).",
  },
  take: { type: "integer", minimum: 1, maximum: 100, description: "Number of results per page. Defaults to 50." },
};

/** @param total how many there are said to be; the number of `items` unless given */
export function listAnswer<T>(
  query: URLSearchParams,
  name: string,
  items: readonly T[],
  show: (item: T) => JsonObject,
  total: number = items.length,
): Answer {
  checkQuery(query, { properties: PROPERTIES });
  const page = parsePage(query, DEFAULT_PER_PAGE);
  const shown = items.slice(page.start, page.start + page.limit).map(show);
  return { status: 200, body: shownPage(name, page, total, shown) };
}

export interface Checkpoints<T> {
  /** What the list is sorted by; no two items have the same. */
  readonly position: (item: T) => string;
  /** Whether `next` also stands where nothing follows, as long as the page is not empty. */
  readonly always?: boolean;
}

/** Whether a query asks for checkpoint paging, which wins over pages by number (observed). */
export function isCheckpointed(query: URLSearchParams): boolean {
  return query.has("take") || query.has("from");
}

export function checkpointAnswer<T>(
  query: URLSearchParams,
  name: string,
  items: readonly T[],
  show: (item: T) => JsonObject,
  { position, always = false }: Checkpoints<T>,
): Answer {
  checkQuery(query, { properties: PROPERTIES });
  const take = Number(query.get("take") ?? DEFAULT_PER_PAGE);
  const after = parseCursor(query.get("from"));
  const placed = items.map((item) => ({ item, at: position(item) })).toSorted((a, b) => (a.at < b.at ? -1 : 1));
  const rest = after === undefined ? placed : placed.filter(({ at }) => at > after);
  const page = rest.slice(0, take);
  const last = page.at(-1);
  const next = last !== undefined && (always || rest.length > take) && cursor(last.at);
  return { status: 200, body: { [name]: page.map(({ item }) => show(item)), ...(next !== false && { next }) } };
}

/** Readable once decoded, like Auth0's own (recorded); clients must not look into it all the same. */
function cursor(position: string): string {
  return Buffer.from(position).toString("base64");
}

/** @throws Refusal 400 for what no answer ever held */
function parseCursor(from: string | null): string | undefined {
  if (from === null || from === "") return undefined;
  const position = Buffer.from(from, "base64").toString();
  if (cursor(position) !== from) {
    throw badRequest("Query validation error: 'Invalid cursor' on property from.", "invalid_query_string");
  }
  return position;
}
