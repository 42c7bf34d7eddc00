/** `npm run test:recordings -- FOLDER`: replays every `*.jsonl` in it and prints what disagrees. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { parseRecording } from "./interaction.ts";
import { replay } from "./replay.ts";

const folder = process.argv[2];
if (folder === undefined) {
  process.stderr.write("usage: npm run test:recordings -- FOLDER\n");
  process.exit(2);
}
const files = readdirSync(folder).filter((name) => name.endsWith(".jsonl"));
let [passed, calls, seeded, gaps] = [0, 0, 0, 0];
for (const file of files.toSorted()) {
  const result = await replay(parseRecording(readFileSync(path.join(folder, file), "utf8")));
  calls += result.calls;
  seeded += result.seeded;
  gaps += result.gaps;
  if (result.disagreements.length === 0) passed++;
  else process.stdout.write(`${file}\n${result.disagreements.map((line) => `  ${line}\n`).join("")}`);
}
process.stdout.write(
  `${String(calls)} calls, ${String(seeded)} reads of what was there before, ${String(gaps)} explained by gaps\n`,
);
process.stdout.write(`${String(passed)} passed, ${String(files.length - passed)} failed\n`);
process.exitCode = passed === files.length && files.length > 0 ? 0 : 1;
