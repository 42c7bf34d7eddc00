/** A connection: where users are kept. Which kind it is decides what may be written to them. */
import type { JsonObject } from "../../runtime/json.ts";

export interface Connection {
  /** `con_` and 16 letters or digits. */
  readonly id: string;
  readonly name: string;
  readonly strategy: string;
  readonly options: JsonObject;
  /** Clients that may use it; a connection without any counts as disabled. */
  readonly enabledClients: readonly string[];
  /** Whatever else the API shows of it, as it came. */
  readonly more?: JsonObject;
}

/**
 * `database`: Auth0's own store, or a custom database with import mode. `custom-database`: one whose scripts own its
 * users.
 */
export type ConnectionKind = "database" | "custom-database" | "passwordless" | "social" | "enterprise";

export function kindOf({ strategy, options }: Connection): ConnectionKind {
  if (strategy === "auth0") {
    const scripted = options["enabledDatabaseCustomization"] === true && options["import_mode"] !== true;
    return scripted ? "custom-database" : "database";
  }
  if (strategy === "email" || strategy === "sms") return "passwordless";
  return SOCIAL_STRATEGIES.has(strategy) ? "social" : "enterprise";
}

const SOCIAL_STRATEGIES: ReadonlySet<string> = new Set(
  (
    "amazon apple baidu bitbucket bitly box daccount dropbox dwolla evernote evernote-sandbox exact facebook fitbit " +
    "github google-oauth2 instagram line linkedin oauth1 oauth2 paypal paypal-sandbox planningcenter salesforce " +
    "salesforce-community salesforce-sandbox shop shopify soundcloud thirtysevensignals twitter untappd vkontakte " +
    "weibo windowslive wordpress yahoo yandex"
  ).split(" "),
);

export function isDatabase(connection: Connection): boolean {
  return connection.strategy === "auth0";
}

/** Auth0's own store keeps e-mail and username in lower case; other connections keep what came. */
export function normalizedIdentifier(connection: Connection, value: string): string {
  return kindOf(connection) === "database" ? value.toLowerCase() : value;
}

/** Whether the identity provider writes name, nickname, picture and the like at each login, so that nobody else may. */
export function syncsAttributes(connection: Connection): boolean {
  const kind = kindOf(connection);
  if (kind === "database" || kind === "passwordless") return false;
  return (connection.options["set_user_root_attributes"] ?? "on_each_login") === "on_each_login";
}
