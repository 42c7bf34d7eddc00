/** `validate`: every problem in every document, with file, line and path; nothing leaves this machine. */
import type { Writable } from "node:stream";
import { readDeclarations } from "../files/declarations.ts";
import { lineOf } from "./apply.ts";

/** @returns the exit code: 0 where everything is valid, else 1 */
export async function validate(
  { paths, format }: { readonly paths: readonly string[]; readonly format: "text" | "json" },
  out: Writable,
): Promise<number> {
  const { users, issues } = await readDeclarations(paths);
  if (format === "json") {
    out.write(
      `${JSON.stringify({ valid: issues.length === 0, users: users.map(({ key }) => key), issues }, undefined, 2)}\n`,
    );
  } else {
    for (const issue of issues) out.write(`${lineOf(issue)}\n`);
    out.write(`${String(users.length)} valid, ${String(issues.length)} problems\n`);
  }
  return issues.length === 0 ? 0 : 1;
}
