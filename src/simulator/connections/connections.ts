/** The tenant's connections, by name and by id. */
import type { JsonObject } from "../../runtime/json.ts";
import type { Random } from "../../runtime/random.ts";
import { Ajv } from "ajv";
import { newId } from "../made-up.ts";
import { parserFrom, SCHEMA_OPTIONS } from "../parser.ts";
import type { Collection, ItemListener } from "../state/collection.ts";
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
  /** See `Connection`. */
  readonly more?: JsonObject;
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

  delete(id: string): void {
    this.#byId.delete(id);
  }

  /** For what belongs to a connection. */
  subscribe(listener: ItemListener<unknown>): void {
    this.#byId.subscribe(listener);
  }
}

/** @param clientIds the clients for which a connection is enabled that does not name its own */
export function newConnection(
  { name, strategy = "auth0", options = {}, id, enabledClients, more }: ConnectionOptions,
  clientIds: readonly string[],
  random: Random,
): Connection {
  return {
    id: id ?? newId("con", random),
    name,
    strategy,
    options,
    enabledClients: enabledClients ?? clientIds,
    ...(more && { more }),
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
    more: { type: "object" },
  },
};

const parseConnection = parserFrom(new Ajv(SCHEMA_OPTIONS).compile<Connection>(SCHEMA), "connection");
