/** The refusal of a search query that cannot be read (modelled: no source quotes one). */
import { badRequest, type Refusal } from "../refusal.ts";

export function malformedQuery(): Refusal {
  return badRequest(
    "Query validation error: 'Invalid query' on property q (Query in Lucene query string syntax).",
    "invalid_query_string",
  );
}
