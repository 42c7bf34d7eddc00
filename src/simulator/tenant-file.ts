/** A new tenant as a person describes it, in YAML or JSON: what is in it besides, or instead of, what every tenant has. */
import { Ajv, type SchemaObject } from "ajv";
import { load, YAMLException } from "js-yaml";
import type { JsonObject } from "../runtime/json.ts";
import type { ConnectionOptions } from "./connections/connections.ts";
import type { ClientOptions } from "./oauth/clients.ts";
import type { RoleOptions } from "./seed-tenant.ts";
import { InvalidInput, parserFrom, SCHEMA_OPTIONS } from "./parser.ts";

export interface TenantFile {
  /** See `TenantOptions`. */
  readonly domain?: string;
  readonly customDomains?: readonly string[];
  readonly switches?: JsonObject;
  readonly clients?: readonly ClientOptions[];
  readonly connections?: readonly ConnectionOptions[];
  readonly roles?: readonly RoleOptions[];
  /** As `seedTenant` takes them. */
  readonly users?: readonly JsonObject[];
}

const text: SchemaObject = { type: "string", minLength: 1 };
const texts: SchemaObject = { type: "array", items: text };

const SCHEMA: SchemaObject = {
  type: "object",
  additionalProperties: false,
  properties: {
    domain: text,
    customDomains: texts,
    switches: { type: "object" },
    clients: {
      type: "array",
      minItems: 1,
      items: {
        type: "object",
        additionalProperties: false,
        required: ["clientId", "clientSecret"],
        properties: { clientId: text, clientSecret: text, scopes: { ...texts, nullable: true } },
      },
    },
    connections: {
      type: "array",
      minItems: 1,
      items: {
        type: "object",
        additionalProperties: false,
        required: ["name"],
        properties: {
          name: text,
          strategy: text,
          options: { type: "object" },
          id: { type: "string", pattern: "^con_[A-Za-z0-9]{16}$" },
          enabledClients: texts,
        },
      },
    },
    roles: {
      type: "array",
      items: {
        type: "object",
        additionalProperties: false,
        required: ["name"],
        properties: { name: text, description: text, id: { type: "string", pattern: "^rol_[A-Za-z0-9]{16}$" } },
      },
    },
    users: { type: "array", items: { type: "object", properties: { roles: texts } } },
  },
};

const validate = new Ajv(SCHEMA_OPTIONS).compile<TenantFile>(SCHEMA);

/**
 * @param name of the file, for messages
 * @throws InvalidInput naming every problem and its place
 */
export function parseTenantFile(content: string, name: string): TenantFile {
  return parserFrom(validate, `${name}: `)(parseYaml(content, name));
}

/** One document of YAML, of which JSON is a part. @throws InvalidInput naming the line */
export function parseYaml(content: string, name: string): unknown {
  try {
    return load(content, { filename: name });
  } catch (error) {
    if (error instanceof YAMLException) throw new InvalidInput(error.message);
    throw error;
  }
}
