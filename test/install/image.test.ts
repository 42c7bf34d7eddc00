/** The image as the Dockerfile makes it: what is in it, and that it runs a user's life in a cluster. */
import { clusterTests } from "../support/control-plane.ts";
import { Image } from "../support/image.ts";
import { toolTests } from "../support/tools.ts";
import { aWorld } from "../support/world.ts";

const MIB = 1 << 20;
const clusterTest = await clusterTests({ controllerManager: false });
const imageTest = toolTests(["buildah"], "apt-get install buildah", clusterTest);

imageTest("the image builds, is small, holds no shell, and runs as nobody", async (t, { buildah }, cluster) => {
  t.timeout(600_000);
  const image = Image.build(t, buildah);

  const { user, labels } = image.config;
  const files = image.files();
  t.is(user, "65532:65532");
  t.is(labels["org.opencontainers.image.title"], "auth0-user-operator");
  t.deepEqual(
    [...files.keys()].filter((file) => file.startsWith("app/")),
    ["app/main.js"],
  );
  t.deepEqual(
    [...files.keys()].filter((file) => /(^|\/)(sh|bash|npm|node_modules)(\/|$)/.test(file)),
    [],
  );
  const bytes = [...files.values()].reduce((sum, size) => sum + size, 0);
  t.true(bytes < 200 * MIB, `${String(Math.round(bytes / MIB))} MiB`);

  const world = await aWorld(t, cluster, { program: (env) => image.command(env) });
  await world.secret("jane", { password: "Correct-Horse-1" });
  await world.apply("jane", {
    connection: "Username-Password-Authentication",
    email: "jane@example.com",
    password: { secretRef: { name: "jane" } },
  });
  await world.until("jane", "Created");
  await world.must(["delete", "auth0user", "jane"]);
  t.deepEqual(await world.tenant.users(), []);
});
