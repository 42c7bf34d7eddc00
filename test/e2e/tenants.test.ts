/** Tenants that objects declare: proven, said in words, rotated, and never a way to somewhere else. */
import { generateKeyPairSync } from "node:crypto";
import { clusterTests, type TestCluster } from "../support/control-plane.ts";
import { eventually } from "../support/eventually.ts";
import { aWorld, type World } from "../support/world.ts";

const clusterTest = await clusterTests({ controllerManager: false });

const CONNECTION = "Username-Password-Authentication";
/** The operator has no tenant of its own: all that happens, happens through objects. */
const OBJECTS_ONLY = {
  flags: ["--allowed-tenant-domains=http://127.0.0.1:*"],
  env: { AUTH0_DOMAIN: "", AUTH0_CLIENT_ID: "", AUTH0_CLIENT_SECRET: "" },
};
const jane = { tenantRef: { kind: "Auth0Tenant", name: "acme" }, connection: CONNECTION, email: "jane@example.com" };

async function credentials(world: World, data: Readonly<Record<string, string>>, use = "credentials"): Promise<void> {
  const metadata = { name: "acme-client", labels: { "auth0-user-operator.dev/use": use } };
  await world.must(["delete", "secret", "acme-client", "--ignore-not-found"]);
  await world.must(
    ["create", "-f", "-"],
    JSON.stringify({ apiVersion: "v1", kind: "Secret", metadata, stringData: data }),
  );
}

async function declareTenant(world: World, spec: object = {}): Promise<void> {
  const tenant = {
    apiVersion: "auth0-user-operator.dev/v1alpha1",
    kind: "Auth0Tenant",
    metadata: { name: "acme" },
    spec: { domain: world.tenant.domain, credentials: { secretRef: { name: "acme-client" } }, ...spec },
  };
  await world.must(["apply", "-f", "-"], JSON.stringify(tenant));
}

/** Waits until the row of `kubectl get` says this; gives it. */
function row(world: World, pattern: RegExp): Promise<string> {
  return eventually(async () => {
    const text = await world.must(["get", "auth0tenants", "--no-headers"]);
    if (!pattern.test(text)) throw new Error(`${text}\n${world.log.slice(-2_000)}`);
    return text;
  });
}

async function poke(world: World): Promise<void> {
  const at = `auth0-user-operator.dev/reconcile-requested-at=test-${String(performance.now())}`;
  await world.must(["annotate", "--overwrite", "auth0tenant", "acme", at]);
}

const clientSecret = (world: World): Record<string, string> => ({
  clientId: world.tenant.clientId,
  clientSecret: world.tenant.clientSecret,
});

clusterTest("a user is created in the tenant that it names", async (t, cluster: TestCluster) => {
  const world = await aWorld(t, cluster, OBJECTS_ONLY);
  await world.secret("pw", { password: "Correct-Horse-7" });
  await credentials(world, clientSecret(world));
  await declareTenant(world);

  await world.apply("jane", { ...jane, password: { secretRef: { name: "pw" } } });
  const created = await world.until("jane", "Created");

  t.is(created.status?.tenantDomain, world.tenant.domain);
  t.is((await world.tenant.users()).length, 1);
  await row(world, /acme\s+True\s+Connected\s+127\.0\.0\.1:\d+/);
  await poke(world);
  await row(world, /True\s+Connected\s+\S+\s+1\/1/);
});

