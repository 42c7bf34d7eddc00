/** Where the operator is measured: a control plane, a tenant and the operator, each a process of its own. */
import process from "node:process";
import { Registry } from "prom-client";
import { CONTROL_PLANE_BINARIES } from "../src/control-plane/binaries.ts";
import { startControlPlane, type ControlPlane } from "../src/control-plane/control-plane.ts";
import { describeMissing, findBinaries } from "../src/control-plane/find-binaries.ts";
import { createProgress } from "../src/control-plane/progress.ts";
import { runCommand } from "../src/control-plane/run-command.ts";
import { loadClusterAccess } from "../src/kubernetes/credentials.ts";
import { KubernetesApi } from "../src/kubernetes/kubernetes-api.ts";
import { KubernetesMetrics } from "../src/kubernetes/metrics.ts";
import { systemClock } from "../src/runtime/clock.ts";
import { systemRandom } from "../src/runtime/random.ts";
import { Program, type Usage } from "./program.ts";

export interface StageOptions {
  /** How long the tenant takes for each answer. */
  readonly latencyMs: number;
  readonly nodeFlags: readonly string[];
}

/** Every sample of a program's metrics whose name and labels begin so, added up. */
export type Sum = (prefix: string) => number;

export class Stage {
  readonly api: KubernetesApi;
  readonly metrics: KubernetesMetrics;
  readonly #controlPlane: ControlPlane;
  readonly #tenant: Program;
  readonly #tenantUrl: string;
  readonly #options: StageOptions;
  #operator: Program | undefined;
  #metricsUrl = "";

  private constructor(
    parts: { controlPlane: ControlPlane; api: KubernetesApi; metrics: KubernetesMetrics },
    tenant: { program: Program; url: string },
    options: StageOptions,
  ) {
    this.#controlPlane = parts.controlPlane;
    this.api = parts.api;
    this.metrics = parts.metrics;
    this.#tenant = tenant.program;
    this.#tenantUrl = tenant.url;
    this.#options = options;
  }

  static async open(options: StageOptions, signal: AbortSignal): Promise<Stage> {
    const clock = systemClock;
    const progress = createProgress({ output: process.stderr, clock });
    const found = await findBinaries(CONTROL_PLANE_BINARIES, { env: process.env, clock, progress }, signal);
    if (found.kind === "missing") throw new Error(describeMissing(found.missing));
    const controlPlane = await startControlPlane(
      { binaries: found.paths, controllerManager: false, clock, random: systemRandom },
      signal,
    );
    const env = { HOME: controlPlane.folder, KUBECONFIG: controlPlane.kubeconfigFile };
    for (const args of [
      ["apply", "-f", "crds"],
      ["wait", "--for=condition=Established", "crd/auth0users.auth0-user-operator.dev"],
    ]) {
      const { exitCode, stderr } = await runCommand(controlPlane.kubectlPath, args, { env }, signal);
      if (exitCode !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr}`);
    }
    const access = await loadClusterAccess({ kubeconfig: controlPlane.kubeconfigFile, env: process.env });
    const metrics = new KubernetesMetrics(new Registry());
    const api = new KubernetesApi({ access, clock, metrics, userAgent: "auth0-user-operator-bench", maxSockets: 32 });

    const program = new Program(["simulate", "--port=0", "--log-level=error"], process.env);
    const url = await program.says(/(http:\S+)/);
    if (options.latencyMs > 0) {
      const faults = { seed: 1, rules: [{ kind: "latency", ms: options.latencyMs }] };
      const answer = await fetch(`${url}/_simulator/faults`, {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(faults),
      });
      if (!answer.ok) throw new Error(await answer.text());
    }
    return new Stage({ controlPlane, api, metrics }, { program, url }, options);
  }

  /** Resolves as soon as the operator listens; it reads its resources meanwhile. */
  async startOperator(): Promise<void> {
    const operator = new Program(
      [
        "run",
        "--max-deletes-per-hour=100%",
        "--metrics-address=127.0.0.1:0",
        "--health-address=0",
        "--log-format=json",
      ],
      {
        ...process.env,
        KUBECONFIG: this.#controlPlane.kubeconfigFile,
        AUTH0_DOMAIN: this.#tenantUrl,
        AUTH0_CLIENT_ID: "simulator-client",
        AUTH0_CLIENT_SECRET: "simulator-secret",
      },
      this.#options.nodeFlags,
    );
    this.#operator = operator;
    this.#metricsUrl = `http://${await operator.says(/metrics server listens.*"address":"([^"]+)"/)}/metrics`;
  }

  async stopOperator(): Promise<void> {
    await this.#operator?.stop();
  }

  /** The operator's own metrics. */
  async operatorMetrics(): Promise<Sum> {
    const lines = (await (await fetch(this.#metricsUrl)).text()).split("\n");
    return (prefix) =>
      lines
        .filter((line) => line.startsWith(prefix))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
  }

  async operatorUsage(): Promise<Usage> {
    const sum = await this.operatorMetrics();
    return { cpuMs: sum("process_cpu_seconds_total") * 1_000, rssMb: sum("process_resident_memory_bytes") / 1e6 };
  }

  /** Calls to Auth0 since the last time this was asked, by method and path. */
  async tenantCalls(): Promise<Readonly<Record<string, number>>> {
    const calls = `${this.#tenantUrl}/_simulator/calls`;
    const { byRoute } = (await (await fetch(calls)).json()) as { byRoute: Record<string, number> };
    await fetch(calls, { method: "DELETE" });
    return byRoute;
  }

  async close(): Promise<void> {
    await this.stopOperator();
    this.api.close();
    await this.#tenant.stop();
    await this.#controlPlane.stop();
  }
}
