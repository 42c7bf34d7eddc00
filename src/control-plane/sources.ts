/**
 * Where the binaries come from when the machine has none: official archives, and builds with the machine's own Go.
 * Everything is pinned: archives by the digest of the file, builds by the `go.sum` in `go/`.
 */
import { fileURLToPath } from "node:url";
import type { BinaryName, KubernetesMinor } from "./binaries.ts";

/** A file on the network: the one binary itself, or a `.tar.gz` that has the binaries somewhere inside. */
export interface Download {
  readonly url: string;
  readonly digest: Digest;
  /** What it brings, and in which version. */
  readonly versions: VersionByName;
}

export interface Digest {
  readonly algorithm: "sha256" | "sha512";
  readonly hex: string;
}

/** A Go module whose `go.mod` and `go.sum` pin everything that is compiled. */
export interface GoBuild {
  readonly folder: string;
  readonly ldflags: string;
  /** The main package of each binary that the module builds. */
  readonly packages: Readonly<Partial<Record<BinaryName, string>>>;
  readonly versions: VersionByName;
  /** How long it takes when nothing is cached, in words. */
  readonly estimate: string;
}

export type VersionByName = Readonly<Partial<Record<BinaryName, string>>>;

export interface Sources {
  /** `linux-amd64` and the like, as the publishers write it: part of every key in the cache. */
  readonly platform: string;
  readonly downloads: readonly Download[];
  readonly builds: readonly GoBuild[];
}

const ENVTEST = "https://github.com/kubernetes-sigs/controller-tools/releases/download/envtest-v1.35.0";
const RELEASES = "https://dl.k8s.io";
const ETCD = "3.6.6";
const HELM_3 = "3.19.0";
const HELM_4 = "4.1.4";

/** One row a platform; the names of the archives differ by nothing else. */
const DIGESTS = {
  amd64: {
    envtest:
      "130369c16f076e724d089189afaede960316f5f5dea6cf57be7a4fc6f09c77342893192509790e4056e116e232dff832ed863f5bd55dcb55d38f3ab834828a11",
    controllerManager: "d175511887be863be36c5b7ef7e859d22f08bd0e80cebca628edd48f0171c3f7",
    server:
      "d74bd56b2776bb4d140d4a4a3a87a61313425625e7d9a7271e9043f01b5be464c45a52f2f131e4707c34ed04940739f676caf0b0ac1adff698c77aabf6375617",
    helm3: "a7f81ce08007091b86d8bd696eb4d86b8d0f2e1b9f6c714be62f82f96a594496",
    helm4: "70b2c30a19da4db264dfd68c8a3664e05093a361cefd89572ffb36f8abfa3d09",
  },
  arm64: {
    envtest:
      "e53e2b88398f5b9503e3f074d82a2dcb090c708b34940848607ce658138a5d4a25962e042ab683ccc026a8a6c90c0be7f658e42dde0887369d73c3b68e2fc86c",
    controllerManager: "2cc00a6bd20db30272701922d84ab19927e1cca924f1025562de68bc7f71a2a7",
    server:
      "4b9ee5704be840b05b0ec6914e5312d42a8213cf805c90d7ed687785fd1267bce09178490696919a568b0e50c3bdd1eb5dce3eb364c566332fa14c4f4c356f03",
    helm3: "440cf7add0aee27ebc93fada965523c1dc2e0ab340d4348da2215737fc0d76ad",
    helm4: "13d03672be289045d2ff00e4e345d61de1c6f21c1257a45955a30e8ae036d8f1",
  },
};

/**
 * Digests of 128 digits are SHA-512: those of envtest-releases.yaml in kubernetes-sigs/controller-tools, and of the
 * changelog of Kubernetes 1.32 for its server archives. The others are SHA-256: those of the release binaries at
 * dl.k8s.io and of the release notes of Helm.
 */
