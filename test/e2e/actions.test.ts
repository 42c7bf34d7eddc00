/** One-shot actions by annotation: done once, answered in the status, never repeated; and roles on a real API server. */
import { clusterTests } from "../support/control-plane.ts";
import { eventually } from "../support/eventually.ts";
import { aWorld, type Shown, type World } from "../support/world.ts";

const clusterTest = await clusterTests({ controllerManager: false });

const CONNECTION = "Username-Password-Authentication";

async function aUser(world: World): Promise<string> {
  await world.secret("jane-password", { password: "Correct-Horse-7" });
  await world.apply("jane", {
    connection: CONNECTION,
    email: "jane@example.com",
    password: { secretRef: { name: "jane-password" } },
  });
  const { status } = await world.until("jane", "Created");
  await world.sent();
  return status?.userId ?? "";
}

/** Asks, and waits for the answer. */
async function ask(world: World, request: string): Promise<Shown> {
  await world.must(["annotate", "--overwrite", "auth0user", "jane", `auth0-user-operator.dev/actions=${request}`]);
  return eventually(async () => {
    const shown = await world.get("jane");
    if (shown.status?.actions?.request === request && shown.status.actions.results !== undefined) return shown;
    throw new Error(`not answered: ${JSON.stringify(shown.status?.actions)}\n${world.log.slice(-2_000)}`);
  });
}

function resultsOf({ status }: Shown): string[] {
  return (status?.actions?.results ?? []).map(({ action, result }) => `${action} ${result}`);
}

clusterTest("every action is one call, answered once and never repeated", async (t, cluster) => {
  const world = await aWorld(t, cluster);
  const userId = await aUser(world);

  const answered = await ask(world, "verification-email,revoke-access,unblock,resend-password@monday");

  t.deepEqual(resultsOf(answered), [
    "verification-email Done",
    "revoke-access Done",
    "unblock Done",
    "resend-password Done",
  ]);
  t.deepEqual(await world.sent(), [
    ["POST", { user_id: userId, identity: { provider: "auth0", user_id: userId.slice("auth0|".length) } }],
    ["POST", {}],
    "DELETE",
    ["PATCH", { password: "*****" }],
  ]);
  await world.sync("jane");
  await world.stop();
  await world.start();
  await world.sync("jane");
  t.deepEqual(await world.sent(), ["GET", "GET"], "looks, and nothing else");
  t.deepEqual((await world.get("jane")).status?.actions, answered.status?.actions);

  t.deepEqual(resultsOf(await ask(world, "unblock@tuesday")), ["unblock Done"]);
  t.deepEqual(await world.sent(), ["DELETE"]);
});

clusterTest("every action is on record, and its record holds no secret", async (t, cluster) => {
  const world = await aWorld(t, cluster);
  const userId = await aUser(world);

  await ask(world, "verification-email,password-change-ticket,revoke-access,unblock,resend-password");

  const records = world.log
    .split("\n")
    .filter((line) => line.includes('"stream":"audit"'))
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  t.deepEqual(
    records.map(({ operation, fields, result }) => [operation, result, ...(fields as string[])]),
    [
      ["create", "done", "email", "password"],
      ["send-verification-email", "done"],
      ["create-password-ticket", "done"],
      ["revoke-access", "done"],
      ["unblock", "done"],
      ["update", "done", "password"],
    ],
  );
  t.true(records.every((record) => record["userId"] === userId && record["resource"] === `${world.namespace}/jane`));
  t.true(records.every((record) => record["declaredBy"] === "kubectl-client-side-apply"));
  t.notRegex(JSON.stringify(records), /https?:/, "the ticket is as good as the password");
});

clusterTest("a ticket is in a Secret of the resource's own, and nowhere else", async (t, cluster) => {
  const world = await aWorld(t, cluster);
  await aUser(world);

  const { status, metadata } = await ask(world, "password-change-ticket");

  const message = status?.actions?.results?.[0]?.message ?? "";
  const [, name = ""] = /Secret (\S+), key url/.exec(message) ?? [];
  const secret = JSON.parse(await world.must(["get", "secret", name, "-o", "json"])) as {
    metadata: { ownerReferences: { uid: string }[] };
    data: { url: string };
  };
  t.is(secret.metadata.ownerReferences[0]?.uid, metadata.uid);
  const url = Buffer.from(secret.data.url, "base64").toString();
  t.regex(url, /^https?:/);
  const events = JSON.stringify(await world.events("jane"));
  t.false([JSON.stringify(await world.get("jane")), world.log, events].some((text) => text.includes(url)));
});

clusterTest("an action that does not exist is refused by name, and the others are done", async (t, cluster) => {
  const world = await aWorld(t, cluster);
  await aUser(world);

  const answered = await ask(world, "send-flowers,unblock");

  t.deepEqual(resultsOf(answered), ["send-flowers Failed", "unblock Done"]);
  t.regex(answered.status?.actions?.results?.[0]?.message ?? "", /verification-email, password-change-ticket/);
  t.is(answered.status?.conditions?.find(({ type }) => type === "Ready")?.status, "True");
});

clusterTest("an action that was interrupted is not done again, and said to be unknown", async (t, cluster) => {
  const world = await aWorld(t, cluster);
  await aUser(world);
  await world.tenant.faults({
    rules: [{ kind: "latency", ms: 600_000, route: "POST /api/v2/jobs/verification-email" }],
  });
  await world.must(["annotate", "auth0user", "jane", "auth0-user-operator.dev/actions=verification-email"]);
  await eventually(async () => {
    if ((await world.get("jane")).status?.actions === undefined) throw new Error("not begun");
  });
  await world.stop("SIGKILL");
  await world.tenant.faults({});
  await world.sent();

  await world.start();
  const answered = await eventually(async () => {
    const shown = await world.get("jane");
    if (shown.status?.actions?.results === undefined) throw new Error("not answered");
    return shown;
  });

  t.deepEqual(resultsOf(answered), ["verification-email Unknown"]);
  t.false(JSON.stringify(await world.sent()).includes("user_id"));
});

clusterTest("roles are given, kept, and taken back with their declaration", async (t, cluster) => {
  const world = await aWorld(t, cluster);
  for (const name of ["support", "billing"]) await world.tenant.api("POST", "/api/v2/roles", { name });
  const userId = await aUser(world);
  const roles = async (): Promise<string[]> => {
    const { body } = await world.tenant.api("GET", `/api/v2/users/${encodeURIComponent(userId)}/roles`);
    return (body as { name: string }[]).map(({ name }) => name).toSorted((a, b) => a.localeCompare(b));
  };

  await world.edit("jane", { roles: ["support", "billing"], unsetPolicy: "Remove" });
  const given = await world.until("jane", "Updated");
  t.deepEqual(await roles(), ["billing", "support"]);
  t.is(given.status?.assigned?.length, 2);

  await world.edit("jane", { roles: ["support"] });
  await eventually(async () => {
    if ((await roles()).length !== 1) throw new Error("not taken back yet");
  });
  await world.edit("jane", { roles: ["support", "nobody"] });
  const refused = await world.until("jane", "AssignmentNotFound");
  t.regex(refused.status?.conditions?.[0]?.message ?? "", /no role named nobody; everything else is as declared/);

  await world.edit("jane", { roles: null });
  await eventually(async () => {
    if ((await world.get("jane")).status?.assigned !== undefined) throw new Error("still assigned");
  });
  t.deepEqual(await roles(), []);
});
