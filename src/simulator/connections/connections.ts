/** The tenant's connections, by name and by id. */
import type { JsonObject } from "../../runtime/json.ts";
import type { Random } from "../../runtime/random.ts";
import { Ajv } from "ajv";
import { alphanumeric } from "../made-up.ts";
import { parserFrom, SCHEMA_OPTIONS } from "../parser.ts";
import type { Collection } from "../state/collection.ts";
import type { State } from "../state/state.ts";
import type { Connection } from "./connection.ts";

export interface ConnectionOptions {
  readonly name: string;
  /** `auth0` (a database) unless said otherwise. */
  readonly strategy?: string;
  readonly options?: JsonObject;
  /** Made up unless given. */
  readonly id?: string;
  /** All clients of the tenant unless given; `[]` disables the connection. */
  readonly enabledClients?: readonly string[];
}

export class Connections {
  readonly #byId: Collection<Connection>;
  readonly #byName = new Map<string, Connection>();

  constructor(state: State) {
    this.#byId = state.collection("connections", parseConnection);
    this.#byId.subscribe((_id, before, after) => {
      if (before) this.#byName.delete(before.name);
      if (after) this.#byName.set(after.name, after);
    });
  }

  findByName(name: string): Connection | undefined {
    return this.#byName.get(name);
  }

  findById(id: string): Connection | undefined {
    return this.#byId.find(id);
  }

  /** In the order in which they were made. */
  values(): IteratorObject<Connection> {
    return this.#byId.values();
  }

  /** Adds the connection, or replaces the one with its id. */
  put(connection: Connection): void {
    this.#byId.put(connection.id, connection);
  }
}

/** @param clientIds the clients for which a connection is enabled that does not name its own */
export function newConnection(
  { name, strategy = "auth0", options = {}, id, enabledClients }: ConnectionOptions,
  clientIds: readonly string[],
  random: Random,
): Connection {
  return {
    id: id ?? `con_${alphanumeric(random, 16)}`,
    name,
    strategy,
    options,
    enabledClients: enabledClients ?? clientIds,
  };
}

const SCHEMA = {
  type: "object",
  additionalProperties: false,
  required: ["id", "name", "strategy", "options", "enabledClients"],
  properties: {
    id: { type: "string" },
    name: { type: "string" },
    strategy: { type: "string" },
    options: { type: "object" },
    enabledClients: { type: "array", items: { type: "string" } },
  },
};

const parseConnection = parserFrom(new Ajv(SCHEMA_OPTIONS).compile<Connection>(SCHEMA), "connection");

/** What a new tenant has: a database where usernames are optional and weak passwords pass, and both passwordless kinds. */
export const DEFAULT_CONNECTIONS: readonly ConnectionOptions[] = [
  {
    name: "Username-Password-Authentication",
    options: {
      mfa: { active: true, return_enroll_settings: true },
      attributes: {
        email: { identifier: { active: true }, profile_required: true, unique: true },
        username: {
          identifier: { active: true },
          profile_required: false,
          validation: { min_length: 1, max_length: 128 },
        },
      },
      passwordPolicy: "low",
      strategy_version: 2,
      brute_force_protection: true,
    },
  },
  { name: "email", strategy: "email", options: { brute_force_protection: true } },
  { name: "sms", strategy: "sms", options: { brute_force_protection: true } },
];

/** The options of a stricter database, as recorded for a real tenant: username required, at most 15, policy good. */
export const STRICT_DATABASE_OPTIONS: JsonObject = {
  mfa: { active: true, return_enroll_settings: true },
  validation: { username: { min: 1, max: 15 } },
  import_mode: false,
  passwordPolicy: "good",
  password_history: { size: 5, enable: false },
  strategy_version: 2,
  requires_username: true,
  password_dictionary: { enable: false, dictionary: [] },
  brute_force_protection: true,
  password_no_personal_info: { enable: false },
  password_complexity_options: { min_length: 8 },
  enabledDatabaseCustomization: false,
};
