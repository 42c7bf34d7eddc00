/** A folder as it is found: not all that is called .yaml is a manifest, and things go while they are read. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import test from "ava";
import { readDeclarations } from "../../../src/files/declarations.ts";

const USER = `apiVersion: auth0-user-operator.dev/v1alpha1
kind: Auth0User
metadata: { name: jane }
spec: { connection: db, email: jane@example.com }
`;

test("what is gone when its turn comes is no manifest, and neither is a folder of such a name", async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), "declarations-"));
  t.teardown(() => rm(folder, { recursive: true }));
  await writeFile(path.join(folder, "jane.yaml"), USER);
  await symlink("nowhere.yaml", path.join(folder, "gone.yaml"));
  await mkdir(path.join(folder, "folder.yaml"));

  const { users, issues } = await readDeclarations([folder]);

  t.deepEqual(
    users.map(({ key }) => key),
    ["default/jane"],
  );
  t.deepEqual(issues, []);
  await t.throwsAsync(readDeclarations([path.join(folder, "gone.yaml")]), { code: "ENOENT" });
});

test("a file that is named beside its folder is read once", async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), "declarations-"));
  t.teardown(() => rm(folder, { recursive: true }));
  await writeFile(path.join(folder, "jane.yaml"), USER);

  const { users, issues } = await readDeclarations([
    folder,
    `${folder}/./jane.yaml`,
    `${folder}/../${path.basename(folder)}`,
  ]);

  t.is(users.length, 1);
  t.deepEqual(issues, []);
});
