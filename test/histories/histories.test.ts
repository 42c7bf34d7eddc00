/**
 * Whatever people do and whatever fails, no user is deleted, changed or doubled that should not be, and nothing is stuck.
 * `FC_SEED` repeats a run; `npm run test:histories -- 10000` is a long one, `-- 1 --seed S --trace` shows one line by line.
 */
import { randomInt } from "node:crypto";
import process from "node:process";
import test from "ava";
import { runHistory } from "./history.ts";
import { ALL_DEEDS } from "./people.ts";

const HISTORIES = 150;
/** Each found something once. */
const FOUND = [
  202_138, 202_884, 202_220, 202_523, 300_122, 300_201, 300_536, 300_801, 90_627, 400_338, 400_900, 500_302, 500_831,
  600_102, 700_986, 1_002_493, 1_003_337, 2_002_713, 2_002_766, 2_000_348, 2_001_329, 2_003_899, 1_002_914, 1_004_630,
  2_001_152, 2_001_535, 3_000_283, 3_001_321, 3_003_110, 3_003_290, 3_004_580, 4_002_340, 4_002_737, 4_002_785,
  4_003_565, 4_003_568, 5_000_262, 5_002_048, 5_002_257, 6_000_624, 6_001_843, 6_001_846, 7_000_609, 7_001_916,
  8_000_967, 9_003_429, 9_003_757, 10_001_832, 10_003_670, 1_561_019_457, 1_561_021_699, 1_913_990_462, 1_913_990_991,
  1_149_591_878, 1_149_592_450, 1_790_970_767, 1_790_972_250, 1_790_972_373, 1_790_975_520, 1_790_977_682,
  1_790_978_098, 782_060_026, 1_408_495_415, 1_600_773_756, 1_600_775_024, 1_964_772_867, 1_227_762_768, 32_408_651,
  2_043_573_919, 2_043_576_125, 1_479_061_907, 603_666_689, 1_178_017_138, 1_178_013_170, 949_208_163, 2201, 2593,
  911_705, 1_770_786_116, 1_770_787_124, 1_770_787_348, 1_770_792_748, 1_770_795_212, 1_770_808_692, 77_190, 77_234,
  6456, 8092, 1_135_442_324, 1_078_381_807, 5_000_036, 5_004_540, 5_000_579, 516_423_353, 848_194_663, 199_875_978,
  1_688_100_410, 926_818_675, 1_617_023_240, 2_127_667_285,
];
const seed = Number(process.env["FC_SEED"] ?? randomInt(2 ** 31));

test("whatever people do and whatever fails, no user is lost, doubled or another's, and nothing is stuck", async (t) => {
  t.timeout(600_000);
  t.log(`seeds from ${String(seed)}`);
  for (let each = seed; each < seed + HISTORIES; each++) {
    const { violations, trace } = await runHistory(each);
    t.deepEqual(violations, [], `seed ${String(each)}:\n${trace.join("\n")}`);
    if (violations.length > 0) return;
  }
});

test("nothing comes back of what histories found", async (t) => {
  t.timeout(600_000);
  const done = new Set<string>();
  for (const each of FOUND) {
    const { violations, trace, deeds } = await runHistory(each);
    t.deepEqual(violations, [], `seed ${String(each)}:\n${trace.join("\n")}`);
    for (const deed of deeds) done.add(deed);
  }
  t.deepEqual(
    ALL_DEEDS.filter((deed) => !done.has(deed)),
    [],
    "everything that people may do is done in these",
  );
});

test("a history is the same each time its seed is", async (t) => {
  const [first, second] = [await runHistory(seed), await runHistory(seed)];

  t.deepEqual(first.trace, second.trace);
});
