/**
 * An Auth0 tenant for trials and tests. This room is a second reading of Auth0's API, made from its documents and from
 * recordings only; it shares no model with the client it tests, or both would share its mistakes.
 *
 * A request walks: exchange (here: faults, counts) → dispatch (caller, limits, scopes) → a handler over the tenant.
 */
import type { JsonObject } from "../runtime/json.ts";
import type { Log } from "../runtime/log.ts";
import { Calls } from "./calls.ts";
import { CONTROL_ENDPOINTS, type ControlEndpoint } from "./control/control-endpoints.ts";
import { seedTenant, type RoleOptions } from "./seed-tenant.ts";
import { dispatch } from "./dispatch.ts";
import { ALL_SCOPES, API_ENDPOINTS, AUTHENTICATION_ENDPOINTS } from "./endpoints.ts";
import { outcomeOf, type Outcome } from "./faults/outcome.ts";
import { findHeader, findTarget, MAX_TARGET_BYTES, type Answer, type SimulatorRequest, type Target } from "./http.ts";
import { InvalidInput } from "./parser.ts";
import { badRequest, INTERNAL_ERROR, Refusal, refusal, targetTooLong, unknownRoute } from "./refusal.ts";
import { Router, type Match } from "./router.ts";
import { Tenant, type TenantOptions } from "./tenant.ts";

export interface SimulatorOptions extends TenantOptions {
  /** What a new tenant starts with; see `seedTenant`. */
  readonly roles?: readonly RoleOptions[] | undefined;
  readonly users?: Iterable<JsonObject> | undefined;
  /** What shall go wrong; as `PUT /_simulator/faults` takes it. */
  readonly faults?: unknown;
  readonly log: Log;
}

/** What became of a request; the work is done already when `delayMs` begin. */
export type Exchange = Outcome & { readonly delayMs: number };

const TENANT_ROUTES = new Router([...API_ENDPOINTS, ...AUTHENTICATION_ENDPOINTS]);
const CONTROL_ROUTES = new Router(CONTROL_ENDPOINTS);

export class Simulator {
  readonly tenant: Tenant;
  readonly #calls = new Calls();
  readonly #log: Log;

  constructor({ roles = [], users = [], faults, log, ...options }: SimulatorOptions) {
    this.#log = log;
    this.tenant = new Tenant(options, ALL_SCOPES);
    if (faults !== undefined) this.tenant.faults.setPlan(faults);
    if (!options.saved) seedTenant(this.tenant, roles, users);
  }

  /** Serves one request in process. Never throws: a bug is a 500, and its stack goes to the log. */
  exchange(request: SimulatorRequest): Exchange {
    const target = findTarget(request.target);
    const control = target && CONTROL_ROUTES.find(request.method, target.segments);
    return target && control ? this.#control(request, target, control) : this.#call(request, target);
  }

  #control(request: SimulatorRequest, { query }: Target, { row, params }: Match<ControlEndpoint>): Exchange {
    if (isForeign(request)) return { kind: "answered", answer: FOREIGN_ORIGIN, delayMs: 0 };
    const call = { tenant: this.tenant, request, params, query, calls: this.#calls };
    return { kind: "answered", answer: this.#answerOf(() => row.handle(call)), delayMs: 0 };
  }

  #call(request: SimulatorRequest, target: Target | undefined): Exchange {
    const { tenant } = this;
    const { clock } = tenant;
    const [atMs, startedMs] = [clock.now(), clock.monotonicMs()];
    const match = target && TENANT_ROUTES.find(request.method, target.segments);
    const route = match ? `${match.row.method} ${match.row.path}` : `${request.method} *`;
    const { delayMs, mishap } = tenant.faults.draw(route);
    const serve = (): Answer =>
      this.#answerOf(() => {
        if (request.target.length > MAX_TARGET_BYTES) throw targetTooLong();
        if (!target) throw badRequest("Bad Request");
        if (!match) throw unknownRoute();
        return dispatch(match.row, { tenant, request, params: match.params, query: target.query });
      });
    const outcome = outcomeOf(mishap, serve, tenant);
    const status = outcome.kind === "reset" ? 0 : outcome.answer.status;
    this.#calls.note(route, request, status, { atMs, ms: clock.monotonicMs() - startedMs + delayMs });
    return { ...outcome, delayMs };
  }

  #answerOf(serve: () => Answer): Answer {
    try {
      const answer = serve();
      this.tenant.state.commit();
      return answer;
    } catch (error) {
      if (error instanceof Refusal) return error.answer;
      if (error instanceof InvalidInput) return badRequest(error.message).answer;
      this.#log.error("a request met a bug of the simulator", { error });
      return INTERNAL_ERROR;
    }
  }
}

/** Another site's page in somebody's browser reaches this machine as well as its owner does: it may not give orders here. */
function isForeign(request: SimulatorRequest): boolean {
  const origin = findHeader(request, "origin");
  return origin !== undefined && origin.replace(/^https?:\/\//, "") !== findHeader(request, "host");
}

const FOREIGN_ORIGIN = refusal(403, "Only the simulator's own page may call this from a browser").answer;
