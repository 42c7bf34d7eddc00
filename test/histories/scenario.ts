/** A stage for one situation, told step by step: what a history found, small enough to be understood. */
import type { ExecutionContext } from "ava";
import type { JsonObject } from "../../src/runtime/json.ts";
import { asObject, metadataOf } from "./cluster.ts";
import { furnish } from "./furnish.ts";
import { DATABASE, usersIn } from "./names.ts";
import { readyOf } from "./reading.ts";
import { Stage } from "./stage.ts";
import type { Call } from "./wire.ts";

const PASSWORD = { secretRef: { name: "password" }, policy: "OnCreate" };

export class Scenario extends Stage {
  /** Resources are named `namespace/name`; those of the process's own tenant unless `spec.tenantRef` says otherwise. */
  create(key: string, spec: JsonObject, metadata: JsonObject = {}): string {
    const [namespace = "", name = ""] = key.split("/");
    const full = { connection: DATABASE, password: PASSWORD, userMetadata: { by: key }, ...spec };
    const created = this.cluster.create(usersIn(namespace), { metadata: { ...metadata, name }, spec: full }, "person");
    return String(metadataOf(created)["uid"]);
  }

  edit(key: string, patch: JsonObject): void {
    this.cluster.mergePatch(pathOf(key), patch, "person");
  }

  delete(key: string): void {
    this.cluster.delete(pathOf(key), "person");
  }

  find(key: string): JsonObject | undefined {
    return this.cluster.find(pathOf(key));
  }

  /** What is under way to this effect. */
  callTo(what: string): Call {
    const call = this.life.wire.calls.find((one) => one.what === what);
    if (call === undefined) throw new Error(`nobody calls ${what}`);
    return call;
  }

  /** The reason of its Ready condition; empty where there is none. */
  reasonOf(key: string): string {
    return readyOf(this.find(key) ?? {}).reason;
  }

  userIdOf(key: string): string {
    return String(asObject(this.find(key)?.["status"])["userId"]);
  }
}

/** With its tenants connected. What goes wrong by the oracle's judgement fails the test. */
export async function aScenario(t: ExecutionContext, maxDeletesPerHour?: number): Promise<Scenario> {
  const scenario = new Scenario(1, maxDeletesPerHour);
  furnish(scenario, { protection: { maxDeletesPerHour } });
  await scenario.rest(1_000);
  t.teardown(() => {
    if (scenario.violations.length > 0) throw new Error(scenario.trace.join("\n"));
  });
  return scenario;
}

function pathOf(key: string): string {
  const [namespace = "", name = ""] = key.split("/");
  return `${usersIn(namespace)}/${name}`;
}
