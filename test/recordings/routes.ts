/** Paths as tables write them: `*` for one segment. */

/** The segments that the stars stand for, decoded; undefined where the path is another. */
export function matchPath(pattern: string, path: string): readonly string[] | undefined {
  const [wanted, found] = [pattern.split("/"), path.split("/").map(decodeURIComponent)];
  if (wanted.length !== found.length) return undefined;
  if (wanted.some((segment, index) => segment !== "*" && segment !== found[index])) return undefined;
  return found.filter((_, index) => wanted[index] === "*");
}
