/**
 * Programs that people install themselves. Tests that need one are skipped where it is missing, and a line at the end says
 * so; with `CI=true` they fail.
 */
import { accessSync, constants } from "node:fs";
import path from "node:path";
import process from "node:process";
import test, { type ExecutionContext } from "ava";

/** Where each of them is, by its name. */
export type Tools<Name extends string> = Readonly<Record<Name, string>>;

type Declare<Rest extends readonly unknown[]> = (
  title: string,
  body: (t: ExecutionContext, ...rest: Rest) => Promise<void>,
) => void;

/**
 * @param advice how to get them
 * @param declare how tests are declared that have them: ava's `test`, or one that brings more along
 */
export function toolTests<Name extends string, Rest extends readonly unknown[]>(
  names: readonly Name[],
  advice: string,
  declare: Declare<Rest>,
): (title: string, body: (t: ExecutionContext, tools: Tools<Name>, ...rest: Rest) => Promise<void>) => void {
  const found = new Map(names.map((name) => [name, findTool(name)]));
  const missing = names.filter((name) => found.get(name) === undefined);
  const why = `${missing.join(", ")} can't be found: ${advice}`;
  let skipped = 0;
  if (missing.length > 0 && process.env["CI"] !== "true") {
    process.once("exit", () => {
      process.stderr.write(`\n${String(skipped)} TESTS WERE SKIPPED: ${why}\n`);
    });
  }
  return (title, body) => {
    if (missing.length === 0)
      declare(title, (t, ...rest) => body(t, Object.fromEntries(found) as Tools<Name>, ...rest));
    else if (process.env["CI"] === "true") test(title, (t) => t.fail(why));
    else {
      skipped++;
      test.skip(title, () => {});
    }
  };
}

/** The first of this name in `PATH`. */
export function findTool(name: string): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(path.delimiter);
  return folders
    .map((folder) => path.join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
