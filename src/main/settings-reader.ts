/** The settings of one call by name: what was given on the command line or by the environment, checked and in its own type. */
import type { Command, Option } from "commander";
import { parseDurationMs } from "../api/duration.ts";
import { AllowedDomains } from "../auth0/allowed-domains.ts";
import { parseTenantAddress, type TenantAddress } from "../auth0/tenant-address.ts";
import { LOG_FORMATS, LOG_LEVELS, variableOf } from "../cli/program.ts";
import { tenantDomain } from "../core/ids.ts";
import type { Credentials } from "../reconcile/tenant-connections.ts";
import type { LogLevel } from "../runtime/log.ts";

export interface Tenant {
  readonly address: TenantAddress;
  readonly credentials: Credentials;
  /** The domain that mails and tickets name, where the tenant has several of its own. */
  readonly customDomain: string | undefined;
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** The median, and the 99th percentile where answers are to differ. */
export interface Latency {
  readonly ms: number;
  readonly p99Ms: number | undefined;
}

export interface LogConfig {
  readonly level: LogLevel;
  readonly format: "json" | "pretty";
}

/** Where each write to Auth0 is put on record. */
export interface AuditConfig {
  /** `undefined`: the standard output. */
  readonly file: string | undefined;
  /** Whether each line is bound to the one before it. */
  readonly isChained: boolean;
}

const CUSTOM_DOMAIN = /^(?=.{3,255}$)([a-zA-Z0-9-]+\.)+[a-zA-Z0-9-]+$/;

/** Any of them says that the process is given a tenant of its own. */
const TENANT_VARIABLES = [
  "AUTH0_DOMAIN",
  "AUTH0_BASE_URL",
  "AUTH0_CLIENT_ID",
  "AUTH0_CLIENT_SECRET",
  "AUTH0_API_TOKEN",
];

interface ReaderOptions {
  readonly command: Command;
  readonly options: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isTerminal: boolean;
  readonly problems: string[];
}

/** Reads settings by name: the flag, else its variable, else the default; collects what is wrong. */
export class SettingsReader {
  readonly command: string;
  readonly #call: ReaderOptions;

  constructor(call: ReaderOptions) {
    this.command = call.command.name();
    this.#call = call;
  }

  text(name: string): string | undefined {
    const value = this.#value(name);
    if (typeof value !== "string" || value === "") return undefined;
    return value;
  }

  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const text = this.text(name);
    const chosen = choices.find((one) => one === text);
    if (text !== undefined && chosen === undefined) {
      this.#refuse(name, `must be one of ${choices.join(", ")}, is "${text}"`);
    }
    return chosen;
  }

  flag(name: string): boolean {
    const value = this.#value(name);
    if (typeof value === "boolean" || value === undefined) return value === true;
    if (value === "true" || value === "false") return value === "true";
    this.#refuse(name, "must be true or false");
    return false;
  }

  /** Given several times, or with commas between. */
  list(name: string): readonly string[] {
    const value = this.#value(name);
    const parts = Array.isArray(value) ? value.map(String) : typeof value === "string" ? [value] : [];
    return parts.flatMap((part) => part.split(",").map((one) => one.trim())).filter(Boolean);
  }

  names(name: string): readonly string[] | undefined {
    const names = this.list(name);
    const wrong = names.find((one) => !/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(one));
    if (wrong !== undefined) this.#refuse(name, `"${wrong}" is no namespace's name`);
    return names.length === 0 ? undefined : names;
  }

  namesOrAll(name: string): readonly string[] | "all" {
    const names = this.names(name) ?? [];
    return names.includes("all") ? "all" : names;
  }

  count(name: string, least: number, most: number): number {
    const text = this.text(name) ?? "";
    const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
    if (!(value >= least && value <= most)) {
      this.#refuse(name, `must be a whole number from ${String(least)} to ${String(most)}, is "${text}"`);
    }
    return value;
  }

  /** `100` or `10%`. */
  limit(name: string): number | string | undefined {
    const text = this.text(name);
    if (text === undefined || /^(100|\d{1,2})%$/.test(text)) return text;
    if (!/^\d{1,9}$/.test(text))
      this.#refuse(name, `must be a whole number or a share, such as 100 or 10%, is "${text}"`);
    return Number(text);
  }

  /** `50%` → 0.5 */
  share(name: string): number {
    const text = this.text(name) ?? "100%";
    if (!/^(100|[1-9]\d?)%$/.test(text)) this.#refuse(name, `must be a share such as 50%, is "${text}"`);
    return Number.parseInt(text, 10) / 100;
  }

  auditLog(): AuditConfig | undefined {
    const target = this.text("auditLog") ?? "off";
    if (target === "off") return undefined;
    return { file: target === "stdout" ? undefined : target, isChained: this.flag("auditChain") };
  }

