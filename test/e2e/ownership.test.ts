/** Whose user it is: what somebody who may write Auth0Users in one namespace can and can't get hold of. */
import type { ExecutionContext } from "ava";
import { clusterTests, type TestCluster } from "../support/control-plane.ts";
import { eventually } from "../support/eventually.ts";
import { kstatusOf } from "../support/kstatus.ts";
import { aWorld, manifest, type World } from "../support/world.ts";

const clusterTest = await clusterTests({ controllerManager: false });

const jane = { connection: "email", email: "jane@example.com" };
let namespaces = 0;

/** A world with a second namespace that the same operator serves: the attacker's. */
async function twoTeams(t: ExecutionContext, cluster: TestCluster): Promise<{ world: World; evil: string }> {
  const evil = `evil-${String(++namespaces)}`;
  await cluster.kubectl(["create", "namespace", evil]);
  const world = await aWorld(t, cluster, { flags: [`--namespace=${evil}`] });
  return { world, evil };
}

async function inNamespace(world: World, namespace: string, text: string): Promise<void> {
  await world.must(["apply", `--namespace=${namespace}`, "-f", "-"], text);
}

/** Waits for the reason of a resource in another namespace; gives its message. */
async function reasonIn(world: World, namespace: string, name: string, reason: string): Promise<string> {
  return eventually(async () => {
    const path = '-o=jsonpath={.status.conditions[?(@.type=="Ready")].reason}: {.status.conditions[0].message}';
    const text = await world.must(["get", `--namespace=${namespace}`, "auth0user", name, path]);
    if (!text.startsWith(`${reason}:`)) throw new Error(`${text}\n${world.log.slice(-2_000)}`);
    return text;
  });
}

clusterTest(
  "another namespace's user can't be had by its id, nor by its address, while its resource stands",
  async (t, cluster) => {
    const { world, evil } = await twoTeams(t, cluster);
    await world.apply("jane", { ...jane, nickname: "ours" });
    const { status } = await world.until("jane", "Created");
    await world.sent();

    await inNamespace(
      world,
      evil,
      manifest("by-id", { connection: "email", userId: status?.userId, nickname: "stolen" }),
    );
    t.regex(await reasonIn(world, evil, "by-id", "DuplicateClaim"), new RegExp(`${world.namespace}/jane`));
    t.deepEqual(await world.sent(), [], "no request leaves for what is refused");
    await inNamespace(world, evil, manifest("by-address", { ...jane, adoptionPolicy: "Adopt", nickname: "stolen" }));
    await reasonIn(world, evil, "by-address", "DuplicateClaim");

    t.is((await world.tenant.user(status?.userId ?? ""))?.["nickname"], "ours");
    await world.must(["delete", `--namespace=${evil}`, "auth0user", "by-id", "by-address"]);
    t.is((await world.tenant.users()).length, 1, "and deleting what was refused deletes nobody");
  },
);

clusterTest("a forged or copied annotation proves nothing", async (t, cluster) => {
  const { world, evil } = await twoTeams(t, cluster);
  await world.apply("jane", { ...jane, nickname: "ours" });
  const { status, metadata } = await world.until("jane", "Created");
  const claim = metadata.annotations?.["auth0-user-operator.dev/user-id"] ?? "";
  await world.sent();

  for (const [name, annotation] of [
    ["copied", claim],
    ["forged", `${status?.userId ?? ""};${world.tenant.domain};created;unsigned`],
    ["spoilt", "anything"],
  ] as const) {
    const document = JSON.parse(manifest(name, { ...jane, deletionPolicy: "Delete" })) as { metadata: object };
    const annotations = { "auth0-user-operator.dev/user-id": annotation };
    const copied = { ...document, metadata: { ...document.metadata, annotations } };
    await inNamespace(world, evil, JSON.stringify(copied));
    await reasonIn(world, evil, name, "UserConflict");
    await world.must(["delete", `--namespace=${evil}`, "auth0user", name]);
  }

  t.deepEqual(await world.sent(), []);
  t.is((await world.tenant.user(status?.userId ?? ""))?.["nickname"], "ours");
});

clusterTest(
  "a claim moves: the user outlives its first resource while another one waits for it",
  async (t, cluster) => {
    const world = await aWorld(t, cluster);
    await world.apply("old", { ...jane, nickname: "old" });
    const { status } = await world.until("old", "Created");
    await world.apply("new", { ...jane, adoptionPolicy: "Adopt", nickname: "new" });
    await world.until("new", "DuplicateClaim");
    await world.stop("SIGKILL");
    await world.start();

    await world.must(["delete", "auth0user", "old"]);

    const moved = await world.until("new", "Adopted");
    t.is(moved.status?.userId, status?.userId);
    t.is((await world.tenant.users()).length, 1);
    t.is((await world.tenant.user(status?.userId ?? ""))?.["nickname"], "new");
    t.false((await world.tenant.requests()).some(({ method }) => method === "DELETE"));
  },
);

clusterTest("of two that want the same user at once one gets it", async (t, cluster) => {
  const world = await aWorld(t, cluster);
  const { user_id: userId } = await world.tenant.addUser({ ...jane });

  const both = ["one", "two"].map((name) => manifest(name, { connection: "email", userId, nickname: name }));
  await world.must(["apply", "-f", "-"], both.join("\n---\n"));

  const reasons = await eventually(async () => {
    const text = await world.must([
      "get",
      "auth0users",
      "-o",
      'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].reason}',
    ]);
    const found = text.split(" ").toSorted();
    if (found.length < 2) throw new Error(text);
    return found;
  });
  t.deepEqual(reasons, ["Adopted", "DuplicateClaim"]);
});

