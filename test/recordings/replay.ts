/**
 * One recording, call by call, against a simulated tenant: prepared from the recording itself, and compared exactly but for
 * what is made up (`bindings.ts`), when it happened (`times.ts`), and one table of exceptions.
 */
import type { JsonObject } from "../../src/runtime/json.ts";
import { isJsonObject } from "../../src/runtime/json.ts";
import { seededRandom } from "../../src/runtime/random.ts";
import type { SimulatorRequest } from "../../src/simulator/http.ts";
import { DEFAULT_CLIENT } from "../../src/simulator/oauth/clients.ts";
import type { Exchange } from "../../src/simulator/simulator.ts";
import { Simulator } from "../../src/simulator/simulator.ts";
import type { ApiVersion } from "../../src/simulator/switches.ts";
import type { Tenant } from "../../src/simulator/tenant.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { silentLog } from "../support/silent-log.ts";
import { Bindings, idsIn } from "./bindings.ts";
import { differences, listDifferences, type Comparison } from "./compare.ts";
import type { Interaction } from "./interaction.ts";
import { apiVersionsOf, CUSTOM_DOMAINS, DOMAIN, isCustomDomainConflict, tenantOf, timesIn } from "./prepare.ts";
import { putNamed, seedingOf } from "./seeds.ts";
import { isTime, ownerOf, Times } from "./times.ts";

export interface Replay {
  readonly calls: number;
  /** What disagrees, a line each. */
  readonly disagreements: readonly string[];
  /** Reads that showed for the first time what was there before the file begins; it was put in place from the read itself. */
  readonly seeded: number;
  /** The same for later reads, where calls are missing that may have made it so. */
  readonly gaps: number;
}

/** Stands between a request and the tenant; a mutant spoils what comes back. */
export type Serve = (simulator: Simulator, request: SimulatorRequest) => Exchange;

const FAITHFUL: Serve = (simulator, request) => simulator.exchange(request);

/** Where nothing in the file tells the API's version, the first is taken that agrees. */
export async function replay(interactions: readonly Interaction[], serve: Serve = FAITHFUL): Promise<Replay> {
  let best: Replay | undefined;
  for (const version of apiVersionsOf(interactions)) {
    const tried = await new Session(interactions, version, serve).run();
    if (tried.disagreements.length === 0) return tried;
    best ??= tried;
  }
  return best ?? { calls: 0, disagreements: ["the recording is empty"], seeded: 0, gaps: 0 };
}

/** Between two calls: less than log entries take to be seen. */
const STEP_MS = 100;

/** Clients look at a job again and again; as long as this. */
const MAX_POLLS = 20;

interface Answered {
  readonly status: number;
  readonly body: unknown;
}

class Session {
  readonly #interactions: readonly Interaction[];
  readonly #serve: Serve;
  readonly #clock: ManualClock;
  readonly #simulator: Simulator;
  readonly #token: string;
  #bindings = new Bindings();
  #times = new Times();
  /** Path → `seq` of the last call of it. */
  readonly #lastSeen = new Map<string, number>();
  /** The pages of a walk so far, by path. */
  readonly #walks = new Map<string, { readonly recorded: unknown[]; readonly simulated: unknown[] }>();
  readonly #disagreements: string[] = [];
  #seeded = 0;
  #gaps = 0;

