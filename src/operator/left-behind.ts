/** How many users stay at Auth0 because their namespace went before they could be deleted. */
import { Counter, type Registry } from "prom-client";

export class LeftBehind {
  readonly #users: Counter<"namespace">;

  constructor(registry: Registry) {
    this.#users = new Counter({
      name: "auth0_user_operator_users_left_behind_total",
      help: "Users that stay at Auth0 because their namespace went before they could be deleted",
      labelNames: ["namespace"],
      registers: [registry],
    });
  }

  count(namespace: string): void {
    this.#users.inc({ namespace });
  }
}
