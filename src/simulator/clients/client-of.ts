/** The application that a call is about. */
import type { Call } from "../call.ts";
import type { Client } from "../oauth/clients.ts";
import { refusal } from "../refusal.ts";

/** @throws Refusal 404 */
export function clientOf({ tenant, params }: Call): Client {
  const client = tenant.clients.find(params["id"] ?? "");
  if (!client) throw refusal(404, "The client does not exist", "inexistent_client");
  return client;
}
