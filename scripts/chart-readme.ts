/** The table of the chart's values, from the comments in `values.yaml`: `# -- what it is`, above the key. */
import { load } from "js-yaml";
import { isJsonObject } from "../src/runtime/json.ts";

export interface ChartValue {
  /** `image.tag` */
  readonly path: string;
  readonly byDefault: unknown;
  readonly meaning: string;
}

/** @throws on a value that no comment explains */
export function chartValues(text: string): readonly ChartValue[] {
  const meanings = commentsByPath(text);
  return leaves(load(text), []).map(({ path, value }) => {
    const meaning = meanings.get(path);
    if (meaning === undefined) throw new Error(`values.yaml: nothing is said of ${path}`);
    return { path, byDefault: value, meaning };
  });

  /** A value that is explained as a whole is not gone into. */
  function leaves(value: unknown, path: readonly string[]): readonly { path: string; value: unknown }[] {
    const name = path.join(".");
    if (!isJsonObject(value) || meanings.has(name)) return [{ path: name, value }];
    return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]));
  }
}

function commentsByPath(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const path: string[] = [];
  let comment: string[] = [];
  for (const line of text.split("\n")) {
    const [, said] = /^\s*# ?(.*)$/.exec(line) ?? [];
    const [, indent, key] = /^( *)([A-Za-z]\w*):/.exec(line) ?? [];
    if (said !== undefined) comment = said.startsWith("-- ") ? [said.slice(3)] : [...comment, said];
    else if (indent !== undefined && key !== undefined) {
      path.splice(indent.length / 2, Infinity, key);
      if (comment.length > 0) found.set(path.join("."), comment.join(" "));
      comment = [];
    } else comment = [];
  }
  return found;
}
