/** How much of what is declared may be done at a time. */

/** An absolute number, or a share of the users that are declared: `10%`. */
export type Limit = number | string;

const DEFAULT_LEAST = 100;
const DEFAULT_SHARE = 0.1;

/** @param limit `undefined`: the greater of a hundred and a tenth */
export function allowedOf(limit: Limit | undefined, declared: number): number {
  if (limit === undefined) return Math.max(DEFAULT_LEAST, Math.floor(declared * DEFAULT_SHARE));
  return typeof limit === "number" ? limit : Math.ceil((declared * Number.parseInt(limit, 10)) / 100);
}
