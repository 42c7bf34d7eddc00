/** Roles of a user that stands in for one that is gone: what the former had says nothing of this one. */
import test, { type ExecutionContext } from "ava";
import type { JsonObject } from "../../../src/runtime/json.ts";
import { DATABASE, GLOBEX } from "../../histories/names.ts";
import { RESOURCE_SERVER } from "../../histories/assignments.ts";
import type { Call } from "../../histories/wire.ts";
import { aScenario } from "../../histories/scenario.ts";

const JANE = { email: "jane@example.com", adoptionPolicy: "Adopt", recreateAfter: "0s" };

test("a user that stands in for one that is gone is given its roles at once", async (t) => {
  const roles = await rolesOfStandIn(t, { roles: ["reader"] }, { givenName: "Jane" });

  t.deepEqual(roles, ["reader", "writer"]);
});

test("a role that others gave to a user that stands in for one that is gone is not taken from it", async (t) => {
  const roles = await rolesOfStandIn(t, { roles: ["writer"], unsetPolicy: "Remove" }, { roles: ["reader"] });

  t.deepEqual(roles, ["reader", "writer"]);
});

test("a role that was given before the tenant's limit kept the rest waiting is taken back with the spec", async (t) => {
  const scenario = await aScenario(t);
  const side = scenario.sideOf(GLOBEX);
  side.assignments.furnish();
  const uid = scenario.create("a/jane", { ...JANE, unsetPolicy: "Remove" });
  await scenario.rest(60_000);
  const permissions = [{ resourceServer: RESOURCE_SERVER, name: "read" }];
  scenario.edit("a/jane", { spec: { roles: ["reader"], permissions } });
  const isNext = ({ what }: Call): boolean => what.startsWith(`GET ${GLOBEX} /users/auth0|${uid}/permissions`);
  await scenario.rest(1_000, isNext);
  t.deepEqual(side.assignments.of(`auth0|${uid}`, "roles"), ["reader"]);
  for (const call of scenario.life.wire.calls.filter(isNext)) {
    scenario.life.wire.advance(call, { status: 429, isDone: false });
    scenario.life.wire.advance(call);
  }
  await scenario.turn();
  scenario.edit("a/jane", { spec: { roles: null, permissions: null } });
  await scenario.rest(15 * 60_000);

  t.deepEqual(side.assignments.of(`auth0|${uid}`, "roles"), []);
});

/** The user is deleted at Auth0, somebody signs up with its address and becomes a writer, and the spec is edited. */
async function rolesOfStandIn(t: ExecutionContext, spec: JsonObject, edit: JsonObject): Promise<readonly string[]> {
  const scenario = await aScenario(t);
  const side = scenario.sideOf(GLOBEX);
  side.assignments.furnish();
  const uid = scenario.create("a/jane", { ...JANE, ...spec });
  await scenario.rest(1_000);
  side.drop(`auth0|${uid}`);
  const other = String(side.enter({ connection: DATABASE, email: JANE.email })?.user_id);
  side.assignments.change("POST", other, { kind: "roles", name: "writer" });
  scenario.edit("a/jane", { spec: edit });
  await scenario.rest(60_000);

  t.is(scenario.userIdOf("a/jane"), other);
  return side.assignments.of(other, "roles").toSorted();
}
