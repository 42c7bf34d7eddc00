/**
 * A program that starts a control plane, prints `{ folder, pids }` as JSON, and waits to be killed: for the test that
 * nothing is left then. The paths of the binaries are its argument, as JSON.
 */
import process from "node:process";
import { startControlPlane } from "../../src/control-plane/control-plane.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { systemRandom } from "../../src/runtime/random.ts";

const controlPlane = await startControlPlane(
  {
    binaries: JSON.parse(process.argv[2] ?? ""),
    controllerManager: true,
    clock: systemClock,
    random: systemRandom,
  },
  new AbortController().signal,
);
const { folder, etcd, apiServer, controllerManager } = controlPlane;
process.stdout.write(`${JSON.stringify({ folder, pids: [etcd.pid, apiServer.pid, controllerManager?.pid] })}\n`);
