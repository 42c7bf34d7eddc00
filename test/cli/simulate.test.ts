/** `simulate` as people start it: what its flags make of the tenant, and that a kill loses nothing. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { get } from "node:https";
import path from "node:path";
import process from "node:process";
import test, { type ExecutionContext } from "ava";
import { program } from "../support/program.ts";
import { aTempFolder } from "../support/temp-folder.ts";

interface Started {
  readonly url: string;
  /** Everything on standard output so far. */
  readonly printed: string;
  readonly child: ChildProcess;
  end(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
}

async function simulate(t: ExecutionContext, ...flags: readonly string[]): Promise<Started> {
  const child = spawn(process.execPath, ["dist/main.js", "simulate", "--port=0", ...flags], {
    env: {},
    stdio: ["ignore", "pipe", "ignore"],
  });
  t.teardown(() => void child.kill("SIGKILL"));
  const [printed] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
  return {
    url: printed.split("\n")[0] ?? "",
    printed,
    child,
    async end(signal) {
      const gone = once(child, "exit");
      child.kill(signal);
      await gone;
    },
  };
}

interface Person {
  readonly user_id: string;
  readonly email: string;
  readonly identities: readonly { readonly connection: string }[];
}

async function usersOf({ url }: Started): Promise<readonly Person[]> {
  return (await (await fetch(`${url}/_simulator/users`)).json()) as Person[];
}

test("--users makes up people, the same for the same --seed, and others for another", async (t) => {
  const [one, same, other] = await Promise.all([
    simulate(t, "--users=50", "--seed=7"),
    simulate(t, "--users=50", "--seed=7"),
    simulate(t, "--users=50", "--seed=8"),
  ]);
  const idsOf = async (started: Started): Promise<string[]> => (await usersOf(started)).map(({ user_id: id }) => id);

  const ids = await idsOf(one);

  t.is(new Set(ids).size, 50);
  t.deepEqual(await idsOf(same), ids);
  t.notDeepEqual(await idsOf(other), ids);
});

test("--tenant describes connections, clients and users; --connection-preset another database", async (t) => {
  const folder = aTempFolder(t);
  const file = folder.write(
    "acme.yaml",
    `
connections:
  - { name: staff, options: { passwordPolicy: good } }
clients:
  - { clientId: reader, clientSecret: reading, scopes: ["read:users"] }
roles:
  - { name: support-admin }
users:
  - { email: kim@example.com, connection: staff, roles: [support-admin] }
`,
  );

  const [described, strict] = await Promise.all([
    simulate(t, `--tenant=${file}`),
    simulate(t, "--connection-preset=strict"),
  ]);

  const [kim] = await usersOf(described);
  t.like(kim, { email: "kim@example.com", identities: [{ connection: "staff" }] });
  const grant = { grant_type: "client_credentials", client_id: "reader", client_secret: "reading" };
  const audience = `https://${new URL(described.url).host}/api/v2/`;
  const token = await post(`${described.url}/oauth/token`, { ...grant, audience });
  t.like(token, { scope: "read:users" });
  const tenant = (await (await fetch(`${described.url}/_simulator/state`)).json()) as Record<string, unknown>;
  t.regex(JSON.stringify(tenant["roleUsers"]), new RegExp(`"rol_\\w{16}.*${kim?.user_id.replace("|", "\\|") ?? ""}`));
  const lee = { email: "lee@example.com", password: "weak" };
  const refused = await post(`${strict.url}/_simulator/users`, lee);
  t.like(refused, { email: "lee@example.com" });
  const state = (await (await fetch(`${strict.url}/_simulator/state`)).json()) as Record<string, unknown>;
  t.regex(JSON.stringify(state["connections"]), /"requires_username":true/);
});

async function post(url: string, body: object): Promise<unknown> {
  const headers = { "content-type": "application/json" };
  return (await fetch(url, { method: "POST", headers, body: JSON.stringify(body) })).json();
}

