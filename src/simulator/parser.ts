/** What people hand to the simulator itself (switches, fault plans), checked once; every problem is named. */
import type { Options, ValidateFunction } from "ajv";

export class InvalidInput extends Error {
  override readonly name = "InvalidInput";
}

/** How the schemas are compiled: defaults are filled in, and all problems are found. */
export const SCHEMA_OPTIONS: Options = { allErrors: true, useDefaults: true, discriminator: true };

/**
 * A parser that throws InvalidInput.
 *
 * @param validate compiled with `SCHEMA_OPTIONS`
 * @param subject what is parsed, for the message
 */
export function parserFrom<T>(validate: ValidateFunction<T>, subject: string): (input: unknown) => T {
  return (input) => {
    const copy: unknown = structuredClone(input);
    if (validate(copy)) return copy;
    const problems = (validate.errors ?? []).map(({ instancePath, message, params }) => {
      const property: unknown = params["additionalProperty"];
      return `${subject}${instancePath} ${message ?? "is invalid"}${typeof property === "string" ? `: ${property}` : ""}`;
    });
    throw new InvalidInput(problems.join("; "));
  };
}
