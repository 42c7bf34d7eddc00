/** Roles, permissions and organizations: what is sent, what is there afterwards, and what is said about it. */
import test, { type ExecutionContext } from "ava";
import { desiredUserFrom } from "../../src/api/desired-user.ts";
import type { DesiredAssignments } from "../../src/core/assignments.ts";
import { ENFORCE_ALL, type DesiredUser } from "../../src/core/desired-user.ts";
import { aDesiredUser } from "../support/builders.ts";
import { aSideWorld, messageOf, sent, verdictOf, type SideWorld } from "../support/side-world.ts";
import { Side, directoryOf } from "../support/side.ts";
import { startTestSimulator, type TestSimulator } from "../support/start-simulator.ts";

const API = "https://api.example.com";
const READ = { resourceServer: API, name: "read:reports" };
const WRITE = { resourceServer: API, name: "write:reports" };

interface GivenWorld extends SideWorld {
  readonly role: Readonly<Record<"admin" | "support" | "billing", string>>;
  readonly organization: Readonly<Record<"acme" | "other", string>>;
}

async function idOf(tenant: TestSimulator, path: string, body: object): Promise<string> {
  return ((await tenant.api("POST", `/api/v2/${path}`, body)).body as { id: string }).id;
}

/** A tenant with roles, an API with permissions, and organizations. */
async function aGivenWorld(t: ExecutionContext): Promise<GivenWorld> {
  const world = await aSideWorld(t);
  const { tenant } = world;
  const scopes = [READ, WRITE].map(({ name }) => ({ value: name }));
  await tenant.api("POST", "/api/v2/resource-servers", { identifier: API, name: "Reports", scopes });
  const role = {
    admin: await idOf(tenant, "roles", { name: "admin" }),
    support: await idOf(tenant, "roles", { name: "support" }),
    billing: await idOf(tenant, "roles", { name: "support billing" }),
  };
  const organization = {
    acme: await idOf(tenant, "organizations", { name: "acme" }),
    other: await idOf(tenant, "organizations", { name: "other" }),
  };
  await sent(tenant);
  return { ...world, role, organization };
}

const NOTHING: DesiredAssignments = { roles: undefined, permissions: undefined, organizations: undefined };

function aUserWith(assignments: Partial<DesiredAssignments>, rest: Partial<DesiredUser> = {}): DesiredUser {
  return aDesiredUser({}, { assignments: { ...NOTHING, ...assignments }, ...rest });
}

async function namesOf({ tenant, side }: SideWorld, what: string, key: string, name = "name"): Promise<string[]> {
  const { body } = await tenant.api("GET", `/api/v2/users/auth0%7C${side.uid}/${what}?per_page=100`);
  const items = (Array.isArray(body) ? body : (body as Record<string, unknown>)[key]) as Record<string, string>[];
  await tenant.clearCalls();
  return items.map((item) => String(item[name])).toSorted((a, b) => a.localeCompare(b));
}

test("a new user is given everything with one call a kind, names asked for once", async (t) => {
  const world = await aGivenWorld(t);
  const { tenant, side, other, role, organization } = world;
  const desired = aUserWith({
    roles: { items: ["support", role.admin], isExact: false },
    permissions: { items: [READ, WRITE], isExact: false },
    organizations: { items: [{ organization: { name: "acme" }, roles: ["support"] }], isExact: false },
  });

  t.is(verdictOf(await side.pass(desired)), "ready Created");

  const [post, ...calls] = await sent(tenant);
  t.is((post as string[])[0], "POST");
  t.deepEqual(calls, [
    "GET",
    ["POST", { roles: [role.support, role.admin] }],
    [
      "POST",
      {
        permissions: [READ, WRITE].map(({ name }) => ({ resource_server_identifier: API, permission_name: name })),
      },
    ],
    "GET",
    ["POST", { members: [`auth0|${side.uid}`] }],
    ["POST", { roles: [role.support] }],
  ]);
  t.deepEqual(await namesOf(world, "roles", "roles"), ["admin", "support"]);
  t.deepEqual(await namesOf(world, "permissions", "permissions", "permission_name"), [READ.name, WRITE.name]);
  t.deepEqual(await namesOf(world, "organizations", "organizations"), ["acme"]);

  await side.pass(desired);
  t.deepEqual(await sent(tenant), [], "what was brought about is not asked for again");
  await other().pass({ ...desired, attributes: { email: "other@example.com" } });
  t.is((await tenant.calls()).byRoute["GET /api/v2/roles"], undefined);
  t.is((await tenant.calls()).byRoute[`GET /api/v2/organizations/name/{name}`], undefined);
  t.truthy(organization.acme);
});

