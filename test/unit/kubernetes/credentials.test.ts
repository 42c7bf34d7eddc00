/** Where the cluster is looked for, and what is sent to prove who we are. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import test from "ava";
import { loadClusterAccess } from "../../../src/kubernetes/credentials.ts";
import { aTempFolder } from "../../support/temp-folder.ts";

interface ConfigParts {
  readonly context?: string;
  readonly namespace?: string;
  readonly cluster?: object;
  readonly user?: object;
}

/** A kubeconfig whose entries are all called like its context. */
function aKubeconfig({ context = "here", namespace, cluster = {}, user = { token: "t" } }: ConfigParts = {}): string {
  return JSON.stringify({
    "current-context": context,
    contexts: [{ name: context, context: { cluster: context, user: context, namespace } }],
    clusters: [{ name: context, cluster: { server: `https://${context}.example.com`, ...cluster } }],
    users: [{ name: context, user }],
  });
}

test("a file that is named goes before all, then KUBECONFIG, the service account, the home folder", async (t) => {
  const folder = aTempFolder(t);
  const kubeconfig = folder.write("named", aKubeconfig({ context: "named" }));
  const KUBECONFIG = folder.write("listed", aKubeconfig({ context: "listed" }));
  folder.write(".kube/config", aKubeconfig({ context: "home" }));
  folder.write("account/token", "t");
  folder.write("account/namespace", "operators\n");
  folder.write("account/ca.crt", "");
  const serviceAccountFolder = path.join(folder.path, "account");
  const inPod = { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "6443" };
  const serverOf = async (sources: Parameters<typeof loadClusterAccess>[0]): Promise<string> =>
    (await loadClusterAccess(sources)).server.href;

  const env = { KUBECONFIG, HOME: folder.path, ...inPod };
  t.is(await serverOf({ kubeconfig, env, serviceAccountFolder }), "https://named.example.com/");
  t.is(await serverOf({ env, serviceAccountFolder }), "https://listed.example.com/");
  t.is(await serverOf({ env: { ...env, KUBECONFIG: "" }, serviceAccountFolder }), "https://[fd00::1]:6443/");
  t.is(await serverOf({ env: { HOME: folder.path }, serviceAccountFolder }), "https://home.example.com/");
  await t.throwsAsync(serverOf({ env: {}, serviceAccountFolder }), { message: /^no cluster: / });
});

test("a pod has its account's namespace, token and authority", async (t) => {
  const folder = aTempFolder(t);
  const token = folder.write("token", "first\n");
  folder.write("namespace", "operators\n");
  folder.write("ca.crt", "authority");
  const access = await loadClusterAccess({
    env: { KUBERNETES_SERVICE_HOST: "10.0.0.1", KUBERNETES_SERVICE_PORT: "443" },
    serviceAccountFolder: folder.path,
  });

  const { headers, tls } = await access.authorize({ fresh: false });
  writeFileSync(token, "second\n");
  const renewed = await access.authorize({ fresh: true });

  t.is(access.namespace, "operators");
  t.deepEqual(headers, { authorization: "Bearer first" });
  t.deepEqual(tls.ca, Buffer.from("authority"));
  t.deepEqual(renewed.headers, { authorization: "Bearer second" });
});

test("files of KUBECONFIG are merged, the first that names a thing wins, missing ones are passed over", async (t) => {
  const folder = aTempFolder(t);
  const first = folder.write("first", aKubeconfig({ context: "a", namespace: "team-a", user: { token: "first" } }));
  const second = folder.write("second", aKubeconfig({ context: "a", namespace: "team-b", user: { token: "second" } }));
  const KUBECONFIG = [path.join(folder.path, "missing"), first, second].join(path.delimiter);

  const access = await loadClusterAccess({ env: { KUBECONFIG } });

  t.is(access.namespace, "team-a");
  t.deepEqual((await access.authorize({ fresh: false })).headers, { authorization: "Bearer first" });
});

test("a kubeconfig may be YAML, and its paths start where it stands", async (t) => {
  const folder = aTempFolder(t);
  folder.write("pki/ca.pem", "authority");
  folder.write("pki/cert.pem", "certificate");
  folder.write("pki/key.pem", "key");
  const kubeconfig = folder.write(
    "config",
    `
current-context: here
contexts: [{ name: here, context: { cluster: c, user: u } }]
clusters:
  - name: c
    cluster: { server: https://example.com/k8s/clusters/one, certificate-authority: pki/ca.pem, tls-server-name: inner }
users:
  - name: u
    user: { client-certificate: pki/cert.pem, client-key: pki/key.pem }
`,
  );

  const access = await loadClusterAccess({ kubeconfig, env: {} });

  t.is(access.server.pathname, "/k8s/clusters/one");
  t.is(access.namespace, "default");
  t.deepEqual((await access.authorize({ fresh: false })).tls, {
    ca: Buffer.from("authority"),
    cert: Buffer.from("certificate"),
    key: Buffer.from("key"),
    servername: "inner",
  });
});

