/** How many users the operator may delete for one tenant object within an hour, and what people said to that. */
import { CONFIRM_DELETION_ANNOTATION } from "../../src/api/names.ts";
import { DEFAULT_TENANT_CONFIG_MAP } from "../../src/operator/names.ts";
import { findJsonObject, type JsonObject } from "../../src/runtime/json.ts";
import { annotationsOf, asObject, metadataOf, type Write } from "./cluster.ts";

/** What counts for less than an hour, since a deletion may have been under way for some minutes. */
const SPAN_MS = 50 * 60_000;

interface Tenant {
  /** Every word of confirmation that somebody gave. */
  readonly words: Set<string>;
  /** The last of them. */
  word: string | undefined;
  /** When users were deleted whose deletion nobody confirmed. */
  readonly deletedAtMs: number[];
  pausedSinceMs: number | undefined;
  confirmedAtMs: number;
}

export class Protection {
  readonly #limit: number | undefined;
  /** By the name of the object that keeps the notes. */
  readonly #tenants = new Map<string, Tenant>();

  constructor(limit: number | undefined) {
    this.#limit = limit;
  }

  /** @returns what is wrong with it */
  noteWrite({ actor, after }: Write): string | undefined {
    if (after === undefined) return undefined;
    const notes = asObject(after["status"])["protection"] ?? asObject(after["data"])["protection"];
    if (typeof notes !== "string") return undefined;
    const name = String(metadataOf(after)["name"]);
    const tenant = this.#of(name);
    const word = annotationsOf(after)[CONFIRM_DELETION_ANNOTATION];
    tenant.word = word;
    if (word !== undefined) tenant.words.add(word);
    if (actor === "person") return undefined;
    const { pausedSinceMs, confirmedAtMs = 0 } = asObject(findJsonObject(notes)?.["deletions"]);
    const isNewWord = Number(confirmedAtMs) > tenant.confirmedAtMs;
    const isGiven =
      tenant.pausedSinceMs !== undefined && tenant.words.has(new Date(tenant.pausedSinceMs).toISOString());
    tenant.confirmedAtMs = Number(confirmedAtMs);
    tenant.pausedSinceMs = pausedSinceMs === undefined ? undefined : Number(pausedSinceMs);
    if (!isNewWord) return undefined;
    tenant.deletedAtMs.length = 0;
    return isGiven ? undefined : `deletions of ${name} go on, and nobody confirmed them`;
  }

  /** @returns what is wrong with it */
  noteDeletion(object: JsonObject, nowMs: number): string | undefined {
    if (this.#limit === undefined) return undefined;
    const tenant = this.#of(tenantOf(object));
    if (Date.parse(String(metadataOf(object)["deletionTimestamp"])) <= tenant.confirmedAtMs) return undefined;
    tenant.deletedAtMs.push(nowMs);
    const count = tenant.deletedAtMs.filter((atMs) => atMs > nowMs - SPAN_MS).length;
    return count > this.#limit
      ? `${String(count)} users of ${tenantOf(object)} were deleted within an hour`
      : undefined;
  }

  /** Whether deletions like that of this resource wait for a person. */
  isPaused(object: JsonObject): boolean {
    const { pausedSinceMs, word } = this.#of(tenantOf(object));
    return pausedSinceMs !== undefined && word !== new Date(pausedSinceMs).toISOString();
  }

  #of(name: string): Tenant {
    const tenant = this.#tenants.get(name) ?? {
      words: new Set(),
      word: undefined,
      deletedAtMs: [],
      pausedSinceMs: undefined,
      confirmedAtMs: 0,
    };
    this.#tenants.set(name, tenant);
    return tenant;
  }
}

function tenantOf(object: JsonObject): string {
  const { tenantRef } = asObject(object["spec"]);
  return tenantRef === undefined ? DEFAULT_TENANT_CONFIG_MAP : String(asObject(tenantRef)["name"]);
}
