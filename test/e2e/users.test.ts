/** The main job, end to end: manifests by kubectl, users at a tenant, exact calls in between. */
import { readdirSync } from "node:fs";
import { clusterTests } from "../support/control-plane.ts";
import { eventually } from "../support/eventually.ts";
import { aWorld, type World } from "../support/world.ts";

const clusterTest = await clusterTests({ controllerManager: false });

const CONNECTION = "Username-Password-Authentication";
const FIVE = {
  givenName: "Jane",
  familyName: "Doe",
  name: "Jane Doe",
  nickname: "jd",
  picture: "https://example.com/jane.png",
};

async function aUser(world: World, name = "jane", spec: object = {}, ...flags: string[]): Promise<void> {
  await world.secret(`${name}-password`, { password: "Correct-Horse-7" });
  await world.apply(name, aSpec(name, spec), ...flags);
  await world.until(name, "Created");
}

function aSpec(name: string, rest: object): object {
  const password = { secretRef: { name: `${name}-password` } };
  return { connection: CONNECTION, email: `${name}@example.com`, password, ...rest };
}

for (const flags of [[], ["--server-side"]]) {
  clusterTest(`the examples work as they are (kubectl apply ${flags.join(" ")})`, async (t, cluster) => {
    const world = await aWorld(t, cluster);
    await world.tenant.switches({ nullRootAttribute: "regenerated" });

    await world.must(["apply", ...flags, "-f", "examples/"]);
    await world.must(["wait", "--for=condition=Ready", "auth0users", "--all", "--timeout=30s"]);

    const shown = await world.must(["get", "auth0users"]);
    t.regex(shown, /NAME +READY +REASON +CONNECTION +USER ID +AGE/);
    t.is(shown.trim().split("\n").length - 1, readdirSync("examples").filter((name) => name.endsWith(".yaml")).length);
    t.like(await world.tenant.user("full@example.com"), {
      email_verified: true,
      username: "full_user",
      blocked: false,
      given_name: "Full",
      family_name: "Example",
      name: "Full Example",
      nickname: "full",
      picture: "https://example.com/full.png",
      user_metadata: { language: "en" },
      app_metadata: { costCenter: "4711" },
    });
    const full = await world.get("full");
    t.true(await world.tenant.passwordMatches(full.status?.userId ?? "", "Change-Me-Soon-6"));
    await world.must(["get", "auth0users", "--field-selector", "spec.connection=email", "-o", "name"]);

    await world.must(["delete", "-f", "examples/"]);
    t.deepEqual(
      (await world.tenant.users()).map(({ email }) => email),
      ["full@example.com"],
      "its policy is Retain",
    );
  });
}

clusterTest("a user is created by one POST, and an idle operator does nothing", async (t, cluster) => {
  const world = await aWorld(t, cluster);
  await aUser(world, "jane", FIVE);

  t.deepEqual(await world.sent(), [
    [
      "POST",
      {
        connection: CONNECTION,
        user_id: (await world.get("jane")).metadata.uid,
        email: "jane@example.com",
        given_name: "Jane",
        family_name: "Doe",
        name: "Jane Doe",
        nickname: "jd",
        picture: "https://example.com/jane.png",
        verify_email: false,
        password: "*****",
      },
    ],
  ]);
  const before = await world.get("jane");
  await world.must(["annotate", "auth0user", "jane", "example.com/touched=yes"]);
  await world.must(["label", "auth0user", "jane", "touched=yes"]);
  const synced = await world.sync("jane");
  t.deepEqual(await world.sent(), ["GET"]);
  t.deepEqual(synced.status?.conditions, before.status?.conditions);
  t.deepEqual(
    (await world.events("jane")).map(({ reason }) => reason),
    ["Created"],
  );
});

clusterTest("a pass over a user in sync writes nothing to the cluster", async (t, cluster) => {
  const world = await aWorld(t, cluster, { flags: ["--sync-interval=10s"] });
  await aUser(world);
  const { resourceVersion } = (await world.get("jane")).metadata;
  await world.sent();

  await eventually(async () => {
    if ((await world.tenant.calls()).byRoute["GET /api/v2/users/{id}"] === undefined) throw new Error("no look yet");
  });

  t.is((await world.get("jane")).metadata.resourceVersion, resourceVersion);
  t.true((await world.sent()).every((call) => call === "GET"));
});

clusterTest("an edit of two attributes is one PATCH with two keys", async (t, cluster) => {
  const world = await aWorld(t, cluster);
  await aUser(world, "jane", FIVE);
  await world.sent();

  await world.edit("jane", { nickname: "new", name: "New Name" });
  await world.until("jane", "Updated");

  t.deepEqual(await world.sent(), [["PATCH", { name: "New Name", nickname: "new" }]]);
});