for (const [name, user, headers] of [
  ["a token", { token: "abc" }, { authorization: "Bearer abc" }],
  ["a token file", { tokenFile: "token" }, { authorization: "Bearer from-file" }],
  ["name and password", { username: "jane", password: "pw" }, { authorization: "Basic amFuZTpwdw==" }],
  ["impersonation", { token: "abc", as: "kim" }, { authorization: "Bearer abc", "impersonate-user": "kim" }],
  ["nothing", {}, {}],
] as const) {
  test(`a user may prove itself by ${name}`, async (t) => {
    const folder = aTempFolder(t);
    folder.write("token", "from-file\n");
    const kubeconfig = folder.write("config", aKubeconfig({ user }));

    const access = await loadClusterAccess({ kubeconfig, env: {} });

    t.deepEqual((await access.authorize({ fresh: false })).headers, headers);
  });
}

test("an exec plugin is run once, told of the call, and again when its answer was refused", async (t) => {
  const folder = aTempFolder(t);
  folder.write(
    "plugin.mjs",
    `import fs from "node:fs";
     fs.appendFileSync(process.argv[2], "run\\n");
     const runs = fs.readFileSync(process.argv[2], "utf8").split("\\n").length - 1;
     const { kind } = JSON.parse(process.env.KUBERNETES_EXEC_INFO);
     console.log(JSON.stringify({ apiVersion: "client.authentication.k8s.io/v1", kind, status: { token: process.env.PREFIX + runs } }));`,
  );
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1",
    command: process.execPath,
    args: [path.join(folder.path, "plugin.mjs"), path.join(folder.path, "runs")],
    env: [{ name: "PREFIX", value: "token-" }],
  };
  const access = await loadClusterAccess({
    kubeconfig: folder.write("config", aKubeconfig({ user: { exec } })),
    env: {},
  });
  const token = async (fresh: boolean): Promise<string | undefined> =>
    (await access.authorize({ fresh })).headers["authorization"];

  t.is(await token(false), "Bearer token-1");
  t.is(await token(false), "Bearer token-1");
  t.is(await token(true), "Bearer token-2");
});

test("a plugin with a relative path is looked for beside the kubeconfig", async (t) => {
  const folder = aTempFolder(t);
  const exec = { apiVersion: "client.authentication.k8s.io/v1", command: "./nowhere" };
  const access = await loadClusterAccess({
    kubeconfig: folder.write("config", aKubeconfig({ user: { exec } })),
    env: {},
  });

  await t.throwsAsync(access.authorize({ fresh: false }), { message: new RegExp(path.join(folder.path, "nowhere")) });
});

test("over plain http nothing is proven", async (t) => {
  const folder = aTempFolder(t);
  const kubeconfig = folder.write("config", aKubeconfig({ cluster: { server: "http://127.0.0.1:8001" } }));

  const access = await loadClusterAccess({ kubeconfig, env: {} });

  t.deepEqual(await access.authorize({ fresh: false }), { headers: {}, tls: {} });
});

test("insecure-skip-tls-verify is handed on", async (t) => {
  const folder = aTempFolder(t);
  const kubeconfig = folder.write("config", aKubeconfig({ cluster: { "insecure-skip-tls-verify": true } }));

  const access = await loadClusterAccess({ kubeconfig, env: {} });

  t.deepEqual((await access.authorize({ fresh: false })).tls, { rejectUnauthorized: false });
});

for (const [name, cluster, env, expected] of [
  [
    "proxy-url before the environment",
    { "proxy-url": "http://p:1" },
    { HTTPS_PROXY: "http://q:2" },
    { HTTPS_PROXY: "http://p:1", HTTP_PROXY: "http://p:1" },
  ],
  ["the environment", {}, { https_proxy: "http://q:2", NO_PROXY: "*.local" }, { HTTPS_PROXY: "http://q:2" }],
  ["none to this machine itself", { server: "https://127.0.0.1:6443" }, { HTTPS_PROXY: "http://q:2" }, undefined],
  ["none", {}, {}, undefined],
] as const) {
  test(`proxies: ${name}`, async (t) => {
    const folder = aTempFolder(t);
    const kubeconfig = folder.write("config", aKubeconfig({ cluster }));

    t.deepEqual((await loadClusterAccess({ kubeconfig, env })).proxyEnv, expected);
  });
}

for (const [name, text, message] of [
  ["no YAML", "a: [", /config: /],
  ["no kubeconfig", "just words", /config: not a kubeconfig/],
  ["no current context", "{}", /config: no current-context/],
  ["a context that is not there", '{"current-context":"x"}', /config: contexts has no entry "x"/],
  [
    "a user that is not there",
    '{"current-context":"x","contexts":[{"name":"x","context":{"cluster":"c","user":"u"}}],"clusters":[{"name":"c"}]}',
    /config: users has no entry "u"/,
  ],
  ["a server that is no address", aKubeconfig({ cluster: { server: "example.com" } }), /"example.com"/],
  ["a proxy that is not supported", aKubeconfig({ cluster: { "proxy-url": "socks5://p:1" } }), /socks5/],
] as const) {
  test(`a kubeconfig with ${name} is refused with its reason`, async (t) => {
    const folder = aTempFolder(t);

    await t.throwsAsync(loadClusterAccess({ kubeconfig: folder.write("config", text), env: {} }), { message });
  });
}

test("a kubeconfig that is not there is named", async (t) => {
  await t.throwsAsync(loadClusterAccess({ kubeconfig: "/nowhere/config", env: {} }), { message: /\/nowhere\/config/ });
});
