/**
 * The image, built from the Dockerfile by buildah, which needs no daemon. Where no registry can be reached its bases are
 * stood in for by what this machine has of the same: Node, npm, a shell, and the libraries that these load.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { aTempFolder } from "./temp-folder.ts";
import { findTool } from "./tools.ts";

type Teardown = Parameters<typeof aTempFolder>[0];

export class Image {
  readonly #buildah: string;
  readonly #store: readonly string[];
  readonly #folder: string;

  private constructor(buildah: string, folder: string) {
    this.#buildah = buildah;
    this.#folder = folder;
    this.#store = ["--root", `${folder}/images`, "--runroot", `${folder}/run`, "--storage-driver=vfs"];
  }

  /** @throws with what buildah said */
  static build(t: Teardown, buildah: string): Image {
    const image = new Image(buildah, aTempFolder(t).path);
    image.#standIn("build", [process.execPath, "/bin/sh", "/usr/bin/env"], (root) => {
      place(root, process.execPath, "/usr/local/bin/node");
      cpSync(npmFolder(), path.join(root, "/usr/local/lib/node_modules/npm"), { recursive: true });
      symlinkSync("../lib/node_modules/npm/bin/npm-cli.js", path.join(root, "/usr/local/bin/npm"));
      for (const program of ["/bin/sh", "/usr/bin/env"]) place(root, program, program);
      // A registry behind a proxy of one's own is known by this.
      const authorities = process.env["NODE_EXTRA_CA_CERTS"];
      if (authorities !== undefined) place(root, authorities, AUTHORITIES);
    });
    image.#standIn("runtime", [process.execPath], (root) => {
      place(root, process.execPath, "/nodejs/bin/node");
    });
    image.#must(
      "bud",
      "--isolation=chroot",
      "--pull-never",
      "--layers=false",
      "--build-arg=BUILD_IMAGE=localhost/build",
      "--build-arg=RUNTIME_IMAGE=localhost/runtime",
      "--tag=localhost/operator",
      ".",
    );
    return image;
  }

  /** What starts a process in a container of this image, as the image's own user; arguments go at its end. */
  command(env: Readonly<Record<string, string>>): [file: string, ...args: string[]] {
    const container = this.#must("from", "localhost/operator").trim();
    const { KUBECONFIG: kubeconfig = "", ...rest } = env;
    const mounted = path.join(this.#folder, "kubeconfig");
    writeFileSync(mounted, readFileSync(kubeconfig), { mode: 0o644 });
    const variables = Object.entries({ ...rest, KUBECONFIG: "/kubeconfig" }).map(
      ([key, value]) => `--env=${key}=${value}`,
    );
    const volume = `--volume=${mounted}:/kubeconfig:ro`;
    const { entrypoint } = this.config;
    return [
      this.#buildah,
      ...this.#store,
      "run",
      "--isolation=chroot",
      volume,
      ...variables,
      container,
      "--",
      ...entrypoint,
    ];
  }

  get config(): {
    readonly user: string;
    readonly entrypoint: readonly string[];
    readonly labels: Readonly<Record<string, string>>;
  } {
    const { OCIv1 } = JSON.parse(this.#must("inspect", "--type=image", "localhost/operator")) as {
      OCIv1: { config: { User: string; Entrypoint: string[]; Labels: Record<string, string> } };
    };
    return { user: OCIv1.config.User, entrypoint: OCIv1.config.Entrypoint, labels: OCIv1.config.Labels };
  }

  /** Every file in it, and their sizes in bytes. */
  files(): ReadonlyMap<string, number> {
    const root = this.#must("mount", this.#must("from", "localhost/operator").trim()).trim();
    const { stdout } = spawnSync("find", [root, "-type", "f", "-printf", "%s %P\\n"], { encoding: "utf8" });
    return new Map(
      stdout
        .split("\n")
        .filter(Boolean)
        .map((line) => [line.slice(line.indexOf(" ") + 1), Number.parseInt(line, 10)]),
    );
  }

  #standIn(name: string, programs: readonly string[], fill: (root: string) => void): void {
    const root = path.join(this.#folder, name);
    for (const folder of ["etc", "root", "tmp"]) mkdirSync(path.join(root, folder), { recursive: true });
    writeFileSync(
      path.join(root, "etc/passwd"),
      "root:x:0:0:root:/root:/bin/sh\nnonroot:x:65532:65532::/:/bin/false\n",
    );
    for (const library of new Set(programs.flatMap(librariesOf))) place(root, library, library);
    fill(root);
    const container = this.#must("from", "scratch").trim();
    this.#must("copy", container, root, "/");
    this.#must(
      "config",
      "--env=PATH=/usr/local/bin:/usr/bin:/bin",
      `--env=NODE_EXTRA_CA_CERTS=${AUTHORITIES}`,
      container,
    );
    this.#must("commit", container, `localhost/${name}`);
    this.#must("rm", container);
  }

  #must(command: string, ...args: readonly string[]): string {
    const { status, stdout, stderr } = spawnSync(this.#buildah, [...this.#store, command, ...args], {
      encoding: "utf8",
      maxBuffer: 64 << 20,
    });
    if (status !== 0) throw new Error(`buildah ${command} ${args.join(" ")}: ${stdout}${stderr}`);
    return stdout;
  }
}

const AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt";

function place(root: string, file: string, target: string): void {
  const to = path.join(root, target);
  mkdirSync(path.dirname(to), { recursive: true });
  cpSync(realpathSync(file), to);
}

function librariesOf(program: string): readonly string[] {
  const { stdout } = spawnSync("ldd", [program], { encoding: "utf8" });
  return [...stdout.matchAll(/(\/\S+\.so\S*)/g)].map(([, file = ""]) => file);
}

/** Of the npm that this test was started by, or that stands in PATH. */
function npmFolder(): string {
  const program = process.env["npm_execpath"] ?? findTool("npm");
  if (program === undefined) throw new Error("there is no npm in PATH");
  return path.resolve(realpathSync(program), "../..");
}
