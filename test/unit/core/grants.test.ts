/** What is granted to whom: a table, and the second look, at the observed user. */
import test from "ava";
import {
  findNamesToLookUp,
  findNotGranted,
  findNotGrantedOn,
  type Grant,
  type Grants,
} from "../../../src/core/grants.ts";
import { connectionName } from "../../../src/core/ids.ts";
import { aDesiredUser, anObservedUser } from "../../support/builders.ts";

const plain = { desired: aDesiredUser(), adopts: false, setsPassword: false };

const CASES: Readonly<Record<string, readonly [Grants, typeof plain, readonly string[]]>> = {
  "everything is granted by all": ["all", { ...plain, adopts: true, setsPassword: true }, []],
  "no grant allows nothing": [[], plain, ["anything at all (grants)"]],
  "an empty grant allows what identifies": [[{}], plain, []],
  "a connection that is not listed is refused": [
    [{ connections: ["other"] }],
    plain,
    ["connection Username-Password-Authentication (connections)"],
  ],
  "an address of another domain is refused": [
    [{ emailDomains: ["acme.example", "*.example.com"] }],
    plain,
    ["addresses in example.com (emailDomains)"],
  ],
  "a listed domain is granted, whatever its case": [[{ emailDomains: ["Example.COM"] }], plain, []],
  "what lies below a domain is granted by an asterisk": [
    [{ emailDomains: ["*.example.com"] }],
    { ...plain, desired: aDesiredUser({ email: "jane@hr.example.com" }) },
    [],
  ],
  "narrowed domains require an address": [
    [{ emailDomains: ["example.com"] }],
    { ...plain, desired: aDesiredUser({ email: undefined, username: "jane" }) },
    ["a user without an address (emailDomains)"],
  ],
  "keys of app_metadata are closed unless listed": [
    [{ appMetadataKeys: ["team"] }],
    { ...plain, desired: aDesiredUser({}, { appMetadata: { team: "a", plan: null } }) },
    ["spec.appMetadata.plan (appMetadataKeys)"],
  ],
  "roles, organizations and permissions are closed unless listed, and Exact needs them all": [
    [{ roles: ["support"], permissions: ["https://api read:a"] }],
    {
      ...plain,
      desired: aDesiredUser(
        {},
        {
          assignments: {
            roles: { items: ["support", "admin"], isExact: true },
            permissions: {
              items: [
                { resourceServer: "https://api", name: "read:a" },
                { resourceServer: "https://api", name: "write:a" },
              ],
              isExact: false,
            },
            organizations: { items: [{ organization: { name: "acme" }, roles: ["owner"] }], isExact: false },
          },
        },
      ),
    },
    [
      "admin (roles)",
      "owner (roles)",
      'spec.rolesPolicy: Exact (roles: ["*"])',
      "https://api write:a (permissions)",
      "acme (organizations)",
    ],
  ],
  "verified flags are closed unless granted": [
    [{}],
    { ...plain, desired: aDesiredUser({ phoneVerified: true }) },
    ["spec.emailVerified or phoneVerified: true (emailVerified)"],
  ],
  "an address that is declared unconfirmed needs no grant": [
    [{}],
    { ...plain, desired: aDesiredUser({ emailVerified: false }) },
    [],
  ],
  "adopting, and the password of whom is adopted, are closed unless granted": [
    [{}],
    { ...plain, adopts: true, setsPassword: true },
    ["taking over existing users (adopt)", "spec.password on a user that is taken over (passwordOnAdopted)"],
  ],
  "a power that another connection was granted does not count": [
    [{ connections: ["other"], adopt: true }, {}],
    { ...plain, adopts: true },
    ["taking over existing users (adopt)"],
  ],
};

for (const [title, [grants, asked, expected]] of Object.entries(CASES)) {
  test(title, (t) => {
    t.deepEqual(findNotGranted(grants, asked), expected);
  });
}

test("an observed user is judged by its own connection and address, not by the declared ones", (t) => {
  const grants: Grant[] = [{ emailDomains: ["example.com"], adopt: true }];
  const elsewhere = [{ connection: connectionName("other"), provider: "auth0", id: "jane" }];

  t.is(findNotGrantedOn(grants, anObservedUser()), undefined);
  t.is(findNotGrantedOn("all", anObservedUser()), undefined);
  t.regex(findNotGrantedOn(grants, anObservedUser({ email: "ceo@acme.example" })) ?? "", /addresses in acme\.example/);
  t.regex(
    findNotGrantedOn([{ connections: ["db"], adopt: true }], anObservedUser({}, { identities: elsewhere })) ?? "",
    /connection other/,
  );
  t.regex(findNotGrantedOn([{}], anObservedUser()) ?? "", /adopt/);
});

const withRole = (role: string) =>
  aDesiredUser(
    {},
    { assignments: { roles: { items: [role], isExact: false }, permissions: undefined, organizations: undefined } },
  );
const IDS = { roles: new Map([["support", "rol_1"]]), organizations: new Map<string, string>() };

for (const [title, listed, role, lookedUp, missing] of [
  ["a role granted by name and declared by its id is granted", "support", "rol_1", ["support"], []],
  ["a role granted by id and declared by its name is granted", "rol_1", "support", ["support"], []],
  ["another role's id is not granted", "support", "rol_2", ["support"], ["rol_2 (roles)"]],
  ["another role's name is not granted by an id", "rol_1", "admin", ["admin"], ["admin (roles)"]],
  ["two names need no look at Auth0", "support", "admin", [], ["admin (roles)"]],
  ["two ids need no look at Auth0", "rol_1", "rol_2", [], ["rol_2 (roles)"]],
  ["what is listed as it is declared needs no look at Auth0", "support", "support", [], []],
  ["where all are granted nothing is looked up", "*", "rol_2", [], []],
] as const) {
  test(title, (t) => {
    const grants: Grant[] = [{ roles: [listed] }];

    t.deepEqual(findNamesToLookUp(grants, withRole(role)).roles, lookedUp);
    t.deepEqual(findNotGranted(grants, { ...plain, desired: withRole(role) }, IDS), missing);
  });
}

test("nothing is looked up for a user that may not be declared at all", (t) => {
  t.deepEqual(findNamesToLookUp([{ connections: ["other"], roles: ["support"] }], withRole("rol_1")).roles, []);
});
