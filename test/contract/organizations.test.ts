/** Organizations, their members, and the roles of members. [rec] recorded, [oas] in the OpenAPI document. */
import test from "ava";
import { openTestSimulator, startTestSimulator, type Reply } from "../support/start-simulator.ts";

const simulator = await openTestSimulator();
test.after.always(() => simulator.close());

const api = (method: string, path: string, body?: unknown): Promise<Reply> =>
  simulator.api(method, `/api/v2${path}`, body);

let made = 0;

async function newUser(): Promise<string> {
  return (await simulator.addUser({ email: `user-${String(made++)}@example.com` })).user_id;
}

async function newOrganization(...members: readonly string[]): Promise<string> {
  const { id } = (await api("POST", "/organizations", { name: `org-${String(made++)}` })).body as { id: string };
  if (members.length > 0) await api("POST", `/organizations/${id}/members`, { members });
  return id;
}

test("an organization is shown with what was sent, and the keys of its year [rec]", async (t) => {
  const branding = { logo_url: "https://example.com/logo.gif" };
  const reply = await api("POST", "/organizations", { name: "acme", display_name: "Acme", branding });
  const { id, ...rest } = reply.body as { id: string };

  t.is(reply.status, 201);
  t.regex(id, /^org_[A-Za-z0-9]{16}$/);
  t.deepEqual(rest, {
    name: "acme",
    display_name: "Acme",
    branding,
    third_party_client_access: "block",
    is_app_entitlement_active: false,
  } as unknown as typeof rest);
  t.deepEqual((await api("GET", "/organizations/name/acme")).body, reply.body);
});

test("before 2026 it had no further keys [rec]", async (t) => {
  const old = await startTestSimulator(t, { switches: { apiVersion: "2023" } });

  const { body } = await old.api("POST", "/api/v2/organizations", { name: "acme" });

  t.deepEqual(Object.keys(body as object).toSorted(), ["display_name", "id", "name"]);
});

test("an unknown organization is 404 without an errorCode [rec]", async (t) => {
  t.deepEqual((await api("GET", "/organizations/org_0000000000000000")).body, {
    statusCode: 404,
    error: "Not Found",
    message: "No organization found by that id or name",
  });
});

test("members come and go with 204, and are listed short [rec]", async (t) => {
  const user = await newUser();
  const organization = await newOrganization(user);
  const path = `/organizations/${organization}/members`;

  const { body } = await api("GET", `${path}?include_totals=true`);

  t.like(body, { start: 0, limit: 50, total: 1 });
  const [member] = (body as { members: object[] }).members;
  t.deepEqual(Object.keys(member ?? {}), ["user_id", "email", "picture", "name"]);
  t.is((await api("DELETE", path, { members: [user] })).status, 204);
  t.deepEqual((await api("GET", path)).body, []);
});

test("members show their roles where fields ask for them [rec]", async (t) => {
  const user = await newUser();
  const organization = await newOrganization(user);
  const role = (await api("POST", "/roles", { name: "of members" })).body as { id: string };
  const path = `/organizations/${organization}/members`;

  const roles = `${path}/${encodeURIComponent(user)}/roles`;
  t.is((await api("POST", roles, { roles: [role.id] })).status, 204);

  t.deepEqual((await api("GET", `${path}?fields=user_id,roles`)).body, [
    { user_id: user, roles: [{ id: role.id, name: "of members" }] },
  ]);
  t.like((await api("GET", roles)).body, [{ id: role.id, description: "" }]);
  t.is((await api("DELETE", roles, { roles: [role.id] })).status, 204);
  t.deepEqual((await api("GET", roles)).body, []);
});

test("a role can be given to somebody who is no member yet [rec]", async (t) => {
  const [user, organization] = [await newUser(), await newOrganization()];
  const { id } = (await api("POST", "/roles", { name: "ahead of time" })).body as { id: string };

  const path = `/organizations/${organization}/members/${encodeURIComponent(user)}/roles`;

  t.is((await api("POST", path, { roles: [id] })).status, 204);
});

test("until 2026-08 a last page of members had a cursor too, and an empty page has none [rec]", async (t) => {
  const keysOf = async (apiVersion: "2026-04" | "2026-08"): Promise<readonly string[][]> => {
    const tenant = await startTestSimulator(t, { switches: { apiVersion }, users: [{ email: "kim@example.com" }] });
    const [user] = await tenant.users();
    const { id } = (await tenant.api("POST", "/api/v2/organizations", { name: "acme" })).body as { id: string };
    const path = `/api/v2/organizations/${id}/members`;
    const empty = await tenant.api("GET", `${path}?take=2`);
    await tenant.api("POST", path, { members: [user?.user_id] });
    const full = await tenant.api("GET", `${path}?take=2`);
    return [empty, full].map(({ body }) => Object.keys(body as object));
  };

  t.deepEqual(await keysOf("2026-04"), [["members"], ["members", "next"]]);
  t.deepEqual(await keysOf("2026-08"), [["members"], ["members"]]);
});

test("organizations of a user [rec], whose total is 0 in August 2026 [rec]", async (t) => {
  const user = await newUser();
  const organization = await newOrganization(user);

  const { body } = await api("GET", `/users/${encodeURIComponent(user)}/organizations?include_totals=true`);

  t.like(body, { organizations: [{ id: organization }], total: 0 });
});

test("memberships end with the user and with the organization", async (t) => {
  const [one, other] = [await newUser(), await newUser()];
  const [first, second] = [await newOrganization(one, other), await newOrganization(one, other)];

  await api("DELETE", `/users/${encodeURIComponent(one)}`);
  t.is((await api("DELETE", `/organizations/${second}`)).status, 204);

  t.like((await api("GET", `/organizations/${first}/members`)).body, [{ user_id: other }]);
  t.like((await api("GET", `/users/${encodeURIComponent(other)}/organizations`)).body, [{ id: first }]);
});

test("memberships and the roles of members never touch updated_at nor metadata [rec]", async (t) => {
  const user = await newUser();
  const path = `/users/${encodeURIComponent(user)}`;
  const before = await api("GET", path);
  const { id: role } = (await api("POST", "/roles", { name: "untouching" })).body as { id: string };

  const organization = await newOrganization(user);
  const members = `/organizations/${organization}/members`;
  t.is((await api("POST", `${members}/${encodeURIComponent(user)}/roles`, { roles: [role] })).status, 204);
  t.is((await api("DELETE", members, { members: [user] })).status, 204);

  t.deepEqual((await api("GET", path)).body, before.body);
});
