/** `/api/v2/logs` and `/api/v2/users/{id}/logs`. */
import { isJsonObject, type JsonObject } from "../../runtime/json.ts";
import { api, type ApiCall, type ApiEndpoint } from "../call.ts";
import { parseFields } from "../fields.ts";
import type { Answer } from "../http.ts";
import { textFrom } from "../json.ts";
import { parsePage, shownPage } from "../paging.ts";
import { badRequest, refusal } from "../refusal.ts";
import { checkQuery, type Schema } from "../schema.ts";
import { matchesQuery } from "../search/matching.ts";
import { parseQuery } from "../search/query.ts";
import { userOf } from "../users/user-of.ts";
import type { LogEntry } from "./logs.ts";

const SCOPES = ["read:logs", "read:logs_users"];

export const LOG_ENDPOINTS: readonly ApiEndpoint[] = [
  api("GET", "/logs", SCOPES, listLogs, "readLogs"),
  api("GET", "/logs/{id}", SCOPES, getLog, "readLogs"),
  api("GET", "/users/{id}/logs", SCOPES, listUserLogs, "readLogs"),
];

const DEFAULT_PER_PAGE = 50;

/** Entries that paging reaches (documented). */
const MAX_REACHABLE = 1000;

const SCHEMA: Schema = {
  properties: {
    page: { type: "integer", minimum: 0, description: "Page index of the results to return. First page is 0." },
    per_page: { type: "integer", minimum: 0, maximum: 100, description: "Number of results per page." },
    include_totals: { type: "boolean", description: "Return results as an array when false (default)." },
    take: { type: "integer", minimum: 1, maximum: 100, description: "Number of entries to retrieve." },
    sort: { type: "string", pattern: /^\w+:(?:1|-1)$/, description: "Field to use for sorting." },
  },
};

/** By checkpoint (`from`: oldest first, nothing else counts), or by search (newest first). */
function listLogs({ tenant, query, request }: ApiCall): Answer {
  checkQuery(query, SCHEMA);
  const from = query.get("from");
  const entries = tenant.logs.visible();
  if (from === null) return searched(query, entries);
  const take = Number(query.get("take") ?? DEFAULT_PER_PAGE);
  const page = entries.filter(({ id }) => id > from).slice(0, take);
  const last = page.at(-1)?.id ?? from;
  const link = `<https://${tenant.domainOf(request)}/api/v2/logs?from=${last}&take=${String(take)}>; rel="next"`;
  return { status: 200, headers: { link }, body: page.map(({ show }) => show()) };
}

function searched(query: URLSearchParams, entries: readonly LogEntry[]): Answer {
  const pick = parseFields(query);
  const page = parsePage(query, DEFAULT_PER_PAGE);
  if (page.start + page.limit > MAX_REACHABLE) {
    throw badRequest(`You can only page through the first ${String(MAX_REACHABLE)} records.`, "invalid_paging");
  }
  const text = (query.get("q") ?? query.get("search") ?? "").trim();
  const wanted = text === "" ? undefined : parseQuery(text);
  const isFound = (entry: JsonObject): boolean =>
    wanted === undefined || matchesQuery(wanted, (field) => valuesAt(entry, field), DEFAULT_FIELDS);
  const found = entries.map(({ show }) => show()).filter(isFound);
  const newestFirst = query.get("sort") === "date:1" ? found : found.toReversed();
  const shown = newestFirst.slice(page.start, page.start + page.limit).map(pick);
  return { status: 200, body: shownPage("logs", page, found.length, shown, { length: shown.length }) };
}

const DEFAULT_FIELDS = ["type", "description", "connection", "user_id", "user_name", "client_id", "client_name", "ip"];

function valuesAt(entry: JsonObject, field: string): readonly string[] {
  let value: unknown = entry;
  for (const name of field.split(".")) value = isJsonObject(value) ? value[name] : undefined;
  const text = textFrom(value);
  return text === undefined || text === "" ? [] : [text];
}

function getLog({ tenant, params }: ApiCall): Answer {
  const found = tenant.logs.visible().find(({ id }) => id === params["id"]);
  if (!found) throw refusal(404, "Log not found.", "inexistent_log");
  return { status: 200, body: found.show() };
}

function listUserLogs(call: ApiCall): Answer {
  const { userId } = userOf(call);
  checkQuery(call.query, SCHEMA);
  const isTheirs = ({ show }: LogEntry): boolean => show()["user_id"] === userId;
  return searched(call.query, call.tenant.logs.visible().filter(isTheirs));
}
