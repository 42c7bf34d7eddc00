/**
 * `npm run test:fields`: runs every field against everything that can happen to it and prints what was asked of Auth0 and
 * what it holds. With --write the table goes into docs/fields.md, with --check it has to stand there.
 */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { format, resolveConfig } from "prettier";
import { fieldsDocument } from "../test/support/field-document.ts";
import { EVENTS, fieldMatrix } from "../test/support/field-matrix.ts";

const FILE = "docs/fields.md";

const rows = await fieldMatrix();
for (const { field, cells } of rows) {
  process.stdout.write(`${field}\n`);
  for (const event of EVENTS) {
    const { asked, holds, said } = cells[event];
    process.stdout.write(`  ${event.padEnd(20)} ${asked} → ${holds}${said === "" ? "" : ` (${said})`}\n`);
  }
}
const cells = rows.length * EVENTS.length;
process.stdout.write(`${String(rows.length)} fields, ${String(cells)} cells\n`);

const document = await format(fieldsDocument(rows), { ...(await resolveConfig(FILE)), filepath: FILE });
if (process.argv.includes("--write")) writeFileSync(FILE, document);
else if (document !== readFileSync(FILE, "utf8")) {
  process.stderr.write(`${FILE} says something else: npm run test:fields -- --write\n`);
  process.exitCode = 1;
}