function downloadsFor(arch: keyof typeof DIGESTS, kubernetes: KubernetesMinor): readonly Download[] {
  const digests = DIGESTS[arch];
  const envtest = `${ENVTEST}/envtest-v1.35.0-linux-${arch}.tar.gz`;
  return [
    ...(kubernetes === "1.35"
      ? [
          download(envtest, digests.envtest, { etcd: ETCD, "kube-apiserver": "1.35.0", kubectl: "1.35.0" }),
          download(`${RELEASES}/release/v1.35.0/bin/linux/${arch}/kube-controller-manager`, digests.controllerManager, {
            "kube-controller-manager": "1.35.0",
          }),
        ]
      : [
          download(envtest, digests.envtest, { etcd: ETCD }),
          download(`${RELEASES}/v1.32.5/kubernetes-server-linux-${arch}.tar.gz`, digests.server, {
            "kube-apiserver": "1.32.5",
            "kube-controller-manager": "1.32.5",
            kubectl: "1.32.5",
          }),
        ]),
    download(`https://get.helm.sh/helm-v${HELM_3}-linux-${arch}.tar.gz`, digests.helm3, { helm3: HELM_3 }),
    download(`https://get.helm.sh/helm-v${HELM_4}-linux-${arch}.tar.gz`, digests.helm4, { helm4: HELM_4 }),
  ];
}

function download(url: string, hex: string, versions: VersionByName): Download {
  return { url, digest: { algorithm: hex.length === 128 ? "sha512" : "sha256", hex }, versions };
}

const VERSION = "k8s.io/component-base/version";

/** Of Kubernetes, by its minor version. */
const KUBERNETES_BUILDS: Readonly<Record<KubernetesMinor, GoBuild>> = {
  "1.32": kubernetesBuild("kubernetes-1.32", "1.32.2"),
  "1.35": kubernetesBuild("kubernetes", "1.35.4"),
};

const BUILDS: readonly GoBuild[] = [
  {
    folder: fileURLToPath(new URL("./go/etcd", import.meta.url)),
    ldflags: "-s -w",
    packages: { etcd: "go.etcd.io/etcd/server/v3" },
    versions: { etcd: ETCD },
    estimate: "half a minute on two cores",
  },
  {
    folder: fileURLToPath(new URL("./go/helm3", import.meta.url)),
    // What Helm's own Makefile sets; without it `helm template` renders for Kubernetes 1.20.
    ldflags: [
      `-s -w -X helm.sh/helm/v3/internal/version.version=v${HELM_3}`,
      ...["chartutil", "lint/rules"].flatMap((folder) => [
        `-X helm.sh/helm/v3/pkg/${folder}.k8sVersionMajor=1`,
        `-X helm.sh/helm/v3/pkg/${folder}.k8sVersionMinor=34`,
      ]),
    ].join(" "),
    packages: { helm3: "helm.sh/helm/v3/cmd/helm" },
    versions: { helm3: HELM_3 },
    estimate: "a minute on two cores",
  },
  {
    folder: fileURLToPath(new URL("./go/helm4", import.meta.url)),
    ldflags: `-s -w -X helm.sh/helm/v4/internal/version.version=v${HELM_4}`,
    packages: { helm4: "helm.sh/helm/v4/cmd/helm" },
    versions: { helm4: HELM_4 },
    estimate: "a minute and a half on two cores",
  },
];

function kubernetesBuild(folder: string, version: string): GoBuild {
  const [major = "", minor = ""] = version.split(".");
  // A build from the module proxy knows no git tag: without these it calls itself v0.0.0 and kubectl warns of skew.
  const stamps = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor };
  return {
    folder: fileURLToPath(new URL(`./go/${folder}`, import.meta.url)),
    ldflags: ["-s -w", ...Object.entries(stamps).map(([name, value]) => `-X ${VERSION}.${name}=${value}`)].join(" "),
    packages: {
      "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
      "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
      kubectl: "k8s.io/kubernetes/cmd/kubectl",
    },
    versions: { "kube-apiserver": version, "kube-controller-manager": version, kubectl: version },
    estimate: "4 to 7 minutes on two cores",
  };
}

/**
 * What there is for a machine. No platform is without builds; archives are pinned for Linux only.
 *
 * @param platform `process.platform`
 * @param arch `process.arch`
 * @param kubernetes the newest where none is asked for
 */
export function sourcesFor(platform: string, arch: string, kubernetes: KubernetesMinor = "1.35"): Sources {
  const published = arch === "x64" ? "amd64" : arch;
  const isPinned = platform === "linux" && (published === "amd64" || published === "arm64");
  return {
    platform: `${platform}-${published}`,
    downloads: isPinned ? downloadsFor(published, kubernetes) : [],
    builds: [KUBERNETES_BUILDS[kubernetes], ...BUILDS],
  };
}
