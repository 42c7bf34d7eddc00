/**
 * A directory of YAML → the users that it declares and the Secrets beside them, or every problem with file, line and
 * path. The same documents that kubectl takes; kinds that mean nothing here are passed over.
 */
import { readFile } from "node:fs/promises";
import { glob, stat } from "node:fs/promises";
import path from "node:path";
import { API_VERSION, GROUP, KIND, type Auth0UserSpec } from "../api/auth0-user.ts";
import { CLUSTER_TENANT_KIND, TENANT_KIND } from "../api/auth0-tenant.ts";
import { APPROVE_PLAN_ANNOTATION } from "../api/names.ts";
import { validateClusterTenantSpec, validateTenantSpec, validateUserSpec } from "../api/validate.ts";
import { isJsonObject, type JsonObject } from "../runtime/json.ts";
import { parseYamlDocuments, type FileIssue, type YamlDocument } from "./yaml-documents.ts";

export interface DeclaredUser {
  /** `namespace/name` */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly spec: Auth0UserSpec;
  /** What the annotation `approve-plan` says. */
  readonly approvedPlan: string | undefined;
  readonly file: string;
  readonly line: number;
}

/** A `kind: Secret` document, its data decoded. */
export interface DeclaredSecret {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly data: ReadonlyMap<string, string>;
}

export interface Declarations {
  readonly users: readonly DeclaredUser[];
  readonly secrets: readonly DeclaredSecret[];
  readonly issues: readonly FileIssue[];
}

const MANIFESTS = ["**/*.yaml", "**/*.yml", "**/*.json"];
const DEFAULT_NAMESPACE = "default";
/** A larger file is no manifest. */
const MAX_FILE_BYTES = 16 << 20;
const TOO_LARGE = Symbol("too large");

/**
 * @param paths files, or directories that are searched for .yaml, .yml and .json
 * @throws where a path does not exist or can't be read
 */
export async function readDeclarations(paths: readonly string[]): Promise<Declarations> {
  const users = new Map<string, DeclaredUser>();
  const secrets: DeclaredSecret[] = [];
  const issues: FileIssue[] = [];
  for (const { file, isNamed } of await listManifests(paths)) {
    const text = await textOf(file, isNamed);
    if (text === undefined) continue;
    if (text === TOO_LARGE) {
      issues.push({ file, line: 1, path: "", message: `is larger than ${String(MAX_FILE_BYTES)} bytes: no manifest` });
      continue;
    }
    const parsed = parseYamlDocuments(text, file);
    const ofUsers = parsed.documents.filter((document) => kindOf(document) === KIND);
    if (ofUsers.length > 0 || parsed.documents.length === 0) issues.push(...parsed.issues);
    for (const document of parsed.documents) {
      if (kindOf(document) === "Secret") secrets.push(...secretFrom(document));
    }
    for (const document of parsed.documents) checkTenant(document, issues);
    for (const document of ofUsers) {
      const user = userFrom(document, issues);
      if (user === undefined) continue;
      const first = users.get(user.key);
      if (first === undefined) users.set(user.key, user);
      else {
        const message = `${user.key} is declared already, at ${first.file}:${String(first.line)}`;
        issues.push({ file, line: user.line, path: "metadata.name", message });
      }
    }
  }
  return { users: [...users.values()], secrets, issues };
}

interface Found {
  readonly file: string;
  /** Whether a person named it, rather than a folder that it is in. */
  readonly isNamed: boolean;
}

async function listManifests(paths: readonly string[]): Promise<Found[]> {
  const found = new Map<string, Found>();
  for (const one of paths.map((each) => path.normalize(each))) {
    if (!(await stat(one)).isDirectory()) {
      found.set(one, { file: one, isNamed: true });
      continue;
    }
    const exclude = (name: string): boolean => path.basename(name) === "node_modules";
    for await (const name of glob(MANIFESTS, { cwd: one, exclude })) {
      const file = path.join(one, name);
      if (!found.has(file)) found.set(file, { file, isNamed: false });
    }
  }
  return [...found.values()].toSorted((a, b) => (a.file < b.file ? -1 : 1));
}

