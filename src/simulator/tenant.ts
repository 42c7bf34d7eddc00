/** The tenant: everything that calls read and change. One object, handed to every handler. */
import type { Clock, EpochMs } from "../runtime/clock.ts";
import type { JsonObject } from "../runtime/json.ts";
import type { Random } from "../runtime/random.ts";
import { ClientGrants } from "./clients/client-grants.ts";
import { Connections, newConnection, type ConnectionOptions } from "./connections/connections.ts";
import { CONNECTION_PRESETS } from "./connections/presets.ts";
import { Scim } from "./connections/scim.ts";
import { EventStreams } from "./event-streams/event-streams.ts";
import { Faults } from "./faults/faults.ts";
import { EventLog } from "./feed/event-log.ts";
import { announceUser } from "./feed/user-events.ts";
import { findHeader, type SimulatorRequest } from "./http.ts";
import { Jobs } from "./jobs/jobs.ts";
import { Logs } from "./logs/logs.ts";
import { newId } from "./made-up.ts";
import { ClientAssertions } from "./oauth/client-assertion.ts";
import { Clients, DEFAULT_CLIENT, type ClientOptions } from "./oauth/clients.ts";
import { Organizations } from "./organizations/organizations.ts";
import type { PlanName } from "./quota/plans.ts";
import { Quota } from "./quota/quota.ts";
import { ResourceServers } from "./resource-servers/resource-servers.ts";
import { Permissions } from "./roles/permissions.ts";
import { Roles } from "./roles/roles.ts";
import { SearchIndex } from "./search/search-index.ts";
import { Sessions } from "./sessions/sessions.ts";
import { Keys } from "./state/keys.ts";
import { Owned } from "./state/owned.ts";
import { State, type Change } from "./state/state.ts";
import { API_VERSIONS, changedSwitches, type ApiVersion, type Switches } from "./switches.ts";
import { Accounts } from "./users/accounts.ts";
import { AuthenticationMethods } from "./users/authentication-methods.ts";
import { Passwords } from "./users/passwords.ts";
import { RecentDeletions } from "./users/recent-deletions.ts";
import { UserBlocks } from "./users/user-blocks.ts";
import { Users } from "./users/users.ts";

export interface TenantOptions {
  /** The name it goes by, with port; the one a request names in `Host` unless given. */
  readonly domain?: string | undefined;
  /** Limits its rates; without one nothing is limited. */
  readonly plan?: PlanName | undefined;
  /** They can be used whatever was saved. */
  readonly clients?: readonly ClientOptions[] | undefined;
  readonly connections?: readonly ConnectionOptions[] | undefined;
  /** Verified custom domains. With several, POST /users must name one in a header. */
  readonly customDomains?: readonly string[] | undefined;
  readonly switches?: Partial<Switches> | undefined;
  /** What was kept of a former tenant, which goes on instead of a new one: its own connections, clients and users. */
  readonly saved?: Iterable<Change> | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

export class Tenant {
  readonly state = new State();
  readonly clients: Clients;
  readonly connections: Connections;
  readonly customDomains: readonly string[];
  readonly users: Users;
  readonly passwords: Passwords;
  readonly search: SearchIndex;
  readonly recentDeletions: RecentDeletions;
  readonly roles: Roles;
  readonly permissions: Permissions;
  readonly organizations: Organizations;
  readonly resourceServers: ResourceServers;
  /** With their `pem`. */
  readonly clientCredentials: Owned;
  readonly clientGrants: ClientGrants;
  readonly scim: Scim;
  readonly connectionKeys: Owned;
  readonly jobs: Jobs;
  readonly userBlocks: UserBlocks;
  readonly authenticationMethods: AuthenticationMethods;
  readonly sessions: Sessions;
  readonly accounts: Accounts;
  readonly eventStreams: EventStreams;
  readonly logs: Logs;
  readonly assertions = new ClientAssertions();
  readonly keys: Keys;
  readonly quota: Quota;
  readonly feed: EventLog;
  /** The stream that events say they came by. */
  readonly feedStreamId: string;
  readonly faults = new Faults();
  readonly random: Random;
  readonly clock: Clock;
  readonly #domain: string | undefined;
  #switches: Switches;