clusterTest("a repair is one GET and one PATCH with the drifted keys", async (t, cluster) => {
  const world = await aWorld(t, cluster);
  await aUser(world, "jane", FIVE);
  const { status } = await world.get("jane");
  await world.tenant.patchUser(status?.userId ?? "", { nickname: "by hand", given_name: "Other" });
  await world.sent();

  const repaired = await world.sync("jane");

  t.deepEqual(await world.sent(), ["GET", ["PATCH", { given_name: "Jane", nickname: "jd" }]]);
  t.is(repaired.status?.conditions?.[0]?.reason, "DriftCorrected");
  t.truthy(repaired.status?.lastDriftTime);
});

clusterTest("deleting a user just written is one DELETE", async (t, cluster) => {
  const world = await aWorld(t, cluster);
  await aUser(world);
  await world.sent();

  await world.must(["delete", "auth0user", "jane"]);

  t.deepEqual(await world.sent(), ["DELETE"]);
  t.is((await world.tenant.users()).length, 0);
  t.deepEqual((await world.events("jane")).map(({ reason }) => reason).toSorted(), ["Created", "Deleted"]);
});

clusterTest("one token serves everything", async (t, cluster) => {
  const world = await aWorld(t, cluster);
  await Promise.all(["a", "b", "c"].map((name) => aUser(world, name)));
  await world.edit("a", { nickname: "x" });
  await world.until("a", "Updated");
  await world.must(["delete", "auth0users", "--all"]);

  t.is((await world.tenant.calls()).byRoute["POST /oauth/token"], 1);
});

const nullSpellings: [title: string, write: (world: World, name: string, spec: object) => Promise<unknown>][] = [
  [
    "an explicit null by server-side apply",
    (world, name, spec) => world.apply(name, { ...spec, nickname: null }, "--server-side", "--force-conflicts"),
  ],
  [
    "an explicit null by a merge of JSON",
    (world, name) =>
      world.must([
        "patch",
        "auth0user",
        name,
        "--type=json",
        "--patch",
        '[{"op":"add","path":"/spec/nickname","value":null}]',
      ]),
  ],
  [
    "removeAttributes by client-side apply",
    (world, name, spec) => world.apply(name, { ...spec, removeAttributes: ["nickname"] }),
  ],
  ["a null that client-side apply drops", (world, name, spec) => world.apply(name, { ...spec, nickname: null })],
];
for (const [title, write] of nullSpellings) {
  clusterTest(`${title} removes the nickname by one PATCH, and later passes see no drift`, async (t, cluster) => {
    const world = await aWorld(t, cluster);
    const spec = { connection: "email", email: "jane@example.com" };
    await world.apply("jane", { ...spec, nickname: "jd" });
    await world.until("jane", "Created");
    await world.sent();

    await write(world, "jane", spec);
    await eventually(async () => {
      const { status } = await world.get("jane");
      if (status?.removedAttributes?.[0] !== "nickname") throw new Error(JSON.stringify(status));
    });

    t.deepEqual(await world.sent(), [["PATCH", { nickname: null }]]);
    await world.sync("jane");
    t.deepEqual(await world.sent(), ["GET"]);
    t.is((await world.tenant.user("jane@example.com"))?.["nickname"], undefined);
  });
}

for (const nullRootAttribute of ["removed", "regenerated", "refused"] as const) {
  clusterTest(
    `five attributes: one POST, one PATCH of values, one of nulls (${nullRootAttribute})`,
    async (t, cluster) => {
      const world = await aWorld(t, cluster, { simulator: { switches: { nullRootAttribute } } });
      // Server-side from the start: kubectl writes twice when it takes over from client-side apply.
      await aUser(world, "jane", FIVE, "--server-side");
      const [created] = await world.sent();
      t.like((created as [string, object])[1], onTheWire(FIVE));

      const other = {
        givenName: "J",
        familyName: "D",
        name: "J D",
        nickname: "j",
        picture: "https://example.com/j.png",
      };
      await world.apply("jane", aSpec("jane", other), "--server-side");
      await world.until("jane", "Updated");
      t.deepEqual(await world.sent(), [["PATCH", onTheWire(other)]]);

      const nulls = { givenName: null, familyName: null, name: null, nickname: null, picture: null };
      await world.apply("jane", aSpec("jane", nulls), "--server-side");
      await eventually(async () => {
        const { status } = await world.get("jane");
        if (status?.syncedGeneration !== 3) throw new Error(JSON.stringify(status));
      });
      const isRefused = nullRootAttribute === "refused";
      const { status } = await world.until("jane", isRefused ? "AttributeNotWritable" : "Updated");
      t.deepEqual([...(status?.notWritableAttributes ?? [])].toSorted(), isRefused ? Object.keys(FIVE).toSorted() : []);
      t.deepEqual((await world.sent())[0], ["PATCH", onTheWire(nulls)]);
      await world.sync("jane");
      await world.sync("jane");
      t.deepEqual(await world.sent(), ["GET", "GET"]);
    },
  );
}

