/**
 * The page's files as a browser takes them. Run from the sources they are read and bundled here, by a development tool; the
 * build puts what this gives in this file's place, so that the program needs neither tool nor files.
 */
import { readFile } from "node:fs/promises";
import path from "node:path";

const FOLDER = path.join(import.meta.dirname, "browser");

export interface PageAssets {
  readonly html: string;
  readonly css: string;
  readonly script: string;
}

export async function loadAssets(): Promise<PageAssets> {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: [path.join(FOLDER, "page.ts")],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    minify: true,
  });
  const read = (name: string): Promise<string> => readFile(path.join(FOLDER, name), "utf8");
  return { html: await read("page.html"), css: await read("page.css"), script: outputFiles[0]?.text ?? "" };
}
