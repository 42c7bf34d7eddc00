/**
 * The tenant's connections, read one by one when a decision needs one, and kept for a while. Most decisions need none:
 * a plain user of a database is created, changed and deleted without a connection ever being read.
 */
import { connectionKindOf, type Connection, type ConnectionKind, type IdentifierName } from "../core/connection.ts";
import { connectionName, type ConnectionName } from "../core/ids.ts";
import { isPasswordLevel, type PasswordPolicy } from "../core/password-policy.ts";
import { DirectoryError } from "../reconcile/errors.ts";
import type { ConnectionDirectory } from "../reconcile/ports.ts";
import type { Clock } from "../runtime/clock.ts";
import { isJsonObject, type JsonObject } from "../runtime/json.ts";
import type { ManagementApi } from "./management-api.ts";
import { callFailed } from "./translate-failure.ts";

/** A change of a connection's settings is seen by then at the latest. */
const FRESH_MS = 15 * 60_000;
/** What is doubted is asked for again, but not by every user of the connection at once. */
const DOUBTED_FRESH_MS = 30_000;

interface Entry {
  readonly connection: Promise<Connection | undefined>;
  /** By the monotonic clock. */
  readonly readAtMs: number;
  /** Once it is read. */
  known: Connection | undefined;
  isDoubted: boolean;
}

export class Auth0Connections implements ConnectionDirectory {
  readonly #api: ManagementApi;
  readonly #clock: Clock;
  readonly #entries = new Map<ConnectionName, Entry>();

  constructor(api: ManagementApi, clock: Clock) {
    this.#api = api;
    this.#clock = clock;
  }

  find(name: ConnectionName): Connection | undefined {
    return this.#fresh(name)?.known;
  }

  read(name: ConnectionName, signal: AbortSignal): Promise<Connection | undefined> {
    const standing = this.#fresh(name);
    if (standing !== undefined) return standing.connection;
    const connection = this.#read(name, signal);
    const entry: Entry = { connection, readAtMs: this.#clock.monotonicMs(), known: undefined, isDoubted: false };
    this.#entries.set(name, entry);
    connection.then(
      (known) => {
        entry.known = known;
      },
      () => {
        if (this.#entries.get(name) === entry) this.#entries.delete(name);
      },
    );
    return connection;
  }

  doubt(name: ConnectionName): void {
    const entry = this.#entries.get(name);
    if (entry !== undefined) entry.isDoubted = true;
  }

  #fresh(name: ConnectionName): Entry | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    const freshMs = entry.isDoubted ? DOUBTED_FRESH_MS : FRESH_MS;
    return this.#clock.monotonicMs() - entry.readAtMs < freshMs ? entry : undefined;
  }

  /** Without the scope for it nothing is known of connections, and everything else goes on. */
  async #read(name: ConnectionName, signal: AbortSignal): Promise<Connection | undefined> {
    const what = `read connection ${name}`;
    const path = `/connections?${new URLSearchParams({ name }).toString()}`;
    try {
      const answer = await this.#api.call(
        { method: "GET", route: "/connections", path, kind: "read connections", what },
        signal,
      );
      if (!Array.isArray(answer)) throw callFailed("unavailable", `${what}: the answer is no list of connections`);
      return answer.map(parseConnection).find((connection) => connection?.name === name);
    } catch (error) {
      if (error instanceof DirectoryError && error.code === "insufficient_scope") return undefined;
      throw error;
    }
  }
}

/** Options are shown only with the scope `read:connections_options`; what they would say raises no objection then. */
function parseConnection(value: unknown): Connection | undefined {
  if (!isJsonObject(value) || typeof value["name"] !== "string" || typeof value["strategy"] !== "string")
    return undefined;
  const { name, strategy } = value;
  const options = isJsonObject(value["options"]) ? value["options"] : undefined;
  const kind = kindOf(strategy, options ?? {});
  return {
    name: connectionName(name),
    kind,
    strategy,
    isEnabled: !Array.isArray(value["enabled_clients"]) || value["enabled_clients"].length > 0,
    isSynced: options !== undefined && isSynced(kind, options),
    required: requiredIdentifiers(strategy, options),
    username: usernameRule(strategy, options),
    passwordPolicy: strategy === "auth0" && options !== undefined ? passwordPolicyFrom(options) : undefined,
  };
}

