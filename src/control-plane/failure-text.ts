/** Why something on the network failed, in a word or a sentence. */

/** The code of the innermost cause (ENOTFOUND, ECONNREFUSED, …), else what it says. */
export function failureText(error: unknown): string {
  let innermost = error;
  while (innermost instanceof Error && innermost.cause instanceof Error) innermost = innermost.cause;
  if (!(innermost instanceof Error)) return String(innermost);
  return "code" in innermost && typeof innermost.code === "string" ? innermost.code : innermost.message;
}
