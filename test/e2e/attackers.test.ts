/**
 * What somebody can do who may write Auth0Users (and tenants, where a test says so) in one namespace, and nothing else: nothing to anybody else's users, nothing
 * that is not granted to the namespace, and nothing with Secrets that do not consent.
 */
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { ExecutionContext } from "ava";
import { clusterTests } from "../support/control-plane.ts";
import { DATABASE, SECRETS_AUDITED, aStage, type Stage, type StageOptions } from "../support/attack.ts";
import { manifest, type Shown } from "../support/world.ts";

const clusterTest = await clusterTests({ controllerManager: false, auditPolicy: SECRETS_AUDITED });

const mallory = { connection: DATABASE, email: "mallory@evil.example" };
const passwordless = { connection: "email", email: "mallory@evil.example" };

// ---- Secrets ----

clusterTest("a Secret that does not consent is not read for a password", async (t, cluster) => {
  const stage = await aStage(t, cluster);
  await stage.declare(manifest("honest", { ...mallory, password: { secretRef: { name: "own-password" } } }));
  await stage.reasonOf("auth0user", "honest", "Created");
  t.deepEqual(await stage.secretsHandedOut(), [`${stage.evil}/own-password`], "reading a Secret would show");
  await stage.world.tenant.clearCalls();

  const spec = { ...mallory, email: "m2@evil.example", password: { secretRef: { name: "payroll" } } };
  const message = await stage.refused("greedy", spec, "SecretNotPermitted");

  t.regex(message, /Secret payroll does not consent to be read as a password/);
  t.deepEqual(await stage.secretsHandedOut(), [`${stage.evil}/own-password`]);
  t.is(await stage.calls(), 0);
});

clusterTest("credentials of a tenant are not read for a password", async (t, cluster) => {
  const stage = await aStage(t, cluster);

  const password = { secretRef: { name: "own-client", key: "clientSecret" } };
  await stage.refused("greedy", { ...mallory, password }, "SecretNotPermitted");

  t.deepEqual(await stage.secretsHandedOut(), []);
  t.is(await stage.calls(), 0);
});

clusterTest(
  "a Secret that is there is neither read nor overwritten in place of a generated password",
  async (t, cluster) => {
    const stage = await aStage(t, cluster);

    await stage.refused("greedy", { ...mallory, password: { generate: { secretName: "payroll" } } }, "SecretNotOwned");

    t.deepEqual(await stage.secretsHandedOut(), []);
    t.is(await stage.calls(), 0);
    const data = await stage.world.must([
      "get",
      `--namespace=${stage.evil}`,
      "secret",
      "payroll",
      "-o=jsonpath={.data.password}",
    ]);
    t.is(Buffer.from(data, "base64").toString(), "Correct-Horse-Payroll");
  },
);

clusterTest("a user can't name another namespace's Secret", async (t, cluster) => {
  const stage = await aStage(t, cluster);

  const password = { secretRef: { name: "team-password", namespace: stage.team } };
  const message = await stage.refused("greedy", { ...mallory, password }, "SecretNotFound");
  const path = { secretRef: { name: `../../${stage.team}/secrets/team-password` } };
  const { stderr } = await stage.attacker(["apply", "-f", "-"], manifest("sly", { ...mallory, password: path }));

  t.regex(message, new RegExp(`team-password does not exist in namespace ${stage.evil}`));
  t.regex(stderr, /spec.password.secretRef.name: Invalid value/);
  t.deepEqual(await stage.secretsHandedOut(), []);
  t.is(await stage.calls(), 0);
});

// ---- another namespace's user ----

/** That nothing happened to the team's user, and nothing was asked of Auth0. */
async function isUntouched(stage: Stage, { status }: Shown): Promise<boolean> {
  const user = await stage.world.tenant.user(status?.userId ?? "");
  return (await stage.calls()) === 0 && user?.["nickname"] === "ours" && user["blocked"] !== true;
}

clusterTest("a forged annotation does not bring another namespace's user", async (t, cluster) => {
  const stage = await aStage(t, cluster);
  const jane = await stage.victim();

  const claim = `${jane.status?.userId ?? ""};${stage.world.tenant.domain};created;unsigned`;
  await stage.declare(annotated(manifest("forged", { ...passwordless, nickname: "stolen" }), claim));
  await stage.reasonOf("auth0user", "forged", "UserConflict");
  await stage.attacker(["delete", "auth0user", "forged"]);

  t.true(await isUntouched(stage, jane));
});

