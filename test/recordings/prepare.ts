/** The tenant that a recording was made against, as far as the recording tells. */
import { isJsonObject, type JsonObject } from "../../src/runtime/json.ts";
import type { ConnectionOptions } from "../../src/simulator/connections/connections.ts";
import type { SimulatorOptions } from "../../src/simulator/simulator.ts";
import type { ApiVersion } from "../../src/simulator/switches.ts";
import type { Interaction } from "./interaction.ts";

/** What stands in recordings for the tenant's name. */
export const DOMAIN = "TENANT";

/** Of a tenant with several; requests name the first, since headers were not recorded. */
export const CUSTOM_DOMAINS = ["one.example.com", "two.example.com"];

/** @param apiVersion where the recording has no time in it to tell */
export function tenantOf(
  interactions: readonly Interaction[],
  apiVersion: ApiVersion,
): Pick<SimulatorOptions, "domain" | "connections" | "customDomains" | "switches"> {
  return {
    domain: DOMAIN,
    connections: connectionsOf(interactions),
    customDomains: interactions.some(isCustomDomainConflict) ? CUSTOM_DOMAINS : [],
    switches: { apiVersion, verificationEmail: interactions.some(isFailedMail) ? "failed" : "completed" },
  };
}

export function isCustomDomainConflict({ status, responseBody }: Interaction): boolean {
  return status === 409 && isJsonObject(responseBody) && responseBody["errorCode"] === "custom_domain_conflict";
}

function isFailedMail({ responseBody: body }: Interaction): boolean {
  return isJsonObject(body) && body["type"] === "verification_email" && body["status"] === "failed";
}

/** From when on an API is of a version. */
const SINCE: readonly (readonly [ApiVersion, string])[] = [
  ["2026-08", "2026-08-01"],
  ["2026-06", "2026-06-01"],
  ["2026-04", "2026-04-01"],
  ["2025-09", "2025-09-01"],
  ["2023", ""],
];

/** The API's version by the newest time in the recording; all of them, newest first, where it holds none. */
export function apiVersionsOf(interactions: readonly Interaction[]): readonly ApiVersion[] {
  const newest = timesIn(JSON.stringify(interactions)).toSorted().at(-1);
  const versions = SINCE.map(([version]) => version);
  if (newest === undefined) return versions;
  return [SINCE.find(([, since]) => newest >= since)?.[0] ?? "2023"];
}

/** Times as they are written, and those that MongoDB's ids begin with. */
export function timesIn(text: string): readonly string[] {
  const written = Array.from(text.matchAll(/\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g), ([time]) => time);
  const inIds = Array.from(text.matchAll(/(?<![0-9a-f])([0-9a-f]{8})[0-9a-f]{16}(?![0-9a-f])/g), ([, seconds = "0"]) =>
    new Date(Number.parseInt(seconds, 16) * 1000).toISOString(),
  );
  return [...written, ...inIds];
}

/** Those that users are in; their options as some answer shows them, or else as the bodies tell that were taken. */
function connectionsOf(interactions: readonly Interaction[]): readonly ConnectionOptions[] {
  const creates = interactions.filter(({ method, path }) => method === "POST" && path === "/api/v2/users");
  const bodies = creates.filter(({ status }) => status === 201).map(({ requestBody }) => objectFrom(requestBody));
  const names = new Set(interactions.flatMap(({ requestBody, responseBody }) => namesIn([requestBody, responseBody])));
  const made = new Set(
    interactions
      .filter(({ method, path }) => method === "POST" && path === "/api/v2/connections")
      .map(({ requestBody }) => objectFrom(requestBody)["name"]),
  );
  return [...names]
    .filter((name) => !made.has(name))
    .map((name) => ({ name, options: optionsTaken(bodies.filter(({ connection }) => connection === name)) }));
}

/** Every `connection` of a JSON value, at any depth. */
function namesIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(namesIn);
  if (!isJsonObject(value)) return [];
  const own = typeof value["connection"] === "string" ? [value["connection"]] : [];
  return [...own, ...Object.values(value).flatMap(namesIn)];
}

/** Usernames are demanded where every taken body has one, and may be as long as the longest, 15 at least. */
function optionsTaken(bodies: readonly JsonObject[]): JsonObject {
  const usernames = bodies.map(({ username }) => (typeof username === "string" ? username : undefined));
  const longest = Math.max(15, ...usernames.map((username) => username?.length ?? 0));
  const demanded = usernames.length > 0 && usernames.every((username) => username !== undefined);
  return {
    passwordPolicy: "low",
    attributes: {
      email: { identifier: { active: true }, profile_required: true, unique: true },
      username: {
        identifier: { active: true },
        profile_required: demanded,
        validation: { min_length: 1, max_length: longest },
      },
    },
  };
}

function objectFrom(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}
