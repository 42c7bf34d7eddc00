/**
 * Every field of a user against everything that can happen to it: what was asked of Auth0, and what it holds afterwards.
 * Run for real against the simulator; `docs/fields.md` is its printout.
 */
import { desiredUserFrom } from "../../src/api/desired-user.ts";
import { findUnset } from "../../src/api/unset.ts";
import { validateUserSpec } from "../../src/api/validate.ts";
import { managedAttributes } from "../../src/core/plan.ts";
import type { Outcome } from "../../src/reconcile/outcome.ts";
import type { PasswordDeclaration } from "../../src/reconcile/password.ts";
import { Side, directoryOf } from "./side.ts";
import { openTestSimulator, type TestSimulator, type WireUser } from "./start-simulator.ts";

export const EVENTS = [
  "create",
  "change",
  "remove",
  "drift by hand",
  "drift, `InitOnly`",
  "drift, `Ignore`",
  "drift, `Detect`",
] as const;
export type FieldEvent = (typeof EVENTS)[number];

export interface Cell {
  /** The calls, without those that every such event has: the read of the user, what else a new user is made with. */
  readonly asked: string;
  readonly holds: string;
  /** Refusals, and what is only reported. */
  readonly said: string;
}

export interface FieldRow {
  readonly field: string;
  readonly cells: Readonly<Record<FieldEvent, Cell>>;
}

type Spec = Readonly<Record<string, unknown>>;

interface Field {
  readonly name: string;
  /** Where it is not the name alone. */
  readonly label?: string;
  /** Two declarations of it. */
  readonly values: readonly [Spec, Spec];
  /** What takes it away again. */
  readonly removal: Spec;
  /** What somebody does to it at Auth0. */
  readonly byHand: (tenant: TestSimulator, userId: string) => Promise<unknown>;
  readonly shown: (tenant: TestSimulator, userId: string) => Promise<unknown>;
}

const BASE = { connection: "Username-Password-Authentication", email: "jane@example.com" };
const API = "https://api.example.com";

/** An attribute of the user itself. */
function attribute(name: string, wire: string, first: unknown, second: unknown, hand: unknown, removal: Spec): Field {
  return {
    name,
    values: [{ [name]: first }, { [name]: second }],
    removal,
    byHand: (tenant, userId) => tenant.patchUser(userId, { [wire]: hand }),
    shown: async (tenant, userId) => (await tenant.user(userId))?.[wire],
  };
}

const nullable = (name: string, wire: string, a: string, b: string, hand: string): Field =>
  attribute(name, wire, a, b, hand, { [name]: null });
const metadata = (name: string, wire: string): Field =>
  attribute(name, wire, { key: "a" }, { key: "b" }, { key: "by hand", theirs: 1 }, { [name]: { key: null } });

/** A flag that is declared false: somebody's later change to true had a reason. */
const oneWay = (name: string, wire: string): Field => ({
  ...attribute(name, wire, false, true, true, { [name]: null }),
  label: `${name}: false`,
});

/** What a user is given, by a path under it and by names that the tenant resolves. */
function assigned(
  name: string,
  values: readonly [Spec, Spec],
  byHand: Field["byHand"],
  shownAs: (item: WireUser) => unknown,
): Field {
  return {
    name,
    values,
    removal: { unsetPolicy: "Remove" },
    byHand,
    shown: async (tenant, userId) => {
      const { body } = await tenant.api("GET", `${pathOf(userId)}/${name}`);
      return (Array.isArray(body) ? body : []).map(shownAs);
    },
  };
}

