/** What can be done to a user besides writing it, by the Management API: fulfils the port of `reconcile/`. */
import type { UserId } from "../core/ids.ts";
import type { JsonMap } from "../core/json.ts";
import type { ActionDirectory } from "../reconcile/ports.ts";
import { isJsonObject } from "../runtime/json.ts";
import type { ManagementApi } from "./management-api.ts";
import { callFailed } from "./translate-failure.ts";

export class Auth0Actions implements ActionDirectory {
  readonly #api: ManagementApi;

  constructor(api: ManagementApi) {
    this.#api = api;
  }

  async sendVerificationEmail(user: UserId, signal: AbortSignal): Promise<void> {
    const route = "/jobs/verification-email";
    const what = `send a verification mail to ${user}`;
    // Without it Auth0 refuses users of other than database connections.
    const [provider = "", ...id] = user.split("|");
    await this.#order(route, what, { user_id: user, identity: { provider, user_id: id.join("|") } }, signal);
  }

  async createPasswordTicket(user: UserId, signal: AbortSignal): Promise<string> {
    const route = "/tickets/password-change";
    const what = `make a password-change ticket for ${user}`;
    const answer = await this.#order(route, what, { user_id: user }, signal);
    if (isJsonObject(answer) && typeof answer["ticket"] === "string") return answer["ticket"];
    throw callFailed("unavailable", `${what}: the answer holds no ticket`);
  }

  async revokeAccess(user: UserId, signal: AbortSignal): Promise<void> {
    const route = "/users/{id}/revoke-access";
    const path = `/users/${encodeURIComponent(user)}/revoke-access`;
    const what = `revoke sessions and refresh tokens of ${user}`;
    await this.#api.call({ method: "POST", route, path, kind: "other", what, body: {} }, signal);
  }

  async unblock(user: UserId, signal: AbortSignal): Promise<void> {
    const route = "/user-blocks/{id}";
    const path = `/user-blocks/${encodeURIComponent(user)}`;
    await this.#api.call({ method: "DELETE", route, path, kind: "other", what: `lift blocks of ${user}` }, signal);
  }

  /** What comes of it names one of the tenant's domains. */
  #order(route: string, what: string, body: JsonMap, signal: AbortSignal): Promise<unknown> {
    return this.#api.call({ method: "POST", route, path: route, kind: "other", what, body, namesDomain: true }, signal);
  }
}
