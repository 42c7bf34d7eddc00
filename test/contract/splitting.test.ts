/** The five pairs that Auth0 refuses to take in one PATCH: each goes in two, in an order that a crash may interrupt. */
import test from "ava";
import type { RootAttributes } from "../../src/core/desired-user.ts";
import { aDesiredUser } from "../support/builders.ts";
import { aSideWorld, given, sent, verdictOf } from "../support/side-world.ts";

const START = { username: "jane", emailVerified: false };
const PASSWORD = ["PATCH", { password: "*****" }];
const USERNAME = ["PATCH", { username: "janet" }];
const EMAIL = ["PATCH", { email: "new@example.com", email_verified: false, verify_email: false }];
const VERIFIED = ["PATCH", { email_verified: true }];

const pairs: [title: string, attributes: RootAttributes, isPasswordNew: boolean, parts: unknown[]][] = [
  ["password and email", { email: "new@example.com" }, true, [EMAIL, PASSWORD]],
  ["password and emailVerified", { emailVerified: true }, true, [VERIFIED, PASSWORD]],
  ["username and email", { username: "janet", email: "new@example.com" }, false, [USERNAME, EMAIL]],
  ["username and emailVerified", { username: "janet", emailVerified: true }, false, [USERNAME, VERIFIED]],
  ["username and password", { username: "janet" }, true, [USERNAME, PASSWORD]],
];

for (const [title, attributes, isPasswordNew, parts] of pairs) {
  test(`${title} go in two calls`, async (t) => {
    const { tenant, side } = await aSideWorld(t);
    await side.pass(aDesiredUser(START), { password: given("Correct-Horse-7") });
    await sent(tenant);

    const password = given(isPasswordNew ? "Correct-Horse-8" : "Correct-Horse-7", isPasswordNew ? "changed" : "same");
    const outcome = await side.pass(aDesiredUser({ ...START, ...attributes }), { password });

    t.is(verdictOf(outcome), "ready Updated");
    t.deepEqual(await sent(tenant), parts);
  });

  test(`${title}: what is left after a failure between the calls is done by the next pass`, async (t) => {
    const { tenant, side } = await aSideWorld(t);
    await side.pass(aDesiredUser(START), { password: given("Correct-Horse-7") });
    await sent(tenant);
    const desired = aDesiredUser({ ...START, ...attributes });
    const password = given(isPasswordNew ? "Correct-Horse-8" : "Correct-Horse-7", isPasswordNew ? "changed" : "same");
    await tenant.faults({ rules: [{ kind: "reset-after", route: "PATCH /api/v2/users/{id}", count: 1 }] });

    t.is(verdictOf(await side.pass(desired, { password })), "refused Auth0Unavailable");
    side.forget();
    t.is(verdictOf(await side.pass(desired, { password })), "ready Updated");

    t.deepEqual(await sent(tenant), [parts[0], "GET", parts[1]]);
    if (isPasswordNew) t.true(await tenant.passwordMatches(`auth0|${side.uid}`, "Correct-Horse-8"));
  });
}
