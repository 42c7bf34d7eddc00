/** What was recorded can't be taken out, changed or moved without showing. */
import test from "ava";
import { AuditChain, verifyChain } from "../../../src/runtime/audit-chain.ts";

const chain = new AuditChain();
const lines = ["a", "b", "c", "d"].map((operation) => chain.next({ operation, fields: ["email"] }));

test("a whole chain is without fault, and so are two in one file", (t) => {
  const other = new AuditChain();

  t.like(verifyChain(lines.join("\n")), { records: 4, faults: [] });
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

const hashOf = (line: string | undefined): string => (JSON.parse(line ?? "") as { hash: string }).hash;

test("lines that were cut off show against a hash that was kept", (t) => {
  const kept = hashOf(lines[2]);

  t.deepEqual(verifyChain(lines.slice(0, 3).join("\n"), [kept]).faults, []);
  t.regex(verifyChain(lines.slice(0, 2).join("\n"), [kept]).faults[0]?.message ?? "", /lines were cut off/);
});

test("a chain that its writer ended says so, and one that was cut off does not", (t) => {
  const ended = new AuditChain();
  const text = [ended.next({ operation: "a" }), ended.next({ operation: "b" }), ended.end({}) ?? ""];

  t.deepEqual(
    verifyChain(text.join("\n")).ends.map(({ isClosed, sequence }) => [isClosed, sequence]),
    [[true, 3]],
  );
  t.deepEqual(
    verifyChain(text.slice(0, 2).join("\n")).ends.map(({ isClosed }) => isClosed),
    [false],
  );
  t.regex(verifyChain([text[0], text[2]].join("\n")).faults[0]?.message ?? "", /records are missing/);
  t.is(new AuditChain().end({}), undefined, "what has no record needs no end");
});
