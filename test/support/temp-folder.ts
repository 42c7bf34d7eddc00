/** A folder that lives as long as a test. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { ExecutionContext } from "ava";

export interface TempFolder {
  readonly path: string;
  /** Writes a file, with the folders that it needs, and gives its absolute path. */
  write(file: string, text: string): string;
}

export function aTempFolder(t: Pick<ExecutionContext, "teardown">): TempFolder {
  const folder = mkdtempSync(path.join(tmpdir(), "auth0-user-operator-"));
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    path: folder,
    write(file, text) {
      const target = path.join(folder, file);
      mkdirSync(path.dirname(target), { recursive: true });
      writeFileSync(target, text);
      return target;
    },
  };
}
