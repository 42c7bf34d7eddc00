/** `npm run test:histories -- 10000 [--seed S] [--trace]`: many histories, one after the other; those that fail in full. */
import { randomInt } from "node:crypto";
import process from "node:process";
import { parseArgs } from "node:util";
import { runHistory } from "./history.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: "string" },
    trace: { type: "boolean", default: false },
    "keep-going": { type: "boolean", default: false },
  },
});
const count = Number(positionals[0] ?? 10_000);
const first = Number(values.seed ?? randomInt(2 ** 31));
const startedMs = performance.now();
const reasons = new Map<string, number>();
let failed = 0;
let done = 0;
for (let seed = first; seed < first + count; seed++) {
  const result = await runHistory(seed);
  done++;
  for (const [reason, times] of result.reasons) reasons.set(reason, (reasons.get(reason) ?? 0) + times);
  if (result.violations.length > 0 || values.trace) {
    if (result.violations.length > 0) failed++;
    const lines = values["keep-going"] ? result.violations : [...result.trace, ...result.violations];
    process.stdout.write(`${lines.join("\n")}\nseed ${String(seed)}: ${String(result.violations.length)} wrong\n`);
    if (failed > 0 && !values["keep-going"]) break;
  }
}
const seconds = (performance.now() - startedMs) / 1000;
const told = [...reasons]
  .toSorted(([, a], [, b]) => b - a)
  .map(([reason, times]) => `${reason || "(none)"} ${String(times)}`);
process.stdout.write(
  `${String(done)} histories from seed ${String(first)}, ${String(failed)} failed, ${seconds.toFixed(1)} s, ${(done / seconds).toFixed(0)} a second\n` +
    `resources came to rest as: ${told.join(", ")}\n`,
);
process.exitCode = failed > 0 ? 1 : 0;
