/** Writes every file that is made from code; with --check it says which are stale instead. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { dump } from "js-yaml";
import { format, resolveConfig } from "prettier";
import { AUTH0_USER_SPEC } from "../src/api/auth0-user.ts";
import { AUTH0_USER_CRD } from "../src/api/crd.ts";
import { REASONS } from "../src/reconcile/reasons.ts";

const YAML = { lineWidth: 120, noRefs: true } as const;

const CRD = `# Made by npm run generate from src/api/auth0-user.ts.\n${dump(AUTH0_USER_CRD, YAML)}`;

/** File → what belongs in it, given what stands there. */
const FILES: Readonly<Record<string, (standing: string) => string>> = {
  "crds/auth0users.yaml": () => CRD,
  "manifests/crds/auth0users.yaml": () => CRD,
  "docs/conditions.md": (standing) => between(standing, "reasons", reasonsTable()),
  "README.md": (standing) => between(standing, "fields", fieldsTable()),
};

const isCheck = process.argv.includes("--check");
for (const [file, content] of Object.entries(FILES)) {
  const standing = readIfThere(file);
  const wanted = await format(content(standing), { ...(await resolveConfig(file)), filepath: file });
  if (wanted === standing) continue;
  if (isCheck) {
    process.stderr.write(`${file} is stale: npm run generate\n`);
    process.exitCode = 1;
  } else {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, wanted);
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** The part of a document between `<!-- name -->` and `<!-- /name -->`, replaced. */
function between(document: string, name: string, content: string): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [document.indexOf(start), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the document has no part ${start} … ${end}`);
  return `${document.slice(0, from + start.length)}\n\n${content}\n${document.slice(to)}`;
}

function reasonsTable(): string {
  const rows = Object.entries(REASONS).map(
    ([reason, [meaning, advice]]) => `| \`${reason}\` | ${meaning} | ${advice} |`,
  );
  return table(["Reason", "What it means", "What to do"], rows);
}

function fieldsTable(): string {
  const rows = Object.entries(AUTH0_USER_SPEC.properties).map(
    ([name, schema]) => `| \`${name}\` | ${typeOf(schema)} | ${cell(schema.description)} |`,
  );
  return table(["Field", "Type", "Meaning"], rows);
}

function typeOf(schema: {
  readonly type: string;
  readonly nullable?: true;
  readonly enum?: readonly string[];
}): string {
  const base = schema.enum?.map((one) => `\`${one}\``).join(", ") ?? (schema.type === "array" ? "list" : schema.type);
  return schema.nullable === true ? `${base}, nullable` : base;
}

function cell(text: string): string {
  return text.replaceAll("|", String.raw`\|`);
}

function table(head: readonly string[], rows: readonly string[]): string {
  return [`| ${head.join(" | ")} |`, `| ${head.map(() => "---").join(" | ")} |`, ...rows].join("\n");
}
