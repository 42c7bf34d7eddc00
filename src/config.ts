/**
 * Flags and environment → one Config, once, with every problem at once. Every default, bound and unit that an operator
 * may want to change stands here with its reason. Each flag has a twin in the environment, `AUTH0_USER_OPERATOR_` and its
 * name in capitals; a flag outweighs it. Secrets come by the environment only: a command line is anybody's to read.
 */
import { CommanderError } from "commander";
import { OUTPUT_FORMATS, USER_MARKERS, createProgram } from "./cli/program.ts";
import type { AllowedDomains } from "./auth0/allowed-domains.ts";
import { TENANT_PLANS } from "./core/tenant-plan.ts";
import type { QuotaSettings } from "./reconcile/tenant-connections.ts";
import { MIN_SYNC_INTERVAL_MS } from "./api/duration.ts";
import {
  SettingsReader,
  type AuditConfig,
  type HostPort,
  type Latency,
  type LogConfig,
  type Tenant,
} from "./main/settings-reader.ts";
import { CONNECTION_PRESETS, type ConnectionPreset } from "./simulator/connections/presets.ts";
import { PLANS, type PlanName } from "./simulator/quota/plans.ts";

export interface RunConfig {
  readonly command: "run";
  /** The process's own; `undefined`: only tenant objects declare any. */
  readonly tenant: Tenant | undefined;
  /** The domains that tenant objects may name. */
  readonly allowedTenantDomains: AllowedDomains;
  /** What the process's own tenant grants: a file, or everything to everybody. */
  readonly defaultTenantGrants: string;
  /** For the process's own tenant, as in `spec.protection` of others. */
  readonly maxDeletesPerHour: number | string | undefined;
  readonly maxChangesPerHour: number | string | undefined;
  /** Likewise, as `spec.quota`. */
  readonly quota: QuotaSettings;
  readonly userMarkers: (typeof USER_MARKERS)[number];
  readonly auditLog: AuditConfig | undefined;
  readonly releaseAfterMs: number;
  readonly kubeconfig: string | undefined;
  readonly namespaces: readonly string[] | "all";
  readonly watchSecrets: readonly string[] | "all";
  readonly leaderElect: boolean;
  /** Where the Lease and the state Secret stand; `undefined`: the namespace that the credentials name. */
  readonly operatorNamespace: string | undefined;
  readonly concurrency: number;
  readonly syncIntervalMs: number;
  readonly metricsAddress: HostPort | undefined;
  readonly healthAddress: HostPort | undefined;
  readonly log: LogConfig;
}

export interface ValidateConfig {
  readonly command: "validate";
  readonly paths: readonly string[];
  readonly format: "text" | "json";
}

export interface ApplyConfig {
  readonly command: "apply";
  readonly tenant: Tenant;
  readonly paths: readonly string[];
  readonly isWatching: boolean;
  readonly isPruning: boolean;
  readonly maxDeletesPerHour: number | string | undefined;
  readonly mayResetPasswords: boolean;
  readonly stateKeyFile: string | undefined;
  readonly syncIntervalMs: number;
}

export interface SimulateConfig {
  readonly command: "simulate";
  readonly listen: HostPort;
  readonly domain: string | undefined;
  readonly plan: PlanName | undefined;
  readonly userCount: number;
  readonly seed: number;
  readonly tenantFile: string | undefined;
  readonly connectionPreset: ConnectionPreset;
  readonly dataFile: string | undefined;
  readonly latency: Latency | undefined;
  readonly searchLagMs: number;
  readonly faultsFile: string | undefined;
  readonly isTls: boolean;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly log: LogConfig;
}

export interface DemoConfig {
  readonly command: "demo";
  readonly isOnce: boolean;
  readonly isFilesOnly: boolean;
}

export interface VerifyConfig {
  readonly command: "verify";
  readonly file: string;
  /** Of records that must be there. */
  readonly knownHashes: readonly string[];
}

export type Config = VerifyConfig | RunConfig | ValidateConfig | ApplyConfig | SimulateConfig | DemoConfig;

/** A text to print and an exit code instead of a configuration: help, the version, or what is wrong with the call. */
export interface Refusal {
  readonly command: "none";
  readonly exitCode: number;
  readonly text: string;
}

