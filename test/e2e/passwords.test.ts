/** Passwords on a real API server: made, rotated, restored, and never sent more often than they changed. */
import process from "node:process";
import { randomInt } from "node:crypto";
import { seededRandom } from "../../src/runtime/random.ts";
import { clusterTests } from "../support/control-plane.ts";
import { eventually } from "../support/eventually.ts";
import { aWorld, type Shown, type World } from "../support/world.ts";

const clusterTest = await clusterTests({ controllerManager: false });

const CONNECTION = "Username-Password-Authentication";
const GENERATE = { generate: { secretName: "jane-login" } };

function aSpec(password: object, rest: object = {}): object {
  return { connection: CONNECTION, email: "jane@example.com", password, ...rest };
}

async function secretText(world: World, name: string): Promise<string> {
  const data = await world.must(["get", "secret", name, "-o", "jsonpath={.data.password}"]);
  return Buffer.from(data, "base64").toString();
}

function passwordSynced({ status }: Shown): string {
  const condition = status?.conditions?.find(({ type }) => type === "PasswordSynced");
  return `${String(condition?.status)} ${String(condition?.reason)}`;
}

clusterTest("a generated password is in a Secret of the resource's own, and is the user's", async (t, cluster) => {
  const world = await aWorld(t, cluster);
  await world.apply("jane", aSpec({ generate: { secretName: "jane-login", length: 32 } }));
  const { metadata, status } = await world.until("jane", "Created");

  const secret = JSON.parse(await world.must(["get", "secret", "jane-login", "-o", "json"])) as {
    metadata: { ownerReferences: { uid: string; controller: boolean }[]; labels: Record<string, string> };
  };
  t.like(secret.metadata.ownerReferences, [{ uid: metadata.uid, controller: true }]);
  t.is(secret.metadata.labels["auth0-user-operator.dev/use"], "password");
  const password = await secretText(world, "jane-login");
  t.is(password.length, 32);
  t.true(await world.tenant.passwordMatches(status?.userId ?? "", password));
  t.deepEqual(
    (await world.sent()).map((call) => (Array.isArray(call) ? call[0] : call)),
    ["GET", "POST"],
    "the connection's policy, then the user",
  );
  t.false(world.log.includes(password));

  await world.must(["delete", "secret", "jane-login"]);
  await world.sync("jane");
  const second = await secretText(world, "jane-login");
  t.not(second, password);
  t.true(await world.tenant.passwordMatches(status?.userId ?? "", second), "deleting the Secret is a rotation");
  t.false(world.log.includes(second));
});

clusterTest("a generated password is as long as the connection demands", async (t, cluster) => {
  const options = { passwordPolicy: "excellent", password_complexity_options: { min_length: 40 } };
  const world = await aWorld(t, cluster, { simulator: { connections: [{ name: CONNECTION, options }] } });

  await world.apply("jane", aSpec(GENERATE));
  await world.until("jane", "Created");

  t.is((await secretText(world, "jane-login")).length, 40);
});

clusterTest("a Secret that is somebody else's is neither overwritten nor used", async (t, cluster) => {
  const world = await aWorld(t, cluster);
  await world.secret("jane-login", { password: "Correct-Horse-7" });
  await world.apply("jane", aSpec(GENERATE));

  const refused = await world.until("jane", "SecretNotOwned");

  t.is(passwordSynced(refused), "False SecretNotOwned");
  t.is(await secretText(world, "jane-login"), "Correct-Horse-7");
  t.is((await world.tenant.users()).length, 0);
});

clusterTest("a Secret that is being deleted is waited for, not made anew", async (t, cluster) => {
  const world = await aWorld(t, cluster);
  await world.apply("jane", aSpec(GENERATE));
  await world.until("jane", "Created");
  const first = await secretText(world, "jane-login");
  await world.must([
    "patch",
    "secret",
    "jane-login",
    "--type=merge",
    "--patch",
    '{"metadata":{"finalizers":["example.com/hold"]}}',
  ]);
  await world.must(["delete", "secret", "jane-login", "--wait=false"]);

  await world.sync("jane");
  t.is(passwordSynced(await world.get("jane")), "False SecretNotFound");
  t.is(await secretText(world, "jane-login"), first);

  await world.must(["patch", "secret", "jane-login", "--type=merge", "--patch", '{"metadata":{"finalizers":null}}']);
  await eventually(async () => {
    if ((await secretText(world, "jane-login").catch(() => first)) === first) throw new Error("no new one yet");
  });
});