function fieldsOf(ids: Readonly<Record<string, string>>): readonly Field[] {
  const permission = { resource_server_identifier: API, permission_name: "read:reports" };
  const name = (item: WireUser): unknown => item["name"];
  return [
    attribute("email", "email", "jane@example.com", "new@example.com", "hand@example.com", { email: null }),
    nullable("phoneNumber", "phone_number", "+441", "+442", "+449"),
    attribute("username", "username", "jane", "janet", "hand", { username: null }),
    attribute("emailVerified", "email_verified", true, false, false, { emailVerified: null }),
    attribute("phoneVerified", "phone_verified", true, false, false, { phoneVerified: null }),
    attribute("blocked", "blocked", true, false, false, { removeAttributes: ["blocked"] }),
    oneWay("emailVerified", "email_verified"),
    oneWay("phoneVerified", "phone_verified"),
    oneWay("blocked", "blocked"),
    nullable("givenName", "given_name", "A", "B", "By Hand"),
    nullable("familyName", "family_name", "A", "B", "By Hand"),
    nullable("name", "name", "A", "B", "By Hand"),
    nullable("nickname", "nickname", "a", "b", "by hand"),
    nullable("picture", "picture", "https://example.com/a", "https://example.com/b", "https://example.com/hand"),
    metadata("userMetadata", "user_metadata"),
    metadata("appMetadata", "app_metadata"),
    assigned(
      "roles",
      [{ roles: ["support"] }, { roles: ["billing"], rolesPolicy: "Exact" }],
      (tenant, userId) => tenant.api("DELETE", `${pathOf(userId)}/roles`, { roles: [ids["support"]] }),
      name,
    ),
    assigned(
      "permissions",
      [
        { permissions: [{ resourceServer: API, name: "read:reports" }] },
        { permissions: [{ resourceServer: API, name: "write:reports" }], permissionsPolicy: "Exact" },
      ],
      (tenant, userId) => tenant.api("DELETE", `${pathOf(userId)}/permissions`, { permissions: [permission] }),
      (item) => item["permission_name"],
    ),
    assigned(
      "organizations",
      [
        { organizations: [{ name: "acme" }] },
        { organizations: [{ name: "other", roles: ["support"] }], organizationsPolicy: "Exact" },
      ],
      (tenant, userId) =>
        tenant.api("DELETE", `/api/v2/organizations/${ids["acme"] ?? ""}/members`, { members: [userId] }),
      name,
    ),
  ];
}

/** Runs the whole matrix. */
export async function fieldMatrix(): Promise<readonly FieldRow[]> {
  const tenant = await openTestSimulator();
  const { api, directory } = directoryOf(tenant);
  try {
    const ids = await furnish(tenant);
    const rows: FieldRow[] = [];
    const probe = (): Probe => new Probe(tenant, new Side(directory), ids);
    for (const field of fieldsOf(ids))
      rows.push({ field: field.label ?? field.name, cells: await cellsOf(field, probe) });
    return [...rows, { field: "password", cells: await passwordCells(probe) }];
  } finally {
    api.close();
    await tenant.close();
  }
}

/** What fields may name: roles, an API, organizations. @returns ids by name */
async function furnish(tenant: TestSimulator): Promise<Readonly<Record<string, string>>> {
  const ids: Record<string, string> = {};
  for (const [name, path] of [
    ["support", "roles"],
    ["billing", "roles"],
    ["acme", "organizations"],
    ["other", "organizations"],
  ] as const) {
    const { body } = await tenant.api("POST", `/api/v2/${path}`, { name });
    ids[name] = (body as { id: string }).id;
  }
  const scopes = ["read:reports", "write:reports"].map((value) => ({ value }));
  await tenant.api("POST", "/api/v2/resource-servers", { identifier: API, name: "Reports", scopes });
  return ids;
}

async function cellsOf(field: Field, probe: () => Probe): Promise<FieldRow["cells"]> {
  const [first, second] = field.values;
  const { name } = field;
  const changed = async (...specs: readonly Spec[]): Promise<Cell> => {
    const one = probe();
    for (const spec of specs.slice(0, -1)) await one.pass(spec);
    return one.cell(specs.at(-1) ?? {}, field, { isSync: false });
  };
  const drifted = async (spec: Spec, start: Spec = spec): Promise<Cell> => {
    const one = probe();
    await one.pass(start);
    await field.byHand(one.tenant, one.userId);
    return one.cell(spec, field, { isSync: true });
  };
  return {
    create: await changed(first),
    change: await changed(first, second),
    remove: await changed({ ...first, unsetPolicy: field.removal["unsetPolicy"] }, field.removal),
    "drift by hand": await drifted(first),
    "drift, `InitOnly`": await drifted({ ...first, fieldPolicies: { [name]: "InitOnly" } }),
    "drift, `Ignore`": await drifted({ ...second, fieldPolicies: { [name]: "Ignore" } }, first),
    "drift, `Detect`": await drifted({ ...first, driftPolicy: "Detect" }),
  };
}

