/** The tenant: everything that calls read and change. One object, handed to every handler. */
import type { Clock, EpochMs } from "../runtime/clock.ts";
import type { JsonObject } from "../runtime/json.ts";
import type { Random } from "../runtime/random.ts";
import { Connections, DEFAULT_CONNECTIONS, type ConnectionOptions } from "./connections/connections.ts";
import { findHeader, type SimulatorRequest } from "./http.ts";
import { Clients, DEFAULT_CLIENT, type ClientOptions } from "./oauth/clients.ts";
import type { PlanName } from "./quota/plans.ts";
import { Quota } from "./quota/quota.ts";
import { SearchIndex } from "./search/search-index.ts";
import { changedSwitches, type Switches } from "./switches.ts";
import { Passwords } from "./users/passwords.ts";
import { RecentDeletions } from "./users/recent-deletions.ts";
import { Users } from "./users/users.ts";

export interface TenantOptions {
  /** The name it goes by, with port; the one a request names in `Host` unless given. */
  readonly domain?: string | undefined;
  /** Limits its rates; without one nothing is limited. */
  readonly plan?: PlanName | undefined;
  readonly clients?: readonly ClientOptions[] | undefined;
  readonly connections?: readonly ConnectionOptions[] | undefined;
  /** Verified custom domains. With several, POST /users must name one in a header. */
  readonly customDomains?: readonly string[] | undefined;
  readonly switches?: Partial<Switches> | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

export class Tenant {
  readonly clients: Clients;
  readonly connections: Connections;
  readonly customDomains: readonly string[];
  readonly users: Users;
  readonly passwords: Passwords;
  readonly search: SearchIndex;
  readonly recentDeletions: RecentDeletions;
  readonly quota: Quota;
  readonly random: Random;
  readonly #clock: Clock;
  readonly #domain: string | undefined;
  #switches: Switches;

  /** @param allScopes what a client may do that does not name its scopes */
  constructor(options: TenantOptions, allScopes: readonly string[]) {
    const { domain, plan, clients = [DEFAULT_CLIENT], connections = DEFAULT_CONNECTIONS, clock, random } = options;
    this.#domain = domain;
    this.#clock = clock;
    this.#switches = changedSwitches(undefined, options.switches ?? {});
    this.random = random;
    this.customDomains = options.customDomains ?? [];
    this.clients = new Clients(clients, random.bytes(32), allScopes);
    this.connections = new Connections(connections, this.clients.ids(), random);
    this.passwords = new Passwords(random.bytes(32));
    this.quota = new Quota(plan, clock);
    this.users = new Users((before, after) => {
      this.search.noteChange(before, after);
      this.recentDeletions.noteChange(before, after);
    });
    this.search = new SearchIndex(this.users, clock, () => this.#switches.searchLagMs);
    this.recentDeletions = new RecentDeletions(clock, () => this.#switches.recreateConflictMs);
  }

  get switches(): Switches {
    return this.#switches;
  }

  /** @throws InvalidInput naming every switch or value that does not exist */
  setSwitches(changes: JsonObject): void {
    this.#switches = changedSwitches(this.#switches, changes);
  }

  /** The time as the tenant tells it. */
  now(): EpochMs {
    return this.#clock.now() + this.#switches.clockSkewMs;
  }

  domainOf(request: SimulatorRequest): string {
    return this.#domain ?? findHeader(request, "host") ?? "localhost";
  }
}
