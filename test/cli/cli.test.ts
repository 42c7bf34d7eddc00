/** The program in a folder of its own: what it prints, how it exits, what is at the tenant afterwards. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import test, { type ExecutionContext } from "ava";
import { AuditChain } from "../../src/runtime/audit-chain.ts";
import { eventually } from "../support/eventually.ts";
import { program } from "../support/program.ts";
import { startTestSimulator, type TestSimulator } from "../support/start-simulator.ts";

const USER = `apiVersion: auth0-user-operator.dev/v1alpha1
kind: Auth0User
metadata:
  name: jane
spec:
  connection: email
  email: jane@example.com
  nickname: jd
`;

async function aFolder(t: ExecutionContext, files: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "cli-test-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), text);
  }
  return folder;
}

function tenantOf({ url, clientId, clientSecret }: TestSimulator): Record<string, string> {
  return { AUTH0_DOMAIN: url, AUTH0_CLIENT_ID: clientId, AUTH0_CLIENT_SECRET: clientSecret };
}

test("validate finds every problem with file, line and path, and exits with 1", async (t) => {
  const folder = await aFolder(t, {
    "a.yaml": USER.replace("nickname: jd", "nickName: jd\n  blocked: on\n  email_verified: true"),
    "deep/b.yaml": `${USER.replace("name: jane", "name: Jane")}---\n${USER}`,
    "c.yml": "kind: ConfigMap\ndata:\n  yes: no\n",
    "broken.yaml": "kind: [Auth0User\n",
    "README.md": "no manifest",
  });

  const { stdout, exitCode } = await program(["validate", folder]);

  t.is(exitCode, 1);
  t.deepEqual(stdout.trim().replaceAll(`${folder}/`, "").split("\n"), [
    "a.yaml:9: spec.blocked: kubectl reads on differently from other YAML readers: put it in quotes, or write what you mean (true, false, a decimal number)",
    "a.yaml:8: spec.nickName: unknown field; did you mean nickname?",
    "a.yaml:10: spec.email_verified: unknown field; did you mean emailVerified?",
    "a.yaml:9: spec.blocked: must be boolean",
    "broken.yaml:2: deficient indentation",
    "deep/b.yaml:4: metadata.name: must be a name: lower-case letters, digits, - and ., at most 253 characters",
    "1 valid, 6 problems",
  ]);
});

test("validate says so in JSON too, and takes the examples as they are", async (t) => {
  const { stdout, exitCode } = await program(["validate", "-o", "json", "examples"]);

  t.is(exitCode, 0);
  t.like(JSON.parse(stdout), { valid: true, issues: [] });
});

test("two documents of one name are a problem that names both", async (t) => {
  const folder = await aFolder(t, { "a.yaml": USER, "b.yaml": USER });

  const { stdout } = await program(["validate", folder]);

  t.regex(stdout, /b\.yaml:1: metadata\.name: default\/jane is declared already, at .*a\.yaml:1/);
});

test("apply brings about what the files say, and a second run changes nothing", async (t) => {
  const tenant = await startTestSimulator(t);
  const folder = await aFolder(t);
  await cp("examples", folder, { recursive: true });

  const first = await program(["apply", folder], tenantOf(tenant));
  t.is(first.exitCode, 0, first.stderr);
  t.regex(first.stdout, /^default\/jane Created: the user was created \(auth0\|[0-9a-f]{24}\)$/m);
  const users = String(readdirSync("examples").filter((name) => name.endsWith(".yaml")).length);
  t.true(first.stderr.includes(`${users} of ${users} users are as declared`));
  t.like(await tenant.user("jane@example.com"), { nickname: "jd", given_name: "Jane" });
  const { user_id: id } = (await tenant.user("jane@example.com")) ?? { user_id: "" };
  t.true(await tenant.passwordMatches(id, "Change-Me-Soon-2"));
  await tenant.clearCalls();

  const second = await program(["apply", folder], tenantOf(tenant));
  t.is(second.exitCode, 0);
  t.is(second.stdout, "");
  t.deepEqual(Object.keys((await tenant.calls()).byRoute).toSorted(), [
    "GET /api/v2/users-by-email",
    "GET /api/v2/users/{id}",
    "POST /oauth/token",
  ]);
  t.notRegex(`${first.stdout}${first.stderr}${second.stderr}`, /Change-Me-Soon|simulator-secret/);
});

test("apply repairs drift, and sends passwords of users that exist only when told", async (t) => {
  const tenant = await startTestSimulator(t);
  const folder = await aFolder(t);
  await cp("examples/02-profile.yaml", path.join(folder, "jane.yaml"));
  await program(["apply", folder], tenantOf(tenant));
  const { user_id: id } = (await tenant.user("jane@example.com")) ?? { user_id: "" };
  await tenant.patchUser(id, { nickname: "by hand", password: "Somebody-Else-9" });

  const repaired = await program(["apply", folder], tenantOf(tenant));
  t.regex(repaired.stdout, /jane DriftCorrected: set back what was changed at Auth0: nickname/);
  t.false(await tenant.passwordMatches(id, "Change-Me-Soon-2"));

  await program(["apply", "--set-passwords", folder], tenantOf(tenant));
  t.true(await tenant.passwordMatches(id, "Change-Me-Soon-2"));
});

test("apply does not inherit the account of a former person by the name of a file", async (t) => {
  const tenant = await startTestSimulator(t);
  const folder = await aFolder(t, {
    "jane.yaml": USER.replace("connection: email", "connection: Username-Password-Authentication\n  username: jane"),
  });
  const secret = "\n  password:\n    secretRef:\n      name: jane\n";
  await writeFile(
    path.join(folder, "jane.yaml"),
    `${USER.replace("connection: email", "connection: Username-Password-Authentication").trimEnd()}${secret}---\nkind: Secret\nmetadata:\n  name: jane\n  labels:\n    auth0-user-operator.dev/use: password\nstringData:\n  password: Correct-Horse-7\n`,
  );
  await program(["apply", folder], tenantOf(tenant));
  const { user_id: id } = (await tenant.user("jane@example.com")) ?? { user_id: "" };
  await tenant.patchUser(id, { app_metadata: { auth0_user_operator: null } });

  const { exitCode, stderr } = await program(["apply", folder], tenantOf(tenant));

  t.is(exitCode, 1);
  t.regex(stderr, /UserConflict: nothing proves that auth0\|/);
});

test("apply prints what a takeover under review would change, and makes it once the document approves it", async (t) => {
  const tenant = await startTestSimulator(t);
  const folder = await aFolder(t, { "jane.yaml": `${USER}  adoptionPolicy: Review\n` });
  const { user_id: id } = await tenant.addUser({ connection: "email", email: "jane@example.com", nickname: "old" });

  const { exitCode, stderr } = await program(["apply", folder], tenantOf(tenant));
  t.is(exitCode, 1);
  t.regex(stderr, /^ {2}Set nickname: "old" → "jd"$/m);
  t.is((await tenant.user(id))?.["nickname"], "old");

  const hash = /approve-plan is (\S+)/.exec(stderr)?.[1] ?? "";
  const approval = `  name: jane\n  annotations:\n    auth0-user-operator.dev/approve-plan: "${hash}"\n`;
  await writeFile(
    path.join(folder, "jane.yaml"),
    `${USER.replace("  name: jane\n", approval)}  adoptionPolicy: Review\n`,
  );
  const approved = await program(["apply", folder], tenantOf(tenant));
  t.regex(approved.stdout, /jane Adopted/, approved.stderr);
  t.is((await tenant.user(id))?.["nickname"], "jd");

  const again = await program(["apply", folder], tenantOf(tenant));
  t.deepEqual([again.exitCode, again.stdout], [0, ""], "its marker says that it was taken over");
});

test("apply sends nothing while a file has problems", async (t) => {
  const tenant = await startTestSimulator(t);
  const folder = await aFolder(t, {
    "good.yaml": USER,
    "bad.yaml": USER.replace("name: jane", "name: joe").replace("jd", '""'),
  });

  const { exitCode, stderr } = await program(["apply", folder], tenantOf(tenant));

  t.is(exitCode, 1);
  t.regex(stderr, /bad\.yaml:8: spec\.nickname: .*\nnothing was sent/);
  t.is((await tenant.calls()).total, 0);
});

test("apply --watch follows the files: creates, edits, keeps what is broken, prunes what vanishes, ends on SIGTERM", async (t) => {
  const tenant = await startTestSimulator(t);
  const folder = await aFolder(t, { "jane.yaml": USER });
  const child = spawn(process.execPath, ["dist/main.js", "apply", "--watch", "--prune", folder], {
    env: tenantOf(tenant),
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.teardown(() => void child.kill("SIGKILL"));
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  const seen = (fact: (user: Readonly<Record<string, unknown>> | undefined) => boolean): Promise<void> =>
    eventually(async () => {
      if (!fact(await tenant.user("jane@example.com"))) throw new Error(`not seen; it said: ${said}`);
    });
  await seen((user) => user?.["nickname"] === "jd");

  await writeFile(path.join(folder, "jane.yaml"), USER.replace("jd", "edited"));
  await seen((user) => user?.["nickname"] === "edited");

  await writeFile(path.join(folder, "jane.yaml"), USER.replace("jd", '""'));
  await eventually(() => {
    if (!said.includes("spec.nickname")) throw new Error(said);
  });
  t.is((await tenant.user("jane@example.com"))?.["nickname"], "edited");

  await writeFile(path.join(folder, "jane.yaml"), USER.replace("nickname: jd", "removeAttributes: [nickname]"));
  await seen((user) => user !== undefined && user["nickname"] === undefined);

  await rm(path.join(folder, "jane.yaml"));
  await seen((user) => user === undefined);

  const gone = once(child, "exit");
  child.kill("SIGTERM");
  t.deepEqual(await gone, [0, null]);
});

test("what is wrong with a call is said with the name of the flag or variable", async (t) => {
  const noTenant = await program(["apply", "."]);
  t.is(noTenant.exitCode, 1);
  t.regex(noTenant.stderr, /AUTH0_DOMAIN is not set/);
  t.regex(noTenant.stderr, /AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET, or AUTH0_API_TOKEN/);

  const wrong = await program(["run", "--concurrency=none"], { AUTH0_USER_OPERATOR_SYNC_INTERVAL: "1s" });
  t.regex(wrong.stderr, /--concurrency must be a whole number/);
  t.regex(wrong.stderr, /AUTH0_USER_OPERATOR_SYNC_INTERVAL must be at least 10s/);

  t.regex((await program(["run", "--colour"])).stderr, /unknown option '--colour'/);
  t.regex((await program(["validate", "/nowhere/at/all"])).stderr, /ENOENT.*\/nowhere\/at\/all/);
});

test("the version and the help come on standard output", async (t) => {
  t.regex((await program(["--version"])).stdout, /^\d+\.\d+\.\d+\n$/);
  t.regex((await program(["run", "--help"])).stdout, /--watch-secrets[\s\S]*AUTH0_CLIENT_SECRET/);
});

test("simulate serves a tenant until it is told to end", async (t) => {
  const child = spawn(process.execPath, ["dist/main.js", "simulate", "--port=0"], {
    env: {},
    stdio: ["ignore", "pipe", "ignore"],
  });
  t.teardown(() => void child.kill("SIGKILL"));
  const [url] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];

  const answer = await fetch(`${url.trim()}/_simulator/users`);
  t.deepEqual(await answer.json(), []);
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  t.deepEqual(await gone, [0, null]);
});

test("the demo tells its story over a directory, and every step is seen", async (t) => {
  const { stdout, exitCode } = await program(["demo", "--once", "--files"]);

  t.is(exitCode, 0);
  for (const fact of ["Created", "repaired:", "removed:", "deleted:"]) t.true(stdout.includes(fact), fact);
});

test("the demo falls back to a directory where no cluster can be had, and says why", async (t) => {
  const empty = await aFolder(t);

  const { stdout, exitCode } = await program(["demo", "--once"], {
    HOME: empty,
    PATH: "",
    HTTPS_PROXY: "http://127.0.0.1:1",
    XDG_CACHE_HOME: empty,
  });

  t.is(exitCode, 0);
  t.regex(stdout, /No cluster here[\s\S]*kube-apiserver/);
  t.true(stdout.includes("deleted:"));
});

test("audit verify tells a cut from an end, and says which hash to keep", async (t) => {
  const chain = new AuditChain();
  const lines = ["create", "update"].map((operation) => chain.next({ stream: "audit", operation }));
  const whole = [...lines, chain.end({ stream: "audit" })];
  const folder = await aFolder(t, { "whole.log": whole.join("\n"), "cut.log": lines.join("\n") });
  const verify = (file: string, ...flags: string[]) => program(["audit", "verify", path.join(folder, file), ...flags]);

  const good = await verify("whole.log");
  const [flag = ""] = /--known-hash=\w+/.exec(good.stdout) ?? [];
  const cut = await verify("cut.log");
  const known = await verify("cut.log", flag);

  t.is(good.exitCode, 0);
  t.regex(good.stdout, /^3 records, 0 faults/);
  t.is(cut.exitCode, 0, "an operator that runs has not ended its chain yet");
  t.regex(cut.stdout, /cut\.log:2: the chain has no end after record 2/);
  t.is(known.exitCode, 1);
  t.regex(known.stdout, /is missing: lines were cut off/);
});
