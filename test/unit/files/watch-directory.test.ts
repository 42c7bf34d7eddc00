/** Files are followed however they are saved. */
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import test, { type ExecutionContext } from "ava";
import { watchPaths } from "../../../src/files/watch-directory.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { eventually } from "../../support/eventually.ts";

async function watched(t: ExecutionContext, choose: (folder: string) => string) {
  const folder = await mkdtemp(path.join(tmpdir(), "watch-"));
  const file = path.join(folder, "jane.yaml");
  await writeFile(file, "first");
  const ending = new AbortController();
  let seen = 0;
  const watching = (async () => {
    for await (const _ of watchPaths([choose(folder)], systemClock, ending.signal)) seen++;
  })();
  t.teardown(async () => {
    ending.abort();
    await watching;
    await rm(folder, { recursive: true });
  });
  /** Saves until it is seen: nobody says when the watch has begun, and it waits for a quiet moment. */
  const untilSeen = async (save: () => Promise<void>): Promise<void> => {
    const before = seen;
    await eventually(
      async () => {
        if (seen > before) return;
        await save();
        throw new Error("not seen");
      },
      { everyMs: 500 },
    );
  };
  return { folder, file, untilSeen };
}

for (const [what, choose] of [
  ["by its folder", (folder: string) => folder],
  ["by its name", (folder: string) => path.join(folder, "jane.yaml")],
] as const) {
  test(`a file that is watched ${what} is followed through every save that puts another in its place`, async (t) => {
    const { folder, file, untilSeen } = await watched(t, choose);
    const aside = path.join(folder, ".jane.yaml.swp");
    for (let save = 0; save < 3; save++) {
      await untilSeen(async () => {
        await writeFile(aside, String(save));
        await rename(aside, file);
      });
    }
    t.pass();
  });
}
