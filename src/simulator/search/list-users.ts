/** `GET /api/v2/users`: search, sort and pages. */
import type { ApiCall } from "../call.ts";
import { parseFields } from "../fields.ts";
import type { Answer } from "../http.ts";
import { textFrom } from "../json.ts";
import { parsePage, shownPage, type Page } from "../paging.ts";
import { badRequest, operationNotSupported } from "../refusal.ts";
import { checkQuery, type Schema } from "../schema.ts";
import type { Tenant } from "../tenant.ts";
import { shownUser } from "../users/shown-user.ts";
import { wireUser, type User } from "../users/user.ts";
import { findCandidates, matches } from "./matching.ts";
import { parseQuery, type Query } from "./query.ts";

/** Hits that can be reached by paging; beyond, one has to search for less (documented). */
const MAX_REACHABLE = 1000;

const DEFAULT_PER_PAGE = 50;

export function listUsers({ tenant, query }: ApiCall): Answer {
  checkQuery(query, SCHEMA);
  checkFields(query.get("fields"));
  checkSearchEngine(query.get("search_engine"));
  const pick = parseFields(query);
  const page = parsePage(query, DEFAULT_PER_PAGE);
  if (page.start + page.limit > MAX_REACHABLE) {
    throw badRequest(
      `You can only page through the first ${String(MAX_REACHABLE)} records. ` +
        "See https://auth0.com/docs/users/search/v3/view-search-results-by-page#limitation.",
      "invalid_paging",
    );
  }
  const { total, users } = search(tenant, query, page);
  const shown = users.map((user) => pick(shownUser(tenant, user)));
  return { status: 200, body: shownPage("users", page, total, shown, { length: shown.length }) };
}

/** As a report quotes them. */
const FIELDS =
  "phone_number,email,email_verified,picture,username,user_id,name,nickname,created_at,identities,app_metadata," +
  "user_metadata,last_ip,last_login,logins_count,updated_at,blocked,family_name,given_name";

const SCHEMA: Schema = {
  properties: {
    page: { type: "integer", minimum: 0, description: "Page index of the results to return. First page is 0." },
    per_page: { type: "integer", minimum: 0, maximum: 100, description: "Number of results per page." },
    include_totals: {
      type: "boolean",
      description:
        "Return results inside an object that contains the total result count (true) or as a direct array of results " +
        "(false, default).",
    },
    sort: {
      type: "string",
      pattern: /^(?!(?:user|app)_metadata)[^:\s]+:(?:1|-1)$/,
      description: "Field to sort by. Use field:order where order is 1 for ascending and -1 for descending.",
    },
    search_engine: { type: "string", enum: ["v1", "v2", "v3"], description: "The version of the search engine." },
    primary_order: { type: "boolean", description: "Whether results are returned in a deterministic order." },
  },
};

function checkFields(fields: string | null): void {
  const known = new Set(FIELDS.split(","));
  if (fields === null || fields === "" || fields.split(",").every((name) => known.has(name))) return;
  throw badRequest(
    `Query validation error: 'String '${fields}' does not match pattern. Must be a comma separated list of the following ` +
      `values: ${FIELDS}' on property fields (Comma-separated list of fields to include or exclude (based on value ` +
      "provided for include_fields) in the result. Leave empty to retrieve all fields).",
    "invalid_query_string",
  );
}

function checkSearchEngine(version: string | null): void {
  if (version === "v1") throw operationNotSupported("You are not allowed to use search_engine=v1.");
  if (version === "v2") {
    throw operationNotSupported("You are not allowed to use search_engine=v2. Use search_engine=v3 instead.");
  }
}

interface Hits {
  readonly total: number;
  /** Those of the page. */
  readonly users: readonly User[];
}

function search(tenant: Tenant, query: URLSearchParams, page: Page): Hits {
  const index = tenant.search;
  const text = (query.get("q") ?? "").trim();
  const sort = query.get("sort");
  if (text === "" && sort === null && index.size !== undefined) {
    return { total: index.size, users: [...index.users().drop(page.start).take(page.limit)] };
  }
  const found = text === "" ? [...index.users()] : findHits(tenant, parseQuery(text));
  const sorted = sort === null ? found : sortedBy(found, sort);
  return { total: found.length, users: sorted.slice(page.start, page.start + page.limit) };
}

function findHits({ search: index, connections }: Tenant, query: Query): User[] {
  const providers = [...new Set(connections.values().map(({ strategy }) => strategy))];
  const candidates = findCandidates(query, index, providers);
  const inOrder = candidates ? [...candidates].toSorted(byCreation) : [...index.users()];
  return inOrder.filter((user) => matches(query, user));
}

function byCreation(a: User, b: User): number {
  return a.createdAtMs - b.createdAtMs || (a.userId < b.userId ? -1 : 1);
}

/** Absent values come last, whichever way. */
function sortedBy(users: readonly User[], sort: string): User[] {
  const at = sort.lastIndexOf(":");
  const name = sort.slice(0, at);
  const direction = sort.slice(at + 1) === "1" ? 1 : -1;
  const keyed = users.map((user) => ({ user, key: textFrom(wireUser(user)[name]) }));
  return keyed
    .toSorted((a, b) => {
      if (a.key === undefined || b.key === undefined) return Number(a.key === undefined) - Number(b.key === undefined);
      return a.key < b.key ? -direction : a.key > b.key ? direction : 0;
    })
    .map(({ user }) => user);
}
