/** The table of scopes: with exactly these everything works, and without each of them only what needs it stops. */
import test, { type ExecutionContext } from "ava";
import { aDesiredUser } from "../support/builders.ts";
import { ALL_SCOPES } from "../../src/reconcile/scopes.ts";
import { messageOf, verdictOf } from "../support/side-world.ts";
import { Side, directoryOf } from "../support/side.ts";
import { ADMIN_CLIENT, startTestSimulator, type TestSimulator } from "../support/start-simulator.ts";

const API = "https://api.example.com";

/** Everything that can be declared of a user. */
const EVERYTHING = aDesiredUser(
  { nickname: "jd" },
  {
    userMetadata: { team: "a" },
    assignments: {
      roles: { items: ["support"], isExact: true },
      permissions: { items: [{ resourceServer: API, name: "read:reports" }], isExact: true },
      organizations: { items: [{ organization: { name: "acme" }, roles: ["support"] }], isExact: true },
    },
  },
);

/** Feature by feature, what was said: nothing where it worked. */
async function live(t: ExecutionContext, scopes: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const tenant = await startTestSimulator(t, { admin: ADMIN_CLIENT });
  await furnish(tenant);
  await tenant.editClient({ scopes });
  const { api, directory } = directoryOf(tenant);
  t.teardown(() => {
    api.close();
  });
  const side = new Side(directory);
  const signal = new AbortController().signal;
  const said: Record<string, string> = {};
  const pass = async (feature: string, isSync: boolean, desired = EVERYTHING): Promise<void> => {
    const outcome = await side.pass(desired, { isSync });
    if (!verdictOf(outcome).startsWith("ready")) said[feature] = `${verdictOf(outcome)}: ${messageOf(outcome)}`;
  };
  const act = async (feature: string, action: () => Promise<unknown>): Promise<void> => {
    await action().catch((error: unknown) => {
      said[feature] = String(error);
    });
  };

  await pass("create", false);
  await pass("compare", true);
  await pass("change", false, { ...EVERYTHING, attributes: { ...EVERYTHING.attributes, nickname: "new" } });
  await pass("take back", true, { ...EVERYTHING, assignments: NOTHING });
  const user = side.record.userId;
  if (user === undefined) return said;
  const isCore = ["read:users", "update:users"].every((scope) => scopes.includes(scope));
  if (isCore) t.is((await tenant.user(user))?.["nickname"], "jd", "the rest goes on");
  await act("verification-email", () => directory.actions.sendVerificationEmail(user, signal));
  await act("password-change-ticket", () => directory.actions.createPasswordTicket(user, signal));
  await act("revoke-access", () => directory.actions.revokeAccess(user, signal));
  await act("unblock", () => directory.actions.unblock(user, signal));
  const end = await side.end(EVERYTHING);
  if (end.kind !== "released") said["delete"] = end.message;
  return said;
}

const NOTHING = {
  roles: { items: [], isExact: true },
  permissions: { items: [], isExact: true },
  organizations: { items: [], isExact: true },
};

async function furnish(tenant: TestSimulator): Promise<void> {
  await tenant.api("POST", "/api/v2/roles", { name: "support" });
  await tenant.api("POST", "/api/v2/organizations", { name: "acme" });
  const scopes = [{ value: "read:reports" }];
  await tenant.api("POST", "/api/v2/resource-servers", { identifier: API, name: "Reports", scopes });
}

test("with exactly the scopes of the table everything works", async (t) => {
  t.deepEqual(await live(t, ALL_SCOPES), {});
});

test("the table never asks for the tokens of identity providers", (t) => {
  t.false(ALL_SCOPES.includes("read:user_idp_tokens"));
});

/** What stops without a scope; for most reads and writes Auth0 takes any of several, so that nothing stops. */
const STOPS: Readonly<Record<string, readonly string[]>> = {
  "create:users": ["create", "compare", "change", "take back"],
  "read:users": ["create", "compare", "change", "take back"],
  "update:users": ["create", "compare", "change", "verification-email", "unblock"],
  "delete:users": ["delete"],
  "read:roles": ["create", "compare", "change", "take back"],
  "read:role_members": ["create", "compare", "change", "take back"],
  "read:organizations": ["create", "compare", "change", "take back"],
  "create:organization_members": ["create", "compare", "change"],
  "delete:organization_members": ["take back"],
  "read:organization_member_roles": ["create", "compare", "change"],
  "create:organization_member_roles": ["create", "compare", "change"],
  "create:user_tickets": ["password-change-ticket"],
};
for (const scope of ALL_SCOPES) {
  test(`without ${scope} what needs it says so, and the rest goes on`, async (t) => {
    const said = await live(
      t,
      ALL_SCOPES.filter((one) => one !== scope),
    );

    t.log(Object.keys(said).join(", ") || "nothing stops");
    t.deepEqual(Object.keys(said), STOPS[scope] ?? []);
    for (const text of Object.values(said)) t.true(text.includes(scope), text);
  });
}
