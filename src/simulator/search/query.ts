/**
 * The part of Lucene's query language that user search understands: `field:value`, phrases, AND, OR, NOT, groups,
 * `field:(a OR b)`, `_exists_:field`, ranges and wildcards.
 */
import { malformedQuery } from "./malformed-query.ts";
import { tokenize, unescaped, type Bound, type Token } from "./tokens.ts";

export type Query =
  /** `field` undefined: any of the fields that terms without one look at. */
  | { readonly kind: "term"; readonly field: string | undefined; readonly condition: Condition }
  | { readonly kind: "not"; readonly query: Query }
  | { readonly kind: "and" | "or"; readonly queries: readonly Query[] };

export type Condition =
  /** `phrase`: it was quoted, and must be the whole value. */
  | { readonly kind: "equals"; readonly value: string; readonly phrase: boolean }
  /** These parts in this order, with anything between them; the first begins and the last ends the value. */
  | { readonly kind: "wildcard"; readonly parts: readonly string[] }
  | { readonly kind: "range"; readonly from: Bound | undefined; readonly to: Bound | undefined }
  | { readonly kind: "exists" };

/** Groups in groups; deeper ones are refused, so that no query can exhaust the stack. */
const MAX_DEPTH = 32;

/** Literal characters that a wildcard needs unless it only stands at the end (documented). */
const MIN_WILDCARD_LITERALS = 3;

/** @throws Refusal 400 for what is no query */
export function parseQuery(text: string): Query {
  const parser = new Parser(tokenize(text));
  const query = parser.parseAlternatives(undefined, 0);
  if (parser.next !== undefined) throw malformedQuery();
  return query;
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get next(): Token | undefined {
    return this.#tokens[this.#at];
  }

  /** Clauses with OR, or nothing, between them. */
  parseAlternatives(field: string | undefined, depth: number): Query {
    if (depth > MAX_DEPTH) throw malformedQuery();
    const queries = [this.#parseConjunction(field, depth)];
    while (this.next !== undefined && !this.#isSymbol(")")) {
      this.#takeWord("OR");
      queries.push(this.#parseConjunction(field, depth));
    }
    return several("or", queries);
  }

  /** Clauses with AND between them; a negated one restricts what stands before it without. */
  #parseConjunction(field: string | undefined, depth: number): Query {
    const queries = [this.#parseClause(field, depth)];
    while (this.#takeWord("AND") || this.#isNegation()) queries.push(this.#parseClause(field, depth));
    return several("and", queries);
  }

  #parseClause(field: string | undefined, depth: number): Query {
    if (this.#isNegation()) {
      this.#at++;
      if (depth > MAX_DEPTH) throw malformedQuery();
      return { kind: "not", query: this.#parseClause(field, depth + 1) };
    }
    this.#takeSymbol("+");
    if (this.#takeSymbol("(")) return this.#parseGroup(field, depth);
    const token = this.#take();
    if (token.kind !== "word" || !this.#takeSymbol(":"))
      return { kind: "term", field, condition: conditionFrom(token) };
    return this.#parseValue(unescaped(token.text), depth);
  }

  /** What stands after `field:`. */
  #parseValue(field: string, depth: number): Query {
    if (this.#takeSymbol("(")) return this.#parseGroup(field, depth);
    const token = this.#take();
    if (field !== "_exists_") return { kind: "term", field, condition: conditionFrom(token) };
    if (token.kind !== "word") throw malformedQuery();
    return { kind: "term", field: unescaped(token.text), condition: { kind: "exists" } };
  }

  #parseGroup(field: string | undefined, depth: number): Query {
    const query = this.parseAlternatives(field, depth + 1);
    if (!this.#takeSymbol(")")) throw malformedQuery();
    return query;
  }

  #isNegation(): boolean {
    return this.#isWord("NOT") || this.#isSymbol("-") || this.#isSymbol("!");
  }

  #isWord(word: string): boolean {
    return this.next?.kind === "word" && this.next.text === word;
  }

  #isSymbol(symbol: string): boolean {
    return this.next?.kind === "symbol" && this.next.text === symbol;
  }

  #takeWord(word: string): boolean {
    const found = this.#isWord(word);
    if (found) this.#at++;
    return found;
  }

  #takeSymbol(symbol: string): boolean {
    const found = this.#isSymbol(symbol);
    if (found) this.#at++;
    return found;
  }

  #take(): Token {
    const token = this.next;
    if (token === undefined) throw malformedQuery();
    this.#at++;
    return token;
  }
}

function several(kind: "and" | "or", queries: readonly Query[]): Query {
  const [only] = queries;
  return only !== undefined && queries.length === 1 ? only : { kind, queries };
}

function conditionFrom(token: Token): Condition {
  switch (token.kind) {
    case "phrase":
      return { kind: "equals", value: token.text, phrase: true };
    case "range":
      return { kind: "range", from: token.from, to: token.to };
    case "word":
      return wordCondition(token.text);
    case "symbol":
      throw malformedQuery();
    default:
      return token satisfies never;
  }
}

function wordCondition(text: string): Condition {
  if (text === "AND" || text === "OR" || text === "NOT") throw malformedQuery();
  if (text === "*") return { kind: "exists" };
  const parts = text.split(/(?<!\\)\*/).map(unescaped);
  if (parts.length === 1) return { kind: "equals", value: unescaped(text), phrase: false };
  const onlyAtEnd = parts.length === 2 && parts[1] === "";
  if (!onlyAtEnd && parts.join("").length < MIN_WILDCARD_LITERALS) throw malformedQuery();
  return { kind: "wildcard", parts };
}
