/**
 * The commands and options as people type them, with their help. What a value must be is for `config.ts` to say; here are
 * the names, the words, and the defaults with their reasons.
 */
import { Command, Option } from "commander";
import { TENANT_PLANS } from "../core/tenant-plan.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export const LOG_FORMATS = ["json", "pretty"] as const;
export const OUTPUT_FORMATS = ["text", "json"] as const;
export const USER_MARKERS = ["as-needed", "all"] as const;

const ENV_PREFIX = "AUTH0_USER_OPERATOR_";

/**
 * Keys in hand at once. A place is a promise, not a thread, and most of its life is waiting for answers: at 50 ms a call
 * and two calls a user, 100 carry a thousand users a second, more than the API server takes.
 */
const CONCURRENCY = 100;
/** How often each user is compared with Auth0 where its spec does not say. */
const SYNC_INTERVAL = "1h";
const SYNC_INTERVAL_HELP = "how often a user is compared with Auth0 where its spec does not say";

/** Long enough for an outage that a person mends, short enough for a person who waits for `kubectl delete namespace`. */
const RELEASE_AFTER = "10m";

type Settings = Readonly<Record<string, unknown>>;

/** @param options as commander read them, by their names in camelCase */
export type OnCommand = (command: Command, options: Settings, paths: readonly string[]) => void;

const TENANT_HELP = `
Environment:
  AUTH0_DOMAIN         the tenant's domain, such as acme.eu.auth0.com (also AUTH0_BASE_URL; http:// for a simulator)
  AUTH0_CLIENT_ID      a machine-to-machine application's client id, and
  AUTH0_CLIENT_SECRET  its secret; or
  AUTH0_API_TOKEN      a Management API token as it is
  AUTH0_CUSTOM_DOMAIN_HEADER  which of the tenant's custom domains mails and tickets name, where it has several`;

export interface ProgramOptions {
  readonly version: string;
  /** Names of the simulator's plans and of its databases, the default first. */
  readonly plans: readonly string[];
  readonly presets: readonly string[];
}

