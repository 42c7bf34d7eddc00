/** Whether a user is found by a query, and which users have to be looked at to answer it. */
import { isJsonObject } from "../../runtime/json.ts";
import { textFrom } from "../json.ts";
import { identityKey, wireUser, type User } from "../users/user.ts";
import type { Condition, Query } from "./query.ts";
import type { SearchIndex } from "./search-index.ts";
import type { Bound } from "./tokens.ts";

export function matches(query: Query, user: User): boolean {
  return matchesQuery(query, (field) => valuesAt(user, field), DEFAULT_FIELDS);
}

/**
 * Whether anything is found by a query.
 *
 * @param valuesOf what it has under a field
 * @param defaultFields what a term without a field looks at
 */
export function matchesQuery(
  query: Query,
  valuesOf: (field: string) => readonly string[],
  defaultFields: readonly string[],
): boolean {
  switch (query.kind) {
    case "term": {
      const { condition, field } = query;
      const fields = field === undefined ? defaultFields : [field];
      return fields.some(
        (each) =>
          isSearchable(each, condition) &&
          valuesOf(each).some((value) => valueMatches(value, condition, CASELESS.has(each))),
      );
    }
    case "not":
      return !matchesQuery(query.query, valuesOf, defaultFields);
    case "and":
      return query.queries.every((each) => matchesQuery(each, valuesOf, defaultFields));
    case "or":
      return query.queries.some((each) => matchesQuery(each, valuesOf, defaultFields));
    default:
      return query satisfies never;
  }
}

/** Neither wildcards nor ranges find anything in `user_metadata` (documented). */
function isSearchable(field: string, { kind }: Condition): boolean {
  return !field.startsWith("user_metadata.") || (kind !== "wildcard" && kind !== "range");
}

/** What a term without a field looks at in users. */
const DEFAULT_FIELDS = [
  "email",
  "name",
  "given_name",
  "family_name",
  "nickname",
  "username",
  "phone_number",
  "user_id",
];

/** Compared without regard to case; all other fields are exact (documented). */
const CASELESS: ReadonlySet<string> = new Set(["email", "name", "given_name", "family_name", "nickname"]);

/** Every value under a path, through arrays; null and empty strings are not indexed (documented). */
function valuesAt(user: User, field: string): readonly string[] {
  if (field === "user_id") return [user.userId];
  if (field === "email.domain") return valuesAt(user, "email").map((email) => email.slice(email.indexOf("@") + 1));
  const [first = "", ...path] = field.split(".");
  const root = Object.hasOwn(user.attributes, first) ? user.attributes[first] : wireUser(user)[first];
  return leaves(path.reduce((values, name) => values.flatMap((value) => valuesUnder(value, name)), [root]));
}

function valuesUnder(value: unknown, name: string): unknown[] {
  if (Array.isArray(value)) return value.flatMap((each) => valuesUnder(each, name));
  return isJsonObject(value) && Object.hasOwn(value, name) ? [value[name]] : [];
}

function leaves(values: readonly unknown[]): string[] {
  return values.flatMap((value) => {
    if (Array.isArray(value)) return leaves(value);
    const text = textFrom(value);
    return text === undefined || text === "" ? [] : [text];
  });
}

function valueMatches(value: string, condition: Condition, caseless: boolean): boolean {
  const fold = (text: string): string => (caseless ? text.toLowerCase() : text);
  const folded = fold(value);
  switch (condition.kind) {
    case "exists":
      return true;
    case "equals": {
      const wanted = fold(condition.value);
      return folded === wanted || (caseless && !condition.phrase && folded.split(/\s+/).includes(wanted));
    }
    case "wildcard":
      return followsParts(folded, condition.parts.map(fold));
    case "range":
      return (
        isWithin(value, condition.from, (order) => order > 0) && isWithin(value, condition.to, (order) => order < 0)
      );
    default:
      return condition satisfies never;
  }
}

/** Each part is looked for once, from left to right: no query makes this slow. */
function followsParts(value: string, parts: readonly string[]): boolean {
  const [first = "", ...rest] = parts;
  const last = rest.pop() ?? "";
  if (!value.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = value.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return value.length - last.length >= at && value.endsWith(last);
}

/** Numbers by size; anything else as text cut to the bound's length, so that a day takes in all of its hours. */
function isWithin(value: string, bound: Bound | undefined, isInside: (order: number) => boolean): boolean {
  if (bound === undefined) return true;
  const numeric = Number(value) - Number(bound.value);
  const cut = value.slice(0, bound.value.length);
  const order = Number.isNaN(numeric) ? (cut > bound.value ? 1 : cut < bound.value ? -1 : 0) : numeric;
  return order === 0 ? bound.inclusive : isInside(order);
}

/**
 * The users that `query` can find at most, by index; undefined when everybody has to be looked at. A search for a hundred
 * ids thereby looks at a hundred users.
 */
export function findCandidates(
  query: Query,
  index: SearchIndex,
  providers: readonly string[],
): ReadonlySet<User> | undefined {
  switch (query.kind) {
    case "term":
      return termCandidates(query.field, query.condition, index, providers);
    case "not":
      return undefined;
    case "and":
      return query.queries
        .map((each) => findCandidates(each, index, providers))
        .filter((found) => found !== undefined)
        .toSorted((a, b) => a.size - b.size)[0];
    case "or": {
      const all = query.queries.map((each) => findCandidates(each, index, providers));
      const known = all.filter((found) => found !== undefined);
      return known.length < all.length ? undefined : new Set(known.flatMap((found) => [...found]));
    }
    default:
      return query satisfies never;
  }
}

function termCandidates(
  field: string | undefined,
  condition: Condition,
  index: SearchIndex,
  providers: readonly string[],
): ReadonlySet<User> | undefined {
  if (condition.kind !== "equals") return undefined;
  const { value } = condition;
  if (field === "user_id") return new Set([index.find(value)].filter((user) => user !== undefined));
  if (field === "email" || field === "username" || field === "phone_number") {
    return new Set(index.candidates(field, value));
  }
  if (field !== "identities.user_id") return undefined;
  const keys = providers.map((provider) => identityKey({ provider, user_id: value }));
  return new Set(keys.flatMap((key) => [...index.candidatesByIdentity(key)]));
}
