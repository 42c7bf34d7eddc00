/** From method and path to the row of an endpoint. */

/** What a row needs for being found. `{name}` in the path stands for one segment. */
export interface Route {
  readonly method: string;
  readonly path: string;
}

export interface Match<Row> {
  readonly row: Row;
  readonly params: Readonly<Record<string, string>>;
}

export class Router<Row extends Route> {
  /** By method and number of segments, so that a call is compared with a few rows only. */
  readonly #rows = new Map<string, { readonly row: Row; readonly pattern: readonly string[] }[]>();

  /** @param rows of two that match, the one that stands first is taken */
  constructor(rows: readonly Row[]) {
    for (const row of rows) {
      const pattern = row.path.split("/").slice(1);
      const key = keyOf(row.method, pattern);
      this.#rows.set(key, [...(this.#rows.get(key) ?? []), { row, pattern }]);
    }
  }

  /** @param segments decoded; HEAD is answered as GET is */
  find(method: string, segments: readonly string[]): Match<Row> | undefined {
    for (const { row, pattern } of this.#rows.get(keyOf(method === "HEAD" ? "GET" : method, segments)) ?? []) {
      if (pattern.every((part, index) => part.startsWith("{") || part === segments[index])) {
        return { row, params: paramsFrom(pattern, segments) };
      }
    }
    return undefined;
  }
}

function keyOf(method: string, segments: readonly string[]): string {
  return `${method} ${String(segments.length)}`;
}

function paramsFrom(pattern: readonly string[], segments: readonly string[]): Readonly<Record<string, string>> {
  const named = pattern.flatMap((part, index): [string, string][] =>
    part.startsWith("{") ? [[part.slice(1, -1), segments[index] ?? ""]] : [],
  );
  return Object.fromEntries(named);
}