function onTheWire({ givenName, familyName, ...same }: Record<string, unknown>): object {
  return { given_name: givenName, family_name: familyName, ...same };
}

clusterTest("an attribute that leaves the spec is let go, said once, and not touched", async (t, cluster) => {
  const world = await aWorld(t, cluster);
  const spec = { connection: "email", email: "jane@example.com" };
  await world.apply("jane", { ...spec, nickname: "jd" });
  await world.until("jane", "Created");
  await world.sent();

  await world.apply("jane", spec);
  await world.until("jane", "InSync");

  t.deepEqual(await world.sent(), []);
  await eventually(async () => {
    const released = (await world.events("jane")).find(({ reason }) => reason === "AttributeReleased");
    if (released === undefined) throw new Error("no Event yet");
    t.regex(released.note, /nickname.*removeAttributes/);
  });
});

clusterTest("a changed password is sent at once where Secrets are watched, and only then", async (t, cluster) => {
  const world = await aWorld(t, cluster, { isStarted: false });
  await world.must(["create", "role", "watch-secrets", "--verb=list,watch", "--resource=secrets"]);
  await world.must([
    "create",
    "rolebinding",
    "watch-secrets",
    "--role=watch-secrets",
    "--serviceaccount=auth0-user-operator:auth0-user-operator",
  ]);
  await world.start({ AUTH0_USER_OPERATOR_WATCH_SECRETS: world.namespace });
  await aUser(world);
  const userId = (await world.get("jane")).status?.userId ?? "";
  await world.sent();

  await world.secret("jane-password", { password: "Correct-Horse-8" });
  await eventually(async () => {
    if (!(await world.tenant.passwordMatches(userId, "Correct-Horse-8"))) throw new Error("not yet");
  });
  t.deepEqual(await world.sent(), ["GET", ["PATCH", { password: "*****" }]]);

  await world.must(["annotate", "secret", "jane-password", "touched=yes"]);
  await world.sync("jane");
  t.true((await world.sent()).every((call) => call === "GET"));
});

clusterTest("a changed password is noticed at the next sync where Secrets are not watched", async (t, cluster) => {
  const world = await aWorld(t, cluster);
  await aUser(world);
  const userId = (await world.get("jane")).status?.userId ?? "";
  await world.secret("jane-password", { password: "Correct-Horse-8" });

  const shown = await world.sync("jane");

  t.true(await world.tenant.passwordMatches(userId, "Correct-Horse-8"));
  t.is(shown.status?.conditions?.find(({ type }) => type === "PasswordSynced")?.status, "True");
});

clusterTest("a suspended resource is left alone until it goes on", async (t, cluster) => {
  const world = await aWorld(t, cluster);
  await aUser(world);
  await world.sent();

  await world.edit("jane", { suspend: true, nickname: "new" });
  const paused = await world.until("jane", "Suspended");
  t.is(paused.status?.conditions?.find(({ type }) => type === "Ready")?.status, "True");
  t.deepEqual(await world.sent(), []);

  await world.edit("jane", { suspend: false });
  await world.until("jane", "Updated");
  t.deepEqual(await world.sent(), [["PATCH", { nickname: "new" }]]);
});

clusterTest(
  "a user is taken over by its id, retained when its resource goes, and never created",
  async (t, cluster) => {
    const world = await aWorld(t, cluster);
    const { user_id: userId } = await world.tenant.addUser({ connection: CONNECTION, email: "old@example.com" });
    await world.apply("old", { connection: CONNECTION, userId, nickname: "adopted" });
    const adopted = await world.until("old", "Adopted");
    t.is(adopted.status?.createdByOperator, false);
    t.is((await world.tenant.user(userId))?.["nickname"], "adopted");

    await world.must(["delete", "auth0user", "old"]);
    t.is((await world.tenant.users()).length, 1);

    await world.apply("nobody", { connection: CONNECTION, userId: "auth0|nobody" });
    await world.until("nobody", "UserNotFound");
    t.is((await world.tenant.users()).length, 1);
  },
);