function kindOf(strategy: string, options: JsonObject): ConnectionKind {
  const isScripted = options["enabledDatabaseCustomization"] === true && options["import_mode"] !== true;
  return strategy === "auth0" && isScripted ? "custom database" : connectionKindOf(strategy);
}

/** `on_each_login` where the options do not say. */
function isSynced(kind: ConnectionKind, options: JsonObject): boolean {
  if (kind === "database" || kind === "passwordless") return false;
  return (options["set_user_root_attributes"] ?? "on_each_login") === "on_each_login";
}

const IDENTIFIERS = { email: "email", phoneNumber: "phone_number", username: "username" } as const;
const USERNAME_LENGTH = { minLength: 1, maxLength: 15 };
/** Where the options are not shown: what POST takes. */
const ANY_USERNAME = { minLength: 1, maxLength: 128 };

/** Either form of a database's options: flexible identifiers in `attributes`, or an address and `requires_username`. */
function requiredIdentifiers(strategy: string, options: JsonObject | undefined): IdentifierName[] {
  if (strategy === "sms") return ["phoneNumber"];
  if (strategy === "email") return ["email"];
  if (strategy !== "auth0" || options === undefined) return [];
  const { attributes } = options;
  if (!isJsonObject(attributes)) return options["requires_username"] === true ? ["email", "username"] : ["email"];
  const names: readonly IdentifierName[] = ["email", "phoneNumber", "username"];
  return names.filter((name) => objectAt(attributes, IDENTIFIERS[name])["profile_required"] === true);
}

function usernameRule(strategy: string, options: JsonObject | undefined): Connection["username"] {
  if (strategy !== "auth0") return undefined;
  if (options === undefined) return ANY_USERNAME;
  const { attributes } = options;
  const flexible = isJsonObject(attributes) ? attributes["username"] : undefined;
  const isAllowed = isJsonObject(attributes) ? flexible !== undefined : options["requires_username"] === true;
  if (!isAllowed) return undefined;
  const lengths = isJsonObject(flexible) ? objectAt(flexible, "validation") : {};
  const plain = objectAt(options, "validation", "username");
  return {
    minLength: numberIn(lengths, "min_length") ?? numberIn(plain, "min") ?? USERNAME_LENGTH.minLength,
    maxLength: numberIn(lengths, "max_length") ?? numberIn(plain, "max") ?? USERNAME_LENGTH.maxLength,
  };
}

/** `good` where the options do not say. */
function passwordPolicyFrom(options: JsonObject): PasswordPolicy {
  const level = options["passwordPolicy"];
  const dictionary = objectAt(options, "password_dictionary");
  const words: readonly unknown[] = Array.isArray(dictionary["dictionary"]) ? dictionary["dictionary"] : [];
  return {
    level: isPasswordLevel(level) ? level : "good",
    minLength: numberIn(objectAt(options, "password_complexity_options"), "min_length"),
    dictionary: new Set(dictionary["enable"] === true ? words.map((word) => String(word).toLowerCase()) : []),
    isPersonalInfoRefused: objectAt(options, "password_no_personal_info")["enable"] === true,
  };
}

/** The object at a path of `object`; an empty one where there is none. */
function objectAt(object: JsonObject, ...path: readonly string[]): JsonObject {
  let found: unknown = object;
  for (const key of path) found = isJsonObject(found) ? found[key] : undefined;
  return isJsonObject(found) ? found : {};
}

function numberIn(object: JsonObject, key: string): number | undefined {
  return typeof object[key] === "number" ? object[key] : undefined;
}