test("a look at what was given is one GET a kind, and repairs what is missing", async (t) => {
  const world = await aGivenWorld(t);
  const { tenant, side, role } = world;
  const desired = aUserWith({ roles: { items: ["support"], isExact: false } });
  await side.pass(desired);
  await sent(tenant);

  t.is(verdictOf(await side.pass(desired, { isSync: true })), "ready as before");
  t.deepEqual(await sent(tenant), ["GET", "GET"]);

  await tenant.api("DELETE", `/api/v2/users/auth0%7C${side.uid}/roles`, { roles: [role.support] });
  await tenant.api("POST", `/api/v2/users/auth0%7C${side.uid}/roles`, { roles: [role.admin] });
  await sent(tenant);
  const outcome = await side.pass(desired, { isSync: true });
  t.deepEqual([verdictOf(outcome), outcome.changed], ["ready DriftCorrected", ["roles"]]);
  t.deepEqual(await sent(tenant), ["GET", "GET", ["POST", { roles: [role.support] }]]);
  t.deepEqual(await namesOf(world, "roles", "roles"), ["admin", "support"], "what others gave is left");
});

test("exactly what is declared is what the user has in the end", async (t) => {
  const world = await aGivenWorld(t);
  const { tenant, side, role, organization } = world;
  const user = `/api/v2/users/auth0%7C${side.uid}`;
  await side.pass(aDesiredUser());
  await tenant.api("POST", `${user}/roles`, { roles: [role.admin, role.billing] });
  await tenant.api("POST", `/api/v2/organizations/${organization.other}/members`, { members: [`auth0|${side.uid}`] });
  await tenant.api("POST", `${user}/permissions`, {
    permissions: [{ resource_server_identifier: API, permission_name: WRITE.name }],
  });

  await side.pass(
    aUserWith({
      roles: { items: ["support"], isExact: true },
      permissions: { items: [], isExact: true },
      organizations: { items: [{ organization: { id: organization.acme }, roles: undefined }], isExact: true },
    }),
  );

  t.deepEqual(await namesOf(world, "roles", "roles"), ["support"]);
  t.deepEqual(await namesOf(world, "permissions", "permissions", "permission_name"), []);
  t.deepEqual(await namesOf(world, "organizations", "organizations"), ["acme"]);
});

test("what is declared no more is kept, or taken back where this resource gave it", async (t) => {
  const world = await aGivenWorld(t);
  const { tenant, side, role } = world;
  await side.pass(aUserWith({ roles: { items: ["support", "admin"], isExact: false } }));

  await side.pass(aUserWith({ roles: { items: ["admin"], isExact: false } }));
  t.deepEqual(await namesOf(world, "roles", "roles"), ["admin", "support"], "kept, and nobody's business from now on");

  const upkeep = { ...ENFORCE_ALL, unset: "Remove" } as const;
  await side.pass(aUserWith({ roles: { items: ["admin", "support billing"], isExact: false } }, { upkeep }));
  await tenant.api("DELETE", `/api/v2/roles/${role.billing}`);
  const outcome = await side.pass(aDesiredUser({}, { upkeep }));

  t.is(verdictOf(outcome), "ready Updated");
  t.deepEqual(await namesOf(world, "roles", "roles"), ["support"]);
  t.deepEqual(outcome.assigned, []);
});

test("what can't be given is named with what to do, and everything else is given", async (t) => {
  const world = await aGivenWorld(t);
  const { tenant, side } = world;

  const outcome = await side.pass(
    aUserWith({
      roles: { items: ["admins", "admin"], isExact: true },
      permissions: { items: [{ resourceServer: API, name: "nothing" }], isExact: false },
      organizations: {
        items: [
          { organization: { name: "acme" }, roles: ["support"] },
          { organization: { name: "nowhere" }, roles: undefined },
        ],
        isExact: false,
      },
    }),
  );

  t.is(verdictOf(outcome), "refused AssignmentNotFound");
  t.regex(messageOf(outcome), /no role named admins.*nothing does not exist.*no organization named nowhere/);
  t.is((await tenant.users()).length, 1);
  t.deepEqual(await namesOf(world, "roles", "roles"), ["admin"]);
  t.deepEqual(await namesOf(world, "organizations", "organizations"), ["acme"]);
});