export function createProgram({ version, plans, presets }: ProgramOptions, onCommand: OnCommand): Command {
  const program = new Command("auth0-user-operator")
    .description("Keeps Auth0 users declared in YAML true.")
    .version(version)
    .configureHelp({ showGlobalOptions: true });

  const logOptions = (command: Command): Command =>
    command
      .addOption(option("--log-level <level>", `least level that is logged: ${LOG_LEVELS.join(", ")}`, "info"))
      .addOption(option("--log-format <format>", "json, or pretty (default: pretty on a terminal)"));

  logOptions(
    program
      .command("run")
      .description("Run the operator in a cluster.")
      .addOption(
        option("--kubeconfig <file>", "a kubeconfig (default: KUBECONFIG, ~/.kube/config, or the Pod's own account)"),
      )
      .addOption(option("--namespace <name...>", "serve these namespaces only (default: all)"))
      .addOption(
        option(
          "--watch-secrets <name...>",
          "notice changed password Secrets at once in these namespaces, or all; needs list and watch on Secrets there (default: none, they are read at each sync)",
        ),
      )
      .addOption(
        option(
          "--allowed-tenant-domains <domain...>",
          "domains that Auth0Tenants and ClusterAuth0Tenants may name, such as acme.eu.auth0.com; *.example.com: any below it (default: none)",
        ),
      )
      .addOption(
        option(
          "--default-tenant-grants <file>",
          "what the tenant of AUTH0_DOMAIN grants to which namespaces: a YAML file with grants as in a ClusterAuth0Tenant, or all",
          "all",
        ),
      )
      .addOption(
        option(
          "--max-deletes-per-hour <limit>",
          "how many users of that tenant may be deleted within an hour, 100 or 10%; beyond that deletions wait for a person (default: the greater of 100 and 10%)",
        ),
      )
      .addOption(
        option(
          "--max-changes-per-hour <limit>",
          "how many may have the same attribute changed within an hour, likewise (default: no limit)",
        ),
      )
      .addOption(
        option(
          "--quota-plan <plan>",
          `the plan of that tenant, so that its rate limits are known from the first call on: ${TENANT_PLANS.join(", ")} (default: they are learned from its answers)`,
        ),
      )
      .addOption(
        option("--quota-share <share>", "the part of that tenant's rate limits that the operator may use", "100%"),
      )
      .addOption(
        option(
          "--user-markers <which>",
          `which users of that tenant bear a marker in app_metadata, for operators of other clusters to notice: ${USER_MARKERS.join(", ")}; as-needed: those that were taken over and those whose id Auth0 chose`,
          "as-needed",
        ),
      )
      .addOption(
        option("--audit-log <target>", "where each write to Auth0 is put on record: stdout, a file, or off", "stdout"),
      )
      .addOption(option("--audit-chain", "bind each record to the one before it, for audit verify", false))
      .addOption(
        option(
          "--release-after <duration>",
          "how long a namespace that is being deleted waits for users that can't be",
          RELEASE_AFTER,
        ),
      )
      .addOption(option("--leader-elect", "let one of several replicas act, by a Lease", false))
      .addOption(
        option(
          "--operator-namespace <name>",
          "where the Lease and the state Secret stand (default: the namespace of the credentials)",
        ),
      )
      .addOption(option("--concurrency <count>", "users in hand at once", String(CONCURRENCY)))
      .addOption(option("--sync-interval <duration>", SYNC_INTERVAL_HELP, SYNC_INTERVAL))
      .addOption(option("--metrics-address <host:port>", "where /metrics is served; 0 turns it off", ":8080"))
      .addOption(
        option("--health-address <host:port>", "where /healthz and /readyz are served; 0 turns it off", ":8081"),
      ),
  )
    .addHelpText("after", TENANT_HELP)
    .action((options: Settings, command: Command) => {
      onCommand(command, options, []);
    });

  program
    .command("validate")
    .description("Check manifests: every problem, with file, line and path. Nothing leaves this machine.")
    .argument("<path...>", "files or directories")
    .addOption(option("-o, --output <format>", `how to print: ${OUTPUT_FORMATS.join(", ")}`, "text"))
    .action((paths: string[], options: Settings, command: Command) => {
      onCommand(command, options, paths);
    });

  program
    .command("apply")
    .description("Bring about at Auth0 what manifests declare, without a cluster.")
    .argument("<path...>", "files or directories")
    .addOption(option("--watch", "go on: follow the files, and repair drift", false))
    .addOption(
      option("--prune", "with --watch: delete users whose documents vanish, as their deletionPolicy says", false),
    )
    .addOption(
      option(
        "--max-deletes-per-hour <limit>",
        "how many users may vanish within an hour, 100 or 10%; beyond that none of them is deleted (default: the greater of 100 and 10%)",
      ),
    )
    .addOption(option("--set-passwords", "send the passwords of users that exist, too", false))
    .addOption(option("--sync-interval <duration>", SYNC_INTERVAL_HELP, SYNC_INTERVAL))
    .addOption(
      option(
        "--state-key <file>",
        "a secret key, at least 32 bytes: signs the marker by which own users are known again",
      ),
    )
    .addHelpText("after", TENANT_HELP)
    .action((paths: string[], options: Settings, command: Command) => {
      onCommand(command, options, paths);
    });

  logOptions(
    program
      .command("simulate")
      .description("Run an Auth0 tenant for trials and tests on this machine.")
      .addOption(option("--port <port>", "port to listen on; 0 picks a free one", "4400"))
      .addOption(option("--host <host>", "address to listen on; whoever reaches it may do everything", "127.0.0.1"))
      .addOption(option("--domain <domain>", "the tenant's domain (default: the Host that a request names)"))
      .addOption(option("--plan <plan>", `the rate limits of this plan: ${plans.join(", ")} (default: none)`))
      .addOption(option("--users <count>", "people that a new tenant begins with, made up", "0"))
      .addOption(option("--seed <number>", "the same people and the same faults for the same seed", "1"))
      .addOption(
        option(
          "--tenant <file>",
          "what a new tenant has: connections, clients, roles, users, switches, in YAML or JSON",
        ),
      )
      .addOption(
        option("--connection-preset <name>", `the database of a new tenant: ${presets.join(", ")}`, presets[0]),
      )
      .addOption(option("--data <file>", "keep the tenant in this file; without it, it ends with the process"))
      .addOption(
        option("--latency <duration>", "time that each answer takes: 50ms, or median..99th percentile: 50ms..200ms"),
      )
      .addOption(option("--search-lag <duration>", "how long the search index lags behind writes", "0ms"))
      .addOption(option("--faults <file>", "what shall go wrong, in YAML or JSON; see docs/simulator.md"))
      .addOption(option("--tls", "speak https, with a certificate made at start", false))
      .addOption(option("--client-id <id>", "client that may do everything", "simulator-client"))
      .addOption(option("--client-secret <secret>", "its secret; of this simulator only", "simulator-secret")),
  ).action((options: Settings, command: Command) => {
    onCommand(command, options, []);
  });

  program
    .command("audit")
    .description("Look at the record of what was written to Auth0.")
    .command("verify")
    .description("Check that no record of --audit-chain was changed, removed or put elsewhere.")
    .argument("<path>", "the file, other lines between the records do no harm")
    .addOption(option("--known-hash <hash...>", "of a record that must be there, as an earlier check printed it"))
    .action((path: string, options: Settings, command: Command) => {
      onCommand(command, options, [path]);
    });

  program
    .command("demo")
    .description("Show everything at once on this machine: a tenant, a cluster, the operator, users.")
    .addOption(option("--once", "end after the story instead of staying", false))
    .addOption(option("--files", "over a directory of YAML instead of a cluster", false))
    .action((options: Settings, command: Command) => {
      onCommand(command, options, []);
    });
  return program;
}

/** An option whose help names its twin in the environment. */
function option(flags: string, description: string, byDefault?: string | boolean): Option {
  const made = new Option(flags);
  made.description = `${description} [${variableOf(made)}]`;
  return byDefault === undefined ? made : made.default(byDefault);
}

/** The twin of an option in the environment. */
export function variableOf(made: Option): string {
  return `${ENV_PREFIX}${made.name().replaceAll("-", "_").toUpperCase()}`;
}
