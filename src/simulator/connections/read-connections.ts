/** `GET /api/v2/connections` and `GET /api/v2/connections/{id}`. */
import type { JsonObject } from "../../runtime/json.ts";
import type { ApiCall, Call } from "../call.ts";
import { parseFields } from "../fields.ts";
import type { Answer } from "../http.ts";
import { checkpointAnswer, isCheckpointed, parsePage, shownPage } from "../paging.ts";
import { inexistentConnection } from "../refusal.ts";
import { checkQuery, type Schema } from "../schema.ts";
import type { Connection } from "./connection.ts";

const DEFAULT_PER_PAGE = 100;

const SCHEMA: Schema = {
  properties: {
    page: { type: "integer", minimum: 0, description: "The page number. Zero based." },
    per_page: {
      type: "integer",
      minimum: 1,
      maximum: 100,
      description: "The amount of entries per page. Defaults to 100 if not provided.",
    },
    include_totals: {
      type: "boolean",
      description: "true if a query summary must be included in the result, false otherwise.",
    },
    name: { type: "string", description: "Provide the name of the connection to retrieve." },
  },
};

/**
 * All of them, those of a name, or those of one of several strategies. `is_domain_connection` is shown whatever `fields` says
 * (Auth0's Go SDK expects it).
 */
export function listConnections({ tenant, query, caller }: ApiCall): Answer {
  checkQuery(query, SCHEMA);
  const pick = parseFields(query);
  const page = parsePage(query, DEFAULT_PER_PAGE);
  const name = query.get("name");
  const strategies = new Set(
    [...query].filter(([key]) => /^strategy(?:\[\d*\])?$/.test(key)).map(([, value]) => value),
  );
  const found = [...tenant.connections.values()].filter(
    (each) => (name === null || each.name === name) && (strategies.size === 0 || strategies.has(each.strategy)),
  );
  const show = (each: Connection): JsonObject => ({
    ...pick(wireConnection(each, caller.scopes)),
    is_domain_connection: false,
  });
  if (isCheckpointed(query)) return checkpointAnswer(query, "connections", found, show, { position: ({ id }) => id });
  const shown = found.slice(page.start, page.start + page.limit).map(show);
  return { status: 200, body: shownPage("connections", page, found.length, shown) };
}

export function getConnection(call: ApiCall): Answer {
  const pick = parseFields(call.query);
  return { status: 200, body: pick(wireConnection(connectionOf(call), call.caller.scopes)) };
}

/** @throws Refusal 404 */
export function connectionOf({ tenant, params }: Call): Connection {
  const connection = tenant.connections.findById(params["id"] ?? "");
  if (!connection) throw inexistentConnection(404);
  return connection;
}

/** Options are shown to those with a scope of their own (OpenAPI document of June 2026). */
export const OPTIONS_SCOPE = "read:connections_options";

export function wireConnection(connection: Connection, scopes: ReadonlySet<string>): JsonObject {
  const { id, options, strategy, name, enabledClients, more } = connection;
  return {
    id,
    ...(scopes.has(OPTIONS_SCOPE) && { options }),
    strategy,
    name,
    is_domain_connection: false,
    realms: [name],
    ...more,
    enabled_clients: enabledClients,
  };
}
