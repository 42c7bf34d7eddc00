/**
 * The programs that a control plane is made of, and which versions of them serve. A further program is a row in
 * `BINARIES`, and a row in `sources.ts` for each way it can be had.
 */

/** What `startControlPlane` takes. */
export const CONTROL_PLANE_BINARIES = ["etcd", "kube-apiserver", "kube-controller-manager", "kubectl"] as const;

/** What installs the chart: the two major versions that people use differ in how they apply and take over objects. */
export const HELM_BINARIES = ["helm3", "helm4"] as const;

export type BinaryName = (typeof CONTROL_PLANE_BINARIES)[number] | (typeof HELM_BINARIES)[number];

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

function atLeast(major: number, minor: number): (version: Version) => boolean {
  return (version) => version.major > major || (version.major === major && version.minor >= minor);
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
