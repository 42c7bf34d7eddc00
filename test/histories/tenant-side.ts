/** A tenant of a history: the simulator's own handler, in process, and the operator's way to it over the wire. */
import type { Action } from "../../src/api/actions.ts";
import { NoAnswerError, type HttpAnswer, type TenantCalls } from "../../src/auth0/http.ts";
import type { HttpRequest } from "../../src/http/http-client.ts";
import { ALL_SCOPES } from "../../src/reconcile/scopes.ts";
import type { JsonObject } from "../../src/runtime/json.ts";
import type { Random } from "../../src/runtime/random.ts";
import { DEFAULT_CLIENT } from "../../src/simulator/oauth/clients.ts";
import { Simulator } from "../../src/simulator/simulator.ts";
import { silentLog } from "../support/silent-log.ts";
import { AssignmentCalls } from "./assignment-calls.ts";
import type { Assignment } from "./assignments.ts";
import { actionOf } from "./actions.ts";
import { LifeClock, type Time } from "./time.ts";
import type { Mishap, Wire } from "./wire.ts";

export interface WireUser {
  readonly user_id: string;
  readonly email?: string;
  readonly identities: readonly {
    readonly connection: string;
    readonly provider: string;
    readonly user_id: string;
    /** Of one that was linked. */
    readonly profileData?: { readonly email?: string };
  }[];
  readonly [name: string]: unknown;
}

/** A write of the operator's, as the tenant answered it. */
export interface Served {
  readonly domain: string;
  readonly sentAtStep: number;
  readonly method: string;
  /** What is given or taken; `undefined`: it is the user itself that is written. */
  readonly assignments: readonly Assignment[] | undefined;
  /** What is done to the user besides writing it. */
  readonly action: Action | undefined;
  /** Of the user; absent for one that is to be created. */
  readonly userId: string | undefined;
  readonly sent: JsonObject;
  readonly status: number;
  /** The user before the write, where there was one. */
  readonly before: WireUser | undefined;
  readonly answer: JsonObject;
}

export interface TenantSideParts {
  readonly time: Time;
  readonly random: Random;
  readonly onServed: (served: Served) => void;
}

/** What a person may do besides. */
const PERSONS_SCOPES = ["update:users", "create:roles", "create:resource_servers", "create:organizations"];

export class TenantSide {
  readonly domain: string;
  /** What people give and take beside attributes. */
  readonly assignments = new AssignmentCalls((method, path, body) => this.#asPerson(method, path, body));
  readonly #simulator: Simulator;
  readonly #time: Time;
  readonly #onServed: (served: Served) => void;
  #token = "";

  constructor(domain: string, { time, random, onServed }: TenantSideParts) {
    this.domain = domain;
    this.#time = time;
    this.#onServed = onServed;
    const clients = [{ ...DEFAULT_CLIENT, scopes: [...ALL_SCOPES, ...PERSONS_SCOPES] }];
    const log = { ...silentLog, error: (message: string, values?: object) => fail(message, values) };
    this.#simulator = new Simulator({ domain, clients, clock: new LifeClock(time), random, log });
  }

  calls(wire: Wire): TenantCalls {
    return {
      send: (request) => {
        const what = `${request.method} ${this.domain} ${decodeURIComponent(request.path.replace("/api/v2", "")).slice(0, 90)}`;
        return wire.send(
          what,
          (sentAtStep, mishap) => this.#answer(request, sentAtStep, mishap),
          () => new NoAnswerError("the connection was reset"),
        );
      },
      close() {},
    };
  }

  users(): readonly WireUser[] {
    return this.#control("GET", "/_simulator/users") as readonly WireUser[];
  }

  find(userId: string): WireUser | undefined {
    const { status, body } = this.#exchange("GET", `/_simulator/users/${encodeURIComponent(userId)}`);
    return status === 200 ? (body as WireUser) : undefined;
  }

  hasPassword(userId: string, password: string): boolean {
    const path = `/_simulator/passwords/${encodeURIComponent(userId)}?candidate=${encodeURIComponent(password)}`;
    return (this.#control("GET", path) as { readonly matches: boolean }).matches;
  }

  /** A person makes a user; `undefined` where the address is taken. */
  enter(user: JsonObject): WireUser | undefined {
    const { status, body } = this.#exchange("POST", "/_simulator/users", user);
    return status === 201 ? (body as WireUser) : undefined;
  }

  /** A person edits a user; whether that was possible. */
  edit(userId: string, changes: JsonObject): boolean {
    return this.#exchange("PATCH", `/_simulator/users/${encodeURIComponent(userId)}`, changes).status === 200;
  }

  drop(userId: string): void {
    this.#control("DELETE", `/_simulator/users/${encodeURIComponent(userId)}`);
  }

  /** Makes `secondary` an identity of `primary`; whether that was possible. */
  link(primary: string, secondary: string): boolean {
    const [provider = "", ...id] = secondary.split("|");
    const path = `/api/v2/users/${encodeURIComponent(primary)}/identities`;
    return this.#asPerson("POST", path, { provider, user_id: id.join("|") }).status === 201;
  }

  unlink(primary: string, { provider, user_id: id }: WireUser["identities"][number]): boolean {
    const path = `/api/v2/users/${encodeURIComponent(primary)}/identities/${provider}/${encodeURIComponent(id)}`;
    return this.#asPerson("DELETE", path).status === 200;
  }

  setSwitches(switches: JsonObject): void {
    this.#control("PUT", "/_simulator/switches", switches);
  }

  #asPerson(method: string, path: string, body?: JsonObject): { readonly status: number; readonly body?: unknown } {
    const send = () => this.#exchange(method, path, body, { authorization: `Bearer ${this.#token}` });
    const first = this.#token === "" ? undefined : send();
    if (first !== undefined && first.status !== 401) return first;
    const { clientId: client_id, clientSecret: client_secret } = DEFAULT_CLIENT;
    const audience = `https://${this.domain}/api/v2/`;
    const grant = { grant_type: "client_credentials", client_id, client_secret, audience };
    this.#token = (this.#exchange("POST", "/oauth/token", grant).body as { access_token: string }).access_token;
    return send();
  }

  #control(method: string, path: string, body?: JsonObject): unknown {
    const answer = this.#exchange(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer.body;
  }

