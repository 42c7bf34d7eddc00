/** Machine-to-machine applications: who may ask for a token, and for what. */
import { createHmac, createSecretKey, type KeyObject } from "node:crypto";

export interface ClientOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  /** What its grant for the Management API allows; everything unless given; null: it has no grant at all. */
  readonly scopes?: readonly string[] | null;
}

export interface Client {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scopes: readonly string[] | null;
  /** Signs the client's tokens. It changes with the secret, which thereby ends every token issued before. */
  readonly signingKey: KeyObject;
}

export class Clients {
  readonly #clients = new Map<string, Client>();
  readonly #tenantKey: Buffer;
  readonly #allScopes: readonly string[];

  /** @param allScopes what a client may do that does not name its scopes */
  constructor(clients: readonly ClientOptions[], tenantKey: Buffer, allScopes: readonly string[]) {
    this.#tenantKey = tenantKey;
    this.#allScopes = allScopes;
    for (const client of clients) this.put(client);
  }

  find(clientId: string): Client | undefined {
    return this.#clients.get(clientId);
  }

  ids(): readonly string[] {
    return [...this.#clients.keys()];
  }

  /** Adds the client, or changes its secret and scopes. */
  put({ clientId, clientSecret, scopes = this.#allScopes }: ClientOptions): void {
    const key = createHmac("sha256", this.#tenantKey).update(`${clientId}\0${clientSecret}`).digest();
    this.#clients.set(clientId, { clientId, clientSecret, scopes, signingKey: createSecretKey(key) });
  }
}

/** What the tenant has unless told otherwise. */
export const DEFAULT_CLIENT: ClientOptions = { clientId: "simulator-client", clientSecret: "simulator-secret" };
