/**
 * Finds, fetches or builds the programs of a control plane, and prints one folder that has them all:
 * `KUBEBUILDER_ASSETS=$(npm run -s control-plane)`. Run before the tests it keeps a build of minutes out of their time;
 * for that it gets Helm too.
 */
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rename, rm, symlink } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { CONTROL_PLANE_BINARIES, HELM_BINARIES } from "../src/control-plane/binaries.ts";
import { cacheFolder, describeMissing, findBinaries } from "../src/control-plane/find-binaries.ts";
import { createProgress } from "../src/control-plane/progress.ts";
import { systemClock } from "../src/runtime/clock.ts";

const interrupted = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => interrupted.abort(new Error(name)));

const progress = createProgress({ output: process.stderr, clock: systemClock });
try {
  const options = { env: process.env, progress, clock: systemClock };
  const result = await findBinaries(CONTROL_PLANE_BINARIES, options, interrupted.signal);
  if (result.kind === "missing") throw new Error(describeMissing(result.missing));
  const helm = await findBinaries(HELM_BINARIES, options, interrupted.signal);
  if (helm.kind === "missing") process.stderr.write(`${describeMissing(helm.missing)}\n`);
  process.stdout.write(`${await folderOf(Object.values(result.paths))}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

/** The folder the files are in, or, where they are scattered, a folder of links to them, named after what it links to. */
async function folderOf(files: readonly string[]): Promise<string> {
  const [folder = "", ...others] = new Set(files.map((file) => path.dirname(file)));
  if (others.length === 0) return folder;
  const cache = cacheFolder(process.env);
  const links = path.join(cache, `links-${createHash("sha256").update(files.join("\n")).digest("hex").slice(0, 12)}`);
  await mkdir(cache, { recursive: true });
  const partial = await mkdtemp(`${links}.`);
  for (const file of files) await symlink(file, path.join(partial, path.basename(file)));
  // A folder of this name has these very links.
  await rename(partial, links).catch(() => rm(partial, { recursive: true }));
  return links;
}
