/** What a user is given, as it would be changed: reads go through to the tenant, writes are noted and not made. */
import type { AssignmentKind } from "../core/assignments.ts";
import type { AssignmentDirectory } from "./ports.ts";
import type { PlannedChange } from "./review.ts";

export class Rehearsal implements AssignmentDirectory {
  readonly findRoles: AssignmentDirectory["findRoles"];
  readonly findOrganizations: AssignmentDirectory["findOrganizations"];
  readonly listRoles: AssignmentDirectory["listRoles"];
  readonly listPermissions: AssignmentDirectory["listPermissions"];
  readonly listOrganizations: AssignmentDirectory["listOrganizations"];
  readonly #inner: AssignmentDirectory;
  readonly #joined = new Set<string>();
  readonly changes: PlannedChange[] = [];

  constructor(inner: AssignmentDirectory) {
    this.#inner = inner;
    this.findRoles = (name, signal) => inner.findRoles(name, signal);
    this.findOrganizations = (name, signal) => inner.findOrganizations(name, signal);
    this.listRoles = (user, signal) => inner.listRoles(user, signal);
    this.listPermissions = (user, signal) => inner.listPermissions(user, signal);
    this.listOrganizations = (user, signal) => inner.listOrganizations(user, signal);
  }

  listMemberRoles: AssignmentDirectory["listMemberRoles"] = (organization, user, signal) =>
    // Who is no member yet has none there.
    this.#joined.has(organization) ? Promise.resolve([]) : this.#inner.listMemberRoles(organization, user, signal);

  addRoles: AssignmentDirectory["addRoles"] = (_, roles) => this.#note("roles", "Add", roles);
  removeRoles: AssignmentDirectory["removeRoles"] = (_, roles) => this.#note("roles", "Remove", roles);
  addPermissions: AssignmentDirectory["addPermissions"] = (_, keys) => this.#note("permissions", "Add", keys);
  removePermissions: AssignmentDirectory["removePermissions"] = (_, keys) => this.#note("permissions", "Remove", keys);

  addMember: AssignmentDirectory["addMember"] = (organization) => {
    this.#joined.add(organization);
    return this.#note("organizations", "Add", [organization]);
  };

  removeMember: AssignmentDirectory["removeMember"] = (organization) =>
    this.#note("organizations", "Remove", [organization]);

  addMemberRoles: AssignmentDirectory["addMemberRoles"] = (organization, _, roles) =>
    this.#note(
      "organizations",
      "Add",
      roles.map((role) => `${organization} ${role}`),
    );

  removeMemberRoles: AssignmentDirectory["removeMemberRoles"] = (organization, _, roles) =>
    this.#note(
      "organizations",
      "Remove",
      roles.map((role) => `${organization} ${role}`),
    );

  #note(field: AssignmentKind, change: "Add" | "Remove", keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      const [from, to] = change === "Add" ? [undefined, key] : [key, undefined];
      this.changes.push({ field, change, from, to, isShown: true });
    }
    return Promise.resolve();
  }
}
