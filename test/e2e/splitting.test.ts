/** A change that takes three calls, by an operator that is killed after each: nothing is lost, and no call is one too many. */
import { clusterTests } from "../support/control-plane.ts";
import { eventually } from "../support/eventually.ts";
import { aWorld } from "../support/world.ts";

const clusterTest = await clusterTests({ controllerManager: false });

const SPEC = {
  connection: "Username-Password-Authentication",
  email: "jane@example.com",
  username: "jane",
  nickname: "jd",
  password: { secretRef: { name: "jane" } },
};

clusterTest(
  "killed between the parts of one change: each part is done, and the next life does the rest",
  async (t, cluster) => {
    const world = await aWorld(t, cluster);
    await world.secret("jane", { password: "Correct-Horse-7" });
    await world.apply("jane", SPEC);
    const userId = (await world.until("jane", "Created")).status?.userId ?? "";
    await world.stop();
    await world.secret("jane", { password: "Correct-Horse-8" });
    await world.edit("jane", { username: "janet", email: "new@example.com", nickname: "new" });
    await world.sent();

    const lives: unknown[] = [];
    for (const isKilled of [true, true, true, false]) {
      // The work is done, and the answer never comes.
      if (isKilled) {
        await world.tenant.faults({ rules: [{ kind: "latency", ms: 600_000, route: "PATCH /api/v2/users/{id}" }] });
      }
      await world.start();
      if (isKilled) {
        await eventually(async () => {
          if (!(await world.tenant.requests()).some(({ method }) => method === "PATCH"))
            throw new Error("no PATCH yet");
        });
        await world.stop("SIGKILL");
        await world.tenant.faults({});
      } else {
        await world.until("jane", "Updated");
      }
      lives.push(await world.sent());
    }

    t.deepEqual(lives, [
      ["GET", ["PATCH", { username: "janet", nickname: "new" }]],
      ["GET", ["PATCH", { email: "new@example.com", email_verified: false, verify_email: false }]],
      ["GET", ["PATCH", { password: "*****" }]],
      // That it was sent could not be noted any more.
      ["GET", ["PATCH", { password: "*****" }]],
    ]);
    t.like(await world.tenant.user(userId), { username: "janet", email: "new@example.com", nickname: "new" });
    t.true(await world.tenant.passwordMatches(userId, "Correct-Horse-8"));
  },
);
