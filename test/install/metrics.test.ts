/**
 * What the operator tells of itself: documented, well formed, and enough for every query of the dashboard and the alerts,
 * which a real Prometheus asks of a real run.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import type { ExecutionContext } from "ava";
import * as yaml from "js-yaml";
import { findFreePort } from "../../src/control-plane/free-port.ts";
import { runCommand } from "../../src/control-plane/run-command.ts";
import { REASONS } from "../../src/reconcile/reasons.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { clusterTests, type TestCluster } from "../support/control-plane.ts";
import { eventually } from "../support/eventually.ts";
import { aTempFolder } from "../support/temp-folder.ts";
import { toolTests } from "../support/tools.ts";
import { aWorld, type World } from "../support/world.ts";

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[];
}

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}

const never = new AbortController().signal;
const clusterTest = await clusterTests({ controllerManager: false });
const prometheusTest = toolTests(["prometheus", "promtool"], "apt-get install prometheus", clusterTest);

const { groups } = yaml.load(readFileSync("charts/auth0-user-operator/files/alerts.yaml", "utf8")) as Rules;
const rules = groups.flatMap((group) => group.rules);

clusterTest("every metric that is told is documented", async (t, cluster) => {
  const documented = readFileSync("docs/metrics.md", "utf8");

  const world = await aBusyWorld(t, cluster);

  const metrics = await world.metrics();
  const names = [...metrics.matchAll(/^# TYPE (\S+)/gm)].map(([, name = ""]) => name);
  t.true(names.length > 20);
  t.regex(metrics, /^auth0_user_operator_users\{tenant="127[^"]+",reason="\w+"\} 1$/m);
  t.deepEqual(
    names.filter((name) => !/^(process|nodejs)_/.test(name) && !documented.includes(`\`${name}\``)),
    [],
  );
});

prometheusTest("promtool finds nothing to object to in metrics and alerts", async (t, { promtool }, cluster) => {
  const world = await aBusyWorld(t, cluster);
  for (const [args, input] of [
    [["check", "metrics"], await world.metrics()],
    [["check", "rules", "charts/auth0-user-operator/files/alerts.yaml"], ""],
    [["test", "rules", "test/install/alerts.rules.yaml"], ""],
  ] as const) {
    const { exitCode, stdout, stderr } = await runCommand(promtool, args, { env: {}, input }, never);

    t.is(exitCode, 0, `${args.join(" ")}: ${stdout}${stderr}`);
  }
});

prometheusTest("every query of dashboard and alerts is answered by a real run", async (t, { prometheus }, cluster) => {
  const { panels } = JSON.parse(readFileSync("charts/auth0-user-operator/files/dashboard.json", "utf8")) as Dashboard;
  const world = await aBusyWorld(t, cluster);
  const ask = await aPrometheus(t, prometheus, world.metricsAddress);

  for (const { title, targets = [] } of panels) {
    for (const { expr } of targets) {
      const query = expr.replaceAll("$__rate_interval", "1m").replaceAll("$tenant", ".*");
      const found = await eventually(async () => {
        const result = await ask(query);
        if (result.length === 0) throw new Error(`${title} shows nothing: ${query}`);
        return result;
      });
      t.true(found.length > 0);
    }
  }
  for (const { alert, expr } of rules) {
    // All that an alert looks at is there; that it fires when it should is for `promtool test rules`.
    for (const [metric] of expr.matchAll(/[a-z0-9_]+_(total|seconds|status|users|info)\b(?=[{[\s)]|$)/g)) {
      t.true((await ask(metric)).length > 0, `${alert}: ${metric}`);
    }
    await t.notThrowsAsync(ask(expr), alert);
  }
});

clusterTest("the reasons that alerts name are reasons", async (t) => {
  const named = rules
    .flatMap(({ expr }) => [...expr.matchAll(/reason!?=~"([^"]*)"/g)])
    .flatMap(([, list = ""]) => list.split("|"));

  t.true(named.length > 0);
  t.deepEqual(
    named.filter((reason) => !(reason in REASONS) && reason !== "Pending"),
    [],
  );
  await Promise.resolve();
});

/** An operator that has created, repaired, left alone and refused something, under a rate limit. */
async function aBusyWorld(t: ExecutionContext, cluster: TestCluster): Promise<World> {
  const world = await aWorld(t, cluster, { simulator: { plan: "free" }, flags: ["--leader-elect"] });
  await world.secret("jane", { password: "Correct-Horse-1" });
  const password = { secretRef: { name: "jane" } };
  const connection = "Username-Password-Authentication";
  await world.apply("jane", { connection, email: "jane@example.com", nickname: "jane", blocked: false, password });
  const { status } = await world.until("jane", "Created");
  await world.apply("jim", { connection: "nowhere", email: "jim@example.com" });
  await world.until("jim", "ConnectionNotFound");
  await world.tenant.patchUser(status?.userId ?? "", { nickname: "joan", blocked: true });
  await world.sync("jane");
  return world;
}

/** A Prometheus that scrapes one address each second; gives a function that asks it. */
async function aPrometheus(
  t: ExecutionContext,
  program: string,
  target: string,
): Promise<(query: string) => Promise<readonly unknown[]>> {
  const folder = aTempFolder(t);
  const config = folder.write(
    "prometheus.yaml",
    JSON.stringify({
      global: { scrape_interval: "1s" },
      scrape_configs: [{ job_name: "operator", static_configs: [{ targets: [target] }] }],
    }),
  );
  const address = `127.0.0.1:${String(await findFreePort(systemRandom))}`;
  const child = spawn(
    program,
    [`--config.file=${config}`, `--storage.tsdb.path=${folder.path}/data`, `--web.listen-address=${address}`],
    { stdio: "ignore" },
  );
  t.teardown(() => child.kill("SIGKILL"));
  const ask = async (query: string): Promise<readonly unknown[]> => {
    const response = await fetch(`http://${address}/api/v1/query`, {
      method: "POST",
      body: new URLSearchParams({ query }),
    });
    const answer = (await response.json()) as { status: string; error?: string; data?: { result: readonly unknown[] } };
    if (answer.data === undefined) throw new Error(`${query}: ${answer.error ?? answer.status}`);
    return answer.data.result;
  };
  await eventually(async () => {
    if ((await ask("count_over_time(up[1m]) >= 3")).length === 0) throw new Error("nothing is scraped yet");
  });
  return ask;
}