clusterTest(
  "credentials are shown in words: secret, key, token, wrong, and revoked while running",
  async (t, cluster) => {
    const world = await aWorld(t, cluster, OBJECTS_ONLY);
    await declareTenant(world);
    await row(world, /False\s+SecretNotFound.*Secret acme-client does not exist/);

    await credentials(world, clientSecret(world), "password");
    await poke(world);
    await row(world, /False\s+SecretNotPermitted.*kubectl -n \S+ label secret acme-client/);
    t.is((await world.tenant.calls()).total, 0, "what does not consent is not used");

    await credentials(world, { clientId: world.tenant.clientId, clientSecret: "Change-Me-Soon" });
    await poke(world);
    await row(world, /False\s+CredentialsInvalid.*check the domain, the client id/);

    await credentials(world, clientSecret(world));
    await poke(world);
    await row(world, /True\s+Connected.*takes the operator's client secret/);

    await credentials(world, { token: await world.tenant.token() });
    await poke(world);
    await row(world, /True\s+Connected.*takes the operator's access token/);
    await eventually(async () => {
      const status = JSON.parse(await world.must(["get", "auth0tenant", "acme", "-o", "jsonpath={.status}"])) as {
        can?: string;
      };
      if (status.can?.includes("create users, read users") !== true) throw new Error(JSON.stringify(status));
    });

    await world.tenant.editClient({ client_secret: "simulator-secret-rotated" });
    await world.apply("jane", { ...jane, userId: "auth0|nobody" });
    await row(world, /False\s+CredentialsInvalid.*refuses the access token/);
    const waiting = await world.until("jane", "TenantNotReady");
    t.regex(waiting.status?.conditions?.[0]?.message ?? "", /Auth0Tenant acme is not ready: CredentialsInvalid/);
    t.is((await world.events("jane")).length, 0, "the cause is told once, of the tenant");
  },
);

clusterTest("a private key proves who the operator is, and never leaves it", async (t, cluster) => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const clients = [{ clientId: "key-client", clientSecret: "simulator-secret", publicKey }];
  const world = await aWorld(t, cluster, { ...OBJECTS_ONLY, simulator: { clients } });
  await credentials(world, { clientId: world.tenant.clientId, privateKey: "no key at all" });
  await declareTenant(world);
  await row(world, /False\s+CredentialsInvalid.*privateKey is no private key in PEM/);

  await credentials(world, { clientId: world.tenant.clientId, privateKey });
  await poke(world);

  await row(world, /True\s+Connected.*takes the operator's private key/);
  t.false(JSON.stringify([world.log, await world.tenant.requests()]).includes("PRIVATE KEY"));
});

clusterTest("new credentials are tried before the old ones are forgotten", async (t, cluster) => {
  const world = await aWorld(t, cluster, OBJECTS_ONLY);
  await world.secret("pw", { password: "Correct-Horse-7" });
  await credentials(world, clientSecret(world));
  await declareTenant(world);
  await row(world, /True\s+Connected/);

  await credentials(world, { clientId: world.tenant.clientId, clientSecret: "Change-Me-Soon" });
  await poke(world);
  await row(world, /True\s+CredentialsInvalid.*the former ones stay in use/);
  await world.apply("jane", { ...jane, password: { secretRef: { name: "pw" } } });
  await world.until("jane", "Created");

  t.is((await world.tenant.users()).length, 1);
});

clusterTest("a tenant object stays until no user names it", async (t, cluster) => {
  const world = await aWorld(t, cluster, OBJECTS_ONLY);
  await world.secret("pw", { password: "Correct-Horse-7" });
  await credentials(world, clientSecret(world));
  await declareTenant(world);
  await world.apply("jane", { ...jane, password: { secretRef: { name: "pw" } } });
  await world.until("jane", "Created");

  await world.must(["delete", "auth0tenant", "acme", "--wait=false"]);
  await world.must(["delete", "secret", "acme-client"]);
  await row(world, /False\s+Deleting.*goes once no Auth0User names it/);
  await world.must(["delete", "auth0user", "jane"]);

  await eventually(async () => {
    const { exitCode } = await world.kubectl(["get", "auth0tenant", "acme"]);
    if (exitCode === 0) throw new Error(`the tenant is still there\n${world.log.slice(-2_000)}`);
  });
  t.is((await world.tenant.users()).length, 0, "the way that worked last was good enough to delete the user");
});

clusterTest(
  "what a tenant does not grant is refused by name, without a call, and a grant taken back deletes nothing",
  async (t, cluster) => {
    const world = await aWorld(t, cluster, OBJECTS_ONLY);
    await world.secret("pw", { password: "Correct-Horse-7" });
    await credentials(world, clientSecret(world));
    await declareTenant(world, { grants: [{ emailDomains: ["example.com"], connections: [CONNECTION] }] });
    await row(world, /True\s+Connected/);
    await world.tenant.clearCalls();

    await world.apply("ceo", { ...jane, email: "ceo@acme.example" });
    const refused = await world.until("ceo", "NotGranted");
    t.regex(
      refused.status?.conditions?.[0]?.message ?? "",
      /Auth0Tenant acme does not grant namespace world-\d+: addresses in acme\.example/,
    );
    await world.apply("power", {
      ...jane,
      userId: "auth0|somebody",
      appMetadata: { admin: true },
      emailVerified: true,
    });
    const powers = await world.until("power", "NotGranted");
    t.regex(powers.status?.conditions?.[0]?.message ?? "", /appMetadata\.admin.*emailVerified.*taking over/);
    t.is((await world.tenant.calls()).total, 0);

    await world.apply("jane", { ...jane, password: { secretRef: { name: "pw" } } });
    await world.until("jane", "Created");
    await declareTenant(world, { grants: [{ emailDomains: ["acme.example"] }] });
    await eventually(async () => {
      await world.sync("jane").catch(() => {});
      await world.until("jane", "NotGranted");
    });
    await world.must(["delete", "auth0user", "jane", "--wait=false"]);
    await world.until("jane", "NotGranted");
    t.is((await world.tenant.users()).length, 1);
  },
);

clusterTest(
  "who may take users over does not thereby get their passwords, be it by a link or by an edit afterwards",
  async (t, cluster) => {
    const world = await aWorld(t, cluster, OBJECTS_ONLY);
    await world.secret("pw", { password: "Correct-Horse-7" });
    await credentials(world, clientSecret(world));
    await declareTenant(world, { grants: [{ adopt: true }] });
    const { user_id: userId } = await world.tenant.addUser({
      connection: CONNECTION,
      email: "jane@example.com",
      password: "Correct-Horse-8",
    });
    await world.apply("jane", { tenantRef: jane.tenantRef, connection: CONNECTION, userId, nickname: "ours" });
    await world.until("jane", "Adopted");

    await world.must(["annotate", "auth0user", "jane", "auth0-user-operator.dev/actions=password-change-ticket"]);
    await world.until("jane", "NotGranted");
    await world.must(["annotate", "auth0user", "jane", "auth0-user-operator.dev/actions-"]);
    await world.edit("jane", { password: { secretRef: { name: "pw" } } });
    const refused = await world.until("jane", "NotGranted");

    t.regex(refused.status?.conditions?.[0]?.message ?? "", /passwordOnAdopted/);
    t.true(await world.tenant.passwordMatches(userId, "Correct-Horse-8"));
  },
);

clusterTest("a role is granted by what it is, not by how it is spelt", async (t, cluster) => {
  const world = await aWorld(t, cluster, OBJECTS_ONLY);
  const aRole = async (name: string): Promise<string> =>
    ((await world.tenant.api("POST", "/api/v2/roles", { name })).body as { id: string }).id;
  const [support, billing, admin] = [await aRole("support"), await aRole("billing"), await aRole("admin")];
  await credentials(world, clientSecret(world));
  await declareTenant(world, { grants: [{ roles: ["support", billing] }] });
  const aUserWith = (role: string) => ({ tenantRef: jane.tenantRef, connection: "email", roles: [role] });

  await world.apply("by-id", { ...aUserWith(support), email: "a@example.com" });
  await world.apply("by-name", { ...aUserWith("billing"), email: "b@example.com" });
  await world.apply("admin", { ...aUserWith(admin), email: "c@example.com" });
  await world.until("by-id", "Created");
  await world.until("by-name", "Created");
  const refused = await world.until("admin", "NotGranted");
  t.regex(refused.status?.conditions?.[0]?.message ?? "", new RegExp(`${admin} \\(roles\\)`));
  await world.stop();
  await world.tenant.api("PATCH", `/api/v2/roles/${support}`, { name: "former-support" });
  await world.tenant.api("PATCH", `/api/v2/roles/${admin}`, { name: "billing" });
  await world.tenant.api("PATCH", `/api/v2/roles/${billing}`, { name: "former-billing" });
  await world.start();
  await world.edit("by-id", { nickname: "edited" });
  await world.edit("by-name", { nickname: "edited" });

  await world.until("by-id", "NotGranted");
  const renamed = await world.until("by-name", "NotGranted");
  t.regex(renamed.status?.conditions?.[0]?.message ?? "", /billing \(roles\)/, "the name is another role's by now");
  t.true((await world.tenant.users()).every(({ nickname }) => nickname !== "edited"));
});

clusterTest("an operator of chosen namespaces leaves ClusterAuth0Tenants alone, and says so", async (t, cluster) => {
  const world = await aWorld(t, cluster, OBJECTS_ONLY);
  const tenant = {
    apiVersion: "auth0-user-operator.dev/v1alpha1",
    kind: "ClusterAuth0Tenant",
    metadata: { name: "wide" },
    spec: { domain: world.tenant.domain, credentials: { secretRef: { name: "c", namespace: world.namespace } } },
  };
  await world.must(["apply", "-f", "-"], JSON.stringify(tenant));

  await world.apply("jane", { ...jane, tenantRef: { kind: "ClusterAuth0Tenant", name: "wide" }, userId: "auth0|x" });
  const waiting = await world.until("jane", "TenantNotReady");

  t.regex(waiting.status?.conditions?.[0]?.message ?? "", /served by an operator of all namespaces/);
  t.is(await world.must(["get", "clusterauth0tenant", "wide", "-o=jsonpath={.status}{.metadata.finalizers}"]), "");
  await world.must(["delete", "clusterauth0tenant", "wide"]);
});

clusterTest(
  "users of a tenant are compared at its interval, and its settings are held to their bounds",
  async (t, cluster) => {
    const world = await aWorld(t, cluster, OBJECTS_ONLY);
    await credentials(world, clientSecret(world));
    for (const [settings, complaint] of [
      [{ drift: { fullScanInterval: "1s" } }, /fullScanInterval must be between 10s and 720h/],
      [{ quota: { share: "0%" } }, /spec\.quota\.share/],
      [{ quota: { plan: "Gold" } }, /spec\.quota\.plan/],
      [{ userMarkers: "Some" }, /spec\.userMarkers/],
    ] as const) {
      const error = await t.throwsAsync(declareTenant(world, settings));
      t.regex(error.message, complaint);
    }
    await declareTenant(world, {
      drift: { fullScanInterval: "10s" },
      quota: { plan: "Enterprise", share: "50%" },
      userMarkers: "All",
    });
    const email = { ...jane, connection: "email" };
    await world.apply("jane", { ...email, nickname: "jd" });
    const { status } = await world.until("jane", "Created");

    await world.tenant.patchUser(status?.userId ?? "", { nickname: "by hand" });

    await world.until("jane", "DriftCorrected");
    t.is((await world.tenant.user(status?.userId ?? ""))?.["nickname"], "jd");
  },
);

clusterTest("who uninstalls as the documents say leaves nothing behind that can't be deleted", async (t, cluster) => {
  const world = await aWorld(t, cluster, OBJECTS_ONLY);
  await credentials(world, clientSecret(world));
  await declareTenant(world);
  await world.apply("jane", { ...jane, connection: "email" });
  await world.until("jane", "Created");
  // docs/uninstall.md, "The users stay, the resources go": let go, delete, take the operator away.
  await world.edit("jane", { deletionPolicy: "Retain" });
  await world.must(["delete", "auth0users", "--all", "--timeout=30s"]);

  const { exitCode, stderr } = await world.kubectl(["delete", "auth0tenants", "--all", "--timeout=30s"]);

  t.is(exitCode, 0, `and with it its namespace can't go: ${stderr}`);
  await world.stop();
});