clusterTest("a password that is set at creation only is left to the person", async (t, cluster) => {
  const world = await aWorld(t, cluster);
  await world.secret("jane-password", { password: "Correct-Horse-7" });
  const password = { secretRef: { name: "jane-password" }, policy: "OnCreate" };
  await world.apply("jane", aSpec(password));
  const { status } = await world.until("jane", "Created");
  await world.secret("jane-password", { password: "Correct-Horse-8" });
  await world.sent();

  t.is(passwordSynced(await world.sync("jane")), "True PasswordLeft");
  await world.must(["delete", "secret", "jane-password"]);
  t.is(passwordSynced(await world.sync("jane")), "True PasswordLeft");

  t.deepEqual(await world.sent(), ["GET", "GET"]);
  t.true(await world.tenant.passwordMatches(status?.userId ?? "", "Correct-Horse-7"));

  await world.secret("jane-password", { password: "Correct-Horse-8" });
  await world.edit("jane", { password: { policy: null } });
  await world.until("jane", "Updated");
  t.true(await world.tenant.passwordMatches(status?.userId ?? "", "Correct-Horse-8"));
});

clusterTest("a resource restored from a backup sends no password again, and says so", async (t, cluster) => {
  const world = await aWorld(t, cluster);
  await world.secret("jane-password", { password: "Correct-Horse-7" });
  await world.apply("jane", aSpec({ secretRef: { name: "jane-password" } }));
  const shown = await world.until("jane", "Created");
  await world.stop();
  await world.must(["patch", "auth0user", "jane", "--type=merge", "--patch", '{"metadata":{"finalizers":null}}']);
  await world.must(["delete", "auth0user", "jane"]);
  await world.sent();

  const { uid: _, resourceVersion: __, ...metadata } = shown.metadata;
  const backup = { apiVersion: "auth0-user-operator.dev/v1alpha1", kind: "Auth0User", metadata, spec: shown.spec };
  await world.must(["create", "-f", "-"], JSON.stringify(backup));
  await world.start();
  const restored = await eventually(async () => {
    const now = await world.get("jane");
    if (now.status?.userId === undefined) throw new Error("not looked at yet");
    return now;
  });

  t.is(restored.status?.userId, shown.status?.userId);
  t.is(passwordSynced(restored), "Unknown PasswordNotVerified");
  t.false(JSON.stringify(await world.sent()).includes("password"));
  await world.secret("jane-password", { password: "Correct-Horse-8" });
  t.is(passwordSynced(await world.sync("jane")), "True PasswordSet");
});

/** Steps of the walk; `PASSWORD_STEPS=1000` for the long one. */
const STEPS = Number(process.env["PASSWORD_STEPS"] ?? 60);

clusterTest("whatever happens, a password is sent exactly as often as its content changed", async (t, cluster) => {
  t.timeout(3_600_000);
  const seed = Number(process.env["FC_SEED"] ?? randomInt(2 ** 31));
  t.log(`seed ${String(seed)}, ${String(STEPS)} steps`);
  const random = seededRandom(seed);
  const world = await aWorld(t, cluster);
  let content = "Correct-Horse-7";
  let changes = 1;
  let sent = 0;
  await world.secret("jane-password", { password: content });
  await world.apply("jane", aSpec({ secretRef: { name: "jane-password" } }));
  const { status } = await world.until("jane", "Created");

  for (let step = 0; step < STEPS; step++) {
    const dice = random.next();
    if (dice < 0.15) {
      content = `Correct-Horse-${String(7 + ++changes)}`;
      await world.secret("jane-password", { password: content });
    } else if (dice < 0.3) {
      await world.must(["annotate", "--overwrite", "secret", "jane-password", `step=${String(step)}`]);
    } else if (dice < 0.35) {
      await world.must(["delete", "secret", "jane-password"]);
      await world.secret("jane-password", { password: content });
    } else if (dice < 0.4) {
      await world.stop(random.next() < 0.5 ? "SIGKILL" : "SIGTERM");
      await world.start();
    } else if (dice < 0.5) {
      await world.edit("jane", { nickname: `step-${String(step)}` });
      await world.until("jane", "Updated");
    }
    await world.sync("jane");
    t.true(await world.tenant.passwordMatches(status?.userId ?? "", content), `step ${String(step)}`);
    sent += (await world.sent()).filter((call) => JSON.stringify(call).includes("password")).length;
    t.is(sent, changes, `step ${String(step)}`);
  }
});