test("a name that several roles have is refused with their ids", async (t) => {
  const tenant = await startTestSimulator(t);
  const { api, directory } = directoryOf(tenant);
  t.teardown(() => {
    api.close();
  });
  directory.assignments.findRoles = () => Promise.resolve(["rol_one", "rol_two"]);

  const outcome = await new Side(directory).pass(aUserWith({ roles: { items: ["twin"], isExact: false } }));

  t.is(verdictOf(outcome), "refused AssignmentAmbiguous");
  t.regex(messageOf(outcome), /more than one role named twin.*rol_one, rol_two/);
});

test("a role that does not exist yet is found as soon as it does", async (t) => {
  const world = await aGivenWorld(t);
  const { tenant, side } = world;
  const desired = aUserWith({ roles: { items: ["later"], isExact: false } });
  t.is(verdictOf(await side.pass(desired)), "refused AssignmentNotFound");
  await idOf(tenant, "roles", { name: "later" });

  t.is(verdictOf(await side.pass(desired)), "ready Updated");
});

test("without the scope for it a kind stops, and the rest goes on", async (t) => {
  const world = await aGivenWorld(t);
  const { tenant, side } = world;
  await tenant.editClient({
    scopes: ["create:users", "read:users", "update:users", "read:roles", "create:role_members"],
  });

  const outcome = await side.pass(
    aUserWith({
      roles: { items: ["support"], isExact: false },
      organizations: { items: [{ organization: { name: "acme" }, roles: undefined }], isExact: false },
    }),
  );

  t.is(verdictOf(outcome), "refused InsufficientScope");
  t.regex(messageOf(outcome), /read:organizations/);
});

test("drift of roles is only detected, or left alone, where that is asked for", async (t) => {
  const world = await aGivenWorld(t);
  const { tenant, side, other, role } = world;
  const upkeep = { ...ENFORCE_ALL, drift: "Detect" } as const;
  const desired = aUserWith({ roles: { items: ["support"], isExact: false } }, { upkeep });
  await side.pass(desired);
  await tenant.api("DELETE", `/api/v2/users/auth0%7C${side.uid}/roles`, { roles: [role.support] });

  for (const isSync of [true, false]) t.deepEqual((await side.pass(desired, { isSync })).reported, ["roles"]);
  t.deepEqual(await namesOf(world, "roles", "roles"), []);

  const once = other();
  const left = aUserWith(
    { roles: { items: ["support"], isExact: false } },
    { upkeep: { ...ENFORCE_ALL, initOnly: new Set(["roles"]) }, attributes: { email: "once@example.com" } },
  );
  await once.pass(left);
  await tenant.api("DELETE", `/api/v2/users/auth0%7C${once.uid}/roles`, { roles: [role.support] });
  await sent(tenant);
  await once.pass(left, { isSync: true });
  t.deepEqual(await sent(tenant), ["GET"]);
});

test("roles whose field policy becomes Ignore are left as they are, also where what leaves the spec is taken back", async (t) => {
  const world = await aGivenWorld(t);
  const spec = { connection: "Username-Password-Authentication", email: "jane@example.com", roles: ["support"] };
  const removing = { ...spec, unsetPolicy: "Remove" } as const;
  await world.side.pass(desiredUserFrom(removing, []));
  t.deepEqual(await namesOf(world, "roles", "roles"), ["support"]);

  await world.side.pass(desiredUserFrom({ ...removing, fieldPolicies: { roles: "Ignore" } }, []));

  t.deepEqual(await namesOf(world, "roles", "roles"), ["support"], "Ignore never sends them");
});

test("a membership that was given before another one failed is taken back, too", async (t) => {
  const world = await aGivenWorld(t);
  const { side, organization } = world;
  const upkeep = { ...ENFORCE_ALL, unset: "Remove" } as const;
  const items = [organization.acme, "org_doesnotexist"].map((id) => ({ organization: { id }, roles: undefined }));
  const declared = aUserWith({ organizations: { items, isExact: false } }, { upkeep });
  await side.pass(declared);
  t.is(verdictOf(await side.pass(declared, { isSync: true })), "refused AssignmentNotFound");
  t.deepEqual(await namesOf(world, "organizations", "organizations"), ["acme"]);

  t.is(verdictOf(await side.pass(aDesiredUser({}, { upkeep }))), "ready Updated");

  t.deepEqual(await namesOf(world, "organizations", "organizations"), []);
});

