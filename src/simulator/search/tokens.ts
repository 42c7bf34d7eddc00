/** Taking a search query apart into words, phrases, ranges and symbols. */
import { malformedQuery } from "./malformed-query.ts";

/** One end of a range. */
export interface Bound {
  readonly value: string;
  readonly inclusive: boolean;
}

export type Token =
  /** As it was written, escapes and wildcards in it. */
  | { readonly kind: "word"; readonly text: string }
  | { readonly kind: "phrase"; readonly text: string }
  /** An end that is undefined is open. */
  | { readonly kind: "range"; readonly from: Bound | undefined; readonly to: Bound | undefined }
  | { readonly kind: "symbol"; readonly text: string };

const PHRASE = /"((?:[^"\\]|\\.)*)"/;
const RANGE = /([[{])\s*(\S+)\s+TO\s+([^\s\]}]+)\s*([\]}])/;
/** A sign counts where a term begins; elsewhere it belongs to a word. */
const SYMBOL = /([():!]|(?<=^|[\s(])[-+](?=\S))/;
const WORD = /((?:[^\s"():[\]{}\\]|\\.)+)/;
const TOKEN = new RegExp(`\\s*(?:${[PHRASE, RANGE, SYMBOL, WORD].map(({ source }) => source).join("|")})`, "suy");

/** @throws Refusal 400 */
export function tokenize(query: string): readonly Token[] {
  const tokens: Token[] = [];
  const text = query.trimEnd();
  for (let at = 0; at < text.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (!match) throw malformedQuery();
    tokens.push(tokenFrom(match));
  }
  return tokens;
}

function tokenFrom([, phrase, open, from = "", to = "", close, symbol, word = ""]: RegExpExecArray): Token {
  if (phrase !== undefined) return { kind: "phrase", text: unescaped(phrase) };
  if (open !== undefined)
    return { kind: "range", from: boundFrom(from, open === "["), to: boundFrom(to, close === "]") };
  if (symbol !== undefined) return { kind: "symbol", text: symbol };
  return { kind: "word", text: word };
}

function boundFrom(text: string, inclusive: boolean): Bound | undefined {
  return text === "*" ? undefined : { value: text.replace(/^"(.*)"$/, "$1"), inclusive };
}

export function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/gs, "$1");
}
