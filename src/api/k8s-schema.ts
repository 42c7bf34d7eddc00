/**
 * The subset of JSON Schema that a structural CustomResourceDefinition may hold, as a type: `$ref`, unions or a misspelt
 * keyword fail the compiler. A schema is written once, as a literal; `Infer` gives its TypeScript type.
 */

interface Common {
  readonly description?: string;
  /** A null is kept by the API server, and means: remove. */
  readonly nullable?: true;
  readonly "x-kubernetes-validations"?: readonly CelValidation[];
}

export interface CelValidation {
  readonly rule: string;
  readonly message: string;
}

export interface StringSchema extends Common {
  readonly type: "string";
  readonly minLength?: number;
  readonly maxLength?: number;
  /** In the common subset of RE2 and JavaScript. */
  readonly pattern?: string;
  readonly enum?: readonly string[];
  /** Only where the operator writes the string. */
  readonly format?: "date-time";
}

export interface IntegerSchema extends Common {
  readonly type: "integer";
  readonly format?: "int64";
  readonly minimum?: number;
  readonly maximum?: number;
}

/** A number, or text such as `10%`. */
export interface IntOrStringSchema extends Common {
  readonly "x-kubernetes-int-or-string": true;
  /** Of the text. */
  readonly pattern: string;
  /** Of the number. */
  readonly minimum?: number;
}

export interface BooleanSchema extends Common {
  readonly type: "boolean";
}

export interface ArraySchema extends Common {
  readonly type: "array";
  readonly items: K8sSchema;
  readonly maxItems?: number;
  readonly "x-kubernetes-list-type"?: "atomic" | "set" | "map";
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
}

export interface ObjectSchema extends Common {
  readonly type: "object";
  readonly properties: Readonly<Record<string, K8sSchema>>;
  readonly required?: readonly string[];
}

/** From names that people choose to values of one type. */
export interface MapSchema extends Common {
  readonly type: "object";
  readonly additionalProperties: StringSchema;
  readonly maxProperties: number;
}

/** An object of anybody's shape, nulls at any depth included. */
export interface FreeObjectSchema extends Common {
  readonly type: "object";
  readonly "x-kubernetes-preserve-unknown-fields": true;
  readonly maxProperties?: number;
}

export type K8sSchema =
  | StringSchema
  | IntegerSchema
  | IntOrStringSchema
  | BooleanSchema
  | ArraySchema
  | ObjectSchema
  | MapSchema
  | FreeObjectSchema;

/** The type of the values that `S` admits. */
export type Infer<S> = S extends { readonly nullable: true } ? Bare<S> | null : Bare<S>;

type Bare<S> = S extends { readonly type: "string" }
  ? S extends { readonly enum: readonly (infer E)[] }
    ? E
    : string
  : S extends { readonly type: "integer" }
    ? number
    : S extends { readonly "x-kubernetes-int-or-string": true }
      ? number | string
      : S extends { readonly type: "boolean" }
        ? boolean
        : S extends { readonly type: "array"; readonly items: infer I }
          ? readonly Infer<I>[]
          : S extends { readonly properties: infer P }
            ? InferProperties<P, S extends { readonly required: readonly (infer R)[] } ? R : never>
            : S extends { readonly additionalProperties: infer V }
              ? Readonly<Record<string, Infer<V>>>
              : Readonly<Record<string, unknown>>;

type InferProperties<P, R> = { readonly [K in keyof P as K extends R ? K : never]: Infer<P[K]> } & {
  readonly [K in keyof P as K extends R ? never : K]?: Infer<P[K]>;
};
