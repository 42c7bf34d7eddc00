/**
 * A world for one end-to-end test: a namespace of a real cluster, a tenant of its own, and the operator as people run it,
 * the built program under the rights of its own ServiceAccount.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import type { ExecutionContext } from "ava";
import * as yaml from "js-yaml";
import type { Auth0UserStatus } from "../../src/api/auth0-user.ts";
import type { CommandResult } from "../../src/control-plane/run-command.ts";
import type { TestCluster } from "./control-plane.ts";
import { ALL_SCOPES } from "../../src/reconcile/scopes.ts";
import { DEFAULT_CLIENT } from "../../src/simulator/oauth/clients.ts";
import { eventually } from "./eventually.ts";
import { listOf } from "./objects.ts";
import { ADMIN_CLIENT, startTestSimulator, type TestSimulator, type TestSimulatorOptions } from "./start-simulator.ts";

const PROGRAM = "dist/main.js";
const ACCOUNT = { namespace: "auth0-user-operator", name: "auth0-user-operator" };

/** An Auth0User as the API server shows it. */
export interface Shown {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly generation: number;
    readonly resourceVersion: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
    readonly deletionTimestamp?: string;
  };
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status?: Auth0UserStatus;
}

export interface EventShown {
  readonly type: string;
  readonly reason: string;
  readonly note: string;
  readonly regarding: { readonly name: string };
}

export interface WorldOptions {
  readonly simulator?: TestSimulatorOptions;
  /** What is run in place of the bundle, given its environment. */
  readonly program?: (env: Readonly<Record<string, string>>) => readonly [file: string, ...args: string[]];
  /** The program's arguments in place of a world's: those of a Deployment. */
  readonly args?: readonly string[];
  /** Further flags of `run`. */
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Whether the operator is started at once. */
  readonly isStarted?: boolean;
}

/** Worlds of one file that live at once: each is a process, and a machine has few cores. */
const MAX_WORLDS = 4;
const waiting: (() => void)[] = [];
let living = 0;
let namespaces = 0;

/** What the tests use as passwords and client secrets, and anything like an access token. */
const SECRETS = /Correct-Horse-[\w-]+|Change-Me-Soon|simulator-secret|eyJ[\w-]{10,}\.[\w-]+/;

