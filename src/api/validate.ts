/**
 * Documents in, typed values or every problem at once out. The same schema that the API server enforces, by ajv, and the
 * twins of its CEL rules; besides, the rules on metadata that a CRD can't express.
 */
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import { AUTH0_USER_SPEC, AUTH0_USER_STATUS, type Auth0UserSpec, type Auth0UserStatus } from "./auth0-user.ts";
import {
  AUTH0_TENANT_SPEC,
  AUTH0_TENANT_STATUS,
  CLUSTER_AUTH0_TENANT_SPEC,
  DEFAULT_TENANT_SETTINGS,
  type DefaultTenantSettings,
  type Auth0TenantSpec,
  type Auth0TenantStatus,
  type ClusterAuth0TenantSpec,
  NAMESPACES_MESSAGE,
  isNamespacesRuleKept,
} from "./auth0-tenant.ts";
import { REMOVABLE_ATTRIBUTES } from "../core/fields.ts";
import type { K8sSchema } from "./k8s-schema.ts";
import { metadataIssues } from "./metadata-rules.ts";
import { USER_RULES } from "./rules.ts";

/** One problem, and what to do about it. */
export interface Issue {
  /** `spec.email`, `spec.userMetadata.team` */
  readonly path: string;
  readonly message: string;
}

export type Validated<T> =
  { readonly kind: "valid"; readonly value: T } | { readonly kind: "invalid"; readonly issues: readonly Issue[] };

const ajv = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true, verbose: true });
for (const keyword of [
  "x-kubernetes-validations",
  "x-kubernetes-preserve-unknown-fields",
  "x-kubernetes-list-type",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-int-or-string",
]) {
  ajv.addKeyword(keyword);
}
ajv.addFormat("date-time", true); // only the operator writes times
ajv.addFormat("int64", { type: "number", validate: Number.isSafeInteger });

/** ajv takes milliseconds and megabytes for a schema: it is compiled when a first value is held to it. */
class Schema<T> {
  readonly #literal: Record<string, unknown>;
  #validate: ValidateFunction<T> | undefined;

  constructor(literal: Record<string, unknown>) {
    this.#literal = literal;
  }