clusterTest(
  "a takeover under review stands in the status, and is made once its hash is approved",
  async (t, cluster) => {
    const world = await aWorld(t, cluster);
    const { user_id: userId } = await world.tenant.addUser({ ...jane, nickname: "old" });
    await world.sent();
    const spec = { ...jane, nickname: "new", appMetadata: { plan: "gold" }, adoptionPolicy: "Review" };
    await world.apply("jane", spec);

    const waiting = await world.until("jane", "AwaitingApproval");
    t.like(waiting.status?.plannedChanges, { userId, total: waiting.status?.plannedChanges?.changes?.length });
    const planned = waiting.status?.plannedChanges?.changes ?? [];
    t.deepEqual(
      planned.find(({ field }) => field === "nickname"),
      { field: "nickname", change: "Set", from: "old", to: "new" },
    );
    t.deepEqual(
      planned.find(({ field }) => field === "appMetadata.plan"),
      { field: "appMetadata.plan", change: "Set" },
    );
    t.is(waiting.status?.userId, undefined);
    t.is(waiting.metadata.finalizers, undefined, "nothing holds the resource of what nobody approved");
    t.is(kstatusOf(waiting), "InProgress");

    await world.tenant.patchUser(userId, { nickname: "edited" });
    await approve(world, waiting.status?.plannedChanges?.hash ?? "");
    const changed = await eventually(async () => {
      const shown = await world.until("jane", "AwaitingApproval");
      if (shown.status?.plannedChanges?.hash === waiting.status?.plannedChanges?.hash) throw new Error("the old plan");
      return shown;
    });
    t.is((await world.tenant.user(userId))?.["nickname"], "edited", "what was approved was another plan");
    t.true((await world.sent()).every((call) => call === "GET"));

    await approve(world, changed.status?.plannedChanges?.hash ?? "");
    const adopted = await world.until("jane", "Adopted");
    t.is(adopted.status?.userId, userId);
    t.is(adopted.status?.plannedChanges, undefined);
    t.is((await world.tenant.user(userId))?.["nickname"], "new");
  },
);

clusterTest("a takeover that nobody approved ends with its resource, and the user stays", async (t, cluster) => {
  const world = await aWorld(t, cluster);
  const { user_id: userId } = await world.tenant.addUser({ ...jane, nickname: "old" });
  await world.apply("jane", { connection: "email", userId, adoptionPolicy: "Review", deletionPolicy: "Delete" });
  await world.until("jane", "AwaitingApproval");

  await world.must(["delete", "auth0user", "jane"]);

  t.is((await world.tenant.user(userId))?.["nickname"], "old");
  t.true((await world.sent()).every((call) => call === "GET"));
});

clusterTest(
  "a resource restored from a backup does not get back a user that another one holds by now",
  async (t, cluster) => {
    const world = await aWorld(t, cluster);
    await world.apply("old", { ...jane, deletionPolicy: "Retain" });
    const { metadata, status } = await world.until("old", "Created");
    await world.must(["delete", "auth0user", "old"]);
    await world.apply("new", { connection: "email", userId: status?.userId, nickname: "new" });
    await world.until("new", "Adopted");
    await world.sent();

    const document = JSON.parse(manifest("old", { ...jane, nickname: "old", deletionPolicy: "Delete" })) as {
      metadata: object;
    };
    const restored = { ...document, metadata: { ...document.metadata, annotations: metadata.annotations } };
    await world.must(["create", "-f", "-"], JSON.stringify(restored));

    const refused = await world.until("old", "DuplicateClaim");
    t.regex(refused.status?.conditions?.[0]?.message ?? "", new RegExp(`${world.namespace}/new`));
    t.is(refused.status?.userId, undefined);
    await world.stop("SIGKILL");
    await world.start();
    await world.must(["delete", "auth0user", "old"]);
    t.deepEqual(await world.sent(), [], "neither written nor deleted, whatever was in memory");
    t.is((await world.tenant.user(status?.userId ?? ""))?.["nickname"], "new");
  },
);

clusterTest("operators of two clusters that share a tenant notice each other by the marker", async (t, cluster) => {
  const first = await aWorld(t, cluster, { flags: ["--user-markers=all"] });
  const { url, clientId, clientSecret } = first.tenant;
  const env = { AUTH0_DOMAIN: url, AUTH0_CLIENT_ID: clientId, AUTH0_CLIENT_SECRET: clientSecret };
  const second = await aWorld(t, cluster, { env });
  await first.apply("jane", { ...jane, nickname: "first" });
  const { status } = await first.until("jane", "Created");
  await first.sent();

  await second.apply("kim", { connection: "email", userId: status?.userId, nickname: "second" });

  const refused = await second.until("kim", "DuplicateClaim");
  t.regex(refused.status?.conditions?.[0]?.message ?? "", new RegExp(`Auth0User ${first.namespace}/jane of another`));
  t.deepEqual(await first.sent(), ["GET"]);
  await second.must(["delete", "auth0user", "kim"]);
  t.is((await first.tenant.user(status?.userId ?? ""))?.["nickname"], "first");
});

async function approve(world: World, hash: string): Promise<void> {
  await world.must(["annotate", "--overwrite", "auth0user", "jane", `auth0-user-operator.dev/approve-plan=${hash}`]);
}