clusterTest("an annotation copied from another namespace does not bring its user", async (t, cluster) => {
  const stage = await aStage(t, cluster);
  const jane = await stage.victim();

  const claim = jane.metadata.annotations?.["auth0-user-operator.dev/user-id"] ?? "";
  await stage.declare(annotated(manifest("copied", { ...passwordless, nickname: "stolen" }), claim));
  await stage.reasonOf("auth0user", "copied", "UserConflict");
  await stage.attacker(["delete", "auth0user", "copied"]);

  t.true(await isUntouched(stage, jane));
});

clusterTest("another namespace's user can't be had by userId", async (t, cluster) => {
  const stage = await aStage(t, cluster);
  const jane = await stage.victim();

  const spec = { connection: "email", userId: jane.status?.userId, nickname: "stolen", deletionPolicy: "Delete" };
  await stage.refused("by-id", spec, "NotGranted");
  await stage.refused("with-address", { ...spec, email: "mallory@evil.example" }, "NotGranted");
  await stage.attacker(["delete", "auth0users", "--all"]);

  t.true(await isUntouched(stage, jane));
});

clusterTest("who may take users over does not get those of another resource by userId", async (t, cluster) => {
  const stage = await aStage(t, cluster, { powers: { adopt: true, passwordOnAdopted: true } });
  const jane = await stage.victim();

  const spec = { ...passwordless, userId: jane.status?.userId, nickname: "stolen", deletionPolicy: "Delete" };
  const message = await stage.refused("by-id", spec, "DuplicateClaim");
  await stage.attacker(["delete", "auth0user", "by-id"]);

  t.regex(message, new RegExp(`${stage.team}/jane`));
  t.true(await isUntouched(stage, jane));
});

clusterTest("who may take users over does not get those outside of what is granted by userId", async (t, cluster) => {
  const stage = await aStage(t, cluster, { powers: { adopt: true, passwordOnAdopted: true } });
  const { user_id: userId } = await stage.world.tenant.addUser({ connection: "email", email: "ceo@team.example" });

  const spec = { ...passwordless, userId, nickname: "stolen", blocked: true, deletionPolicy: "Delete" };
  const message = await stage.refused("by-id", spec, "NotGranted");
  await stage.attacker(["delete", "auth0user", "by-id"]);

  t.regex(message, /addresses in team\.example/);
  const { byRoute } = await stage.world.tenant.calls();
  t.deepEqual(
    Object.keys(byRoute).filter((route) => !/^GET |oauth/.test(route)),
    [],
    "it was looked at, not touched",
  );
});

clusterTest("another namespace's user can't be had by its e-mail address", async (t, cluster) => {
  const stage = await aStage(t, cluster);
  const jane = await stage.victim();

  for (const adoptionPolicy of ["Never", "Adopt"]) {
    const spec = { connection: "email", email: "jane@team.example", adoptionPolicy, nickname: "stolen" };
    const message = await stage.refused(adoptionPolicy.toLowerCase(), spec, "NotGranted");
    t.regex(message, /addresses in team\.example/);
  }

  t.true(await isUntouched(stage, jane));
});

clusterTest(
  "a user of a granted domain can't be had by its e-mail address while another resource holds it",
  async (t, cluster) => {
    const stage = await aStage(t, cluster, { powers: { adopt: true } });
    const jane = await stage.victim({ email: "jane@evil.example" });

    const spec = { connection: "email", email: "jane@evil.example", nickname: "stolen", deletionPolicy: "Delete" };
    await stage.refused("never", spec, "DuplicateClaim");
    await stage.refused("adopt", { ...spec, adoptionPolicy: "Adopt" }, "DuplicateClaim");
    await stage.attacker(["delete", "auth0users", "--all"]);

    t.is((await stage.world.tenant.user(jane.status?.userId ?? ""))?.["nickname"], "ours");
    const { byRoute } = await stage.world.tenant.calls();
    t.deepEqual(
      Object.keys(byRoute).filter((route) => /^(PATCH|DELETE) /.test(route)),
      [],
    );
  },
);

