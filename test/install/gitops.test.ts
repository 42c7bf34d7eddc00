/** Argo CD, Flux and kubectl wait: in every phase of a user's life they think of it what is so. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import test from "ava";
import * as yaml from "js-yaml";
import { isJsonObject } from "../../src/runtime/json.ts";
import { clusterTests } from "../support/control-plane.ts";
import { eventually } from "../support/eventually.ts";
import { kstatusOf, type KStatus } from "../support/kstatus.ts";
import { toolTests } from "../support/tools.ts";
import { aWorld, type Shown } from "../support/world.ts";

const CHECK = "manifests/argocd/resource_customizations/auth0-user-operator.dev/Auth0User";
const LUA = "apt-get install lua5.4";
const clusterTest = await clusterTests({ controllerManager: false });
const luaTest = toolTests(["lua5.4"], LUA, test);
const luaClusterTest = toolTests(["lua5.4"], LUA, clusterTest);

interface HealthTests {
  readonly tests: readonly {
    readonly healthStatus: { readonly status: string; readonly message: string };
    readonly inputPath: string;
  }[];
}

/** As Argo CD's own test reads it. */
const { tests } = yaml.load(readFileSync(`${CHECK}/health_test.yaml`, "utf8")) as HealthTests;
for (const { inputPath, healthStatus } of tests) {
  luaTest(`Argo CD finds ${path.basename(inputPath, ".yaml")} ${healthStatus.status}`, async (t, { "lua5.4": lua }) => {
    const object = yaml.load(readFileSync(path.join(CHECK, inputPath), "utf8"));

    t.deepEqual(healthOf(lua, object), healthStatus);
    await Promise.resolve();
  });
}

luaClusterTest(
  "in every phase of a real user all of them agree with what is so",
  async (t, { "lua5.4": lua }, cluster) => {
    const world = await aWorld(t, cluster, { isStarted: false });
    const think = (shown: Shown): [kstatus: KStatus, argo: string] => [kstatusOf(shown), healthOf(lua, shown).status];
    const waits = async (condition: string): Promise<number | null> =>
      (await world.kubectl(["wait", condition, "auth0user/jane", "--timeout=20s"])).exitCode;
    const spec = { connection: "Username-Password-Authentication", email: "jane@example.com" };
    const password = { secretRef: { name: "jane" } };

    await world.apply("jim", { connection: "nowhere", email: "jim@example.com" });
    await world.apply("jane", { ...spec, password });
    t.is(think(await world.get("jane"))[1], "Progressing", "before the operator has seen it");

    await world.start();
    t.deepEqual(think(await world.until("jim", "ConnectionNotFound")), ["Failed", "Degraded"]);
    t.deepEqual(think(await world.until("jane", "SecretNotFound")), ["InProgress", "Progressing"]);

    await world.tenant.faults({ rules: [{ kind: "status", status: 503, route: "POST /api/v2/users" }] });
    await world.secret("jane", { password: "Correct-Horse-1" });
    await world.edit("jane", { nickname: "jane" });
    t.deepEqual(think(await world.until("jane", "Auth0Unavailable")), ["InProgress", "Progressing"]);

    await world.tenant.faults({});
    t.is(await waits("--for=condition=Ready"), 0);
    t.deepEqual(think(await world.get("jane")), ["Current", "Healthy"]);

    await world.stop();
    await world.edit("jane", { nickname: "joan" });
    t.deepEqual(think(await world.get("jane")), ["InProgress", "Progressing"]);
    await world.start();
    t.deepEqual(think(await world.until("jane", "Updated")), ["Current", "Healthy"]);

    await world.edit("jane", { suspend: true });
    const suspended = await eventually(async () => {
      const shown = await world.get("jane");
      if (think(shown)[1] !== "Suspended") throw new Error(JSON.stringify(shown.status));
      return shown;
    });
    t.deepEqual(think(suspended), ["Current", "Suspended"]);

    await world.stop();
    await world.must(["delete", "auth0user", "jane", "--wait=false"]);
    t.deepEqual(think(await world.get("jane")), ["Terminating", "Progressing"]);
    await world.start();
    t.is(await waits("--for=delete"), 0);
  },
);

for (const flags of [[], ["--server-side"]]) {
  clusterTest(
    `nothing appears in a spec behind its author's back: kubectl diff ${flags.join("")}`,
    async (t, cluster) => {
      const world = await aWorld(t, cluster);
      await world.must(["apply", "-f", "examples/", ...flags]);
      await world.must(["wait", "--for=condition=Ready", "auth0users", "--all", "--timeout=60s"]);

      const { stdout, exitCode } = await world.kubectl(["diff", "-f", "examples/", ...flags]);

      t.is(exitCode, 0, stdout);
    },
  );
}

/** What the health check says, by a real Lua. */
function healthOf(lua: string, object: unknown): { status: string; message: string } {
  const script = readFileSync(`${CHECK}/health.lua`, "utf8");
  const program = `local obj = ${luaOf(object)}
local hs = (function()
${script}
end)()
io.write(hs.status, "\\n", hs.message)`;
  const { stdout, stderr, status } = spawnSync(lua, ["-"], { input: program, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  const [health = "", ...message] = stdout.split("\n");
  return { status: health, message: message.join("\n") };
}

/** JSON as a Lua value; a null is absent. */
function luaOf(value: unknown): string {
  if (Array.isArray(value)) return `{${value.map(luaOf).join(", ")}}`;
  if (isJsonObject(value)) {
    const entries = Object.entries(value).filter(([, inner]) => inner !== null && inner !== undefined);
    return `{${entries.map(([key, inner]) => `[${JSON.stringify(key)}] = ${luaOf(inner)}`).join(", ")}}`;
  }
  return JSON.stringify(value);
}