test("an organization that is named twice does not keep the others from being taken away", async (t) => {
  const world = await aGivenWorld(t);
  const { tenant, side, organization } = world;
  await side.pass(aDesiredUser());
  await tenant.api("POST", `/api/v2/organizations/${organization.other}/members`, { members: [`auth0|${side.uid}`] });

  const twice = [{ name: "acme" }, { id: organization.acme }];
  const items = twice.map((one) => ({ organization: one, roles: undefined }));
  const outcome = await side.pass(aUserWith({ organizations: { items, isExact: true } }));

  t.is(verdictOf(outcome), "ready Updated");
  t.deepEqual(await namesOf(world, "organizations", "organizations"), ["acme"]);
});

test("a membership that somebody ended is only reported under Detect, once, with the roles in it", async (t) => {
  const world = await aGivenWorld(t);
  const { tenant, side, organization } = world;
  const upkeep = { ...ENFORCE_ALL, drift: "Detect" } as const;
  const items = [{ organization: { id: organization.acme }, roles: ["support"] }];
  const declared = aUserWith({ organizations: { items, isExact: false } }, { upkeep });
  t.is(verdictOf(await side.pass(declared)), "ready Created");
  const members = `/api/v2/organizations/${organization.acme}/members`;
  await tenant.api("DELETE", members, { members: [`auth0|${side.uid}`] });

  const outcome = await side.pass(declared, { isSync: true });

  t.is(verdictOf(outcome), "ready InSync");
  t.deepEqual(outcome.reported, ["organizations"]);
});

test("a role in an organization that others gave after the membership was taken back is left alone", async (t) => {
  const world = await aGivenWorld(t);
  const { tenant, side, role, organization } = world;
  const upkeep = { ...ENFORCE_ALL, unset: "Remove" } as const;
  const memberOf = (roles: string[] | undefined) =>
    aUserWith(
      { organizations: { items: [{ organization: { id: organization.acme }, roles }], isExact: false } },
      { upkeep },
    );
  await side.pass(memberOf(["support"]));
  await side.pass(aDesiredUser({}, { upkeep }));
  t.deepEqual(await namesOf(world, "organizations", "organizations"), []);

  const members = `/api/v2/organizations/${organization.acme}/members`;
  await tenant.api("POST", members, { members: [`auth0|${side.uid}`] });
  const roles = `${members}/auth0%7C${side.uid}/roles`;
  await tenant.api("POST", roles, { roles: [role.support] });
  await side.pass(memberOf(undefined));

  t.like((await tenant.api("GET", roles)).body, [{ name: "support" }]);
});

test("what InitOnly gives is given to a user that is created again, also where that is interrupted", async (t) => {
  const world = await aGivenWorld(t);
  const { tenant, side, clock } = world;
  const upkeep = { ...ENFORCE_ALL, initOnly: new Set(["roles"]) };
  const declared = aUserWith({ roles: { items: ["support"], isExact: false } }, { upkeep });
  await side.pass(declared);
  await tenant.deleteUser(`auth0|${side.uid}`);
  t.is(verdictOf(await side.pass(declared, { isSync: true })), "undecided");
  await clock.advance(5_000);
  await tenant.faults({ rules: [{ kind: "status", status: 503, route: "POST /api/v2/users/{id}/roles", count: 1 }] });
  t.is(verdictOf(await side.pass(declared, { isSync: true })), "refused Auth0Unavailable");
  t.not(await tenant.user(`auth0|${side.uid}`), undefined);

  for (let passes = 0; passes < 2; passes++) await side.pass(declared, { isSync: true });

  t.deepEqual(await namesOf(world, "roles", "roles"), ["support"]);
});

test("a user that is created again is given its roles under Detect, also where that is interrupted", async (t) => {
  const world = await aGivenWorld(t);
  const { tenant, side, clock } = world;
  const upkeep = { ...ENFORCE_ALL, drift: "Detect" } as const;
  const declared = aUserWith({ roles: { items: ["support"], isExact: false } }, { upkeep });
  await side.pass(declared);
  await tenant.deleteUser(`auth0|${side.uid}`);
  await side.pass(declared, { isSync: true });
  await clock.advance(5_000);
  await tenant.faults({ rules: [{ kind: "reset-after", route: "POST /api/v2/users", count: 1 }] });
  t.is(verdictOf(await side.pass(declared, { isSync: true })), "refused Auth0Unavailable");
  t.not(await tenant.user(`auth0|${side.uid}`), undefined);

  for (let passes = 0; passes < 2; passes++) await side.pass(declared, { isSync: true });

  t.deepEqual(await namesOf(world, "roles", "roles"), ["support"]);
});
