/**
 * A stage for attacks: a team whose users an operator looks after, and somebody in another namespace who may write
 * Auth0Users there (and tenants, where a test says so) and nothing else, by kubectl and a ServiceAccount's own token. What
 * the operator took from Secrets is told by the API server's audit log, what it asked of Auth0 by the simulator.
 */
import { readFile } from "node:fs/promises";
import type { ExecutionContext } from "ava";
import * as yaml from "js-yaml";
import type { CommandResult } from "../../src/control-plane/run-command.ts";
import type { TestCluster } from "./control-plane.ts";
import { eventually } from "./eventually.ts";
import { aTempFolder } from "./temp-folder.ts";
import { aWorld, manifest, type Shown, type World } from "./world.ts";

/** What comes of each request for a Secret, with the answer. */
export const SECRETS_AUDITED = yaml.dump({
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  rules: [{ level: "RequestResponse", resources: [{ group: "", resources: ["secrets"] }] }, { level: "None" }],
});

export const DATABASE = "Username-Password-Authentication";
const USE_LABEL = "auth0-user-operator.dev/use";
const OPERATOR = "system:serviceaccount:auth0-user-operator:auth0-user-operator";

export interface StageOptions {
  readonly mayWrite?: readonly ("auth0users" | "auth0tenants")[];
  /** What the operator's own tenant grants to the attacker's namespace beside connections and e-mail domains. */
  readonly powers?: object;
  readonly allowedDomains?: readonly string[];
}

let stages = 0;

/**
 * The operator's tenant grants the team everything, the attacker's namespace users of `email` and the database in
 * evil.example. Secrets there: `own-password`, `own-client` and `own-token` consent, `payroll` does not.
 */
export async function aStage(t: ExecutionContext, cluster: TestCluster, options: StageOptions = {}): Promise<Stage> {
  const { mayWrite = ["auth0users"], powers = {}, allowedDomains = ["http://127.0.0.1:*"] } = options;
  const [team, evil] = [`team-${String(++stages)}`, `evil-${String(stages)}`];
  const everything = { ...ALL_POWERS, namespaces: { from: "Names", names: [team] } };
  const little = { connections: ["email", DATABASE], emailDomains: ["evil.example"], ...powers };
  const grants = [everything, { ...little, namespaces: { from: "Names", names: [evil] } }];
  const file = aTempFolder(t).write("grants.yaml", yaml.dump({ grants }));
  for (const namespace of [team, evil]) await cluster.kubectl(["create", "namespace", namespace]);
  const world = await aWorld(t, cluster, {
    flags: [
      `--namespace=${team}`,
      `--namespace=${evil}`,
      `--default-tenant-grants=${file}`,
      ...allowedDomains.map((domain) => `--allowed-tenant-domains=${domain}`),
    ],
  });
  const { clientId, clientSecret } = world.tenant;
  const secrets = [
    aSecret(evil, "own-password", { password: "Correct-Horse-Own" }, "password"),
    aSecret(evil, "own-client", { clientId, clientSecret }, "credentials"),
    aSecret(evil, "own-token", { token: "Correct-Horse-Token" }, "credentials"),
    aSecret(evil, "payroll", { password: "Correct-Horse-Payroll", clientId, clientSecret }),
    aSecret(team, "team-password", { password: "Correct-Horse-Team" }, "password"),
    aSecret(team, "team-client", { clientId, clientSecret }, "credentials"),
  ];
  const { exitCode, stderr } = await cluster.kubectl(["apply", "-f", "-"], {
    input: [...secrets, ...rightsOf(evil, mayWrite)].map((object) => JSON.stringify(object)).join("\n---\n"),
  });
  if (exitCode !== 0) throw new Error(stderr);
  const token = await world.must(["create", "token", "mallory", `--namespace=${evil}`, "--duration=1h"]);
  const kubeconfig = await cluster.controlPlane.writeKubeconfig({ name: `mallory-${evil}`, token: token.trim() });
  return new Stage(cluster, world, { team, evil }, kubeconfig);
}

const ALL_POWERS = {
  roles: ["*"],
  organizations: ["*"],
  permissions: ["*"],
  appMetadataKeys: ["*"],
  emailVerified: true,
  adopt: true,
  passwordOnAdopted: true,
};

export class Stage {
  readonly world: World;
  readonly team: string;
  readonly evil: string;
  readonly #cluster: TestCluster;
  readonly #kubeconfig: string;

  constructor(
    cluster: TestCluster,
    world: World,
    { team, evil }: { readonly team: string; readonly evil: string },
    kubeconfig: string,
  ) {
    this.#cluster = cluster;
    this.world = world;
    this.team = team;
    this.evil = evil;
    this.#kubeconfig = kubeconfig;
  }