  constructor(interactions: readonly Interaction[], version: ApiVersion, serve: Serve) {
    const newest = timesIn(JSON.stringify(interactions)).toSorted().at(-1);
    this.#clock = new ManualClock(newest === undefined ? undefined : Date.parse(newest) + 3_600_000);
    this.#interactions = interactions;
    this.#serve = serve;
    this.#simulator = new Simulator({
      ...tenantOf(interactions, version),
      clock: this.#clock,
      random: seededRandom(1),
      log: silentLog,
    });
    this.#token = this.#askForToken();
  }

  async run(): Promise<Replay> {
    for (const interaction of this.#interactions) {
      await this.#clock.advance(STEP_MS);
      await this.#replayCall(interaction);
      this.#lastSeen.set(interaction.path, interaction.seq);
    }
    const calls = this.#interactions.length;
    return { calls, disagreements: this.#disagreements, seeded: this.#seeded, gaps: this.#gaps };
  }

  async #replayCall(interaction: Interaction): Promise<void> {
    const { tenant } = this.#simulator;
    if (interaction.status < 300 && interaction.method !== "DELETE") this.#putFirstSeen(interaction, tenant);
    const path = this.#rewrittenPath(interaction.path);
    let answer = this.#ask(interaction, path);
    for (let polls = 0; polls < MAX_POLLS && isPending(interaction, answer); polls++) {
      await this.#clock.advance(STEP_MS);
      answer = this.#ask(interaction, path);
    }
    const found = this.#compared(interaction, answer);
    const isExplained = found.differences.length > 0 && this.#explain(interaction, path);
    this.#settle(interaction, isExplained ? this.#compared(interaction, this.#ask(interaction, path)) : found);
  }

  /** What a path names and nothing before it does was there before. A DELETE is 204 for anything: it proves nothing. */
  #putFirstSeen({ path, seq }: Interaction, tenant: Tenant): void {
    const before = JSON.stringify(this.#interactions.filter((each) => each.seq < seq));
    const isNew = (id: string): boolean => !before.includes(id) && !before.includes(encodeURIComponent(id));
    putNamed(tenant, path, isNew);
  }

  #rewrittenPath(path: string): string {
    const rewritten = (segment: string): string => {
      const decoded = decodeURIComponent(segment);
      const text = this.#bindings.rewrittenText(this.#redacted(decoded));
      return text === decoded ? segment : encodeURIComponent(text);
    };
    return path.split("/").map(rewritten).join("/");
  }

  /** Hosts were replaced in bodies and not in paths: an address in a path goes by the name that bodies have for it. */
  #redacted(segment: string): string {
    const renamed = segment.replace(/^https:\/\/[^/]+\//, `https://${DOMAIN}/`);
    const bodies = this.#interactions.map(({ requestBody }) => JSON.stringify(requestBody));
    return bodies.some((body) => body.includes(`"${renamed}"`)) ? renamed : segment;
  }

  #ask(interaction: Interaction, path: string): Answered {
    const query = new URLSearchParams(
      Object.entries(interaction.query).map(([key, value]): [string, string] => [
        key,
        this.#bindings.rewrittenText(value),
      ]),
    ).toString();
    const exchange = this.#serve(this.#simulator, {
      method: interaction.method,
      target: query === "" ? path : `${path}?${query}`,
      ...this.#headersAndBody(interaction),
    });
    if (exchange.kind !== "answered") throw new Error(`the call was ${exchange.kind}`);
    return { status: exchange.answer.status, body: exchange.answer.body ?? null };
  }

  #headersAndBody(interaction: Interaction): Pick<SimulatorRequest, "headers" | "body"> {
    const body = this.#bindings.rewritten(interaction.requestBody);
    const headers = {
      host: DOMAIN,
      authorization: `Bearer ${this.#token}`,
      "content-type": "application/json",
      ...(!isCustomDomainConflict(interaction) && { "auth0-custom-domain": CUSTOM_DOMAINS[0] }),
    };
    const parts = isJsonObject(body) ? body["_multipart"] : undefined;
    if (!Array.isArray(parts)) return { headers, body: Buffer.from(body === null ? "" : JSON.stringify(body)) };
    const type = `multipart/form-data; boundary=${BOUNDARY}`;
    return { headers: { ...headers, "content-type": type }, body: multipart(parts.filter(isJsonObject)) };
  }

  #compared(interaction: Interaction, { status, body }: Answered): Compared {
    const { bindings, times } = { bindings: this.#bindings.copy(), times: this.#times.copy() };
    const walk = this.#walkOf(interaction);
    const route = `${interaction.method} ${interaction.path}`;
    const onPage = (recorded: readonly unknown[], simulated: readonly unknown[]): void => {
      walk.recorded.push(...recorded);
      walk.simulated.push(...simulated);
    };
    const comparison: Comparison = { route, bindings, times, onPage };
    if (status !== interaction.status) {
      const seen = `status: recorded ${String(interaction.status)}, simulated ${String(status)} ${JSON.stringify(body)}`;
      return { differences: [seen], bindings, times, walk };
    }
    const found = [...differences(interaction.responseBody, body, comparison)];
    if (!hasNext(interaction.responseBody)) found.push(...listDifferences(walk.recorded, walk.simulated, comparison));
    return { differences: found, bindings, times, walk };
  }

  /** What the pages before this one held; nothing for a first page. */
  #walkOf({ path, query }: Interaction): Walk {
    const before = query["from"] === undefined ? undefined : this.#walks.get(path);
    return { recorded: [...(before?.recorded ?? [])], simulated: [...(before?.simulated ?? [])] };
  }

  #settle(interaction: Interaction, compared: Compared): void {
    const { method, path, seq } = interaction;
    for (const difference of compared.differences) {
      this.#disagreements.push(`${String(seq)} ${method} ${path}: ${difference}`);
    }
    this.#bindings = compared.bindings;
    this.#times = compared.times;
    this.#walks.set(path, compared.walk);
  }

  /**
   * Makes true what a read shows, where the file may leave out why: it is the first sight of what was there before, calls are
   * missing since the last one, or it is no doing of the tenant's.
   */
  #explain(interaction: Interaction, path: string): boolean {
    const seeding = seedingOf(interaction, path);
    if (!seeding) return false;
    const since = this.#lastSeen.get(interaction.path) ?? this.#lastMade(interaction);
    const isFirst = seeding.outside || since === undefined;
    if (!isFirst && !this.#callsAreMissing(since, interaction.seq)) return false;
    if (isFirst) this.#seeded++;
    else this.#gaps++;
    seeding.put(this.#simulator.tenant, this.#bindings.rewritten(this.#timed(interaction.responseBody, "")));
    return true;
  }

  /** An answer with its times as the simulated tenant would have them. */
  #timed(value: unknown, owner: string): unknown {
    if (typeof value === "string") return isTime(value) ? this.#times.simulated(owner, value) : value;
    if (Array.isArray(value)) return value.map((item) => this.#timed(item, owner));
    if (!isJsonObject(value)) return value;
    const own = ownerOf(value, owner);
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#timed(item, own)]));
  }

  /** `seq` of the last call that made what a read is about: what its path names, or all that its list holds. */
  #lastMade({ path, seq, responseBody }: Interaction): number | undefined {
    const named = path.split("/").slice(FAMILY_SEGMENTS).map(decodeURIComponent);
    const ids = named.length > 0 ? named : idsIn(responseBody);
    const makes = this.#interactions.filter((each) => each.seq < seq && each.method === "POST" && each.status < 300);
    const makers = ids.map((id) => makes.findLast((each) => JSON.stringify(each.responseBody).includes(id)));
    const isAllMade = named.length > 0 ? makers.some((maker) => maker) : makers.every((maker) => maker);
    return isAllMade ? Math.max(...makers.map((maker) => maker?.seq ?? -1)) : undefined;
  }

  #callsAreMissing(since: number, seq: number): boolean {
    const present = this.#interactions.filter((each) => each.seq > since && each.seq <= seq).length;
    return present < seq - since;
  }

  #askForToken(): string {
    const { clientId: client_id, clientSecret: client_secret } = DEFAULT_CLIENT;
    const audience = `https://${DOMAIN}/api/v2/`;
    const exchange = this.#simulator.exchange({
      method: "POST",
      target: "/oauth/token",
      headers: { host: DOMAIN },
      body: Buffer.from(JSON.stringify({ grant_type: "client_credentials", client_id, client_secret, audience })),
    });
    const body = exchange.kind === "answered" ? exchange.answer.body : undefined;
    return isJsonObject(body) ? String(body["access_token"]) : "";
  }
}

