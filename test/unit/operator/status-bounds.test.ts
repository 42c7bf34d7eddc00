/** What the API server takes of a status is bounded: one that is too long is refused whole, and nobody learns anything. */
import test from "ava";
import { RECONCILE_ANNOTATION } from "../../../src/api/names.ts";
import { parseUserStatus } from "../../../src/api/validate.ts";
import { asObject } from "../../histories/cluster.ts";
import { aScenario } from "../../histories/scenario.ts";

test("a resource that asks for much that is not granted is told so in a message that the API server takes", async (t) => {
  const scenario = await aScenario(t);
  const permissions = Array.from({ length: 700 }, (_, index) => ({
    resourceServer: "https://api.example.com/v1",
    name: `read:thing-${String(index)}`,
  }));
  const tenantRef = { kind: "ClusterAuth0Tenant", name: "acme" };
  scenario.create("a/jane", { tenantRef, email: "jane@example.com", permissions });
  await scenario.rest(60_000);

  t.is(scenario.reasonOf("a/jane"), "NotGranted");
  const status = asObject(scenario.find("a/jane")?.["status"]);
  t.true(parseUserStatus(status).conditions !== undefined, "the schema of the CRD refuses it");
});

test("a long value of the annotation that asks for a pass is noted in a form that the API server takes", async (t) => {
  const scenario = await aScenario(t);
  const annotations = { [RECONCILE_ANNOTATION]: "because of the incident; ".repeat(20) };
  scenario.create("a/jane", { email: "jane@example.com" }, { annotations });
  await scenario.rest(60_000);

  const status = asObject(scenario.find("a/jane")?.["status"]);
  t.true(parseUserStatus(status).conditions !== undefined, "the schema of the CRD refuses it");
});
