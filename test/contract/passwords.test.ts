/** What a connection demands of passwords, known before one leaves the cluster. */
import test from "ava";
import type { JsonObject } from "../../src/runtime/json.ts";
import { DATABASE, aDesiredUser } from "../support/builders.ts";
import { aSideWorld, given, sent } from "../support/side-world.ts";

const databaseWith = (options: JsonObject) => ({
  connections: [
    {
      name: DATABASE,
      options: {
        attributes: {
          email: { identifier: { active: true }, profile_required: true, unique: true },
          username: { identifier: { active: true }, profile_required: false },
        },
        passwordPolicy: "good",
        ...options,
      },
    },
  ],
});

test("a password that holds the name that the user has at Auth0 does not leave the cluster", async (t) => {
  const { tenant, side } = await aSideWorld(t, databaseWith({ password_no_personal_info: { enable: true } }));
  await side.pass(aDesiredUser(), { password: given("Correct-Horse-7") });
  await tenant.patchUser(`auth0|${side.uid}`, { given_name: "Augusta" });
  await side.pass(aDesiredUser(), { isSync: true });
  await sent(tenant);

  // As a spec is read: what it does not mention is undefined, and there.
  const outcome = await side.pass(aDesiredUser({ givenName: undefined }), {
    password: given("Augusta-Horse-8"),
    isSync: true,
  });

  t.is(outcome.passwordFailure?.reason, "PasswordRejected");
  t.false(
    (await sent(tenant)).some((call) => Array.isArray(call) && call[0] === "PATCH"),
    "it was sent",
  );
});
