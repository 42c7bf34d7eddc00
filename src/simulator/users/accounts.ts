/** What users have with other services: connected accounts, token sets, and the assessments of risk. */
import type { JsonObject } from "../../runtime/json.ts";
import { api, type ApiCall, type ApiEndpoint } from "../call.ts";
import { parseBody, type Answer } from "../http.ts";
import { textIn } from "../json.ts";
import { checkpointAnswer } from "../paging.ts";
import { checkBody, type Schema } from "../schema.ts";
import type { Collection } from "../state/collection.ts";
import { parseObject, type State } from "../state/state.ts";
import { userOf } from "./user-of.ts";
import type { Users } from "./users.ts";

/** As the API shows them, with the `user_id` that they belong to; nobody connects anything here, so a saved state has them. */
export class Accounts {
  readonly connected: Collection<JsonObject>;
  readonly tokenSets: Collection<JsonObject>;

  constructor(state: State, users: Users) {
    this.connected = state.collection("connectedAccounts", parseObject);
    this.tokenSets = state.collection("tokenSets", parseObject);
    users.subscribe((before, after) => {
      if (!before || after) return;
      forgetOf(this.connected, before.userId);
      forgetOf(this.tokenSets, before.userId);
    });
  }
}

export function itemsOf(items: Collection<JsonObject>, userId: string): readonly JsonObject[] {
  return Array.from(items.values()).filter((item) => item["user_id"] === userId);
}

export function forgetOf(items: Collection<JsonObject>, userId: string): void {
  for (const item of itemsOf(items, userId)) items.delete(textIn(item, "id") ?? "");
}

const TOKEN_SETS = "/users/{id}/federated-connections-tokensets";

export const ACCOUNT_ENDPOINTS: readonly ApiEndpoint[] = [
  api("GET", "/users/{id}/connected-accounts", ["read:users"], listConnectedAccounts),
  api("GET", TOKEN_SETS, ["read:federated_connections_tokens"], listTokenSets),
  api("DELETE", `${TOKEN_SETS}/{set_id}`, ["delete:federated_connections_tokens"], deleteTokenSet),
  api("POST", "/users/{id}/risk-assessments/clear", ["update:users"], clearRiskAssessments),
];

function listConnectedAccounts(call: ApiCall): Answer {
  const accounts = itemsOf(call.tenant.accounts.connected, userOf(call).userId);
  return checkpointAnswer(call.query, "connected_accounts", accounts, withoutUser, {
    position: (account) => textIn(account, "id") ?? "",
  });
}

function withoutUser({ user_id: _user, ...item }: JsonObject): JsonObject {
  return item;
}

function listTokenSets(call: ApiCall): Answer {
  return { status: 200, body: itemsOf(call.tenant.accounts.tokenSets, userOf(call).userId).map(withoutUser) };
}

/** 204 also for one that is not there (recorded). */
function deleteTokenSet(call: ApiCall): Answer {
  const { userId } = userOf(call);
  const { tokenSets } = call.tenant.accounts;
  const id = call.params["set_id"] ?? "";
  if (tokenSets.find(id)?.["user_id"] === userId) tokenSets.delete(id);
  return { status: 204 };
}

const ASSESSORS: Schema = {
  additional: { hint: "" },
  required: ["connection", "assessors"],
  properties: {
    connection: { type: "string", minLength: 1, description: "The name of the connection." },
    assessors: {
      type: "array",
      minItems: 1,
      items: { type: "string", enum: ["new-device"] },
      description: "List of assessors to clear.",
    },
  },
};

function clearRiskAssessments(call: ApiCall): Answer {
  checkBody(parseBody(call.request), ASSESSORS);
  userOf(call);
  return { status: 204 };
}
