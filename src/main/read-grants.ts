/** What the process's own tenant grants, from a file: mounted from a ConfigMap, most often. */
import { readFile } from "node:fs/promises";
import { load } from "js-yaml";
import type { ClusterAuth0TenantSpec } from "../api/auth0-tenant.ts";
import { validateDefaultTenant } from "../api/validate.ts";

/** @throws Error with every problem in the file */
export async function readGrants(file: string): Promise<NonNullable<ClusterAuth0TenantSpec["grants"]>> {
  const validated = validateDefaultTenant(load(await readFile(file, "utf8")));
  if (validated.kind === "valid") return validated.value.grants ?? [];
  const problems = validated.issues.map(({ path, message }) => `${file}: ${path}: ${message}`);
  throw new Error(`--default-tenant-grants can't be read:\n${problems.join("\n")}`);
}
