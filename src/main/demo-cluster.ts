/** The demo's stage in a cluster: a real API server, and kubectl as a person would type it. */
import path from "node:path";
import type { Shown, Stage } from "../cli/demo.ts";
import type { ControlPlane } from "../control-plane/control-plane.ts";
import { runCommand } from "../control-plane/run-command.ts";
import { findInPackage } from "./package-folder.ts";

const REMOVE_NICKNAME = JSON.stringify({ spec: { nickname: null, removeAttributes: ["nickname"] } });

export async function clusterStage(controlPlane: ControlPlane, signal: AbortSignal): Promise<Stage> {
  const kubectl = (words: string, stop: AbortSignal, ...more: string[]): Promise<Shown> =>
    shown(controlPlane, words, more, stop);
  const examples = findInPackage("examples");
  await kubectl("apply -f", signal, findInPackage("crds"));
  await kubectl("wait --for=condition=Established crd/auth0users.auth0-user-operator.dev", signal);
  return {
    applyExamples: async (stop) => ({
      ...(await kubectl("apply -f", stop, examples)),
      command: "kubectl apply -f examples/",
    }),
    async show(stop) {
      await kubectl("wait --for=condition=Ready auth0users --all --timeout=60s", stop);
      return kubectl("get auth0users", stop);
    },
    removeNickname: (stop) => kubectl("patch auth0user jane --type=merge -p", stop, REMOVE_NICKNAME),
    deleteSmallest: (stop) => kubectl("delete auth0user smallest", stop),
    hints: [
      "Try it yourself, in another terminal:",
      `  export KUBECONFIG=${controlPlane.kubeconfigFile} PATH=${path.dirname(controlPlane.kubectlPath)}:$PATH`,
      "  kubectl get auth0users -o wide",
      "  kubectl edit auth0user jane",
    ],
  };
}

/** @throws Error with what kubectl said */
async function shown(
  { folder, kubeconfigFile, kubectlPath }: ControlPlane,
  words: string,
  more: readonly string[],
  signal: AbortSignal,
): Promise<Shown> {
  const env = { HOME: folder, KUBECONFIG: kubeconfigFile };
  const command = ["kubectl", words, ...more.map((word) => (/[\s"{]/.test(word) ? `'${word}'` : word))].join(" ");
  const { exitCode, stdout, stderr } = await runCommand(kubectlPath, [...words.split(" "), ...more], { env }, signal);
  if (exitCode !== 0) throw new Error(`${command}: ${stderr}`);
  return { command, output: stdout };
}
