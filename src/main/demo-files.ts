/** The demo's stage without a cluster: a directory of YAML, watched, and edited as a person would. */
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { Writable } from "node:stream";
import process from "node:process";
import type { Stage } from "../cli/demo.ts";
import type { Part } from "../runtime/run-group.ts";
import { applyFiles } from "./apply.ts";
import { findInPackage } from "./package-folder.ts";
import type { Tenant } from "./settings-reader.ts";

export async function filesStage(tenant: Tenant, syncIntervalMs: number): Promise<{ stage: Stage; operator: Part }> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "auth0-user-operator-demo-"));
  const lines = new Lines();
  process.once("exit", () => void rm(folder, { recursive: true, force: true }));
  const said = (command: string): { command: string; output: string } => ({ command, output: "" });
  const stage: Stage = {
    async applyExamples() {
      const examples = findInPackage("examples");
      await cp(examples, folder, { recursive: true });
      return said(`cp examples/* ${folder}`);
    },
    show: () => Promise.resolve({ command: `auth0-user-operator apply --watch --prune ${folder}`, output: lines.text }),
    async removeNickname() {
      const file = path.join(folder, "02-profile.yaml");
      await writeFile(file, (await readFile(file, "utf8")).replace("nickname: jd", "removeAttributes: [nickname]"));
      return said(`sed -i 's/nickname: jd/removeAttributes: [nickname]/' ${file}`);
    },
    async deleteSmallest() {
      const file = path.join(folder, "01-smallest.yaml");
      await rm(file);
      return said(`rm ${file}`);
    },
    hints: [`Try it yourself: edit the files in ${folder}`],
  };
  const operator: Part = {
    name: "apply --watch",
    async run(signal) {
      try {
        await applyFiles(
          {
            command: "apply",
            tenant,
            paths: [folder],
            isWatching: true,
            isPruning: true,
            maxDeletesPerHour: undefined,
            mayResetPasswords: false,
            stateKeyFile: undefined,
            syncIntervalMs,
          },
          signal,
          { out: lines, err: process.stderr },
        );
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
  return { stage, operator };
}

class Lines extends Writable {
  text = "";
  override _write(chunk: Buffer, _encoding: string, next: () => void): void {
    this.text += chunk.toString();
    next();
  }
}
