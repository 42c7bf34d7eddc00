/** `demo`: everything at once on this machine; a directory stands in where no control plane can be had. */
import { createWriteStream } from "node:fs";
import path from "node:path";
import process from "node:process";
import { AllowedDomains } from "../auth0/allowed-domains.ts";
import { parseTenantAddress } from "../auth0/tenant-address.ts";
import { tellStory, type Stage } from "../cli/demo.ts";
import type { DemoConfig } from "../config.ts";
import { CONTROL_PLANE_BINARIES } from "../control-plane/binaries.ts";
import { startControlPlane, type ControlPlane } from "../control-plane/control-plane.ts";
import { describeMissing, findBinaries } from "../control-plane/find-binaries.ts";
import { createProgress } from "../control-plane/progress.ts";
import { systemClock } from "../runtime/clock.ts";
import { createLog } from "../runtime/log.ts";
import { systemRandom } from "../runtime/random.ts";
import { runGroup, type Part } from "../runtime/run-group.ts";
import { DEFAULT_CLIENT } from "../simulator/oauth/clients.ts";
import { startSimulator } from "../simulator/start-simulator.ts";
import { clusterStage } from "./demo-cluster.ts";
import { filesStage } from "./demo-files.ts";
import { run } from "./run.ts";
import type { Tenant } from "./settings-reader.ts";

const { stdout, stderr } = process;
/** The shortest interval there is: the drift of the story is found in seconds. */
const SYNC_INTERVAL_MS = 10_000;

export async function demo({ isOnce, isFilesOnly }: DemoConfig, signal: AbortSignal): Promise<number> {
  const clock = systemClock;
  const log = createLog({ level: "warn", format: "pretty", output: stderr, clock });
  const simulator = await startSimulator({ port: 0, clock, random: systemRandom, log }, signal);
  stdout.write(`A simulated Auth0 tenant listens on ${simulator.url}\n`);
  const tenant: Tenant = {
    address: parseTenantAddress(simulator.url),
    credentials: { kind: "client secret", ...DEFAULT_CLIENT },
    customDomain: undefined,
  };
  const controlPlane = isFilesOnly ? undefined : await findControlPlane(signal);
  try {
    const { stage, operator } =
      controlPlane === undefined
        ? await filesStage(tenant, SYNC_INTERVAL_MS)
        : await onCluster(controlPlane, tenant, signal);
    let exitCode = 0;
    const story: Part = {
      name: "story",
      async run(stop) {
        await tellStory({ stage, tenantUrl: simulator.url, out: stdout, clock }, stop).catch((error: unknown) => {
          if (stop.aborted) throw error;
          stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
          exitCode = 1;
        });
        if (isOnce || exitCode !== 0) return;
        stdout.write(`\n${stage.hints.join("\n")}\nCtrl-C ends the demo and takes everything away.\n`);
        await new Promise((resolve) => {
          stop.addEventListener("abort", resolve, { once: true });
        });
      },
    };
    await runGroup([operator, story], signal);
    return exitCode;
  } finally {
    await controlPlane?.stop();
    await simulator.close();
  }
}

async function findControlPlane(signal: AbortSignal): Promise<ControlPlane | undefined> {
  const options = {
    env: process.env,
    clock: systemClock,
    progress: createProgress({ output: stderr, clock: systemClock }),
  };
  const found = await findBinaries(CONTROL_PLANE_BINARIES, options, signal);
  if (found.kind === "missing") {
    stdout.write(
      `No cluster here, so the story is told over a directory of YAML.\n${describeMissing(found.missing)}\n`,
    );
    return undefined;
  }
  const parts = { clock: systemClock, random: systemRandom };
  const controlPlane = await startControlPlane({ binaries: found.paths, controllerManager: true, ...parts }, signal);
  stdout.write(`A real Kubernetes API server listens on ${controlPlane.url}\n`);
  return controlPlane;
}

async function onCluster(
  controlPlane: ControlPlane,
  tenant: Tenant,
  signal: AbortSignal,
): Promise<{ stage: Stage; operator: Part }> {
  const stage = await clusterStage(controlPlane, signal);
  const logFile = path.join(controlPlane.folder, "operator.log");
  const log = createLog({ level: "info", format: "pretty", output: createWriteStream(logFile), clock: systemClock });
  stdout.write(`The operator runs; its log is ${logFile}\n`);
  const operator: Part = {
    name: "operator",
    async run(stop) {
      await run(
        {
          command: "run",
          tenant,
          allowedTenantDomains: new AllowedDomains([]),
          defaultTenantGrants: "all",
          maxDeletesPerHour: undefined,
          quota: {},
          userMarkers: "as-needed",
          maxChangesPerHour: undefined,
          auditLog: undefined,
          releaseAfterMs: 0,
          kubeconfig: controlPlane.kubeconfigFile,
          namespaces: "all",
          watchSecrets: "all",
          leaderElect: false,
          operatorNamespace: "default",
          concurrency: 100,
          syncIntervalMs: SYNC_INTERVAL_MS,
          metricsAddress: undefined,
          healthAddress: undefined,
          log: { level: "info", format: "pretty" },
        },
        stop,
        log,
      );
    },
  };
  return { stage, operator };
}
