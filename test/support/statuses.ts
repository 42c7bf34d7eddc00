/**
 * Every status that any request at all may get while no fault is asked for, and where we know it from. A status that is
 * not in here is a bug of the simulator.
 */
export const STATUSES: Readonly<Record<number, string>> = {
  200: "recorded",
  201: "recorded",
  202: "recorded: jobs, sessions",
  204: "recorded",
  400: "recorded",
  401: "recorded",
  403: "recorded",
  404: "recorded",
  409: "recorded",
  410: "OpenAPI document: an event feed that cannot go back so far",
  413: "OpenAPI document: imports; 1 MB elsewhere by the documents",
  414: "documents: long search queries",
  415: "hapi, which Auth0's API runs on",
  429: "recorded: limits; reported: two imports at a time",
};