const PLAN_NAMES = Object.keys(PLANS).filter((name): name is PlanName => name in PLANS);
const PRESETS = Object.keys(CONNECTION_PRESETS).filter((name): name is ConnectionPreset => name in CONNECTION_PRESETS);

/** A million of them take some 2 GB. */
const MAX_USERS = 1_000_000;

/**
 * @param argv without the names of Node and the program
 * @param isTerminal whether log lines go to a person's eyes
 */
export function parseConfig(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  { version, isTerminal }: { readonly version: string; readonly isTerminal: boolean },
): Config | Refusal {
  let printed = "";
  let result: Config | undefined;
  const problems: string[] = [];
  const program = createProgram({ version, plans: PLAN_NAMES, presets: PRESETS }, (command, options, paths) => {
    result = configFrom(new SettingsReader({ command, options, env, isTerminal, problems }), paths);
  });
  for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => (printed += text),
      writeErr: (text) => (printed += text),
    });
  }
  try {
    program.parse(argv, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { command: "none", exitCode: error.exitCode, text: printed };
  }
  if (problems.length > 0) {
    return { command: "none", exitCode: 1, text: problems.map((problem) => `error: ${problem}\n`).join("") };
  }
  return result ?? { command: "none", exitCode: 1, text: program.helpInformation() };
}

function configFrom(read: SettingsReader, paths: readonly string[]): Config | undefined {
  switch (read.command) {
    case "run":
      return {
        command: "run",
        ...read.tenants(),
        maxDeletesPerHour: read.limit("maxDeletesPerHour"),
        maxChangesPerHour: read.limit("maxChangesPerHour"),
        quota: { plan: read.choice("quotaPlan", TENANT_PLANS), share: read.share("quotaShare") },
        userMarkers: read.choice("userMarkers", USER_MARKERS) ?? "as-needed",
        auditLog: read.auditLog(),
        releaseAfterMs: read.duration("releaseAfter", 0),
        defaultTenantGrants: read.text("defaultTenantGrants") ?? "all",
        kubeconfig: read.text("kubeconfig"),
        namespaces: read.names("namespace") ?? "all",
        watchSecrets: read.namesOrAll("watchSecrets"),
        leaderElect: read.flag("leaderElect"),
        operatorNamespace: read.text("operatorNamespace"),
        concurrency: read.count("concurrency", 1, 10_000),
        syncIntervalMs: read.duration("syncInterval", MIN_SYNC_INTERVAL_MS),
        metricsAddress: read.address("metricsAddress"),
        healthAddress: read.address("healthAddress"),
        log: read.log(),
      };
    case "validate":
      return { command: "validate", paths, format: read.choice("output", OUTPUT_FORMATS) ?? "text" };
    case "apply":
      return {
        command: "apply",
        tenant: read.tenant(),
        paths,
        isWatching: read.flag("watch"),
        isPruning: read.flag("prune"),
        maxDeletesPerHour: read.limit("maxDeletesPerHour"),
        mayResetPasswords: read.flag("setPasswords"),
        stateKeyFile: read.text("stateKey"),
        syncIntervalMs: read.duration("syncInterval", MIN_SYNC_INTERVAL_MS),
      };
    case "simulate":
      return {
        command: "simulate",
        listen: { host: read.text("host") ?? "127.0.0.1", port: read.count("port", 0, 65_535) },
        domain: read.text("domain"),
        plan: read.choice("plan", PLAN_NAMES),
        userCount: read.count("users", 0, MAX_USERS),
        seed: read.count("seed", 0, 2 ** 32 - 1),
        tenantFile: read.text("tenant"),
        connectionPreset: read.choice("connectionPreset", PRESETS) ?? "default",
        dataFile: read.text("data"),
        latency: read.latency("latency"),
        searchLagMs: read.duration("searchLag", 0),
        faultsFile: read.text("faults"),
        isTls: read.flag("tls"),
        clientId: read.text("clientId") ?? "",
        clientSecret: read.text("clientSecret") ?? "",
        log: read.log(),
      };
    case "verify":
      return { command: "verify", file: paths[0] ?? "", knownHashes: read.list("knownHash") };
    case "demo":
      return { command: "demo", isOnce: read.flag("once"), isFilesOnly: read.flag("files") };
    default:
      return undefined;
  }
}
