/** What was recorded can't be taken out, changed or moved without showing. */
import test from "ava";
import { AuditChain, verifyChain } from "../../../src/runtime/audit-chain.ts";

const chain = new AuditChain();
const lines = ["a", "b", "c", "d"].map((operation) => chain.next({ operation, fields: ["email"] }));

test("a whole chain is without fault, and so are two in one file", (t) => {
  const other = new AuditChain();

  t.deepEqual(verifyChain(lines.join("\n")), { records: 4, faults: [] });
  t.deepEqual(verifyChain(`a line of a log\n${lines.join("\n")}\n${other.next({ operation: "e" })}\n`).faults, []);
});

for (const [title, kept, pattern] of [
  ["a record that was taken out shows", [0, 1, 3], /records are missing/],
  ["a first record that was taken out shows", [1, 2, 3], /records are missing/],
  ["a record that was moved shows", [0, 2, 1, 3], /another order/],
] as const) {
  test(title, (t) => {
    const { faults } = verifyChain(kept.map((index) => lines[index]).join("\n"));

    t.regex(faults[0]?.message ?? "", pattern);
  });
}

test("a record that was changed shows, with its line", (t) => {
  const text = lines.join("\n").replace('"operation":"c"', '"operation":"x"');

  t.deepEqual(
    verifyChain(text).faults.map(({ line }) => line),
    [3],
  );
});