clusterTest("a copied manifest does not bring another namespace's user", async (t, cluster) => {
  const stage = await aStage(t, cluster);
  const jane = await stage.victim({ email: "jane@evil.example" });

  const copy = { ...jane, metadata: { ...jane.metadata, namespace: stage.evil } };
  const { stderr } = await stage.attacker(
    ["create", "--validate=false", "-f", "-"],
    JSON.stringify(withoutVersion(copy)),
  );
  const message = await stage.reasonOf("auth0user", "jane", "UserConflict");
  const { stdout } = await stage.attacker(["get", "auth0user", "jane", "-o=jsonpath={.metadata.uid} {.status.userId}"]);
  const deleted = await stage.attacker(["delete", "auth0user", "jane", "--timeout=30s"]);

  t.is(stderr, "");
  t.regex(message, /nothing proves that email\|\w+ is this resource's own/);
  t.is(deleted.exitCode, 0, deleted.stderr);
  t.false(stdout.includes(jane.metadata.uid), "the API server gives it an identity of its own");
  t.true(await isUntouched(stage, jane));
});

clusterTest("the status, which proves whose user it is, is not people's to write", async (t, cluster) => {
  const stage = await aStage(t, cluster);
  const jane = await stage.victim();
  await stage.refused("by-status", { connection: "email", email: "jane@team.example" }, "NotGranted");

  const patch = {
    status: { userId: jane.status?.userId, connection: "email", tenantDomain: stage.world.tenant.domain },
  };
  const args = ["patch", "auth0user", "by-status", "--type=merge", "-p", JSON.stringify(patch)];
  const { stderr } = await stage.attacker([...args, "--subresource=status"]);
  await stage.attacker(args);

  t.regex(stderr, /Forbidden|forbidden/);
  t.is((await stage.attacker(["get", "auth0user", "by-status", "-o=jsonpath={.status.userId}"])).stdout, "");
  t.true(await isUntouched(stage, jane));
});

clusterTest("an action on another namespace's user is not done", async (t, cluster) => {
  const stage = await aStage(t, cluster);
  const jane = await stage.victim();

  const document = JSON.parse(manifest("actor", { connection: "email", userId: jane.status?.userId })) as Document;
  const annotations = { "auth0-user-operator.dev/actions": "password-change-ticket,revoke-access,unblock" };
  await stage.declare(JSON.stringify({ ...document, metadata: { ...document.metadata, annotations } }));
  await stage.reasonOf("auth0user", "actor", "NotGranted");

  t.true(await isUntouched(stage, jane));
});

clusterTest("another namespace's tenant can't be named", async (t, cluster) => {
  const stage = await aStage(t, cluster);
  const credentials = { secretRef: { name: "team-client" } };
  const tenant = aTenant("acme", { domain: stage.world.tenant.domain, credentials });
  await stage.world.must(["apply", `--namespace=${stage.team}`, "-f", "-"], tenant);

  const tenantRef = { kind: "Auth0Tenant", name: "acme" };
  const message = await stage.refused("guest", { ...passwordless, tenantRef }, "TenantNotReady");

  t.regex(message, new RegExp(`there is no Auth0Tenant acme in namespace ${stage.evil}`));
  t.false((await stage.world.tenant.users()).some(({ email }) => email === passwordless.email));
});

// ---- a tenant of his own: he may write Auth0Tenants, too ----

const TENANTS_TOO: StageOptions = { mayWrite: ["auth0users", "auth0tenants"] };

/** A server that nobody may be sent to; counts who comes. */
async function elsewhere(
  t: ExecutionContext,
  handler: RequestListener,
): Promise<{ domain: string; visits: () => number }> {
  let visits = 0;
  const server = createServer(handler).on("connection", () => visits++);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return { domain: `127.0.0.1:${String(port)}`, visits: () => visits };
}

clusterTest("credentials do not go to a domain of the attacker's own", async (t, cluster) => {
  const his = await elsewhere(t, (_, response) => response.end());
  const stage = await aStage(t, cluster, { ...TENANTS_TOO, allowedDomains: ["acme.eu.auth0.com"] });

  await stage.declare(aTenant("own", { domain: his.domain, credentials: { secretRef: { name: "own-client" } } }));
  await stage.reasonOf("auth0tenant", "own", "DomainNotAllowed");
  const tenantRef = { kind: "Auth0Tenant", name: "own" };
  await stage.refused("guest", { ...passwordless, tenantRef }, "TenantNotReady");

  t.is(his.visits(), 0);
  t.deepEqual(await stage.secretsAskedFor(), []);
  t.is(await stage.calls(), 0);
});

clusterTest("a domain that only looks like an allowed one is refused", async (t, cluster) => {
  const stage = await aStage(t, cluster, { ...TENANTS_TOO, allowedDomains: ["acme.eu.auth0.com", "*.safe.example"] });
  const credentials = { secretRef: { name: "own-client" } };

  for (const [index, domain] of [
    "acme.eu.auth0.com.evil.example",
    "eu.auth0.com",
    "safe.example",
    "unsafe.example",
  ].entries()) {
    const name = `alike-${String(index)}`;
    await stage.declare(aTenant(name, { domain, credentials }));
    await stage.reasonOf("auth0tenant", name, "DomainNotAllowed");
  }
  for (const domain of ["acme.eu.auth0.com@evil.example", "acme.eu.auth0.com/..", "evil.example#acme.eu.auth0.com"]) {
    const { stderr } = await stage.attacker(["apply", "-f", "-"], aTenant("bent", { domain, credentials }));
    t.regex(stderr, /spec.domain: Invalid value/);
  }

  t.deepEqual(await stage.secretsAskedFor(), []);
});

clusterTest(
  "a redirect to another host is not followed, neither with credentials nor with a token",
  async (t, cluster) => {
    const his = await elsewhere(t, (_, response) => response.end('{"access_token":"his","expires_in":86400}'));
    const redirecting = await elsewhere(t, (request, response) => {
      response.writeHead(307, { location: `http://${his.domain}${request.url ?? ""}` }).end();
    });
    const allowedDomains = [`http://${redirecting.domain}`];
    const stage = await aStage(t, cluster, { ...TENANTS_TOO, allowedDomains });

    for (const name of ["own-client", "own-token"]) {
      await stage.declare(aTenant(name, { domain: redirecting.domain, credentials: { secretRef: { name } } }));
      const message = await stage.reasonOf("auth0tenant", name, "Auth0Unavailable");
      t.regex(message, /redirect/);
    }

    t.true(redirecting.visits() > 0);
    t.is(his.visits(), 0);
  },
);

clusterTest("a Secret that does not consent is not read for credentials", async (t, cluster) => {
  const stage = await aStage(t, cluster, TENANTS_TOO);
  const { domain } = stage.world.tenant;

  for (const name of ["payroll", "own-password"]) {
    await stage.declare(aTenant(name, { domain, credentials: { secretRef: { name } } }));
    const message = await stage.reasonOf("auth0tenant", name, "SecretNotPermitted");
    t.regex(message, /does not consent to be read as credentials/);
  }

  t.deepEqual(await stage.secretsHandedOut(), []);
  t.is(await stage.calls(), 0);
});

clusterTest("a tenant object can't name another namespace's Secret", async (t, cluster) => {
  const stage = await aStage(t, cluster, TENANTS_TOO);
  const { domain } = stage.world.tenant;

  const credentials = { secretRef: { name: "team-client", namespace: stage.team } };
  await stage.declare(aTenant("far", { domain, credentials }));
  const message = await stage.reasonOf("auth0tenant", "far", "SecretNotFound");
  const path = { secretRef: { name: `../../${stage.team}/secrets/team-client` } };
  const bent = await stage.attacker(["apply", "-f", "-"], aTenant("bent", { domain, credentials: path }));
  const ofCluster = aTenant("wide", { domain, credentials }).replace("Auth0Tenant", "ClusterAuth0Tenant");
  const wide = await stage.attacker(["apply", "-f", "-"], ofCluster);

  t.regex(message, new RegExp(`team-client does not exist in namespace ${stage.evil}`));
  t.regex(bent.stderr, /secretRef.name: Invalid value/);
  t.regex(wide.stderr, /forbidden/);
  t.deepEqual(await stage.secretsHandedOut(), []);
  t.is(await stage.calls(), 0);
});

clusterTest("another namespace's user can't be had through a tenant object of one's own", async (t, cluster) => {
  const stage = await aStage(t, cluster, TENANTS_TOO);
  const jane = await stage.victim();
  const { domain } = stage.world.tenant;
  await stage.declare(aTenant("own", { domain, credentials: { secretRef: { name: "own-client" } } }));
  await stage.reasonOf("auth0tenant", "own", "Connected");
  await stage.world.tenant.clearCalls();

  const tenantRef = { kind: "Auth0Tenant", name: "own" };
  const spec = {
    tenantRef,
    connection: "email",
    nickname: "stolen",
    deletionPolicy: "Delete",
    adoptionPolicy: "Adopt",
  };
  const message = await stage.refused("by-id", { ...spec, userId: jane.status?.userId }, "DuplicateClaim");
  t.true(await isUntouched(stage, jane));
  await stage.refused("by-address", { ...spec, email: "jane@team.example" }, "DuplicateClaim");
  await stage.attacker(["delete", "auth0users", "--all"]);

  t.regex(message, new RegExp(`${stage.team}/jane`));
  t.is((await stage.world.tenant.user(jane.status?.userId ?? ""))?.["nickname"], "ours");
});

// ---- what is not granted ----

const NOT_GRANTED: readonly (readonly [title: string, spec: object, says: RegExp])[] = [
  ["a role that is not granted is not given", { roles: ["admin"] }, /admin \(roles\)/],
  ["a role that is not granted is not given by its id", { roles: ["rol_admin"] }, /rol_admin \(roles\)/],
  [
    "all roles are not taken away by who is not granted them all",
    { roles: [], rolesPolicy: "Exact" },
    /rolesPolicy: Exact/,
  ],
  [
    "a connection that is not granted is not used",
    { connection: "sms", phoneNumber: "+15550100", email: null },
    /connection sms/,
  ],
  [
    "an organization that is not granted is not joined",
    { organizations: [{ name: "board" }] },
    /board \(organizations\)/,
  ],
  [
    "a role within an organization that is not granted is not given",
    { organizations: [{ name: "board", roles: ["chair"] }] },
    /chair \(roles\)/,
  ],
  ["an e-mail domain that is not granted is not used", { email: "mallory@team.example" }, /addresses in team\.example/],
  [
    "an e-mail domain that is not granted is not used in other letters",
    { email: "m@TEAM.example" },
    /addresses in team/,
  ],
  ["a domain below the granted one is not used", { email: "m@sub.evil.example" }, /addresses in sub\.evil\.example/],
  [
    "a permission that is not granted is not given",
    { permissions: [{ resourceServer: "https://api.example.com", name: "pay" }] },
    /https:\/\/api\.example\.com pay \(permissions\)/,
  ],
  ["a key of app_metadata that is not granted is not written", { appMetadata: { admin: true } }, /appMetadata\.admin/],
  [
    "a key of app_metadata that is not granted is not removed",
    { removeAttributes: ["appMetadata.plan"] },
    /appMetadata\.plan/,
  ],
  ["an address is not declared confirmed by who is not granted it", { emailVerified: true }, /emailVerified/],
];

for (const [title, spec, says] of NOT_GRANTED) {
  clusterTest(title, async (t, cluster) => {
    const stage = await aStage(t, cluster);

    const message = await stage.refused("greedy", { ...passwordless, ...spec }, "NotGranted");

    t.regex(message, says);
    t.is(await stage.calls(), 0);
  });
}

interface Document {
  readonly metadata: object;
}

function annotated(document: string, claim: string): string {
  const parsed = JSON.parse(document) as Document;
  const annotations = { "auth0-user-operator.dev/user-id": claim };
  return JSON.stringify({ ...parsed, metadata: { ...parsed.metadata, annotations } });
}

/** As people copy it: what the API server shows, less what it would refuse. */
function withoutVersion(document: Shown & { readonly metadata: object }): object {
  const { resourceVersion: _, ...metadata } = document.metadata;
  return { ...document, metadata };
}

function aTenant(name: string, spec: object): string {
  const document = { apiVersion: "auth0-user-operator.dev/v1alpha1", kind: "Auth0Tenant", metadata: { name }, spec };
  return JSON.stringify(document);
}
