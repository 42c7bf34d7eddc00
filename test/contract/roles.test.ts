/** Roles and permissions of a tenant, and of its users. [rec] recorded, [oas] in the OpenAPI document, [doc] documented. */
import test from "ava";
import { openTestSimulator, type Reply } from "../support/start-simulator.ts";

const simulator = await openTestSimulator();
test.after.always(() => simulator.close());

const api = (method: string, path: string, body?: unknown): Promise<Reply> =>
  simulator.api(method, `/api/v2${path}`, body);

let made = 0;

async function newUser(): Promise<{ readonly id: string; readonly path: string }> {
  const { user_id: id } = await simulator.addUser({ email: `user-${String(made++)}@example.com` });
  return { id, path: `/users/${encodeURIComponent(id)}` };
}

async function newRole(more: object = {}): Promise<{ readonly id: string; readonly name: string }> {
  const reply = await api("POST", "/roles", { name: `role ${String(made++)}`, description: "A role", ...more });
  return reply.body as { id: string; name: string };
}

async function newApi(...scopes: readonly string[]): Promise<string> {
  const identifier = `https://api-${String(made++)}.example.com/`;
  await api("POST", "/resource-servers", { identifier, name: "API", scopes: scopes.map((value) => ({ value })) });
  return identifier;
}

const permission = (identifier: string, name: string): object => ({
  resource_server_identifier: identifier,
  permission_name: name,
});

test("POST /roles answers 200, not 201 [rec]", async (t) => {
  const reply = await api("POST", "/roles", { name: "first", description: "The first" });

  t.is(reply.status, 200);
  t.like(reply.body, { name: "first", description: "The first" });
  t.regex((reply.body as { id: string }).id, /^rol_[A-Za-z0-9]{16}$/);
});

test("a description that nobody gave is null in the answer to the POST and empty ever after [rec]", async (t) => {
  const created = await api("POST", "/roles", { name: "undescribed" });
  const { id } = created.body as { id: string };

  t.like(created.body, { description: null });
  t.like((await api("GET", `/roles/${id}`)).body, { description: "" });
});

test("a role's name is used once [oas]", async (t) => {
  const { name } = await newRole();

  t.like((await api("POST", "/roles", { name })).body, { statusCode: 409, message: "The role already exists." });
});

test("an unknown role is 404 without an errorCode [rec]", async (t) => {
  t.deepEqual((await api("GET", "/roles/rol_0000000000000000")).body, {
    statusCode: 404,
    error: "Not Found",
    message: "The role does not exist.",
  });
});

test("DELETE /roles/{id} answers 200 {} and takes the role from everybody [rec]", async (t) => {
  const [user, role] = [await newUser(), await newRole()];
  await api("POST", `${user.path}/roles`, { roles: [role.id] });

  const reply = await api("DELETE", `/roles/${role.id}`, {});

  t.deepEqual([reply.status, reply.body], [200, {}]);
  t.deepEqual((await api("GET", `${user.path}/roles`)).body, []);
});

test("roles are found by part of their name, in any case [oas]", async (t) => {
  const { id } = await newRole({ name: "Keeper of Keys" });

  t.like((await api("GET", "/roles?name_filter=keeper%20OF&include_totals=true")).body, { total: 1, roles: [{ id }] });
});

test("roles of a user are given and taken with 204, and listed by name with totals [rec]", async (t) => {
  const user = await newUser();
  const [b, a] = [await newRole({ name: "bb" }), await newRole({ name: "aa" })];

  t.is((await api("POST", `${user.path}/roles`, { roles: [b.id, a.id] })).status, 204);
  t.deepEqual((await api("GET", `${user.path}/roles?include_totals=true&per_page=1`)).body, {
    roles: [{ id: a.id, name: "aa", description: "A role" }],
    start: 0,
    limit: 1,
    total: 2,
  });
  t.is((await api("DELETE", `${user.path}/roles`, { roles: [a.id] })).status, 204);
  t.like((await api("GET", `${user.path}/roles`)).body, [{ id: b.id }]);
});

test("taking a role that is gone is 404, although nothing is left to do [rec]", async (t) => {
  const [user, role] = [await newUser(), await newRole()];
  await api("DELETE", `/roles/${role.id}`);

  t.like((await api("DELETE", `${user.path}/roles`, { roles: [role.id] })).body, {
    statusCode: 404,
    message: "The role does not exist.",
  });
});

test("a user has at most 50 roles [doc]", async (t) => {
  const user = await newUser();
  const roles = await Promise.all(Array.from({ length: 51 }, () => newRole()));

  t.is((await api("POST", `${user.path}/roles`, { roles: roles.slice(0, 50).map(({ id }) => id) })).status, 204);
  t.is((await api("POST", `${user.path}/roles`, { roles: [roles[50]?.id] })).status, 400);
});

test("roles and permissions never touch updated_at nor metadata [rec]", async (t) => {
  const [user, role, identifier] = [await newUser(), await newRole(), await newApi("read:all")];
  const before = await api("GET", user.path);
  await api("POST", `${user.path}/roles`, { roles: [role.id] });
  await api("POST", `${user.path}/permissions`, { permissions: [permission(identifier, "read:all")] });

  t.deepEqual((await api("GET", user.path)).body, before.body);
});