/** A password is no field that could be compared: what is declared is a Secret's content and when it is sent. */
async function passwordCells(probe: () => Probe): Promise<FieldRow["cells"]> {
  const given = (value: string, standing: "changed" | "same" | "left"): PasswordDeclaration => ({
    kind: "given",
    value,
    standing,
    version: `k:${value}`,
  });
  const [old, next, hand] = ["Correct-Horse-7", "Correct-Horse-8", "Correct-Horse-9"];
  const field: Pick<Field, "name" | "shown"> = {
    name: "password",
    shown: async (tenant, userId) => {
      for (const one of [old, next, hand]) if (await tenant.passwordMatches(userId, one)) return NAMES.get(one);
      return undefined;
    },
  };
  const run = async (password: PasswordDeclaration | undefined, isByHand: boolean, spec: Spec = {}): Promise<Cell> => {
    const one = probe();
    if (password !== undefined) await one.pass({}, given(old, "changed"));
    if (isByHand) await one.tenant.api("PATCH", pathOf(one.userId), { password: hand });
    return one.cell(spec, field, { isSync: isByHand, password: password ?? given(old, "changed") });
  };
  return {
    create: await run(undefined, false),
    change: await run(given(next, "changed"), false),
    remove: await run({ kind: "unmanaged" }, false),
    "drift by hand": await run(given(old, "same"), true),
    "drift, `InitOnly`": { ...(await run(given(next, "left"), true)), said: "`policy: OnCreate`" },
    "drift, `Ignore`": await run(given(old, "same"), true, { fieldPolicies: { password: "Ignore" } }),
    "drift, `Detect`": await run(given(old, "same"), true, { driftPolicy: "Detect" }),
  };
}

const NAMES: ReadonlyMap<string, string> = new Map([
  ["Correct-Horse-7", "the old one"],
  ["Correct-Horse-8", "the new one"],
  ["Correct-Horse-9", "the one by hand"],
]);

/** One resource, its passes, and what they asked. */
class Probe {
  readonly tenant: TestSimulator;
  readonly #side: Side;
  readonly #ids: Readonly<Record<string, string>>;
  #managed: readonly string[] = [];

  constructor(tenant: TestSimulator, side: Side, ids: Readonly<Record<string, string>>) {
    this.tenant = tenant;
    this.#side = side;
    this.#ids = ids;
  }

  get userId(): string {
    return `auth0|${this.#side.uid}`;
  }

  /** @returns what was refused before Auth0 was asked, or what a pass came to */
  async pass(changes: Spec, password?: PasswordDeclaration, isSync = false): Promise<Outcome | string> {
    const spec = { ...BASE, ...withoutUndefined(changes) };
    const validated = validateUserSpec(spec);
    if (validated.kind === "invalid") return validated.issues.map(({ message }) => message).join("; ");
    const unset = findUnset(validated.value, { managed: this.#managed, removed: [] });
    const desired = desiredUserFrom(validated.value, unset);
    this.#managed = managedAttributes(desired);
    return this.#side.pass(desired, { isSync, ...(password !== undefined && { password }) });
  }

  async cell(
    spec: Spec,
    { name, shown }: Pick<Field, "name" | "shown">,
    { isSync, password }: { readonly isSync: boolean; readonly password?: PasswordDeclaration },
  ): Promise<Cell> {
    await this.tenant.clearCalls();
    const outcome = await this.pass(spec, password, isSync);
    const requests = await this.tenant.requests();
    const asked = requests
      .filter(({ path }) => path.startsWith("/api/v2/"))
      .map(({ method, path, body }) => this.#callText(method, path, body, name))
      .filter((text) => text !== "GET");
    const holds = this.#readable(JSON.stringify(await shown(this.tenant, this.userId)) ?? "absent");
    await this.tenant.deleteUser(this.userId);
    return { asked: asked.join(", ") || "nothing", holds, said: saidBy(outcome) };
  }

  #callText(method: string, path: string, body: unknown, field: string): string {
    const what = this.#readable(
      decodeURIComponent(path)
        .replace("/api/v2/", "")
        .replace(/^users(\/auth0\|[^/]+)?/, ""),
    );
    if (typeof body !== "object" || body === null) return [method, what].filter(Boolean).join(" ");
    const always = method === "POST" && what === "" ? ["connection", "user_id", ...commonBut(field)] : [];
    const kept = Object.entries(body).filter(([key]) => !always.includes(key));
    return [method, what, this.#readable(JSON.stringify(Object.fromEntries(kept)))].filter(Boolean).join(" ");
  }

  /** Made-up ids by the names that they stand for. */
  #readable(text: string): string {
    let shown = text.replaceAll(this.#side.uid, "jane");
    for (const [name, id] of Object.entries(this.#ids)) shown = shown.replaceAll(id, name);
    return shown.replace(/\?.*/, "");
  }
}

/** What every new user is made with, but for the field in question. */
function commonBut(field: string): string[] {
  return [...(field === "email" ? [] : ["email"]), ...(field === "password" ? [] : ["password"]), "verify_email"];
}

function withoutUndefined(spec: Spec): Spec {
  return Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined));
}

function saidBy(outcome: Outcome | string): string {
  if (typeof outcome === "string") return `refused: ${outcome}`;
  const { verdict, reported } = outcome;
  if (reported.length > 0) return "reported";
  return verdict.kind === "refused" ? `refused: ${verdict.message}` : "";
}

function pathOf(userId: string): string {
  return `/api/v2/users/${encodeURIComponent(userId)}`;
}
