/** What histories read out of objects: the user that a resource is about, what its status says, what its annotation claims. */
import { asObject } from "./cluster.ts";
import { CLUSTER_TENANTS } from "./names.ts";
import type { JsonObject } from "../../src/runtime/json.ts";

export type Provenance = "created" | "adopted";

/** A user of a tenant: `acme.example.com auth0|…`. */
export type UserKey = string;

export function keyOf(domain: string, userId: string): UserKey {
  return `${domain} ${userId}`;
}

export interface Condition {
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

export function readyOf(object: JsonObject): Condition {
  return conditionOf(object, "Ready");
}

export function conditionOf(object: JsonObject, type: string): Condition {
  const { conditions } = asObject(object["status"]);
  const condition = (Array.isArray(conditions) ? conditions : []).map(asObject).find((one) => one["type"] === type);
  const { status = "Unknown", reason = "", message = "" } = condition ?? {};
  return { status: String(status), reason: String(reason), message: String(message) };
}

/** The id of the user that the resource says to wait for. */
export function awaitedIn(object: JsonObject): string | undefined {
  const { reason, message } = readyOf(object);
  return reason === "DuplicateClaim" ? message.slice(0, message.indexOf(" ")) : undefined;
}

/** The plan of a takeover that waits for approval. */
export function planIn(object: JsonObject): { readonly userId: string; readonly hash: string } | undefined {
  const { userId, hash } = asObject(asObject(object["status"])["plannedChanges"]);
  return typeof userId === "string" && typeof hash === "string" ? { userId, hash } : undefined;
}

/** How a person confirms the deletions that the resource says are paused: the object to be annotated, and the word. */
export function pauseIn(object: JsonObject): { readonly path: string; readonly word: string } | undefined {
  const { reason, message } = readyOf(object);
  if (reason !== "DeletionPaused") return undefined;
  const command = /kubectl(?: -n (\S+))? annotate --overwrite (\S+) (\S+) [^=]+=(\S+)$/.exec(message);
  const [, namespace = "", kind, name = "", word = ""] = command ?? [];
  const collection = kind === "configmap" ? `/api/v1/namespaces/${namespace}/configmaps` : CLUSTER_TENANTS;
  return { path: `${collection}/${name}`, word };
}

export function idIn(user: UserKey): string {
  return user.slice(user.indexOf(" ") + 1);
}

/** `USER_ID;TENANT_DOMAIN;PROVENANCE;SIGNATURE`; `undefined` while Auth0 has yet to choose the id. */
export function parseClaimText(text: string): { readonly user: UserKey; readonly provenance: Provenance } | undefined {
  const [id = "", domain = "", provenance] = text.split(";");
  if (id.startsWith("?")) return undefined;
  return { user: keyOf(domain, id), provenance: provenance === "created" ? "created" : "adopted" };
}