/** Of `/api/v2/users`: what follows names something. */
const FAMILY_SEGMENTS = 4;

interface Walk {
  readonly recorded: unknown[];
  readonly simulated: unknown[];
}

interface Compared {
  readonly differences: readonly string[];
  readonly bindings: Bindings;
  readonly times: Times;
  readonly walk: Walk;
}

function hasNext(body: unknown): boolean {
  return isJsonObject(body) && body["next"] !== undefined;
}

/** Whether the recorded client looked later than we did. */
function isPending({ path, status, responseBody }: Interaction, answer: Answered): boolean {
  if (!path.startsWith("/api/v2/jobs/job_")) return false;
  if (answer.status !== status) return true;
  return isJsonObject(answer.body) && isJsonObject(responseBody) && answer.body["status"] !== responseBody["status"];
}

const BOUNDARY = "a-part-begins-here";

function multipart(parts: readonly JsonObject[]): Buffer {
  const sections = parts.map(({ name, value, filename }) => {
    const file = typeof filename === "string" ? `; filename="${filename}"` : "";
    const content = typeof value === "string" ? value : JSON.stringify(value);
    return `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${String(name)}"${file}\r\n\r\n${content}\r\n`;
  });
  return Buffer.from(`${sections.join("")}--${BOUNDARY}--\r\n`);
}
