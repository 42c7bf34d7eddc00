/** The dependency rule: which room may import which, read from the import statements. `docs/ARCHITECTURE.md` tells why. */
import { readFileSync } from "node:fs";
import { glob } from "node:fs/promises";
import path from "node:path";
import process from "node:process";

/** Room → the rooms of ours it may import (its own always). */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  runtime: [],
  api: ["core"],
  reconcile: ["core", "runtime"],
  http: ["runtime"],
  auth0: ["reconcile", "core", "http", "runtime"],
  kubernetes: ["http", "runtime"],
  files: ["api", "runtime"],
  operator: ["kubernetes", "api", "reconcile", "core", "runtime"],
  cli: ["files", "api", "reconcile", "core", "runtime"],
  simulator: ["runtime"],
  "control-plane": ["runtime"],
};
/** Knows every part: it puts them together. */
const COMPOSITION = "main";
/** These import nothing at all from outside: no package, not even Node's own. */
const NO_PACKAGES: ReadonlySet<string> = new Set(["core"]);

const IMPORT =
  /(?:^|[\s;])(?:import|export)\s[^;'"]*?from\s*["']([^"']+)["']|(?:^|[\s;(])import\s*\(?\s*["']([^"']+)["']/g;

const problems: string[] = [];
for await (const file of glob("src/**/*.ts")) {
  const room = path.relative("src", file).split(path.sep)[0] ?? "";
  if (room === COMPOSITION) continue;
  const allowed = ROOMS[room];
  if (allowed === undefined) {
    if (!/^src[/\\](main|config)\.ts$/.test(file))
      problems.push(`${file}: stands in no room; see scripts/check-rooms.ts`);
    continue;
  }
  for (const match of readFileSync(file, "utf8").matchAll(IMPORT)) {
    const specifier = match[1] ?? match[2] ?? "";
    if (!specifier.startsWith(".")) {
      if (NO_PACKAGES.has(room)) problems.push(`${file}: ${room}/ imports no package, but has "${specifier}"`);
      continue;
    }
    const target = path.relative("src", path.join(path.dirname(file), specifier)).split(path.sep)[0] ?? "";
    if (target !== room && !allowed.includes(target)) {
      problems.push(`${file}: ${room}/ must not import ${target}/ ("${specifier}")`);
    }
  }
}
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exitCode = problems.length > 0 ? 1 : 0;
