/** What a tenant grants to a resource, names of roles and organizations looked up at Auth0 where they decide. */
import { findNamesToLookUp, findNotGranted, type Asked, type Grants } from "../core/grants.ts";
import type { AssignmentDirectory } from "../reconcile/ports.ts";

/**
 * @returns what is not granted, a phrase each; empty: everything is
 * @throws DirectoryError where a name has to be looked up and can't be
 */
export async function findMissingGrants(
  grants: Grants,
  asked: Asked,
  directory: AssignmentDirectory,
  signal: AbortSignal,
): Promise<string[]> {
  const { roles, organizations } = findNamesToLookUp(grants, asked.desired);
  return findNotGranted(grants, asked, {
    roles: await idsOf(roles, (name) => directory.findRoles(name, signal)),
    organizations: await idsOf(organizations, (name) => directory.findOrganizations(name, signal)),
  });
}

/** Of names that are nobody's or more than one's there is no id. */
async function idsOf(
  names: readonly string[],
  find: (name: string) => Promise<readonly string[]>,
): Promise<ReadonlyMap<string, string>> {
  const ids = new Map<string, string>();
  for (const name of names) {
    const [id, ...others] = await find(name);
    if (id !== undefined && others.length === 0) ids.set(name, id);
  }
  return ids;
}
