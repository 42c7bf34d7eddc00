/**
 * A control plane for a file of tests: found or built, started before the first test, ended after the last.
 *
 * ```ts
 * const clusterTest = await clusterTests({ controllerManager: true });
 * clusterTest("…", async (t, cluster) => { … });
 * ```
 *
 * Where the programs can't be had, these tests are skipped and a line at the end says so; with `CI=true` they fail.
 */
import process from "node:process";
import test, { type ExecutionContext } from "ava";
import { CONTROL_PLANE_BINARIES } from "../../src/control-plane/binaries.ts";
import {
  startControlPlane,
  type ControlPlane,
  type ControlPlaneOptions,
} from "../../src/control-plane/control-plane.ts";
import { describeMissing, findBinaries, type BinaryPaths } from "../../src/control-plane/find-binaries.ts";
import { createProgress } from "../../src/control-plane/progress.ts";
import { runCommand, type CommandResult } from "../../src/control-plane/run-command.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { systemRandom } from "../../src/runtime/random.ts";

export interface TestCluster {
  readonly controlPlane: ControlPlane;
  readonly binaries: BinaryPaths<(typeof CONTROL_PLANE_BINARIES)[number]>;
  /** Runs kubectl as the administrator, or as whom another kubeconfig names. Any exit code is a result. */
  readonly kubectl: (args: readonly string[], options?: KubectlOptions) => Promise<CommandResult>;
}

export interface KubectlOptions {
  /** What `-f -` reads. */
  readonly input?: string;
  readonly kubeconfig?: string;
  /** Ends kubectl, which may be waiting. */
  readonly signal?: AbortSignal;
}

type ClusterTestBody = (t: ExecutionContext, cluster: TestCluster) => Promise<void>;

export interface ClusterTest {
  (title: string, body: ClusterTestBody): void;
  /** For tests that kill what the others use: runs alone. */
  serial(title: string, body: ClusterTestBody): void;
}

const never = new AbortController().signal;

/** Call it once in a file, at the top. */
export async function clusterTests(
  startOptions: Pick<ControlPlaneOptions, "controllerManager" | "auditPolicy">,
): Promise<ClusterTest> {
  const progress = createProgress({ output: process.stderr, clock: systemClock });
  const options = { env: process.env, progress, clock: systemClock };
  const found = await findBinaries(CONTROL_PLANE_BINARIES, options, never);
  if (found.kind === "missing") return withoutCluster(describeMissing(found.missing));

  let cluster: TestCluster | undefined;
  test.before("start a control plane", async () => {
    const parts = { clock: systemClock, random: systemRandom };
    const controlPlane = await startControlPlane({ binaries: found.paths, ...startOptions, ...parts }, never);
    cluster = {
      controlPlane,
      binaries: found.paths,
      kubectl: (args, { input = "", kubeconfig = controlPlane.kubeconfigFile, signal = never } = {}) => {
        // HOME keeps a person's own ~/.kube out, and what kubectl caches in a folder that goes away.
        const env = { HOME: controlPlane.folder, KUBECONFIG: kubeconfig, PATH: process.env["PATH"] };
        return runCommand(controlPlane.kubectlPath, args, { env, input }, signal);
      },
    };
  });
  test.after.always("end the control plane", async () => {
    await cluster?.controlPlane.stop();
  });

  const run =
    (body: ClusterTestBody) =>
    async (t: ExecutionContext): Promise<void> => {
      if (cluster === undefined) throw new Error("the control plane did not start");
      await body(t, cluster);
    };
  return Object.assign(
    (title: string, body: ClusterTestBody) => {
      test(title, run(body));
    },
    {
      serial: (title: string, body: ClusterTestBody) => {
        test.serial(title, run(body));
      },
    },
  );
}

function withoutCluster(why: string): ClusterTest {
  let skipped = 0;
  const skip = (title: string): void => {
    skipped++;
    test.skip(title, () => {});
  };
  if (process.env["CI"] === "true") {
    test("a control plane can be had", (t) => t.fail(why));
  } else {
    process.once("exit", () => {
      process.stderr.write(`\n${String(skipped)} TESTS WERE SKIPPED: they need a control plane.\n${why}\n`);
    });
  }
  return Object.assign(skip, { serial: skip });
}
