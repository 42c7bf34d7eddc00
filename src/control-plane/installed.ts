/** Looking for a program where people install it: `KUBEBUILDER_ASSETS` and `PATH`. */
import { access, constants, realpath } from "node:fs/promises";
import path from "node:path";
import { Deadline } from "../runtime/abort.ts";
import type { Clock } from "../runtime/clock.ts";
import { askedKubernetes, binaryFor, fileOf, findVersion, versionText, type BinaryName } from "./binaries.ts";
import { runCommand, type Environment } from "./run-command.ts";

export interface InstalledSearch {
  /** The first file of this name whose version serves. */
  readonly path: string | undefined;
  /** What stood in the way: places that have none, and files that do not serve. */
  readonly tried: readonly string[];
  /** Whether there was a file that does not serve. */
  readonly passedOver: boolean;
}

export interface InstalledOptions {
  readonly env: Environment;
  readonly clock: Clock;
}

/** Usually some 50 ms. */
const VERSION_WITHIN_MS = 10_000;

export async function findInstalled(
  name: BinaryName,
  options: InstalledOptions,
  signal: AbortSignal,
): Promise<InstalledSearch> {
  const { env } = options;
  const tried: string[] = [];
  let passedOver = false;
  const seen = new Set<string>();
  for (const [variable, folders] of [
    ["KUBEBUILDER_ASSETS", foldersOf(env["KUBEBUILDER_ASSETS"])],
    ["PATH", foldersOf(env["PATH"])],
  ] as const) {
    const before = tried.length;
    for (const folder of folders) {
      const file = path.join(folder, fileOf(name));
      if (!(await isExecutable(file))) continue;
      // Many systems have one folder under two names in PATH.
      const real = await realpath(file);
      if (seen.has(real)) continue;
      seen.add(real);
      const objection = await findObjection(name, file, options, signal);
      if (objection === undefined) return { path: file, tried, passedOver };
      passedOver = true;
      tried.push(objection);
    }
    if (tried.length === before) tried.push(`${variable} ${folders.length === 0 ? "is not set" : "has none"}`);
  }
  return { path: undefined, tried, passedOver };
}

function foldersOf(value: string | undefined): readonly string[] {
  return (value ?? "").split(path.delimiter).filter(Boolean);
}

export async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function findObjection(
  name: BinaryName,
  file: string,
  { env, clock }: InstalledOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  const binary = binaryFor(name, askedKubernetes(env));
  const deadline = new Deadline(signal, VERSION_WITHIN_MS, clock);
  let said: string;
  try {
    said = (await runCommand(file, binary.versionArgs, { env }, deadline.signal)).stdout;
  } catch {
    signal.throwIfAborted();
    return `${file} can't be run`;
  } finally {
    deadline.clear();
  }
  const version = findVersion(said);
  if (version === undefined) return `${file} does not tell its version`;
  return binary.fits(version) ? undefined : `${file} is ${versionText(version)}, and ${binary.accepts} is needed`;
}
