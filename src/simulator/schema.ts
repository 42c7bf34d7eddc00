/**
 * The small part of JSON Schema that the Management API's requests need, with the wording of its 400s: the templates of the
 * z-schema library, in Auth0's frame. Several problems are joined with `(also)`, in reverse order of the schema (from real
 * samples).
 */
import { isJsonObject, type JsonObject } from "../runtime/json.ts";
import { lengthOf } from "./json.ts";
import { badRequest } from "./refusal.ts";

/** What a value must be. */
export interface Rule {
  readonly type: "string" | "boolean" | "object" | "integer" | "array";
  readonly nullable?: true;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly string[];
  readonly pattern?: RegExp;
  readonly format?: keyof typeof FORMATS;
  readonly minItems?: number;
  /** What each item of an array must be. */
  readonly items?: Rule;
  /** What an object must hold. */
  readonly properties?: Readonly<Record<string, Rule>>;
  readonly required?: readonly string[];
}

export interface Property extends Rule {
  /** The OpenAPI document's description: it is part of the message. */
  readonly description: string;
}

export interface Schema {
  /** In the OpenAPI document's order. */
  readonly properties: Readonly<Record<string, Property>>;
  readonly required?: readonly string[];
  /** Present: other properties are refused, with this said about them. */
  readonly additional?: { readonly hint: string };
}

/** Throws the 400 for a request body that breaks its schema. */
export function checkBody(body: JsonObject, schema: Schema): void {
  refusePayload(findProblems(body, schema));
}

/** Throws the 400 for problems in a body, if there are any: texts without the frame, as the functions below make them. */
export function refusePayload(problems: readonly string[]): void {
  refuse("Payload", "invalid_body", problems);
}

export function missingProperty(name: string): string {
  return `'Missing required property: ${name}'`;
}

export function additionalProperties(names: readonly string[]): string {
  return `'Additional properties not allowed: ${names.join(",")}'`;
}

export function onProperty(problem: string, name: string, { description }: Property): string {
  return `${problem} on property ${name} (${description.replace(/\.$/, "")})`;
}

/** Throws the 400 for a query string; what the schema does not name is ignored, as clients expect. */
export function checkQuery(query: URLSearchParams, schema: Schema): void {
  const values = Object.keys(schema.properties).flatMap((name): [string, unknown][] => {
    const text = query.get(name);
    return text === null ? [] : [[name, typedParameter(text, schema.properties[name]?.type)]];
  });
  refuse("Query", "invalid_query_string", findProblems(Object.fromEntries(values), schema));
}

function typedParameter(text: string, type: Property["type"] | undefined): unknown {
  if (type === "integer" && /^-?\d+$/.test(text)) return Number(text);
  if (type === "boolean" && (text === "true" || text === "false")) return text === "true";
  return text;
}

function refuse(part: "Payload" | "Query", errorCode: string, problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw badRequest(problems.map((problem) => `${part} validation error: ${problem}.`).join(" (also) "), errorCode);
}

function findProblems(value: JsonObject, { properties, required = [], additional }: Schema): string[] {
  const problems = required.filter((name) => value[name] === undefined).map(missingProperty);
  const unknown = additional ? Object.keys(value).filter((name) => !Object.hasOwn(properties, name)) : [];
  if (additional && unknown.length > 0) problems.push(`${additionalProperties(unknown)}${additional.hint}`);
  for (const [name, property] of Object.entries(properties).toReversed()) {
    const problem = value[name] === undefined ? undefined : findProblem(value[name], property);
    if (problem !== undefined) problems.push(onProperty(`'${problem}'`, name, property));
  }
  return problems;
}

function findProblem(value: unknown, property: Rule): string | undefined {
  if (value === null && property.nullable) return undefined;
  const type = typeOf(value);
  if (type !== property.type) return `Expected type ${property.type} but found type ${type}`;
  if (typeof value === "string") return findTextProblem(value, property);
  if (typeof value === "number") return findNumberProblem(value, property);
  if (Array.isArray(value)) return findListProblem(value, property);
  return isJsonObject(value) ? findObjectProblem(value, property) : undefined;
}

/** The first item's problem stands for all (modelled). */
function findListProblem(list: readonly unknown[], { minItems = 0, items }: Rule): string | undefined {
  if (list.length < minItems) return `Array is too short (${String(list.length)}), minimum ${String(minItems)}`;
  return items && list.map((item) => findProblem(item, items)).find((problem) => problem !== undefined);
}

function findObjectProblem(object: JsonObject, { properties = {}, required = [] }: Rule): string | undefined {
  const missing = required.find((name) => object[name] === undefined);
  if (missing !== undefined) return `Missing required property: ${missing}`;
  return Object.entries(properties)
    .map(([name, rule]) => (object[name] === undefined ? undefined : findProblem(object[name], rule)))
    .find((problem) => problem !== undefined);
}

function findTextProblem(text: string, property: Rule): string | undefined {
  const length = lengthOf(text);
  const { minLength, maxLength, pattern, format } = property;
  if (format !== undefined && !FORMATS[format](text))
    return `Object didn't pass validation for format ${format}: ${text}`;
  if (property.enum && !property.enum.includes(text)) return `No enum match for: ${text}`;
  if (minLength !== undefined && length < minLength) {
    return `String is too short (${String(length)} chars), minimum ${String(minLength)}`;
  }
  if (maxLength !== undefined && length > maxLength) {
    return `String is too long (${String(length)} chars), maximum ${String(maxLength)}`;
  }
  if (pattern && !pattern.test(text)) return `String does not match pattern ${pattern.source}: ${text}`;
  return undefined;
}

function findNumberProblem(value: number, { minimum, maximum }: Rule): string | undefined {
  if (minimum !== undefined && value < minimum) return `Value ${String(value)} is less than minimum ${String(minimum)}`;
  if (maximum !== undefined && value > maximum) {
    return `Value ${String(value)} is greater than maximum ${String(maximum)}`;
  }
  return undefined;
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

/** Local part of at most 64 characters without comments or quotes, a domain with a top level; 254 in all (documented). */
const EMAIL =
  /^(?=.{1,64}@)[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*@(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.)+[a-z]{2,63}$/i;

export function isEmail(text: string): boolean {
  return text.length <= 254 && EMAIL.test(text);
}

const FORMATS = {
  email: isEmail,
  "strict-uri": (text: string): boolean => /^(?:https?|ftp):\/\/[^\s]+$/i.test(text) && URL.canParse(text),
  /** Not an e-mail address (documented). */
  username: (text: string): boolean => !EMAIL.test(text.slice(0, 255)),
};
