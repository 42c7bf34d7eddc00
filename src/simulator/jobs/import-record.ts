/** One user in an import file: the documented schema, and the documented codes of what is wrong with it. */
import { Ajv, type ErrorObject } from "ajv";
import { isEmail } from "../schema.ts";

export interface RecordProblem {
  readonly code: string;
  readonly message: string;
  /** Where in the record; absent: the whole of it. */
  readonly path?: string;
}

export function recordProblems(record: unknown): readonly RecordProblem[] {
  return validate(record) ? [] : (validate.errors ?? []).map(problemFrom);
}

const TEXT = { type: "string", minLength: 1 };

/** The documented schema of a record. */
const SCHEMA = {
  type: "object",
  additionalProperties: false,
  anyOf: [{ required: ["email"] }, { required: ["username"] }, { required: ["phone_number"] }],
  not: { required: ["password_hash", "custom_password_hash"] },
  properties: {
    email: { type: "string", format: "email" },
    email_verified: { type: "boolean" },
    user_id: TEXT,
    username: TEXT,
    given_name: { ...TEXT, maxLength: 150 },
    family_name: { ...TEXT, maxLength: 150 },
    name: { ...TEXT, maxLength: 300 },
    nickname: { ...TEXT, maxLength: 300 },
    picture: TEXT,
    blocked: { type: "boolean" },
    phone_number: { type: "string", pattern: "^\\+[0-9]{1,15}$" },
    phone_verified: { type: "boolean" },
    user_metadata: { type: "object" },
    app_metadata: { type: "object" },
    password_hash: { type: "string", pattern: "^\\$2[ab]\\$10\\$" },
    custom_password_hash: { type: "object", required: ["algorithm", "hash"] },
    mfa_factors: { type: "array", minItems: 1, maxItems: 10, items: { type: "object" } },
  },
};

const validate = new Ajv({ allErrors: true, formats: { email: isEmail } }).compile(SCHEMA);

/** ajv's keyword → the code that Auth0 has for it (documented). */
const CODES: Readonly<Record<string, string>> = {
  anyOf: "ANY_OF_MISSING",
  required: "OBJECT_REQUIRED",
  type: "INVALID_TYPE",
  format: "FORMAT",
  pattern: "PATTERN",
  minLength: "MIN_LENGTH",
  maxLength: "MAX_LENGTH",
  minItems: "ARRAY_LENGTH_SHORT",
  maxItems: "ARRAY_LENGTH_LONG",
};

function problemFrom({ keyword, message = "is invalid", instancePath }: ErrorObject): RecordProblem {
  const path = instancePath.slice(1).replaceAll("/", ".");
  return { code: CODES[keyword] ?? "NOT_PASSED", message, ...(path !== "" && { path }) };
}
