/** Machine-to-machine applications: who may ask for a token, and for what. */
import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import { Ajv } from "ajv";
import type { JsonObject } from "../../runtime/json.ts";
import { parserFrom, SCHEMA_OPTIONS } from "../parser.ts";
import type { Collection, ItemListener } from "../state/collection.ts";
import type { Keys } from "../state/keys.ts";
import type { State } from "../state/state.ts";

export interface ClientOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  /** What its grant for the Management API allows; everything unless given; null: it has no grant at all. */
  readonly scopes?: readonly string[] | null;
  /** PEM. With one the client proves itself by `private_key_jwt`, and its secret is not taken. */
  readonly publicKey?: string | undefined;
  /** See `Client`; what it was unless given. */
  readonly more?: JsonObject | undefined;
}

/** As it is kept; what it does not name, it may do all of. */
export interface Client {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scopes: readonly string[] | null;
  readonly publicKey?: string;
  /** Whatever else the API shows of it, as it came. */
  readonly more?: JsonObject;
}

export class Clients {
  readonly #clients: Collection<Client>;
  readonly #keys: Keys;
  readonly #allScopes: readonly string[];

  /** @param allScopes what a client may do that does not name its scopes */
  constructor(state: State, keys: Keys, allScopes: readonly string[]) {
    this.#clients = state.collection("clients", parseClient);
    this.#keys = keys;
    this.#allScopes = allScopes;
  }

  find(clientId: string): Client | undefined {
    return this.#clients.find(clientId);
  }

  /** In the order in which they were made. */
  values(): IteratorObject<Client> {
    return this.#clients.values();
  }

  ids(): readonly string[] {
    return Array.from(this.#clients.values(), ({ clientId }) => clientId);
  }

  /** Adds the client, or changes its credentials and scopes. */
  put({
    clientId,
    clientSecret,
    scopes = this.#allScopes,
    publicKey,
    more = this.find(clientId)?.more,
  }: ClientOptions): void {
    this.#clients.put(clientId, {
      clientId,
      clientSecret,
      scopes,
      ...(publicKey !== undefined && { publicKey }),
      ...(more && { more }),
    });
  }

  delete(clientId: string): void {
    this.#clients.delete(clientId);
  }

  /** For what belongs to a client. */
  subscribe(listener: ItemListener<unknown>): void {
    this.#clients.subscribe(listener);
  }

  /** Signs the client's tokens. It changes with the credentials, which thereby end every token issued before. */
  signingKey({ clientId, clientSecret, publicKey = "" }: Client): KeyObject {
    const text = `${clientId}\0${clientSecret}\0${publicKey}`;
    return createSecretKey(createHmac("sha256", this.#keys.get("tokens")).update(text).digest());
  }
}

const SCHEMA = {
  type: "object",
  additionalProperties: false,
  required: ["clientId", "clientSecret", "scopes"],
  properties: {
    clientId: { type: "string" },
    clientSecret: { type: "string" },
    scopes: { type: "array", items: { type: "string" }, nullable: true },
    publicKey: { type: "string" },
    more: { type: "object" },
  },
};

const parseClient = parserFrom(new Ajv(SCHEMA_OPTIONS).compile<Client>(SCHEMA), "client");

/** What the tenant has unless told otherwise. */
export const DEFAULT_CLIENT: ClientOptions = { clientId: "simulator-client", clientSecret: "simulator-secret" };
