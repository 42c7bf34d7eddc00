/**
 * What the simulator answers outside of Auth0's API, for tests, demos and people: no token, no limits, no faults, and not
 * counted as calls.
 */
import type { Call } from "../call.ts";
import type { Calls } from "../calls.ts";
import { parseBody, STATE_PATH, type Answer } from "../http.ts";
import { downloadExport } from "../jobs/export-users.ts";
import { textIn } from "../json.ts";
import { refusal } from "../refusal.ts";
import type { Route } from "../router.ts";
import { logIn } from "../sessions/sessions.ts";
import { showLive } from "./live.ts";
import { checkCandidate, dropUser, editUser, enterUser, showUser, showUsers } from "./edit-users.ts";

export interface ControlCall extends Call {
  readonly calls: Calls;
}

export interface ControlEndpoint extends Route {
  readonly kind: "control";
  readonly handle: (call: ControlCall) => Answer;
}

export const CONTROL_ENDPOINTS: readonly ControlEndpoint[] = [
  { kind: "control", method: "GET", path: "/_simulator/calls", handle: ({ calls }) => ok(calls.summary()) },
  { kind: "control", method: "DELETE", path: "/_simulator/calls", handle: clearCalls },
  { kind: "control", method: "GET", path: "/_simulator/requests", handle: ({ calls }) => ok(calls.requests()) },
  { kind: "control", method: "GET", path: "/_simulator/users", handle: showUsers },
  { kind: "control", method: "POST", path: "/_simulator/users", handle: enterUser },
  { kind: "control", method: "GET", path: "/_simulator/users/{id}", handle: showUser },
  { kind: "control", method: "PATCH", path: "/_simulator/users/{id}", handle: editUser },
  { kind: "control", method: "DELETE", path: "/_simulator/users/{id}", handle: dropUser },
  { kind: "control", method: "POST", path: "/_simulator/users/{id}/login", handle: logIn },
  { kind: "control", method: "GET", path: "/_simulator/exports/{name}", handle: downloadExport },
  { kind: "control", method: "GET", path: "/_simulator/passwords/{id}", handle: checkCandidate },
  { kind: "control", method: "GET", path: "/_simulator/faults", handle: ({ tenant }) => ok(tenant.faults.plan) },
  { kind: "control", method: "PUT", path: "/_simulator/faults", handle: setFaults },
  { kind: "control", method: "GET", path: "/_simulator/live", handle: showLive },
  { kind: "control", method: "GET", path: "/_simulator/switches", handle: ({ tenant }) => ok(tenant.switches) },
  { kind: "control", method: "PUT", path: "/_simulator/switches", handle: setSwitches },
  { kind: "control", method: "GET", path: STATE_PATH, handle: ({ tenant }) => ok(tenant.state.export()) },
  { kind: "control", method: "PUT", path: STATE_PATH, handle: importState },
  { kind: "control", method: "PATCH", path: "/_simulator/clients/{client_id}", handle: editClient },
];

function ok(body: unknown): Answer {
  return { status: 200, body };
}

function clearCalls({ calls }: ControlCall): Answer {
  calls.clear();
  return { status: 204 };
}

function setFaults({ tenant, request }: ControlCall): Answer {
  tenant.faults.setPlan(parseBody(request));
  return { status: 204 };
}

/** Those that are named; the others stay. */
function setSwitches({ tenant, request }: ControlCall): Answer {
  tenant.setSwitches(parseBody(request));
  return ok(tenant.switches);
}

/** Another tenant's state in place of this one's, as `GET` gave it. */
function importState({ tenant, request }: ControlCall): Answer {
  tenant.importState(parseBody(request));
  return { status: 204 };
}

/** A new `client_secret` ends the tokens that the client has; new `scopes` count from its next token on. */
function editClient({ tenant, request, params }: ControlCall): Answer {
  const client = tenant.clients.find(params["client_id"] ?? "");
  if (!client) throw refusal(404, "The client does not exist", "inexistent_client");
  const body = parseBody(request);
  const { scopes } = body;
  tenant.clients.put({
    clientId: client.clientId,
    clientSecret: textIn(body, "client_secret") ?? client.clientSecret,
    scopes: Array.isArray(scopes) ? scopes.filter((scope) => typeof scope === "string") : client.scopes,
  });
  return { status: 204 };
}