  /** @param allScopes what a client may do that does not name its scopes */
  constructor(options: TenantOptions, allScopes: readonly string[]) {
    const { domain, plan, saved, clock, random } = options;
    this.#domain = domain;
    this.clock = clock;
    this.#switches = changedSwitches(undefined, options.switches ?? {});
    this.random = random;
    this.customDomains = options.customDomains ?? [];
    this.quota = new Quota(plan, clock);
    this.keys = new Keys(this.state, random);
    this.clients = new Clients(this.state, this.keys, allScopes);
    this.connections = new Connections(this.state);
    this.users = new Users(this.state);
    this.passwords = new Passwords(this.state, this.keys);
    this.roles = new Roles(this.state, this.users);
    this.permissions = new Permissions(this.state, this.users);
    this.organizations = new Organizations(this.state, this.users, this.connections);
    this.resourceServers = new ResourceServers(this.state);
    this.clientCredentials = new Owned(this.state, "clientCredentials", this.clients);
    this.clientGrants = new ClientGrants(this.state, this.clients, this.organizations.byId);
    this.scim = new Scim(this.state, this.connections);
    this.connectionKeys = new Owned(this.state, "connectionKeys", this.connections);
    this.jobs = new Jobs(this.state);
    this.userBlocks = new UserBlocks(this.state, this.users);
    this.authenticationMethods = new AuthenticationMethods(this.state, this.users);
    this.sessions = new Sessions(this.state, this.users);
    this.accounts = new Accounts(this.state, this.users);
    this.eventStreams = new EventStreams(this.state);
    this.logs = new Logs(clock, () => this.#switches.logLagMs);
    this.search = new SearchIndex(this.users, clock, () => this.#switches.searchLagMs);
    this.recentDeletions = new RecentDeletions(clock, () => this.#switches.recreateConflictMs);
    this.feedStreamId = newId("est", random, 22);
    this.feed = new EventLog({
      clock,
      random,
      now: () => this.now(),
      retention: () => this.#switches.feedRetention,
      drawMishap: (type) => this.faults.drawEvent(type),
    });
    this.users.subscribe((before, after) => {
      announceUser(this.feed, before, after, this.now());
      this.search.noteChange(before, after);
      this.recentDeletions.noteChange(before, after);
    });
    for (const change of saved ?? []) this.state.apply(change);
    for (const client of options.clients ?? [DEFAULT_CLIENT]) this.clients.put(client);
    if (saved) return;
    for (const connection of options.connections ?? CONNECTION_PRESETS.default) {
      this.connections.put(newConnection(connection, this.clients.ids(), random));
    }
  }

  get switches(): Switches {
    return this.#switches;
  }

  /** @throws InvalidInput naming every switch or value that does not exist */
  setSwitches(changes: JsonObject): void {
    this.#switches = changedSwitches(this.#switches, changes);
  }

  /**
   * Becomes the tenant of an exported state. Followers of the feed are told that their cursors are worth nothing.
   *
   * @throws InvalidInput
   */
  importState(exported: JsonObject): void {
    this.state.import(exported);
    this.feed.expire();
  }

  /** Whether the API is of that version, or a later one. */
  isSince(version: ApiVersion): boolean {
    return API_VERSIONS.indexOf(this.#switches.apiVersion) >= API_VERSIONS.indexOf(version);
  }

  /** The time as the tenant tells it. */
  now(): EpochMs {
    return this.clock.now() + this.#switches.clockSkewMs;
  }

  domainOf(request: SimulatorRequest): string {
    return this.#domain ?? findHeader(request, "host") ?? "localhost";
  }
}