export async function aWorld(t: ExecutionContext, cluster: TestCluster, options: WorldOptions = {}): Promise<World> {
  await aPlaceForAWorld(t);
  if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is not there: npm run build`);
  const kubeconfig = await accountKubeconfig(cluster);
  const namespace = `world-${String(++namespaces)}`;
  const clients = [{ ...DEFAULT_CLIENT, scopes: ALL_SCOPES }];
  const tenant = await startTestSimulator(t, { clients, ...options.simulator, admin: ADMIN_CLIENT });
  const world = new World(cluster, tenant, namespace, kubeconfig, options);
  t.teardown(() => world.end());
  await world.must(["create", "namespace", namespace]);
  await world.must(["apply", "-f", "-"], ownRights(namespace));
  if (options.isStarted !== false) await world.start();
  return world;
}

/** Waits until few enough worlds live; the place is held until the test ends. */
export async function aPlaceForAWorld(t: ExecutionContext): Promise<void> {
  t.timeout(600_000);
  if (living >= MAX_WORLDS) await new Promise<void>((resolve) => waiting.push(resolve));
  living++;
  t.teardown(() => {
    living--;
    waiting.shift()?.();
  });
}

export class World {
  readonly tenant: TestSimulator;
  readonly namespace: string;
  readonly #cluster: TestCluster;
  readonly #kubeconfig: string;
  readonly #options: WorldOptions;
  readonly #said: string[] = [];
  readonly #left = new AbortController();
  #process: ChildProcess | undefined;
  #healthUrl = "";
  #metricsUrl = "";
  readonly #replicas: World[] = [];

  constructor(
    cluster: TestCluster,
    tenant: TestSimulator,
    namespace: string,
    kubeconfig: string,
    options: WorldOptions,
  ) {
    this.#cluster = cluster;
    this.tenant = tenant;
    this.namespace = namespace;
    this.#kubeconfig = kubeconfig;
    this.#options = options;
  }

  // ---- the operator ----

  /** Starts it, and waits until it has read the resources. */
  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.launch(env);
    await this.#eventually(async () => {
      const [status, text] = await this.probe("readyz");
      if (status !== 200) throw new Error(`not ready: ${text}`);
    });
  }

  /** Starts it, and waits until its probes can be asked. */
  async launch(env: Readonly<Record<string, string>> = {}): Promise<void> {
    const environment = {
      KUBECONFIG: this.#kubeconfig,
      AUTH0_USER_OPERATOR_METRICS_ADDRESS: "127.0.0.1:0",
      AUTH0_USER_OPERATOR_HEALTH_ADDRESS: "127.0.0.1:0",
      AUTH0_DOMAIN: this.tenant.url,
      AUTH0_CLIENT_ID: this.tenant.clientId,
      AUTH0_CLIENT_SECRET: this.tenant.clientSecret,
      ...this.#options.env,
      ...env,
    };
    const [file, ...args] = this.#options.program?.(environment) ?? [process.execPath, PROGRAM];
    args.push(
      ...(this.#options.args ?? [
        "run",
        `--namespace=${this.namespace}`,
        `--operator-namespace=${this.namespace}`,
        "--log-level=debug",
        "--log-format=json",
      ]),
      ...(this.#options.flags ?? []),
    );
    const child = spawn(file, args, { env: environment, stdio: ["ignore", "pipe", "pipe"] });
    this.#process = child;
    const from = this.#said.length;
    child.stderr.setEncoding("utf8").on("data", (text: string) => this.#said.push(text));
    child.stdout.setEncoding("utf8").on("data", (text: string) => this.#said.push(text));
    const gone = new AbortController();
    child.once("exit", () => {
      gone.abort(new Error(`the operator has ended:\n${this.#said.slice(from).join("")}`));
    });
    this.#healthUrl = await this.#addressOf("health server", from, gone.signal);
    this.#metricsUrl = `${await this.#addressOf("metrics server", from, gone.signal)}/metrics`;
  }

  /** What a kubelet would hear. */
  async probe(name: "healthz" | "readyz"): Promise<readonly [status: number, text: string]> {
    const response = await fetch(`${this.#healthUrl}/${name}`);
    return [response.status, await response.text()];
  }

  /** Ends it with this signal, and waits until it is gone; gives its exit code. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    this.#process?.kill(signal);
    return this.ended();
  }

  /** Waits until it is gone, by whatever; gives its exit code. */
  async ended(): Promise<number | null> {
    const child = this.#process;
    if (child === undefined) return null;
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    return child.exitCode;
  }

  /** Ends the operator, and whatever the test still waits for: kubectl, readiness, a reason. */
  async leave(): Promise<void> {
    this.#left.abort(new Error("the test has left its world"));
    await this.stop("SIGKILL");
  }

  #eventually<T>(assertion: () => T | Promise<T>, ...ends: readonly AbortSignal[]): Promise<T> {
    return eventually(assertion, { signal: AbortSignal.any([this.#left.signal, ...ends]) });
  }

  /** Everything it has said so far, in all its lives. */
  get log(): string {
    return this.#said.join("");
  }

  /** Host and port. */
  get metricsAddress(): string {
    return new URL(this.#metricsUrl).host;
  }

  async metrics(): Promise<string> {
    return (await fetch(this.#metricsUrl)).text();
  }

  async #addressOf(server: string, from: number, gone: AbortSignal): Promise<string> {
    return this.#eventually(() => {
      const line = this.#said
        .slice(from)
        .join("")
        .split("\n")
        .find((one) => one.includes(`${server} listens`));
      if (line === undefined) throw new Error(`the operator does not listen:\n${this.#said.slice(from).join("")}`);
      return `http://${(JSON.parse(line) as { address: string }).address}`;
    }, gone);
  }

  /** Another process of the same operator; its cluster and tenant are this one's. */
  replica(): World {
    const replica = new World(this.#cluster, this.tenant, this.namespace, this.#kubeconfig, this.#options);
    this.#replicas.push(replica);
    return replica;
  }

  // ---- the cluster ----

  /** kubectl in the test's namespace. */
  kubectl(args: readonly string[], input?: string): Promise<CommandResult> {
    const { signal } = this.#left;
    return this.#cluster.kubectl([`--namespace=${this.namespace}`, ...args], {
      signal,
      ...(input !== undefined && { input }),
    });
  }

  /** kubectl that has to succeed; gives what it printed. */
  async must(args: readonly string[], input?: string): Promise<string> {
    const { exitCode, stdout, stderr } = await this.kubectl(args, input);
    if (exitCode !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr}`);
    return stdout;
  }

  /** Applies an Auth0User. */
  apply(name: string, spec: object, ...flags: string[]): Promise<string> {
    return this.must(["apply", ...flags, "-f", "-"], manifest(name, spec));
  }

  edit(name: string, spec: object): Promise<string> {
    return this.must(["patch", "auth0user", name, "--type=merge", "--patch", JSON.stringify({ spec })]);
  }

  /** A Secret that consents to be read as a password. */
  async secret(name: string, data: Readonly<Record<string, string>>): Promise<void> {
    const labels = { "auth0-user-operator.dev/use": "password" };
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name, labels }, stringData: data };
    await this.must(["apply", "--server-side", "-f", "-"], JSON.stringify(secret));
  }

  async get(name: string): Promise<Shown> {
    return JSON.parse(await this.must(["get", "auth0user", name, "-o", "json"])) as Shown;
  }

  /** Waits until the resource's Ready condition speaks of its present generation and has this reason. */
  async until(name: string, reason: string): Promise<Shown> {
    return this.#eventually(async () => {
      const shown = await this.get(name);
      const ready = shown.status?.conditions?.find(({ type }) => type === "Ready");
      if (ready?.reason === reason && shown.status?.observedGeneration === shown.metadata.generation) return shown;
      throw new Error(`${name} is ${JSON.stringify(shown.status)}, not ${reason}\n${this.log.slice(-2_000)}`);
    });
  }

  /** Asks for a pass that looks at Auth0, and waits until it is acknowledged. */
  async sync(name: string): Promise<Shown> {
    const at = `test-${String(performance.now())}`;
    await this.must([
      "annotate",
      "--overwrite",
      "auth0user",
      name,
      `auth0-user-operator.dev/reconcile-requested-at=${at}`,
    ]);
    return this.#eventually(async () => {
      const shown = await this.get(name);
      if (shown.status?.lastHandledReconcileAt === at) return shown;
      throw new Error(`${name} was not looked at: ${JSON.stringify(shown.status)}\n${this.log.slice(-2_000)}`);
    });
  }

  async events(name: string): Promise<readonly EventShown[]> {
    const { items } = JSON.parse(await this.must(["get", "events.events.k8s.io", "-o", "json"])) as {
      items: readonly EventShown[];
    };
    return items.filter(({ regarding }) => regarding.name === name);
  }

  // ---- the tenant ----

  /** The calls to the Management API since it was last asked: method, and body where there is one. */
  async sent(): Promise<unknown[]> {
    const requests = await this.tenant.requests();
    await this.tenant.clearCalls();
    return requests
      .filter(({ path }) => path.startsWith("/api/v2/"))
      .map(({ method, body }) => (body === undefined || body === null ? method : [method, body]));
  }

  /** Ends the world, having looked once more for secrets wherever people or programs could read them. */
  async end(): Promise<void> {
    const metrics = await this.metrics().catch(() => "");
    await Promise.all([this, ...this.#replicas].map((one) => one.stop("SIGKILL")));
    const shown = await this.#afterwards(["get", "auth0users,events.events.k8s.io", "-o", "yaml"]);
    await this.#cleanUp();
    const leak = SECRETS.exec([this.log, ...this.#replicas.map(({ log }) => log), metrics, shown.stdout].join("\n"));
    if (leak !== null) throw new Error(`a secret can be read: ${leak[0]}`);
  }

  async #cleanUp(): Promise<void> {
    const { stdout } = await this.#afterwards(["get", "auth0users", "-o", "name"]);
    for (const name of stdout.split("\n").filter(Boolean)) {
      await this.#afterwards(["patch", name, "--type=merge", "--patch", '{"metadata":{"finalizers":null}}']);
    }
    await this.#afterwards(["delete", "namespace", this.namespace, "--wait=false"]);
  }

  /** kubectl that works in a world that was left, too. */
  #afterwards(args: readonly string[]): Promise<CommandResult> {
    return this.#cluster.kubectl([`--namespace=${this.namespace}`, ...args]);
  }
}

export function manifest(name: string, spec: object): string {
  return JSON.stringify(anAuth0User(name, spec));
}

export function anAuth0User(name: string, spec: object): object {
  return { apiVersion: "auth0-user-operator.dev/v1alpha1", kind: "Auth0User", metadata: { name }, spec };
}

const kubeconfigs = new WeakMap<TestCluster, Promise<string>>();

/** The manifests as people apply them, once for a cluster; the kubeconfig of the operator's own ServiceAccount. */
function accountKubeconfig(cluster: TestCluster): Promise<string> {
  let made = kubeconfigs.get(cluster);
  if (made === undefined) {
    made = makeAccountKubeconfig(cluster);
    kubeconfigs.set(cluster, made);
  }
  return made;
}

async function makeAccountKubeconfig({ kubectl, controlPlane }: TestCluster): Promise<string> {
  for (const args of [
    ["apply", "-k", "manifests/crds"],
    ["apply", "-k", "manifests/operator"],
    ["wait", "--for=condition=Established", "crd/auth0users.auth0-user-operator.dev"],
  ]) {
    const { exitCode, stderr } = await kubectl(args);
    if (exitCode !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr}`);
  }
  const token = await kubectl(["create", "token", ACCOUNT.name, `--namespace=${ACCOUNT.namespace}`, "--duration=2h"]);
  return controlPlane.writeKubeconfig({ name: ACCOUNT.name, token: token.stdout.trim() });
}

/** The Role that the operator has in its own namespace, in the namespace of the test. */
function ownRights(namespace: string): string {
  const documents = yaml.loadAll(readFileSync("manifests/operator/rbac.yaml", "utf8")) as {
    kind: string;
    metadata: { name: string };
    subjects?: object[];
  }[];
  return listOf(
    documents
      .filter(({ kind }) => kind === "Role" || kind === "RoleBinding")
      .map((document) => ({
        ...document,
        metadata: { ...document.metadata, namespace },
        ...(document.subjects && { subjects: [{ kind: "ServiceAccount", ...ACCOUNT }] }),
      })),
  );
}