test("users of a role are paged by number, or by take and from, which win [rec]", async (t) => {
  const role = await newRole();
  const users = [await newUser(), await newUser(), await newUser()];
  const assigned = await api("POST", `/roles/${role.id}/users`, { users: users.map(({ id }) => id) });

  t.deepEqual([assigned.status, assigned.body], [200, {}]);
  t.like((await api("GET", `/roles/${role.id}/users?include_totals=true`)).body, { start: 0, limit: 50, total: 3 });
  const first = (await api("GET", `/roles/${role.id}/users?take=2&include_totals=true`)).body as Page;
  const second = (await api("GET", `/roles/${role.id}/users?take=2&from=${encodeURIComponent(first.next ?? "")}`))
    .body as Page;
  t.deepEqual(Object.keys(first), ["users", "next"]);
  t.deepEqual(Object.keys(second), ["users"]);
  const seen = [...first.users, ...second.users].map(({ user_id }) => user_id);
  t.is(seen.length, 3);
  t.true(users.every(({ id }) => seen.includes(id)));
});

interface Page {
  readonly users: readonly { readonly user_id: string }[];
  readonly next?: string;
}

test("a cursor that no answer held is 400", async (t) => {
  const role = await newRole();

  t.is((await api("GET", `/roles/${role.id}/users?from=made-up`)).status, 400);
});

test("permissions of a user: 201 {}, 204, and each says that it is DIRECT [rec]", async (t) => {
  const [user, identifier] = [await newUser(), await newApi("b", "a")];
  const permissions = [permission(identifier, "b"), permission(identifier, "a")];

  const added = await api("POST", `${user.path}/permissions`, { permissions });

  t.deepEqual([added.status, added.body], [201, {}]);
  t.like((await api("GET", `${user.path}/permissions`)).body, [
    {
      permission_name: "a",
      resource_server_name: "API",
      resource_server_identifier: identifier,
      sources: [{ source_id: "", source_name: "", source_type: "DIRECT" }],
    },
    { permission_name: "b" },
  ]);
  t.is((await api("DELETE", `${user.path}/permissions`, { permissions })).status, 204);
  t.deepEqual((await api("GET", `${user.path}/permissions`)).body, []);
});

test("a permission that comes with a role says so [oas]", async (t) => {
  const [user, role, identifier] = [await newUser(), await newRole(), await newApi("read:all")];
  const added = await api("POST", `/roles/${role.id}/permissions`, {
    permissions: [permission(identifier, "read:all")],
  });
  await api("POST", `${user.path}/roles`, { roles: [role.id] });

  t.deepEqual([added.status, added.body], [201, {}]);
  t.like((await api("GET", `${user.path}/permissions`)).body, [
    { permission_name: "read:all", sources: [{ source_id: role.id, source_name: role.name, source_type: "ROLE" }] },
  ]);
});

test("a permission that its API does not have is 404 inexistent_resource_server_permission [rec]", async (t) => {
  const [user, identifier] = [await newUser(), await newApi("read:all")];

  t.like((await api("POST", `${user.path}/permissions`, { permissions: [permission(identifier, "other")] })).body, {
    statusCode: 404,
    errorCode: "inexistent_resource_server_permission",
  });
});

test("an API is found by id and by its identifier, percent-encoded in one segment [rec]", async (t) => {
  const identifier = await newApi("read:all");

  const byIdentifier = await api("GET", `/resource-servers/${encodeURIComponent(identifier)}`);
  const { id } = byIdentifier.body as { id: string };

  t.deepEqual((await api("GET", `/resource-servers/${id}`)).body, byIdentifier.body);
  t.like(byIdentifier.body, { token_lifetime: 86_400, signing_alg: "RS256", allow_offline_access: false });
});

test("a scope that leaves an API leaves everybody who had it [doc]", async (t) => {
  const [user, identifier] = [await newUser(), await newApi("read:all")];
  await api("POST", `${user.path}/permissions`, { permissions: [permission(identifier, "read:all")] });

  await api("PATCH", `/resource-servers/${encodeURIComponent(identifier)}`, { scopes: [] });

  t.deepEqual((await api("GET", `${user.path}/permissions`)).body, []);
});

test("lists in bodies are checked down to their items [doc]", async (t) => {
  const user = await newUser();
  const post = async (body: object): Promise<string> =>
    ((await api("POST", `${user.path}/permissions`, body)).body as { message: string }).message;

  t.regex(await post({}), /'Missing required property: permissions'/);
  t.regex(await post({ permissions: "x" }), /'Expected type array but found type string' on property permissions/);
  t.regex(await post({ permissions: [] }), /'Array is too short \(0\), minimum 1' on property permissions/);
  t.regex(await post({ permissions: [{}] }), /'Missing required property: resource_server_identifier' on property/);
});

test("a deleted user has no roles when somebody comes back under the id", async (t) => {
  const [user, role] = [await newUser(), await newRole()];
  await api("POST", `${user.path}/roles`, { roles: [role.id] });
  await api("DELETE", user.path);
  await simulator.addUser({ user_id: user.id, email: "back@example.com" });

  t.deepEqual((await api("GET", `${user.path}/roles`)).body, []);
  t.deepEqual((await api("GET", `/roles/${role.id}/users`)).body, []);
});
