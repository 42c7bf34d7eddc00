/** Kinds that need not be there, and an API server that is not well just when they are looked for. */
import test from "ava";
import { aScenario } from "../../histories/scenario.ts";
import type { Call } from "../../histories/wire.ts";

for (const [title, first] of [
  ["without the kinds of tenant objects users of the operator's own tenant are looked after", 404],
  ["the same where the API server was not well at the first look", 503],
] as const) {
  test(title, async (t) => {
    const scenario = await aScenario(t);
    scenario.restart();
    const isTenants = ({ what }: Call): boolean => /^(?:GET|WATCH) \/(?:cluster)?auth0tenants$/.test(what);
    const looked = new Set<string>();
    scenario.create("a/jane", { email: "jane@example.com" });
    for (let minutes = 0; minutes < 10; minutes++) {
      for (let each = 0; each < 12; each++) {
        await scenario.rest(5_000, isTenants);
        for (const call of scenario.life.wire.calls.filter(isTenants)) {
          const status = looked.has(call.what) ? 404 : first;
          looked.add(call.what);
          scenario.life.wire.advance(call, { status, isDone: false });
          scenario.life.wire.advance(call);
        }
      }
    }

    t.is(scenario.reasonOf("a/jane"), "Created");
  });
}
