/** `/api/v2/user-blocks`: what brute-force protection has against a user. `blocked` is another thing (documented). */
import type { JsonObject } from "../../runtime/json.ts";
import { api, type ApiCall, type ApiEndpoint } from "../call.ts";
import type { Answer } from "../http.ts";
import { checkQuery, type Schema } from "../schema.ts";
import { IDENTIFIERS } from "../connections/identifier-rule.ts";
import type { Collection } from "../state/collection.ts";
import { parseObject, type State } from "../state/state.ts";
import type { Tenant } from "../tenant.ts";
import { userOf } from "./user-of.ts";
import type { User } from "./user.ts";
import type { Users } from "./users.ts";

/** By user: `blocked_for`, a list of `{identifier, ip, connection}`. Nobody logs in here, so they come from a saved state. */
export class UserBlocks {
  readonly byUser: Collection<JsonObject>;

  constructor(state: State, users: Users) {
    this.byUser = state.collection("userBlocks", parseObject);
    users.subscribe((before, after) => {
      if (before && !after) this.byUser.delete(before.userId);
    });
  }
}

export const USER_BLOCK_ENDPOINTS: readonly ApiEndpoint[] = [
  api("GET", "/user-blocks", ["read:users"], (call) => shownBlocks(call.tenant, usersOfIdentifier(call))),
  api("DELETE", "/user-blocks", ["update:users"], (call) => unblock(call.tenant, usersOfIdentifier(call))),
  api("GET", "/user-blocks/{id}", ["read:users"], (call) => shownBlocks(call.tenant, usersOfPath(call))),
  api("DELETE", "/user-blocks/{id}", ["update:users"], (call) => unblock(call.tenant, usersOfPath(call))),
];

function shownBlocks({ userBlocks }: Tenant, users: readonly User[]): Answer {
  const blocks = users.flatMap(({ userId }) => userBlocks.byUser.find(userId)?.["blocked_for"] ?? []);
  return { status: 200, body: { blocked_for: blocks } };
}

function unblock({ userBlocks }: Tenant, users: readonly User[]): Answer {
  for (const { userId } of users) userBlocks.byUser.delete(userId);
  return { status: 204 };
}

const SCHEMA: Schema = {
  required: ["identifier"],
  properties: {
    identifier: { type: "string", description: "Should be any of a username, phone number, or email." },
  },
};

function usersOfIdentifier({ tenant, query }: ApiCall): readonly User[] {
  checkQuery(query, SCHEMA);
  return usersWith(tenant, query.get("identifier") ?? "");
}

/** An e-mail address or username is taken for the id as well: Auth0's own command line sends one. */
function usersOfPath(call: ApiCall): readonly User[] {
  const id = call.params["id"] ?? "";
  return id.includes("|") ? [userOf(call)] : usersWith(call.tenant, id);
}

function usersWith({ users }: Tenant, identifier: string): readonly User[] {
  return [...new Set(IDENTIFIERS.flatMap((name) => users.findByIdentifier(name, identifier)))];
}