  duration(name: string, leastMs: number): number {
    const text = this.text(name) ?? "";
    const ms = parseDurationMs(text);
    if (ms === undefined) this.#refuse(name, `must be a duration such as 30s or 1h30m, is "${text}"`);
    else if (ms < leastMs) this.#refuse(name, `must be at least ${String(leastMs / 1000)}s, is ${text}`);
    return ms ?? 0;
  }

  latency(name: string): Latency | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const [median, p99, ...more] = text.split("..").map(parseDurationMs);
    const isRange = text.includes("..");
    if (median !== undefined && more.length === 0 && (!isRange || (p99 !== undefined && p99 >= median))) {
      return { ms: median, p99Ms: p99 };
    }
    this.#refuse(name, `must be a duration such as 50ms, or two such as 50ms..200ms, is "${text}"`);
    return undefined;
  }

  /** `:8080`, `127.0.0.1:8080`, `[::1]:8080`; `0` is none. */
  address(name: string): HostPort | undefined {
    const text = this.text(name) ?? "0";
    if (text === "0") return undefined;
    const [, host, port] = /^(\[[0-9a-fA-F:]+\]|[^:\s]*):(\d{1,5})$/.exec(text) ?? [];
    if (host === undefined || Number(port) > 65_535) this.#refuse(name, `must be host:port, :port or 0, is "${text}"`);
    return { host: (host ?? "").replaceAll(/[[\]]/g, ""), port: Number(port) };
  }

  log(): LogConfig {
    return {
      level: this.choice("logLevel", LOG_LEVELS) ?? "info",
      format: this.choice("logFormat", LOG_FORMATS) ?? (this.#call.isTerminal ? "pretty" : "json"),
    };
  }

  /** The process's own tenant may be missing where tenant objects may name some. */
  tenants(): { readonly tenant: Tenant | undefined; readonly allowedTenantDomains: AllowedDomains } {
    const texts = this.list("allowedTenantDomains");
    let allowedTenantDomains = new AllowedDomains([]);
    try {
      allowedTenantDomains = new AllowedDomains(texts);
    } catch (error) {
      this.#refuse("allowedTenantDomains", error instanceof Error ? error.message : String(error));
    }
    const isOwnGiven = TENANT_VARIABLES.some((name) => this.#call.env[name]);
    return { tenant: isOwnGiven || texts.length === 0 ? this.tenant() : undefined, allowedTenantDomains };
  }

  tenant(): Tenant {
    const { AUTH0_DOMAIN, AUTH0_BASE_URL, AUTH0_CLIENT_ID, AUTH0_CLIENT_SECRET, AUTH0_API_TOKEN } = this.#call.env;
    const customDomain = this.#customDomain();
    const text = AUTH0_DOMAIN ?? AUTH0_BASE_URL ?? "";
    let address: TenantAddress = { domain: tenantDomain(""), origin: "", audience: "" };
    try {
      if (text === "")
        this.#call.problems.push("AUTH0_DOMAIN is not set: it names the tenant, such as acme.eu.auth0.com");
      else address = parseTenantAddress(text);
    } catch (error) {
      this.#call.problems.push(`AUTH0_DOMAIN: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (AUTH0_API_TOKEN !== undefined && AUTH0_API_TOKEN !== "") {
      return { address, credentials: { kind: "token", token: AUTH0_API_TOKEN }, customDomain };
    }
    const [clientId, clientSecret] = [AUTH0_CLIENT_ID ?? "", AUTH0_CLIENT_SECRET ?? ""];
    if (clientId === "" || clientSecret === "") {
      this.#call.problems.push("set AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET, or AUTH0_API_TOKEN");
    }
    return { address, credentials: { kind: "client secret", clientId, clientSecret }, customDomain };
  }

  #customDomain(): string | undefined {
    const { AUTH0_CUSTOM_DOMAIN_HEADER: domain = "" } = this.#call.env;
    if (domain === "") return undefined;
    if (!CUSTOM_DOMAIN.test(domain)) {
      this.#call.problems.push(
        `AUTH0_CUSTOM_DOMAIN_HEADER must be a domain, such as login.example.com, is "${domain}"`,
      );
    }
    return domain;
  }

  #value(name: string): unknown {
    const made = this.#option(name);
    const byEnvironment = made && this.#call.env[variableOf(made)];
    const isGiven = this.#call.command.getOptionValueSource(name) === "cli";
    return !isGiven && byEnvironment !== undefined ? byEnvironment : this.#call.options[name];
  }

  #refuse(name: string, what: string): void {
    const made = this.#option(name);
    const isGiven = this.#call.command.getOptionValueSource(name) === "cli";
    this.#call.problems.push(`${isGiven || made === undefined ? (made?.long ?? name) : variableOf(made)} ${what}`);
  }

  #option(name: string): Option | undefined {
    return this.#call.command.options.find((one) => one.attributeName() === name);
  }
}