  check(value: unknown): Validated<T> {
    this.#validate ??= ajv.compile<T>(this.#literal);
    if (this.#validate(value)) return { kind: "valid", value };
    return { kind: "invalid", issues: issuesFrom(this.#validate.errors ?? []) };
  }
}

const userSpec = new Schema<Auth0UserSpec>(closed(AUTH0_USER_SPEC));
const userStatus = new Schema<Auth0UserStatus>(AUTH0_USER_STATUS);
const tenantSpec = new Schema<Auth0TenantSpec>(closed(AUTH0_TENANT_SPEC));
const clusterTenantSpec = new Schema<ClusterAuth0TenantSpec>(closed(CLUSTER_AUTH0_TENANT_SPEC));
const defaultTenant = new Schema<DefaultTenantSettings>(closed(DEFAULT_TENANT_SETTINGS));
const tenantStatus = new Schema<Auth0TenantStatus>(AUTH0_TENANT_STATUS);

/** @param old the spec before, where it is known: rules on transitions need it */
export function validateUserSpec(document: unknown, old?: Auth0UserSpec): Validated<Auth0UserSpec> {
  const checked = userSpec.check(document);
  if (checked.kind === "invalid") return checked;
  const spec = checked.value;
  const issues = [
    ...USER_RULES.filter((rule) => !rule.holds(spec, old)).map(({ path, message }) => ({
      path: `spec.${path}`,
      message,
    })),
    ...metadataIssues(spec),
  ];
  return issues.length === 0 ? checked : { kind: "invalid", issues };
}

export function validateTenantSpec(spec: unknown): Validated<Auth0TenantSpec> {
  return tenantSpec.check(spec);
}

export function validateClusterTenantSpec(spec: unknown): Validated<ClusterAuth0TenantSpec> {
  return withGrantsChecked(clusterTenantSpec.check(spec));
}

/** The file that says what the process's own tenant grants. */
export function validateDefaultTenant(settings: unknown): Validated<DefaultTenantSettings> {
  return withGrantsChecked(defaultTenant.check(settings));
}

function withGrantsChecked<T extends DefaultTenantSettings>(checked: Validated<T>): Validated<T> {
  if (checked.kind === "invalid") return checked;
  const issues = (checked.value.grants ?? []).flatMap(({ namespaces }, index) =>
    isNamespacesRuleKept(namespaces)
      ? []
      : [{ path: `spec.grants.${String(index)}.namespaces`, message: NAMESPACES_MESSAGE }],
  );
  return issues.length === 0 ? checked : { kind: "invalid", issues };
}

export function parseTenantStatus(status: unknown): Auth0TenantStatus {
  const checked = tenantStatus.check(status);
  return checked.kind === "valid" ? checked.value : {};
}

/** The status as the operator wrote it; one that is not in its form says nothing, and is written anew. */
export function parseUserStatus(status: unknown): Auth0UserStatus {
  const checked = userStatus.check(status);
  return checked.kind === "valid" ? checked.value : {};
}

/** The schema as a file is held to it: a field it does not know is a mistake (the API server would drop or refuse it). */
function closed(schema: K8sSchema): Record<string, unknown> {
  if ("x-kubernetes-int-or-string" in schema) return { ...schema, type: ["integer", "string"] };
  if (schema.type === "array") return { ...schema, items: closed(schema.items) };
  if (!("properties" in schema)) return { ...schema };
  const properties = Object.fromEntries(Object.entries(schema.properties).map(([name, one]) => [name, closed(one)]));
  return { ...schema, properties, additionalProperties: false };
}

function issuesFrom(errors: readonly ErrorObject[]): Issue[] {
  return errors.map((error) => {
    const path = ["spec", ...error.instancePath.split("/").slice(1).map(unescapePointer)].join(".");
    switch (error.keyword) {
      case "additionalProperties": {
        const name = String(error.params["additionalProperty"]);
        const known = Object.keys(Object(error.parentSchema?.["properties"]));
        return { path: `${path}.${name}`, message: `unknown field${suggestion(name, known)}` };
      }
      case "required":
        return { path: `${path}.${String(error.params["missingProperty"])}`, message: "is required" };
      case "pattern":
        return {
          path,
          message: PATTERN_MESSAGES.get(path.replace(/\.\d+$/, "")) ?? error.message ?? "has a wrong form",
        };
      case "enum":
        return { path, message: `must be one of ${[error.schema].flat().join(", ")}` };
      default:
        return { path, message: error.message ?? "is not valid" };
    }
  });
}

/** What a value must look like, in words; the pattern itself tells a person nothing. */
const PATTERN_MESSAGES: ReadonlyMap<string, string> = new Map([
  ["spec.connection", "must be a connection's name, without blanks"],
  ["spec.tenantRef.name", "must be the name of a tenant object"],
  ["spec.domain", "must be a lower-case host with an optional port, such as acme.eu.auth0.com"],
  ["spec.credentials.secretRef.name", "must be the name of a Secret"],
  ["spec.protection.maxDeletesPerHour", "must be a whole number or a share, such as 100 or 10%"],
  ["spec.protection.maxChangesPerHour", "must be a whole number or a share, such as 100 or 10%"],
  ["spec.userId", "must be a whole user id with its strategy, such as auth0|64f1c0ffee"],
  ["spec.email", "must be a bare address, such as jane@example.com"],
  ["spec.username", "may hold letters, digits and _ + - . ! # $ ^ ` ~ @ '"],
  ["spec.picture", "must be an http(s) URL, such as https://example.com/jane.png"],
  ["spec.phoneNumber", "must be a number with its country code, digits only, such as +4420794609"],
  ["spec.removeAttributes", `must be one of ${REMOVABLE_ATTRIBUTES.join(", ")}, userMetadata.KEY, appMetadata.KEY`],
  ["spec.password.secretRef.name", "must be the name of a Secret"],
  ["spec.password.generate.secretName", "must be the name of a Secret"],
  ["spec.password.secretRef.key", "must be a key of a Secret"],
  ["spec.syncInterval", "must be a duration, such as 30m or 1h30m"],
  ["spec.deleteAfter", "must be a duration, such as 720h"],
]);

function unescapePointer(part: string): string {
  return part.replaceAll("~1", "/").replaceAll("~0", "~");
}

/** A field that differs in case, or in one place, is probably the one that was meant. */
function suggestion(name: string, known: readonly string[]): string {
  const close = known.find(
    (one) => one.toLowerCase() === name.toLowerCase().replaceAll(/[_-]/g, "") || isOneEditAway(one, name),
  );
  return close === undefined ? "" : `; did you mean ${close}?`;
}

function isOneEditAway(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  const tails = [
    a.slice(start + 1) === b.slice(start + 1),
    a.slice(start) === b.slice(start + 1),
    a.slice(start + 1) === b.slice(start),
  ];
  const isSwapped = a[start] === b[start + 1] && a[start + 1] === b[start] && a.slice(start + 2) === b.slice(start + 2);
  return isSwapped || tails.some(Boolean);
}
