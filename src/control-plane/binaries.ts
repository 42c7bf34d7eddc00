/**
 * The programs that a control plane is made of, and which versions of them serve. A further program is a row in
 * `BINARIES`, and a row in `sources.ts` for each way it can be had.
 */

import type { Environment } from "./run-command.ts";

/** What `startControlPlane` takes. */
export const CONTROL_PLANE_BINARIES = ["etcd", "kube-apiserver", "kube-controller-manager", "kubectl"] as const;

/** What installs the chart: the two major versions that people use differ in how they apply and take over objects. */
export const HELM_BINARIES = ["helm3", "helm4"] as const;

export type BinaryName = (typeof CONTROL_PLANE_BINARIES)[number] | (typeof HELM_BINARIES)[number];

/** The minor versions of Kubernetes that can be asked for: the oldest that we claim, and the newest, which is had unasked. */
export const KUBERNETES_MINORS = ["1.32", "1.35"] as const;

export type KubernetesMinor = (typeof KUBERNETES_MINORS)[number];

export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

export interface Binary {
  /** Its file in `PATH` and in archives, where that is not its name here. */
  readonly file?: string;
  /** What makes it print its version. */
  readonly versionArgs: readonly string[];
  /** The versions that serve when they are found on the machine, in words; `fits` says the same in code. */
  readonly accepts: string;
  fits(version: Version): boolean;
}

/** Kubernetes 1.32 is the oldest whose API server knows `selectableFields`, which our resources declare. */
const kubernetes = { accepts: "1.32 or newer", fits: atLeast(1, 32) };

export const BINARIES: Readonly<Record<BinaryName, Binary>> = {
  etcd: { versionArgs: ["--version"], accepts: "3.5 or newer", fits: atLeast(3, 5) },
  "kube-apiserver": { versionArgs: ["--version"], ...kubernetes },
  "kube-controller-manager": { versionArgs: ["--version"], ...kubernetes },
  // One minor version to either side of the API server is what kubectl supports (kubernetes.io/releases/version-skew-policy).
  kubectl: {
    versionArgs: ["version", "--client"],
    accepts: "1.34 to 1.36",
    fits: ({ major, minor }) => major === 1 && minor >= 34 && minor <= 36,
  },
  helm3: {
    file: "helm",
    versionArgs: ["version", "--short"],
    accepts: "3.17 or newer, below 4",
    fits: ({ major, minor }) => major === 3 && minor >= 17, // the first with --take-ownership
  },
  helm4: { file: "helm", versionArgs: ["version", "--short"], accepts: "4.0 or newer", fits: atLeast(4, 0) },
};

const OF_KUBERNETES: ReadonlySet<BinaryName> = new Set(["kube-apiserver", "kube-controller-manager", "kubectl"]);

function atLeast(major: number, minor: number): (version: Version) => boolean {
  return (version) => version.major > major || (version.major === major && version.minor >= minor);
}

/** What serves where a version of Kubernetes was asked for: its own programs in that version only. */
export function binaryFor(name: BinaryName, asked: KubernetesMinor | undefined): Binary {
  const binary = BINARIES[name];
  if (asked === undefined || !OF_KUBERNETES.has(name)) return binary;
  return { ...binary, accepts: asked, fits: ({ major, minor }) => `${String(major)}.${String(minor)}` === asked };
}

/**
 * The version of Kubernetes that `KUBE_VERSION` asks for, such as 1.32; undefined where it is not set.
 *
 * @throws where that version can't be had
 */
export function askedKubernetes({ KUBE_VERSION: asked = "" }: Environment): KubernetesMinor | undefined {
  if (asked === "") return undefined;
  const minor = KUBERNETES_MINORS.find((one) => one === asked);
  if (minor === undefined) throw new Error(`KUBE_VERSION is ${asked}; it may be ${KUBERNETES_MINORS.join(" or ")}`);
  return minor;
}

/** What the program's file is called where people install it. */
export function fileOf(name: BinaryName): string {
  return BINARIES[name].file ?? name;
}

/** The first version named in what a program or a file says (`Kubernetes v1.35.4`, `go1.26`); a missing patch is 0. */
export function findVersion(text: string): Version | undefined {
  const match = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  if (match === null) return undefined;
  return { major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3] ?? 0) };
}

export function versionText({ major, minor, patch }: Version): string {
  return `${String(major)}.${String(minor)}.${String(patch)}`;
}
