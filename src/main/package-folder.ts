/** Files that come along with the program, whether it runs from its sources, its bundle, or an installed package. */
import { existsSync } from "node:fs";
import path from "node:path";

/** @throws where the package has no such file or folder */
export function findInPackage(name: string): string {
  for (let folder = import.meta.dirname; ; folder = path.dirname(folder)) {
    const candidate = path.join(folder, name);
    if (existsSync(path.join(folder, "package.json")) && existsSync(candidate)) return candidate;
    if (folder === path.dirname(folder)) throw new Error(`${name} is not where the program is installed`);
  }
}
