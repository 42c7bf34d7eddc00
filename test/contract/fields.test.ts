/** The matrix of fields: no cell is missing, every one is as `docs/fields.md` says, and what matters most is said here. */
import { readFileSync } from "node:fs";
import test from "ava";
import { format, resolveConfig } from "prettier";
import { AUTH0_USER_SPEC } from "../../src/api/auth0-user.ts";
import { ASSIGNMENT_KINDS } from "../../src/core/assignments.ts";
import { ROOT_FIELDS } from "../../src/core/fields.ts";
import { METADATA_KINDS } from "../../src/core/plan.ts";
import { fieldsDocument } from "../support/field-document.ts";
import { EVENTS, fieldMatrix, type FieldEvent } from "../support/field-matrix.ts";

const rows = await fieldMatrix();

function cellOf(field: string, event: FieldEvent): string {
  const cell = rows.find((row) => row.field === field)?.cells[event];
  return cell === undefined ? "missing" : `${cell.asked} → ${cell.holds}${cell.said === "" ? "" : ` (${cell.said})`}`;
}

test("no field and no cell is missing", (t) => {
  const fields = [...ROOT_FIELDS.map(({ name }) => name), ...METADATA_KINDS, ...ASSIGNMENT_KINDS, "password"];

  t.deepEqual(
    fields.filter((field) => !rows.some((row) => row.field === field)),
    [],
  );
  t.true(fields.every((field) => Object.hasOwn(AUTH0_USER_SPEC.properties, field)));
  for (const { field, cells } of rows) t.deepEqual(Object.keys(cells), [...EVENTS], field);
});

test("docs/fields.md is what happens", async (t) => {
  const file = "docs/fields.md";
  const document = await format(fieldsDocument(rows), { ...(await resolveConfig(file)), filepath: file });

  t.is(document, readFileSync(file, "utf8"), "npm run test:fields -- --write");
});

test("drift is set back under Enforce, reported under Detect, and left under InitOnly and Ignore", (t) => {
  for (const { field, cells } of rows.filter(({ field: name }) => name !== "password" && !name.endsWith("false"))) {
    t.regex(cells["drift by hand"].asked, /PATCH|POST/, field);
    t.is(cells["drift by hand"].holds.replace(',"theirs":1', ""), cells.create.holds, field);
    for (const event of ["drift, `InitOnly`", "drift, `Ignore`"] as const) t.is(cells[event].asked, "nothing", field);
    t.notRegex(cells["drift, `Detect`"].asked, /PATCH|POST|DELETE/, field);
    t.is(cells["drift, `Detect`"].said, "reported", field);
  }
});

test("the table tells what people leave other tools for", (t) => {
  t.is(cellOf("nickname", "remove"), 'PATCH {"nickname":null} → absent');
  t.is(cellOf("blocked: false", "drift by hand"), "nothing → true (reported)");
  t.is(cellOf("userMetadata", "drift by hand"), 'PATCH {"user_metadata":{"key":"a"}} → {"key":"a","theirs":1}');
  t.is(cellOf("password", "drift by hand"), 'nothing → "the one by hand"');
  t.is(cellOf("roles", "remove"), 'GET /roles, DELETE /roles {"roles":["support"]} → []');
});