test("with --data a kill at any moment loses no user that was answered", async (t) => {
  const file = path.join(aTempFolder(t).path, "tenant.ndjson");
  const first = await simulate(t, `--data=${file}`);
  const answered: string[] = [];
  const killed = new AbortController();
  const create = async (index: number): Promise<void> => {
    const email = `user-${String(index)}@example.com`;
    await post(`${first.url}/_simulator/users`, { email });
    answered.push(email);
    if (answered.length === 300) {
      killed.abort();
      await first.end("SIGKILL");
    }
  };
  const worker = async (from: number): Promise<void> => {
    for (let index = from; !killed.signal.aborted; index += 4) await create(index).catch(() => {});
  };
  await Promise.all([0, 1, 2, 3].map(worker));

  const second = await simulate(t, `--data=${file}`);

  const kept = new Set((await usersOf(second)).map(({ email }) => email));
  t.true(answered.length >= 300);
  t.deepEqual(
    answered.filter((email) => !kept.has(email)),
    [],
  );
});

test("--tls speaks https under --domain, names the authority's file, and leaves nothing behind", async (t) => {
  const started = await simulate(t, "--tls", "--domain=acme.eu.auth0.com");
  const [, file = ""] = /Trust the authority in (.*)\n/.exec(started.printed) ?? [];
  const ca = readFileSync(file, "utf8");

  for (const servername of ["localhost", "acme.eu.auth0.com"]) {
    const request = get(`${started.url}/_simulator/calls`, { ca, servername });
    const [answer] = (await once(request, "response")) as [{ readonly statusCode: number; resume(): void }];
    answer.resume();
    t.is(answer.statusCode, 200);
  }
  await t.throwsAsync(once(get(`${started.url}/_simulator/calls`), "response"));
  await started.end("SIGTERM");
  t.false(existsSync(path.dirname(file)));
});

test("--latency and --faults decide what goes wrong", async (t) => {
  const folder = aTempFolder(t);
  const faults = folder.write("faults.yaml", "rules:\n  - { kind: status, status: 503, route: 'GET *', count: 1 }\n");

  const { url } = await simulate(t, `--faults=${faults}`, "--latency=1ms..2ms");

  t.is((await fetch(`${url}/api/v2/users`)).status, 503);
  t.is((await fetch(`${url}/api/v2/users`)).status, 401);
});

for (const [what, flags, message] of [
  ["a tenant with a misspelt key", ["--tenant={file}"], /tenant\.yaml: \/connections\/0 .*: nmae/],
  ["a file that is not there", ["--tenant=/nowhere.yaml"], /^error: ENOENT.*nowhere\.yaml/],
  ["data that is none", ["--data={file}"], /tenant\.yaml holds no state of a simulator, and is left as it is/],
  ["faults that are none", ["--faults={file}"], /faults must NOT have additional properties: connections/],
  ["a latency that is none", ["--latency=fast"], /--latency must be a duration such as 50ms/],
  ["an unknown plan", ["--plan=cheap"], /--plan must be one of free, /],
  ["a user of no connection", ["--tenant={users}"], /users\/0: The connection does not exist\./],
  ["a user of no role", ["--tenant={roles}"], /users\/0\/roles: there is no role "admin"/],
] as const) {
  test(`${what} is refused with the place and without a stack`, async (t) => {
    const folder = aTempFolder(t);
    const file = folder.write("tenant.yaml", "connections:\n  - { name: a, nmae: b }\n");
    const roles = folder.write("roles.yaml", "users:\n  - { email: a@example.com, roles: [admin] }\n");
    const users = folder.write("users.yaml", "users:\n  - { email: a@example.com, connection: nowhere }\n");

    const { exitCode, stderr } = await program([
      "simulate",
      "--port=0",
      ...flags.map((flag) => flag.replace("{file}", file).replace("{users}", users).replace("{roles}", roles)),
    ]);

    t.is(exitCode, 1);
    t.regex(stderr, message);
    t.notRegex(stderr, /\n\s+at /);
  });
}
