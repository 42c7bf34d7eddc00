/** An Auth0 tenant for tests, reached over real HTTP. */
import type { ExecutionContext } from "ava";
import { systemClock } from "../../src/runtime/clock.ts";
import type { JsonObject } from "../../src/runtime/json.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import type { NotedRequest } from "../../src/simulator/calls.ts";
import { DEFAULT_CLIENT, type ClientOptions } from "../../src/simulator/oauth/clients.ts";
import { startSimulator, type StartOptions } from "../../src/simulator/start-simulator.ts";
import type { Switches } from "../../src/simulator/switches.ts";
import { silentLog } from "./silent-log.ts";

export type TestSimulatorOptions = Omit<StartOptions, "clock" | "random" | "log"> &
  Partial<Pick<StartOptions, "clock" | "random" | "log">> & {
    /** A client of the test's own, for what the one under test may not do; `api` goes by it then. */
    readonly admin?: ClientOptions;
  };

/** It may do everything. */
export const ADMIN_CLIENT: ClientOptions = { clientId: "test-admin", clientSecret: "test-admin-secret" };

export interface CallCounts {
  readonly total: number;
  /** By method and path, `PATCH /api/v2/users/{id}`. */
  readonly byRoute: Readonly<Record<string, number>>;
  readonly byStatus: Readonly<Record<string, number>>;
}

/** A user in the shape of the API. */
export type WireUser = Readonly<Record<string, unknown>> & { readonly user_id: string };

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed where it is JSON; undefined where there is none. */
  readonly body: unknown;
}

export interface TestSimulator {
  readonly url: string;
  /** Host and port; the tenant's domain. */
  readonly domain: string;
  /** What to trust, PEM; undefined without TLS. */
  readonly ca: string | undefined;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Any request, as it is. */
  request(method: string, path: string, options?: RequestOptions): Promise<Reply>;
  /** The client's access token, asked for once. */
  token(): Promise<string>;
  /** A call to the Management API with that token. */
  api(method: string, path: string, body?: unknown): Promise<Reply>;
  calls(): Promise<CallCounts>;
  clearCalls(): Promise<void>;
  /** The last calls with their bodies, oldest first; passwords read `*****`. */
  requests(): Promise<readonly NotedRequest[]>;
  users(): Promise<readonly WireUser[]>;
  /** By id, or by e-mail address; undefined when there is none. */
  user(idOrEmail: string): Promise<WireUser | undefined>;
  /** Edits as a person in the dashboard does; see `seedUser` and `editUser`. */
  addUser(body: JsonObject): Promise<WireUser>;
  patchUser(userId: string, changes: JsonObject): Promise<WireUser>;
  deleteUser(userId: string): Promise<void>;
  faults(plan: JsonObject): Promise<void>;
  switches(changes: Partial<Switches>): Promise<void>;
  passwordMatches(userId: string, candidate: string): Promise<boolean>;
  editClient(changes: JsonObject): Promise<void>;
  close(): Promise<void>;
}

export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** A string is sent as it is, anything else as JSON. */
  readonly body?: unknown;
}

/** Ends with the test. */
export async function startTestSimulator(
  t: Pick<ExecutionContext, "teardown">,
  options: TestSimulatorOptions = {},
): Promise<TestSimulator> {
  const simulator = await openTestSimulator(options);
  t.teardown(() => simulator.close());
  return simulator;
}

/** For all tests of a file: `await` it before the first test is declared, and close it in `test.after.always`. */
export async function openTestSimulator({ admin, ...options }: TestSimulatorOptions = {}): Promise<TestSimulator> {
  const clients = [...(options.clients ?? [DEFAULT_CLIENT]), ...(admin === undefined ? [] : [admin])];
  const running = await startSimulator(
    { clock: systemClock, random: systemRandom, log: silentLog, ...options, clients },
    new AbortController().signal,
  );
  const { url } = running;
  const { clientId, clientSecret } = clients[0] ?? DEFAULT_CLIENT;
  const domain = options.domain ?? new URL(url).host;
  const tokens = new Map<string, Promise<string>>();

  const request = async (method: string, path: string, { headers = {}, body }: RequestOptions = {}): Promise<Reply> => {
    const isText = typeof body === "string";
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { ...(body !== undefined && !isText && { "content-type": "application/json" }), ...headers },
      ...(body !== undefined && { body: isText ? body : JSON.stringify(body) }),
    });
    return { status: response.status, headers: response.headers, body: parsed(await response.text()) };
  };
  const askForToken = async (client: ClientOptions): Promise<string> => {
    const audience = `https://${domain}/api/v2/`;
    const { clientId: client_id, clientSecret: client_secret } = client;
    const grant = { grant_type: "client_credentials", client_id, client_secret, audience };
    const reply = await request("POST", "/oauth/token", { body: grant });
    return (reply.body as { access_token: string }).access_token;
  };
  const tokenOf = (client: ClientOptions): Promise<string> => {
    const token = tokens.get(client.clientId) ?? askForToken(client);
    tokens.set(client.clientId, token);
    return token;
  };
  const control = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const reply = await request(method, `/_simulator/${path}`, { body });
    if (reply.status >= 300) throw new Error(`${method} /_simulator/${path}: ${JSON.stringify(reply.body)}`);
    return reply.body as T;
  };
  const users = (): Promise<readonly WireUser[]> => control("GET", "users");

  return {
    url,
    domain,
    ca: running.ca,
    clientId,
    clientSecret,
    request,
    token: () => tokenOf({ clientId, clientSecret }),
    async api(method, path, body) {
      const authorization = `Bearer ${await tokenOf(admin ?? { clientId, clientSecret })}`;
      return request(method, path, { headers: { authorization }, body });
    },
    users,
    close: () => running.close(),
    calls: () => control("GET", "calls"),
    clearCalls: () => control("DELETE", "calls"),
    requests: () => control("GET", "requests"),
    async user(idOrEmail) {
      if (!idOrEmail.includes("|")) return (await users()).find(({ email }) => email === idOrEmail);
      const reply = await request("GET", `/_simulator/users/${encodeURIComponent(idOrEmail)}`);
      return reply.status === 200 ? (reply.body as WireUser) : undefined;
    },
    addUser: (body) => control("POST", "users", body),
    patchUser: (userId, changes) => control("PATCH", `users/${encodeURIComponent(userId)}`, changes),
    deleteUser: (userId) => control("DELETE", `users/${encodeURIComponent(userId)}`),
    faults: (plan) => control("PUT", "faults", plan),
    switches: (changes) => control("PUT", "switches", changes),
    async passwordMatches(userId, candidate) {
      const query = `candidate=${encodeURIComponent(candidate)}`;
      return (await control<{ matches: boolean }>("GET", `passwords/${encodeURIComponent(userId)}?${query}`)).matches;
    },
    editClient: (changes) => control("PATCH", `clients/${clientId}`, changes),
  };
}

function parsed(text: string): unknown {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return text;
  }
}