  /** kubectl as the attacker, in his namespace. */
  attacker(args: readonly string[], input?: string): Promise<CommandResult> {
    const options = { kubeconfig: this.#kubeconfig, ...(input !== undefined && { input }) };
    return this.#cluster.kubectl([`--namespace=${this.evil}`, ...args], options);
  }

  /** What the API server takes from the attacker; unknown fields are sent, too. */
  async declare(document: string): Promise<void> {
    const { exitCode, stderr } = await this.attacker(["apply", "--validate=false", "-f", "-"], document);
    if (exitCode !== 0) throw new Error(stderr);
  }

  /** Has the attacker declare a user, waits until it is refused for this reason, and gives the message. */
  async refused(name: string, spec: object, reason: string): Promise<string> {
    await this.declare(manifest(name, spec));
    return this.reasonOf("auth0user", name, reason);
  }

  /** Waits until a resource of the attacker's has this reason, and gives the message. */
  async reasonOf(kind: string, name: string, reason: string): Promise<string> {
    return eventually(async () => {
      const { stdout } = await this.attacker(["get", kind, name, "-o", "json"]);
      const { status } = JSON.parse(stdout) as Pick<Shown, "status">;
      const ready = status?.conditions?.find(({ type }) => type === "Ready");
      if (ready?.reason === reason) return ready.message;
      throw new Error(`${name} is ${JSON.stringify(status)}, not ${reason}\n${this.world.log.slice(-2_000)}`);
    });
  }

  /** A user of the team's, created by the operator; no call is counted yet. */
  async victim(spec: object = {}): Promise<Shown> {
    const { world, team } = this;
    const full = { connection: "email", email: "jane@team.example", nickname: "ours", ...spec };
    await world.must(["apply", `--namespace=${team}`, "-f", "-"], manifest("jane", full));
    const shown = await eventually(async () => {
      const jane = JSON.parse(
        await world.must(["get", `--namespace=${team}`, "auth0user", "jane", "-o", "json"]),
      ) as Shown;
      if (jane.status?.userId === undefined) throw new Error(`${JSON.stringify(jane)}\n${world.log.slice(-2_000)}`);
      return jane;
    });
    await world.tenant.clearCalls();
    return shown;
  }

  /** Every request to the tenant since the calls were cleared, those for a token included. */
  async calls(): Promise<number> {
    return (await this.world.tenant.calls()).total;
  }

  /** The Secrets, `namespace/name`, whose contents the API server gave to the operator; other answers don't count. */
  async secretsHandedOut(): Promise<readonly string[]> {
    return (await this.#secretRequests()).filter(({ isHandedOut }) => isHandedOut).map(({ secret }) => secret);
  }

  /** The Secrets that the operator asked anything about. */
  async secretsAskedFor(): Promise<readonly string[]> {
    return (await this.#secretRequests()).map(({ secret }) => secret);
  }

  /** Of this stage's namespaces, once every request is answered. */
  #secretRequests(): Promise<readonly SecretRequest[]> {
    return eventually(async () => {
      const lines = (await readFile(this.#cluster.controlPlane.auditLogFile, "utf8")).split("\n").filter(Boolean);
      const entries = lines
        .map((line) => JSON.parse(line) as AuditEntry)
        .filter(({ user, objectRef }) => user.username === OPERATOR && this.#isHere(objectRef.namespace));
      const ended = entries.filter(({ stage }) => stage === "ResponseComplete");
      if (ended.length * 2 !== entries.length) throw new Error("some requests are not answered yet");
      return ended.map(({ objectRef: { namespace = "", name = "" }, responseObject }) => ({
        secret: `${namespace}/${name}`,
        isHandedOut: responseObject?.kind === "Secret",
      }));
    });
  }

  #isHere(namespace = ""): boolean {
    return namespace === this.team || namespace === this.evil;
  }
}

interface SecretRequest {
  readonly secret: string;
  readonly isHandedOut: boolean;
}

/** audit.k8s.io/v1 Event, as far as it is read here. */
interface AuditEntry {
  readonly stage: "RequestReceived" | "ResponseComplete";
  readonly user: { readonly username: string };
  readonly objectRef: { readonly namespace?: string; readonly name?: string };
  readonly responseObject?: { readonly kind?: string };
}

function aSecret(namespace: string, name: string, stringData: object, use?: string): object {
  const metadata = { name, namespace, ...(use !== undefined && { labels: { [USE_LABEL]: use } }) };
  return { apiVersion: "v1", kind: "Secret", metadata, stringData };
}

function rightsOf(namespace: string, resources: readonly string[]): object[] {
  const [apiGroup, name] = ["rbac.authorization.k8s.io", "mallory"];
  const verbs = ["get", "list", "watch", "create", "update", "patch", "delete"];
  const metadata = { name, namespace };
  const rules = [{ apiGroups: ["auth0-user-operator.dev"], resources, verbs }];
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata },
    { apiVersion: `${apiGroup}/v1`, kind: "Role", metadata, rules },
    {
      apiVersion: `${apiGroup}/v1`,
      kind: "RoleBinding",
      metadata,
      roleRef: { apiGroup, kind: "Role", name },
      subjects: [{ kind: "ServiceAccount", name, namespace }],
    },
  ];
}
