/** What `npm ci` checks before it installs anything: a lock without the binaries of other platforms fails everywhere. */
import { readFile } from "node:fs/promises";
import test from "ava";

interface Locked {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

test("the lock has an entry for every platform's binaries", async (t) => {
  const { packages } = JSON.parse(await readFile("package-lock.json", "utf8")) as {
    packages: Readonly<Record<string, Locked>>;
  };
  const missing = Object.entries(packages).flatMap(([name, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (optional) =>
        packages[`node_modules/${optional}`] === undefined &&
        packages[`${name}/node_modules/${optional}`] === undefined,
    ),
  );
  t.deepEqual(
    missing,
    [],
    "npm install leaves out what its registry lacks: put the entries back (git diff package-lock.json)",
  );
});
