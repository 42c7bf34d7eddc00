/** What the documents promise: snippets are valid, links lead somewhere, what is generated is fresh. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { glob, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import test from "ava";
import { runCommand } from "../../src/control-plane/run-command.ts";
import { REASONS } from "../../src/reconcile/reasons.ts";
import { program } from "../support/program.ts";

const documents = ["README.md", "CONTRIBUTING.md", "SECURITY.md", ...readdirSync("docs").map((name) => `docs/${name}`)];

for (const file of documents.filter((name) => name.endsWith(".md"))) {
  test(`every link of ${file} leads to a file that is there`, (t) => {
    const links = [...readFileSync(file, "utf8").matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(
      ([, target = ""]) => target,
    );

    t.deepEqual(
      links.filter((target) => !existsSync(path.join(path.dirname(file), target))),
      [],
    );
  });

  test(`every manifest in ${file} is valid`, async (t) => {
    const folder = await mkdtemp(path.join(os.tmpdir(), "docs-test-"));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const snippets = [...readFileSync(file, "utf8").matchAll(/```yaml\n([\s\S]*?)```/g)];
    for (const [index, [, text = ""]] of snippets.entries())
      await writeFile(path.join(folder, `${String(index)}.yaml`), text);

    const { stdout, exitCode } = await program(["validate", folder]);

    t.is(exitCode, 0, stdout);
  });
}

test("what is generated is fresh", async (t) => {
  const { stderr, exitCode } = await runCommand(
    process.execPath,
    ["scripts/generate.ts", "--check"],
    { env: process.env },
    new AbortController().signal,
  );

  t.is(exitCode, 0, stderr);
});

/** Sentences, each with the titles of tests that stand beside it: rows of tables, and paragraphs between them. */
function promisesIn(text: string): { readonly sentence: string; readonly titles: readonly string[] }[] {
  const blocks = text.split(/\n\n+/).flatMap((block) => (block.startsWith("|") ? block.split("\n").slice(2) : [block]));
  return blocks
    .filter((block) => block.trim() !== "" && !block.startsWith("#"))
    .map((block) => {
      const [sentence = "", beside = ""] = block.startsWith("|")
        ? block.split("|").slice(1)
        : block.split(/(?=\(`[^)]*\)\.?$)/);
      return { sentence: sentence.trim(), titles: [...beside.matchAll(/`([^`]+)`/g)].map(([, title = ""]) => title) };
    });
}

test("every sentence of the guarantees is held by a test of that name", async (t) => {
  const tests: string[] = [];
  for await (const file of glob("test/**/*.test.ts")) tests.push(readFileSync(file, "utf8"));
  const isThere = (title: string): boolean => tests.some((text) => text.includes(JSON.stringify(title)));

  const promises = promisesIn(readFileSync("docs/guarantees.md", "utf8"));

  t.true(promises.length > 45);
  t.deepEqual(
    promises.filter(({ titles }) => titles.length === 0 || !titles.every(isThere)),
    [],
  );
  t.deepEqual(
    promises.filter(({ sentence }) => /[.;] +[A-Z]/.test(sentence)),
    [],
    "one sentence a row, so that none goes without a test",
  );
});

test("every reason is a CamelCase word and says what it means", (t) => {
  for (const [reason, [meaning]] of Object.entries(REASONS)) {
    t.regex(reason, /^[A-Z][A-Za-z0-9]+$/);
    t.regex(meaning, /\.$/);
  }
});

test("every variable that names or reaches a tenant stands in the configuration's table", (t) => {
  const read = readFileSync("src/main/settings-reader.ts", "utf8").matchAll(/\bAUTH0_[A-Z_]+\b/g);
  const documented = readFileSync("docs/configuration.md", "utf8");

  t.deepEqual(
    [...new Set([...read].map(([name]) => name))].filter((name) => !documented.includes(`\`${name}\``)),
    [],
  );
});