/** `undefined`: it is none, or gone since its folder was read. */
async function textOf(file: string, isNamed: boolean): Promise<string | typeof TOO_LARGE | undefined> {
  try {
    const facts = await stat(file);
    if (facts.isDirectory()) return undefined;
    return facts.size > MAX_FILE_BYTES ? TOO_LARGE : await readFile(file, "utf8");
  } catch (error) {
    const isGone = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (isGone && !isNamed) return undefined;
    throw error;
  }
}

function kindOf({ value }: YamlDocument): unknown {
  return isJsonObject(value) ? value["kind"] : undefined;
}

function userFrom(document: YamlDocument, issues: FileIssue[]): DeclaredUser | undefined {
  const { file, line } = document;
  const value = objectOf(document.value);
  const metadata = objectOf(value["metadata"]);
  const refuse = (at: string, message: string): void => {
    issues.push({ file, line: document.lineOf(at), path: at, message });
  };
  const before = issues.length;
  if (value["apiVersion"] !== API_VERSION) {
    const isOurs = typeof value["apiVersion"] === "string" && value["apiVersion"].startsWith(`${GROUP}/`);
    if (!isOurs) return undefined;
    refuse("apiVersion", `must be ${API_VERSION}`);
  }
  const { name, namespace = DEFAULT_NAMESPACE } = metadata;
  if (!isName(name))
    refuse("metadata.name", "must be a name: lower-case letters, digits, - and ., at most 253 characters");
  if (!isName(namespace)) refuse("metadata.namespace", "must be a namespace's name");
  for (const field of Object.keys(value)) {
    if (!["apiVersion", "kind", "metadata", "spec", "status"].includes(field)) refuse(field, "unknown field");
  }
  const validated = validateUserSpec(value["spec"] ?? {});
  if (validated.kind === "invalid") for (const issue of validated.issues) refuse(issue.path, issue.message);
  if (validated.kind === "invalid" || issues.length > before || !isName(name) || !isName(namespace)) return undefined;
  const approvedPlan = textsOf(metadata["annotations"])[APPROVE_PLAN_ANNOTATION];
  return { key: `${namespace}/${name}`, namespace, name, spec: validated.value, approvedPlan, file, line };
}

/** Tenant objects mean something in a cluster only; here they are held to their schema. */
function checkTenant(document: YamlDocument, issues: FileIssue[]): void {
  const { apiVersion, spec } = objectOf(document.value);
  const kind = kindOf(document);
  if (apiVersion !== API_VERSION || (kind !== TENANT_KIND && kind !== CLUSTER_TENANT_KIND)) return;
  const validated = kind === TENANT_KIND ? validateTenantSpec(spec ?? {}) : validateClusterTenantSpec(spec ?? {});
  if (validated.kind === "valid") return;
  for (const { path: at, message } of validated.issues) {
    issues.push({ file: document.file, line: document.lineOf(at), path: at, message });
  }
}

function secretFrom({ value }: YamlDocument): DeclaredSecret[] {
  const secret = objectOf(value);
  const { name, namespace = DEFAULT_NAMESPACE, labels } = objectOf(secret["metadata"]);
  if (!isName(name) || !isName(namespace)) return [];
  const decoded = Object.entries(textsOf(secret["data"])).map(
    ([key, text]) => [key, Buffer.from(text, "base64").toString("utf8")] as const,
  );
  return [
    {
      namespace,
      name,
      labels: textsOf(labels),
      data: new Map([...decoded, ...Object.entries(textsOf(secret["stringData"]))]),
    },
  ];
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value.length <= 253 && /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(value);
}

function objectOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

function textsOf(value: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(objectOf(value)).flatMap(([key, text]): [string, string][] =>
      typeof text === "string" ? [[key, text]] : [],
    ),
  );
}
