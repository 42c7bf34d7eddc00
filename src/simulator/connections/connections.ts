/** The tenant's connections, by name and by id. */
import type { JsonObject } from "../../runtime/json.ts";
import type { Random } from "../../runtime/random.ts";
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
  readonly #byName = new Map<string, Connection>();
  readonly #byId = new Map<string, Connection>();

  /** @param clientIds the clients for which connections are enabled that do not name theirs */
  constructor(connections: readonly ConnectionOptions[], clientIds: readonly string[], random: Random) {
    for (const { name, strategy = "auth0", options = {}, id, enabledClients = clientIds } of connections) {
      const connection = { id: id ?? connectionId(random), name, strategy, options, enabledClients };
      this.#byName.set(name, connection);
      this.#byId.set(connection.id, connection);
    }
  }

  findByName(name: string): Connection | undefined {
    return this.#byName.get(name);
  }

  findById(id: string): Connection | undefined {
    return this.#byId.get(id);
  }

  /** In the order in which they were made. */
  values(): IteratorObject<Connection> {
    return this.#byName.values();
  }
}

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

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

function connectionId(random: Random): string {
  return `con_${Array.from(random.bytes(16), (byte) => ALPHABET.charAt(byte % ALPHABET.length)).join("")}`;
}