  #exchange(method: string, target: string, body?: JsonObject, headers: Record<string, string> = {}) {
    const exchange = this.#simulator.exchange({
      method,
      target,
      headers: { host: this.domain, "content-type": "application/json", ...headers },
      body: Buffer.from(body === undefined ? "" : JSON.stringify(body)),
    });
    if (exchange.kind !== "answered") throw new Error(`${method} ${target} was ${exchange.kind}`);
    return exchange.answer;
  }

  #answer(request: HttpRequest, sentAtStep: number, mishap: Mishap | undefined): HttpAnswer {
    if (mishap?.isDone === true) this.#serve(request, sentAtStep);
    return this.#serve(request, sentAtStep, mishap?.status);
  }

  /** @param fault what the tenant answers instead, without doing anything */
  #serve({ method, path, headers, body }: HttpRequest, sentAtStep: number, fault?: number): HttpAnswer {
    const sent = body === undefined ? {} : (JSON.parse(body) as JsonObject);
    const [, id] = /^\/api\/v2\/users\/([^/?]+)/.exec(path) ?? [];
    const acted = actionOf(method, path, sent);
    const given = method === "GET" ? undefined : this.assignments.read(path, sent);
    const userId = acted?.userId ?? given?.userId ?? (id === undefined ? undefined : decodeURIComponent(id));
    const isOfUser = method !== "GET" && path.startsWith("/api/v2/users");
    const isWrite = acted !== undefined || given !== undefined || isOfUser;
    const before = isWrite && userId !== undefined ? this.find(userId) : undefined;
    // Not before: what was looked up above would draw it.
    if (fault !== undefined) {
      this.#control("PUT", "/_simulator/faults", { rules: [{ kind: "status", status: fault, count: 1 }] });
    }
    const answer = this.#exchange(method, path, body === undefined ? undefined : sent, { ...headers });
    if (isWrite) {
      const { status } = answer;
      const answered = (answer.body ?? {}) as JsonObject;
      this.#onServed({
        domain: this.domain,
        sentAtStep,
        method,
        assignments: given?.assignments,
        action: acted?.action,
        userId,
        sent,
        status,
        before,
        answer: answered,
      });
    }
    const text = answer.html ?? (answer.body === undefined ? "" : JSON.stringify(answer.body));
    const date = new Date(this.#time.nowMs).toUTCString();
    return { status: answer.status, headers: { ...answer.headers, date }, body: text, atMs: this.#time.nowMs };
  }
}

function fail(message: string, values?: object): never {
  throw new Error(`${message}: ${JSON.stringify(values)}`);
}
